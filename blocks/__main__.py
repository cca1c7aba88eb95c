"""Register an environment's Prefect blocks from Terraform's outputs.

terraform output -json | python -m blocks
"""

import argparse
import json
import sys
import warnings
from dataclasses import dataclass
from typing import Any, Self

from flows.settings import Settings


class OutputsError(Exception):
    """Terraform's outputs are not what the blocks need."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the blocks are made of, as `terraform output -json` gives it."""

    environment: str
    project_id: str
    lake_bucket: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the outputs' JSON.

        Raises:
            OutputsError: it is no JSON, or an output is missing.
        """
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise OutputsError(
                f"standard input: not JSON ({error}), expected `terraform output -json`; nothing was written"
            ) from error
        values: dict[str, str] = {}
        for name in cls.__slots__:
            if not isinstance(found.get(name), dict) or not isinstance(found[name].get("value"), str):
                raise OutputsError(
                    f"standard input: no output {name!r}, expected one; run `terraform apply`, nothing was written"
                )
            values[name] = found[name]["value"]
        return cls(**values)


def register(outputs: Outputs) -> list[str]:
    """Save the environment's blocks under their names, over those that are there; returns the names.

    Keyless: in the cloud and on a laptop alike, credentials are those of the process that runs the flow.
    """
    # imported late: this costs two seconds, which a run whose blocks are there already does not need
    from prefect_gcp.bigquery import BigQueryWarehouse  # noqa: PLC0415
    from prefect_gcp.cloud_storage import GcsBucket  # noqa: PLC0415
    from prefect_gcp.credentials import GcpCredentials  # noqa: PLC0415

    names = Settings(environment=outputs.environment, publisher=None)
    GcpCredentials(project=outputs.project_id).save(names.credentials_block, overwrite=True)
    # loaded again, so that the others refer to this block and do not copy it
    credentials = GcpCredentials.load(names.credentials_block)
    GcsBucket(bucket=outputs.lake_bucket, gcp_credentials=credentials).save(names.lake_block, overwrite=True)
    with warnings.catch_warnings():
        # the block offers its client BigQuery's Storage API, which is not installed: no row passes this process
        warnings.filterwarnings("ignore", message="Cannot create BigQuery Storage client")
        BigQueryWarehouse(gcp_credentials=credentials).save(names.warehouse_block, overwrite=True)
    return [names.credentials_block, names.lake_block, names.warehouse_block]


def absent(outputs: Outputs) -> bool:
    """Tell whether one of the environment's blocks is not registered yet."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    names = Settings(environment=outputs.environment, publisher=None)
    wanted = {names.credentials_block, names.lake_block, names.warehouse_block}
    with get_client(sync_client=True) as client:
        found: Any = client.read_block_documents()
    return not wanted <= {document.name for document in found}


def main() -> None:
    """Read outputs from standard input and register blocks."""
    parser = argparse.ArgumentParser(prog="python -m blocks", description=__doc__)
    parser.add_argument("--if-absent", action="store_true", help="do nothing if the blocks are registered already")
    arguments = parser.parse_args()
    try:
        outputs = Outputs.read(sys.stdin.read())
    except OutputsError as error:
        sys.exit(str(error))
    if not arguments.if_absent or absent(outputs):
        for name in register(outputs):
            print(f"registered {name}")  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()

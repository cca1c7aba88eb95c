"""One run of dlt, web to bucket: Arrow batches with types, which it does not look into, as Parquet into a filesystem.

As https://dlthub.com/docs/dlt-ecosystem/verified-sources/arrow-pandas advises. It runs in an environment of its own
(`environment.py`), for it is in no lock of ours.

Usage: python dlt_pipeline.py ADDRESS FOLDER NAME, with STORAGE_EMULATOR_HOST set; prints the objects' prefix.
"""

import gzip
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found,unused-ignore]  # in an environment of its own
import pyarrow as pa
import pyarrow.csv
from dlt.common.configuration.specs.gcp_credentials import (  # type: ignore[import-not-found,unused-ignore]  # the same
    GcpCredentials,
)

BLOCK_BYTES = 4 << 20


def trips(address: str, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Read the file at *address* as it comes."""
    with urllib.request.urlopen(address) as body, gzip.open(body) as text:  # noqa: S310 - the local publisher
        yield from pyarrow.csv.open_csv(
            text,
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True),
        )


def _as_nobody(_: Any) -> dict[str, str]:
    """Let gcsfs ask the local cloud without credentials, for which dlt has no setting."""
    return {"token": "anon"}


def main(address: str, folder: Path, name: str) -> None:
    """Bring the file at *address* into the bucket `lake`, by way of dlt's files in *folder*."""
    given = json.loads((folder / "types.json").read_text(encoding="utf-8"))
    kinds: dict[str, Any] = {"i": pa.int64(), "f": pa.float64(), "s": pa.string(), "t": pa.timestamp("us")}
    resource = dlt.resource(trips(address, {column: kinds[kind] for column, kind in given.items()}), name="yellow")
    GcpCredentials.to_gcs_credentials = _as_nobody
    shown = {"project_id": "local", "private_key": "none", "client_email": "nobody@local.iam.gserviceaccount.com"}
    lake = dlt.destinations.filesystem(bucket_url="gs://lake", credentials=shown)
    pipeline = dlt.pipeline(name, pipelines_dir=str(folder / name), destination=lake, dataset_name=name)
    pipeline.run(resource, loader_file_format="parquet", write_disposition="append")
    print(f"{name}/yellow/")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])

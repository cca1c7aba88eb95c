"""Defects that a test plants into a run's process before it starts."""

import os
import resource
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
from google.cloud.bigquery import SchemaField
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate

from flows import settings
from flows.artifacts import sending
from flows.etl import table, upload
from flows.etl.contract import ColumnType, Contract
from flows.etl.destination import Destination
from flows.etl.formats.csv import CsvReader


def other_contracts() -> None:
    """Let the run read the contracts of another folder: another version of this code."""
    settings.CONTRACTS = Path(os.environ["OTHER_CONTRACTS"])


def narrow_first_schema() -> None:
    """Let the first load know no column but the contract's, as if another run added one while it was sent."""
    other_contracts()
    honest, calls = table.ensure, []

    def narrow(destination: Destination, contract: Contract, added: Mapping[str, ColumnType]) -> list[SchemaField]:
        fields = honest(destination, contract, added)
        calls.append(fields)
        return fields if len(calls) > 1 else table.schema(contract, {})

    table.ensure = narrow


def small_disk() -> None:
    """Let no file of this process grow beyond FILE_BYTES, as on a disk that is full."""
    other_contracts()
    limit = int(os.environ["FILE_BYTES"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def one_try() -> None:
    """Let an upload give a part up at once, so that a test need not wait for all its tries."""
    other_contracts()
    upload.TRIES = 1


def secret() -> None:
    """Save a secret in Prefect before the run begins, as a person would."""
    other_contracts()
    Secret(value=os.environ["SECRET_VALUE"]).save(os.environ["SECRET_BLOCK"], overwrite=True)


def drop_a_row() -> None:
    """Let the converter lose the last row of each block."""
    whole = CsvReader._table  # noqa: SLF001 - the defect is deep inside, or it would be no defect

    def lossy(*arguments: Any) -> pa.Table:
        table = whole(*arguments)
        return table.slice(0, table.num_rows - 1)

    CsvReader._table = lossy  # type: ignore[method-assign,assignment] # noqa: SLF001


def no_artifacts() -> None:
    """Let Prefect's server refuse all artifacts, or take each for ever, as ARTIFACTS says."""

    def refuse(_: SyncPrefectClient, artifact: ArtifactCreate) -> None:
        if os.environ["ARTIFACTS"] == "hang":
            threading.Event().wait()
        raise httpx.ReadTimeout(f"no room for {artifact.type}")

    SyncPrefectClient.create_artifact = refuse  # type: ignore[method-assign,assignment]
    sending.PATIENT_S = 0.5  # a test need not wait so long

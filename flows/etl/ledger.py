"""The ledger: an append-only table of what has landed, one row written by one job for each claim.

It can be rebuilt from the log and the jobs; nothing but speed and history depends on it.
"""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from flows.etl import jobs
from flows.etl.destination import Destination
from flows.etl.errors import Transient, Unequal, WarehouseRefused
from flows.etl.landing_log import Claim, Kind
from flows.etl.load import Loaded
from flows.etl.partition import Partition

TABLE, VIEW = "landings", "landings_current"

COLUMNS = {
    "contract": "STRING",
    "partition": "STRING",
    "n": "INT64",
    "kind": "STRING",
    "status": "STRING",
    "source_uri": "STRING",
    "etag": "STRING",
    "last_modified": "STRING",
    "source_bytes": "INT64",
    "source_sha256": "STRING",
    "source_rows": "INT64",
    "quarantined_rows": "INT64",
    "lake_uri": "STRING",
    "lake_generation": "INT64",
    "lake_crc32c": "STRING",
    "lake_rows": "INT64",
    "warehouse_rows": "INT64",
    "job_id": "STRING",
    "attempt": "INT64",
    "contract_fingerprint": "STRING",
    "contract_revision": "INT64",
    "checks_fingerprint": "STRING",
    "flow_run_id": "STRING",
    "claimed_at": "TIMESTAMP",
    "loaded_at": "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """The last row of a partition: everything up to this claim has ended."""

    n: int
    status: str
    contract_fingerprint: str
    lake_rows: int
    loaded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger: what a claim says, but for its contract's name, and what became of it."""

    partition: str
    n: int
    kind: Kind
    status: str
    source_uri: str
    etag: str | None
    last_modified: str | None
    source_bytes: int
    source_sha256: str
    source_rows: int
    quarantined_rows: int
    lake_uri: str
    lake_generation: int
    lake_crc32c: str
    lake_rows: int
    warehouse_rows: int
    contract_fingerprint: str
    contract_revision: int
    checks_fingerprint: str | None
    flow_run_id: str | None
    loaded_at: dt.datetime

    def claim(self, contract: str) -> Claim:
        """Give the claim that the row is about, as far as it says; without the rows that it put aside."""
        known = {each.name for each in dataclasses.fields(Claim)}
        said = {name: value for name, value in dataclasses.asdict(self).items() if name in known}
        return Claim(contract=contract, **said)


def rows(destination: Destination, contract: str) -> list[Row]:
    """Read all of a contract's rows in one query, by partition and number; of one claim the last word comes last."""
    names = ", ".join(f"`{each.name}`" for each in dataclasses.fields(Row))
    query = f"""
        SELECT {names} FROM `{destination.table(TABLE)}` WHERE contract = @contract
        ORDER BY `partition`, n, status DESC
    """  # noqa: S608 - our own names
    config = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter("contract", "STRING", contract)], use_query_cache=False
    )
    try:
        found = destination.warehouse.query(query, job_config=config, location=destination.location).result()
    except NotFound:  # nothing has landed in this dataset yet
        return []
    return [Row(**dict(row.items())) for row in found]


def last(destination: Destination, spans: Sequence[tuple[str, Partition, Partition]]) -> dict[str, dict[str, Settled]]:
    """Read the last row of each partition of some contracts, each from its first to its last, in one query.

    By contract and partition; partitions without a row are left out.
    """
    found: dict[str, dict[str, Settled]] = {name: {} for name, _, _ in spans}
    asked = [
        bigquery.ScalarQueryParameter(f"{name}_{at}", "STRING", str(value))
        for at, span in enumerate(spans)
        for name, value in zip(("contract", "first", "last"), span, strict=True)
    ]
    which = " OR ".join(
        f"(contract = @contract_{at} AND `partition` BETWEEN @first_{at} AND @last_{at})" for at in range(len(spans))
    )
    query = f"""
        SELECT contract, `partition`, n, status, contract_fingerprint, lake_rows, loaded_at
        FROM `{destination.table(TABLE)}`
        WHERE {which}
        QUALIFY ROW_NUMBER() OVER (PARTITION BY contract, `partition` ORDER BY n DESC, status) = 1
    """  # noqa: S608 - the dataset's name is the environment's own
    config = bigquery.QueryJobConfig(query_parameters=asked, use_query_cache=False)
    try:
        rows = destination.warehouse.query(query, job_config=config, location=destination.location).result()
    except NotFound:  # nothing has landed in this dataset yet
        return found
    for contract, partition, *values in (row.values() for row in rows):
        found[contract][partition] = Settled(*values)
    return found


def statuses(destination: Destination, claim: Claim) -> set[str]:
    """Read what has been written of a claim: `loaded`, `refused`, or nothing."""
    query = f"""
        SELECT DISTINCT status FROM `{destination.table(TABLE)}`
        WHERE contract = @contract AND `partition` = @partition AND n = @n
    """  # noqa: S608 - the dataset's name is the environment's own
    config = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter("contract", "STRING", claim.contract),
            bigquery.ScalarQueryParameter("partition", "STRING", claim.partition),
            bigquery.ScalarQueryParameter("n", "INT64", claim.n),
        ],
        use_query_cache=False,
    )
    try:
        rows = destination.warehouse.query(query, job_config=config, location=destination.location).result()
    except NotFound:  # nothing has landed in this dataset yet
        return set()
    return {row["status"] for row in rows}


def lake_uris(destination: Destination) -> set[str]:
    """Read the names of all objects that were ever loaded or refused, in one query; claims name each of them."""
    query = f"SELECT DISTINCT lake_uri FROM `{destination.table(TABLE)}`"  # noqa: S608 - the environment's own name
    config = bigquery.QueryJobConfig(use_query_cache=False)
    try:
        rows = destination.warehouse.query(query, job_config=config, location=destination.location).result()
    except NotFound:  # nothing has landed in this dataset yet
        return set()
    return {row["lake_uri"] for row in rows}


def record(destination: Destination, loaded: Loaded) -> Loaded:
    """Write a claim's row, once, however often and by whomever it is asked for; then hold its counts to account.

    A job of before is taken at its word only if its row is there: the table may have been dropped since, or the row
    may say that the content was refused, which has now been loaded.

    Raises:
        WarehouseRefused: the row says that BigQuery refused the content.
        Unequal: rows were lost or doubled between source, lake and warehouse.
        Transient: BigQuery had passing trouble in all attempts.
    """
    write(destination, loaded)
    return check(loaded)


def write(destination: Destination, loaded: Loaded) -> None:
    """Write a claim's row, once; its counts are its own.

    Raises:
        Transient: BigQuery had passing trouble in all attempts.
    """
    ensure(destination)
    tried = 0
    for attempt in itertools.count():
        job_id = jobs.name(destination, loaded.claim, attempt, "landfall-ledger")
        try:
            job, new = jobs.send(destination, job_id, lambda name=job_id: _insert(destination, loaded, name))  # type: ignore[misc]
        except jobs.Forgotten:
            if _status(loaded) in statuses(destination, loaded.claim):
                break
            continue
        if jobs.wait(job) is None:
            if new or _status(loaded) in statuses(destination, loaded.claim):
                break
            continue
        tried += new  # what an earlier run met in passing does not count
        if tried == jobs.ATTEMPTS:
            raise Transient(f"{destination.table(TABLE)}: {jobs.message(job)}, in {tried} new jobs; run again")
        if new:
            jobs.pause_before(attempt)


def check(loaded: Loaded) -> Loaded:
    """Hold both row equations: source = lake + quarantined, and lake = warehouse."""
    claim = loaded.claim
    where = f"{claim.contract} {claim.partition}, claim {claim.n}"
    if loaded.refusal:
        raise WarehouseRefused(loaded.refusal)
    if claim.source_rows != claim.lake_rows + claim.quarantined_rows:
        raise Unequal(
            f"{where}: found {claim.lake_rows} lake rows and {claim.quarantined_rows} quarantined, expected"
            f" {claim.source_rows} in all, which is what the source held"
        )
    if claim.lake_rows != loaded.warehouse_rows:
        raise Unequal(f"{where}: found {loaded.warehouse_rows} rows in the table, expected {claim.lake_rows}")
    return loaded


def ensure(destination: Destination) -> None:
    """Make the ledger's table and its view of what is current, each if it is absent: one may be dropped alone."""
    if not _is_there(destination, TABLE):
        table = bigquery.Table(
            destination.table(TABLE),
            schema=[bigquery.SchemaField(name, kind) for name, kind in COLUMNS.items()],
        )
        table.description = "Landfall's ledger: one row for each claim that was loaded or refused; append-only"
        table.clustering_fields = ["contract", "partition"]
        destination.warehouse.create_table(table, exists_ok=True)
    if not _is_there(destination, VIEW):
        view = bigquery.Table(destination.table(VIEW))
        view.description = "What each partition holds now: the loaded claim with the highest number"
        view.view_query = f"""
            SELECT * FROM `{destination.table(TABLE)}` WHERE status = 'loaded'
            QUALIFY ROW_NUMBER() OVER (PARTITION BY contract, `partition` ORDER BY n DESC) = 1
        """  # noqa: S608 - the dataset's name is the environment's own
        destination.warehouse.create_table(view, exists_ok=True)


def _is_there(destination: Destination, name: str) -> bool:
    try:
        destination.warehouse.get_table(destination.table(name))
    except NotFound:
        return False
    return True


def _insert(destination: Destination, loaded: Loaded, job_id: str) -> bigquery.QueryJob:
    row = _row(loaded)
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    values = ", ".join(f"@{name}" for name in COLUMNS)
    query = f"INSERT INTO `{destination.table(TABLE)}` ({names}) VALUES ({values})"  # noqa: S608 - our own names
    parameters = [bigquery.ScalarQueryParameter(name, kind, row[name]) for name, kind in COLUMNS.items()]
    return destination.warehouse.query(
        query,
        job_id=job_id,
        job_retry=None,  # a job that failed keeps its id: the next attempt is ours to name
        location=destination.location,
        job_config=bigquery.QueryJobConfig(query_parameters=parameters, labels={"contract": loaded.claim.contract}),
    )


def _status(loaded: Loaded) -> str:
    return "refused" if loaded.refusal else "loaded"


def _row(loaded: Loaded) -> dict[str, str | int | None]:
    own: dict[str, str | int | None] = {
        "status": _status(loaded),
        "warehouse_rows": loaded.warehouse_rows,
        "job_id": loaded.job_id,
        "attempt": loaded.attempt,
        "loaded_at": loaded.loaded_at,
    }
    return {name: own[name] if name in own else getattr(loaded.claim, name) for name in COLUMNS}

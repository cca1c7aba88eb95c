"""What has landed in a table of Postgres, as the ledger's row says it; and a partition on its way there."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from flows.etl.contract import Contract
from flows.etl.errand import Errand
from flows.etl.fetch import Validators
from flows.etl.landing_log import Published
from flows.etl.partition import Partition

if TYPE_CHECKING:
    from flows.etl.postgres.database import Database  # brings psycopg


@dataclass(frozen=True, slots=True)
class Landing(Errand):
    """A partition on its way; `settled` is the number of its last row in the ledger when it was planned, -1 without."""

    database: "Database"
    contract: Contract
    partition: Partition
    published_at: str = field(repr=False)
    override: str | None = field(repr=False)
    settled: int
    flow_run_id: str | None
    rows_before: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trusted: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Landed:
    """A row of the ledger; names are those of BigQuery's ledger where the two mean the same.

    `published_*` is what the contract's address answers while this content is the right one, None if it tells nothing.
    """

    contract: str
    partition: str
    n: int
    source_uri: str
    etag: str | None
    last_modified: str | None
    source_bytes: int
    source_sha256: str
    source_rows: int
    quarantined_rows: int
    warehouse_rows: int
    contract_fingerprint: str
    contract_revision: int
    checks_fingerprint: str | None
    flow_run_id: str | None
    published_address: str | None
    published_etag: str | None
    published_last_modified: str | None
    published_length: int | None
    loaded_at: dt.datetime | None = None  # by the server's clock, when it was written

    @property
    def published(self) -> Published | None:
        """What a later answer is compared with."""
        if self.published_address is None:
            return None
        validators = Validators(self.published_etag, self.published_last_modified, self.published_length)
        return Published(self.published_address, validators)

    @property
    def lake_rows(self) -> None:
        """There is no lake on this way."""

    @property
    def job_id(self) -> str:
        """Say what loaded it, where BigQuery has a job."""
        return f"number {self.n}"


class Noted(TypedDict):
    """The ledger's columns of what the publisher answers."""

    published_address: str | None
    published_etag: str | None
    published_last_modified: str | None
    published_length: int | None


def noted(published: Published | None) -> Noted:
    """Give the ledger's columns of what the publisher answers."""
    validators = published.validators if published else Validators(None, None, None)
    return {
        "published_address": published.address if published else None,
        "published_etag": validators.etag,
        "published_last_modified": validators.last_modified,
        "published_length": validators.length,
    }

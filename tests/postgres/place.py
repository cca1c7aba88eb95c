"""What a test does to a database: it lets the publisher serve something, lands it, and looks."""

import gzip
from dataclasses import dataclass
from typing import Any

import psycopg

from flows.etl.contract import Column, Contract
from flows.etl.partition import Partition
from flows.etl.plan import Order, Plan
from flows.etl.postgres.database import Database
from flows.etl.postgres.landed import Landed, Landing
from flows.etl.postgres.landing import land
from flows.etl.postgres.plan import plan
from tests.etl.agreed import contract_of
from tests.postgres.server import Server
from tests.publisher import Publisher

COLUMNS = (Column(name="id", type="INT64", nullable=False), Column(name="Name", type="STRING"))
JANUARY, FEBRUARY = (Partition.parse("month", month) for month in ("2021-01", "2021-02"))


@dataclass(frozen=True)
class Place:
    """A database, and a publisher whose files are at /<yyyy><mm>, or at /all."""

    server: Server
    publisher: Publisher

    @property
    def database(self) -> Database:
        return Database(self.server.address(), "test")

    def contract(self, *columns: Column, **more: Any) -> Contract:
        """Make the contract `trips`, whose files are this publisher's."""
        path = "/all" if more.get("partition") == "none" else "/{yyyy}{mm}"
        keys = {"source": f"{self.publisher.url}{path}", "first_partition": "2021-01", **more}
        if more.get("partition") == "none":
            keys["first_partition"] = None
        return contract_of(*(columns or COLUMNS), **keys)

    def publish(self, *rows: str, month: str = "202101", header: str = "id,name") -> None:
        """Let the publisher serve these lines."""
        body = "\n".join([header, *rows, ""]).encode()
        self.publisher.serve(f"/{month}", body)

    def plan(self, contract: Contract, *periods: Partition, **more: Any) -> Plan[Landing]:
        order = Order(
            contract, list(periods or [JANUARY]), None, more.get("override"), "run", trusted=(self.publisher.url,)
        )
        database = self.database
        if port := more.get("through"):
            database = Database(self.server.address(port=port, sslmode="disable", gssencmode="disable"), "test")
        return plan(database, order)

    def landing(self, contract: Contract, *periods: Partition, **more: Any) -> Landing:
        """Plan one partition, which must be due."""
        (due,) = self.plan(contract, *periods, **more).due
        return due

    def land(self, contract: Contract, *periods: Partition, **more: Any) -> Landed:
        """Plan and land one partition."""
        landed, _ = land(self.landing(contract, *periods, **more))
        return landed

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask a query of a connection by itself."""
        with psycopg.connect(**self.server.address(), autocommit=True) as connection:  # type: ignore[arg-type]
            found = connection.execute(query, values or None)
            return found.fetchall() if found.description else []

    def rows(self, columns: str = "id, name") -> list[tuple[Any, ...]]:
        return self.ask(f"SELECT {columns} FROM landfall.trips ORDER BY 1, 2")

    def snapshot(self) -> dict[str, Any]:
        """Give all that a landing could change: every table of the schema with its rows."""
        tables = self.ask(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('landfall') AND relkind IN ('r', 'p')"
        )
        return {name: sorted(map(repr, self.ask(f'SELECT * FROM landfall."{name}"'))) for (name,) in tables}


def gzipped(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)

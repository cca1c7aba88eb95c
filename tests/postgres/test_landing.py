"""Landing in a real Postgres: rows, ledger and quarantine change together, or nothing does."""

import datetime as dt
import io
import math
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.etl.contract import Column
from flows.etl.errors import BadFile, CheckFailed, DatabaseRefused, EnvironmentMismatch, Outdated, Transient
from flows.etl.postgres.database import Database, encrypted
from flows.etl.postgres.landing import land
from flows.etl.postgres.recheck import recheck
from tests.postgres.place import COLUMNS, FEBRUARY, JANUARY, Place

MONTH = dt.date(2021, 1, 1)


def test_a_month_lands_with_its_period_and_its_row_in_the_ledger_and_is_up_to_date(place: Place) -> None:
    agreed = place.contract(description="Trips of a test")
    place.publish("1,a", '2,""', "3,")
    landed = place.land(agreed)
    assert place.rows("id, name, file_month") == [(1, "a", MONTH), (2, "", MONTH), (3, None, MONTH)]
    assert (landed.n, landed.source_rows, landed.warehouse_rows, landed.quarantined_rows) == (0, 3, 3, 0)
    assert place.ask("SELECT n, source_rows, warehouse_rows, flow_run_id FROM landfall.landings_current") == [
        (0, 3, 3, "run")
    ]
    assert place.ask("SELECT obj_description('landfall.trips'::regclass)") == [
        ("Trips of a test\nLandfall's table of the contract trips",)
    ]
    place.publisher.requests.clear()
    before = place.snapshot()
    planned = place.plan(agreed)
    assert (planned.due, planned.up_to_date, planned.unchecked) == ([], [JANUARY], [])
    assert place.publisher.requests == [("HEAD", "/202101")]
    assert place.snapshot() == before


def test_new_content_replaces_its_month_alone_and_numbers_go_up(place: Place) -> None:
    agreed = place.contract()
    place.publish("9,z", month="202102")
    place.land(agreed, FEBRUARY)
    for number, rows in enumerate((["1,a"], ["1,b", "2,b"], ["1,a"])):
        place.publish(*rows)
        assert place.land(agreed).n == number
        assert [f"{a},{b}" for a, b in place.rows()] == [*rows, "9,z"]
    assert place.ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'landfall.trips'::regclass") == [(2,)]
    tables = place.ask("SELECT count(*) FROM pg_class WHERE relnamespace = 'landfall'::regnamespace AND relkind = 'r'")
    assert tables == [(4,)]  # two partitions, ledger and quarantine: nothing is left over


def test_a_snapshot_is_replaced_as_a_whole(place: Place) -> None:
    agreed = place.contract(partition="none")
    (everything,) = agreed.periods(None, None, dt.datetime.now(dt.UTC))
    for rows in (["1,a", "2,b"], ["3,c"]):
        place.publish(*rows, month="all")
        place.land(agreed, everything)
        assert [f"{a},{b}" for a, b in place.rows()] == rows
    assert place.plan(agreed, everything).due == []


def test_the_same_content_under_new_validators_is_remembered_and_changes_no_row(place: Place) -> None:
    agreed = place.contract()
    place.publish("1,a")
    place.land(agreed)
    tables = place.ask("SELECT xmin, ctid FROM landfall.trips")
    place.publisher.files["/202101"].headers["ETag"] = '"another"'
    assert place.land(agreed).n == 0
    assert place.ask("SELECT xmin, ctid FROM landfall.trips") == tables
    assert place.plan(agreed).due == []


def test_another_source_stands_until_the_publisher_changes_its_own(place: Place) -> None:
    agreed = place.contract()
    place.publish("1,wrong")
    place.land(agreed)
    place.publish("1,right", month="corrected")
    place.land(agreed, override=f"{place.publisher.url}/corrected")
    assert place.rows() == [(1, "right")]
    assert place.plan(agreed).due == []
    place.publish("1,new")
    place.land(agreed)
    assert place.rows() == [(1, "new")]


@pytest.mark.parametrize("landed_before", [True, False])
@pytest.mark.parametrize(
    ("rows", "more", "error", "why"),
    [
        (["1,a", "x,b"], {}, BadFile, "line 3, column id: found 'x', expected INT64"),
        (["1,a"], {"checks": [{"check": "row_count", "min": 2}]}, CheckFailed, "found 1 rows, expected at least 2"),
        ([], {}, BadFile, "found a header and no record"),
        (["1,a,c"], {"header": "id,name,more"}, BadFile, "'more' is not in the contract"),
    ],
    ids=["a bad row", "a check", "no rows", "another column"],
)
def test_what_is_refused_changes_nothing(
    place: Place, rows: list[str], more: dict[str, Any], error: type[Exception], why: str, landed_before: bool
) -> None:
    place.publish("7,before", "8,before")
    agreed = place.contract()
    place.land(agreed)
    if not landed_before:
        place.ask("DROP TABLE landfall.trips")
    before = place.snapshot()
    more = dict(more)
    place.publish(*rows, header=more.pop("header", "id,name"))
    with pytest.raises(error, match=why):
        place.land(place.contract(**more))
    assert place.snapshot() == before


def test_bad_rows_are_put_aside_in_the_same_transaction_and_go_when_the_file_is_mended(place: Place) -> None:
    agreed = place.contract(quarantine={"max_rows": 5}, format="parquet")
    place.publisher.serve("/202101", _parquet(id=[1, None, 2, 3], Name=["a", "b", "c\0d", None]))
    landed = place.land(agreed)
    assert (landed.source_rows, landed.warehouse_rows, landed.quarantined_rows) == (4, 2, 2)
    assert place.rows() == [(1, "a"), (3, None)]
    file, nul = f"{place.publisher.url}/202101", "found a NUL character, expected a text without: Postgres holds none"
    shown = 'partition, n, file, record, line, "column", reason'
    assert place.ask(f"SELECT {shown} FROM landfall.quarantine ORDER BY record") == [
        ("2021-01", 0, file, 2, None, "id", "found no value, expected INT64"),
        ("2021-01", 0, file, 3, None, "Name", nul),
    ]
    (raw,) = place.ask("SELECT raw FROM landfall.quarantine WHERE record = 3")[0]
    assert "2" in raw
    assert "\0" not in raw
    place.publisher.serve("/202101", _parquet(id=[1], Name=["a"]))
    place.land(agreed)
    assert place.ask("SELECT * FROM landfall.quarantine") == []


def test_more_bad_rows_than_fit_in_memory_are_put_aside(place: Place) -> None:
    agreed = place.contract(quarantine={"max_rows": 20_000})
    place.publish("1,a", *[f"x{number},\0{'b' * 150}" for number in range(4_000)])
    assert place.land(agreed).quarantined_rows == 4_000
    counts = "count(*), min(record), max(record), min(raw)"
    assert place.ask(f"SELECT {counts} FROM landfall.quarantine") == [
        (4_000, 2, 4_001, f"x0,\N{SYMBOL FOR NULL}{'b' * 150}")
    ]


def test_columns_that_come_are_added_and_those_that_go_are_null(place: Place) -> None:
    place.publish("1,a")
    place.land(place.contract())
    drift = {"new_column": "add", "missing_column": "null"}
    wider = place.contract(
        *COLUMNS, Column(name="Fare", type="NUMERIC", description="In dollars"), revision=2, drift=drift
    )
    place.publish("2,7.25,x", month="202102", header="id,fare,More")
    place.land(wider, FEBRUARY)
    assert place.rows("id, name, fare::text, more") == [(1, "a", None, None), (2, None, "7.250000000", "x")]
    place.publish("3,c", month="202102")
    place.land(wider, FEBRUARY)
    assert place.rows("id, name, fare, more") == [(1, "a", None, None), (3, "c", None, None)]
    place.publish("5,c")
    place.land(wider)
    assert place.rows("id, name, fare, more") == [(3, "c", None, None), (5, "c", None, None)]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("CREATE TABLE landfall.trips (id bigint)", "is not Landfall's"),
        (
            (
                "CREATE TABLE landfall.trips (id text, name text, file_month date) PARTITION BY LIST (file_month);"
                "COMMENT ON TABLE landfall.trips IS 'Landfall''s table of the contract trips'"
            ),
            "found the column id of landfall.trips as text, expected bigint",
        ),
        (
            (
                "CREATE TABLE landfall.trips (id bigint); COMMENT ON TABLE landfall.trips IS"
                " 'Landfall''s table of the contract trips'"
            ),
            r"partitioned by nothing, expected LIST \(file_month\)",
        ),
    ],
    ids=["foreign", "another type", "another layout"],
)
def test_a_table_that_is_not_the_contracts_is_refused_and_left_alone(place: Place, made: str, why: str) -> None:
    place.publish("1,a")
    place.land(place.contract(name="others"))
    place.ask(made)
    before = place.snapshot()
    with pytest.raises(DatabaseRefused, match=why):
        place.land(place.contract())
    assert place.snapshot() == before


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("CREATE SCHEMA landfall", "expected one of Landfall's own"),
        (
            "CREATE SCHEMA landfall; COMMENT ON SCHEMA landfall IS 'Landfall''s tables of the environment prod'",
            "found the database of environment prod, expected test's",
        ),
    ],
)
def test_another_environments_database_is_refused(place: Place, made: str, why: str) -> None:
    place.ask(made)
    place.publish("1,a")
    with pytest.raises(EnvironmentMismatch, match=why):
        place.land(place.contract())
    assert place.snapshot() == {}


def test_what_was_dropped_lands_again(place: Place) -> None:
    agreed = place.contract()
    place.publish("1,a")
    place.land(agreed)
    place.ask("DROP TABLE landfall.trips")
    assert place.land(agreed).n == 1
    assert place.rows() == [(1, "a")]


def test_an_older_revision_is_refused(place: Place) -> None:
    place.publish("1,a")
    place.land(place.contract(revision=2))
    with pytest.raises(Outdated, match="found claim 0 by revision 2"):
        place.land(place.contract(Column(name="id", type="INT64"), revision=1, drift={"new_column": "ignore"}))


def test_changed_checks_are_held_against_landed_rows_by_query(place: Place) -> None:
    columns = (Column(name="id", type="INT64"), Column(name="Name", type="STRING"), Column(name="far", type="FLOAT64"))
    body = _parquet(id=[1, 2, 3, 4], Name=["a", "b", None, "d"], far=[1.0, math.nan, 3.0, None])
    place.publisher.serve("/202101", body)
    place.land(place.contract(*columns, format="parquet"))

    def found(*checks: dict[str, Any]) -> tuple[str, ...]:
        planned = place.plan(
            place.contract(*columns, format="parquet", checks=[{"on_fail": "warn", **check} for check in checks])
        )
        assert planned.due == []
        (unchecked,) = planned.unchecked
        return recheck(unchecked).warnings

    assert found(
        {"check": "range", "column": "far", "max": 2.5},
        {"check": "range", "column": "id", "min": 2},
        {"check": "allowed_values", "column": "name", "values": ["a", "b"]},
        {"check": "null_fraction", "column": "NAME", "max": 0.1},
    ) == (
        "check range of far: found 2 of 4 rows (50 %) above 2.5, expected none",
        "check range of id: found 1 of 4 rows (25 %) below 2, expected none",
        "check allowed_values of name: found 1 of 4 rows (25 %) with another value than 'a', 'b', expected none",
        "check null_fraction of NAME: found 1 of 4 rows (25 %) without a value, expected at most 10 % of them",
    )
    with pytest.raises(CheckFailed, match="found 4 rows, expected at least 5"):
        found({"check": "row_count", "min": 5, "on_fail": "stop"})
    assert place.plan(place.contract(*columns, format="parquet")).unchecked == []


@pytest.mark.parametrize("name", ["x" * 64, "ctid", "Xmin"])
def test_a_column_name_that_postgres_would_cut_or_keep_for_itself_is_refused(place: Place, name: str) -> None:
    place.publish("1", header=name)
    with pytest.raises(DatabaseRefused, match="expected another name of at most 63"):
        place.land(place.contract(Column(name=name, type="INT64")))


def test_hostile_names_and_texts_are_taken_as_they_are(place: Place) -> None:
    agreed = place.contract(
        Column(name="id", type="INT64"), Column(name="select", type="STRING"), description="'; DROP--"
    )
    texts = [
        r"\.",
        r"\N",
        'say "x"',
        "a,b",
        "NULL",
        "tab\tend",
        "%s {} $1",
        "Å\N{GRINNING FACE}",
        "'); DROP TABLE x; --",
    ]
    quoted = [text.replace('"', '""') for text in texts]
    place.publish(*[f'{number},"{text}"' for number, text in enumerate(quoted)], header="id,select")
    place.land(agreed)
    assert place.rows('id, "select"') == list(enumerate(texts))


def test_a_database_that_does_not_answer_is_passing_trouble_and_the_password_is_not_shown(place: Place) -> None:
    gone = Database({**place.server.address(), "port": 1, "password": "s3cret"}, "test")
    with pytest.raises(Transient, match="Connection refused") as caught, gone.connect():
        pass
    assert "s3cret" not in f"{caught.value} {gone!r}"


def test_what_crosses_a_network_is_encrypted_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert encrypted({"host": "db.example.org"})["sslmode"] == "require"
    for near in (
        {"host": "127.0.0.1"},
        {"host": "/run/postgresql"},
        {},
        {"host": "db.example.org", "sslmode": "verify-full"},
    ):
        assert encrypted(near) == near
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert encrypted({"host": "db.example.org"}) == {"host": "db.example.org"}


def test_a_reader_that_began_before_goes_on_to_see_the_old_rows_and_nobody_waits(place: Place) -> None:
    agreed = place.contract()
    place.publish("1,old", "2,old")
    place.land(agreed)
    with psycopg.connect(**place.server.address()) as reader:  # type: ignore[arg-type]
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1 FROM landfall.landings")  # its snapshot is taken, the table not yet touched
        place.publish("3,new")
        place.land(agreed)  # would wait for ever for a reader that holds the table
        assert reader.execute("SELECT id, name FROM landfall.trips ORDER BY 1").fetchall() == [(1, "old"), (2, "old")]
        place.publish("4,newer")
        place.land(agreed)
    assert place.rows() == [(4, "newer")]


def test_a_landing_without_a_row_in_the_plan_finds_what_its_lost_reply_left(place: Place) -> None:
    agreed = place.contract()
    place.publish("1,a")
    due = place.landing(agreed)
    land(due)
    place.publisher.requests.clear()
    landed, _ = land(due)  # as the next try of a run whose COMMIT was not answered
    assert landed.n == 0
    assert place.publisher.requests == [("HEAD", "/202101")]
    assert place.rows() == [(1, "a")]


def _parquet(**columns: list[Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()

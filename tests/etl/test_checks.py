"""Checks: what a contract may ask, what counts against each, in the pass and in the table, and in which words."""

import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.etl import arrow, checks, recheck
from flows.etl.checks import Counts, judge
from flows.etl.contract import Column, Contract
from flows.etl.destination import Destination
from flows.etl.landing import Landing
from flows.etl.partition import Partition
from tests.localcloud.bigquery.served import FolderLake, running

MONTH = Partition.parse("month", "2021-01")
COLUMNS = [
    Column(name="id", type="INT64"),
    Column(name="fare", type="FLOAT64"),
    Column(name="Tip", type="NUMERIC"),
    Column(name="paid", type="BOOL"),
    Column(name="zone", type="STRING"),
    Column(name="day", type="DATE"),
    Column(name="at", type="DATETIME"),
    Column(name="seen", type="TIMESTAMP"),
    Column(name="clock", type="TIME"),
]


def contract_of(*asked: dict[str, Any], partition: str = "month") -> Contract:
    has_periods = partition != "none"
    agreed = {
        "name": "trips",
        "revision": 1,
        "description": "",
        "owner": "",
        "source": "https://publisher.test/{yyyy}{mm}" if has_periods else "https://publisher.test/x",
        "format": "csv",
        "partition": partition,
        "first_partition": "2020-01" if has_periods else None,
        "columns": COLUMNS,
        "checks": list(asked),
    }
    return Contract.model_validate(agreed)


def range_of(column: str, low: Any = None, high: Any = None, **more: Any) -> dict[str, Any]:
    bounds = {name: bound for name, bound in (("min", low), ("max", high)) if bound is not None}
    return {"check": "range", "column": column, **bounds, **more}


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (range_of("zone", 1), "range of zone): found a column of type STRING, expected a number, a date or a time st"),
        (range_of("paid", 0), "range of paid): found a column of type BOOL, expected a number"),
        (range_of("clock", 0), "range of clock): found a column of type TIME, expected a number"),
        (range_of("id"), "range of id): found neither min nor max, expected one of them"),
        (range_of("id", 0.5), "range of id): found the bound 0.5, expected one of the column's type INT64"),
        (range_of("id", 2**63), "found the bound 9223372036854775808, expected one of the column's type INT64"),
        (range_of("fare", math.nan), "range of fare): found the bound nan, expected one of the column's type FLOAT64"),
        (range_of("Tip", 1e-10), "range of Tip): found the bound 1e-10, expected one of the column's type NUMERIC"),
        (range_of("Tip", 1e29), "range of Tip): found the bound 1e+29, expected one of the column's type NUMERIC"),
        (range_of("day", dt.datetime(2021, 1, 1)), "found the bound 2021-01-01 00:00:00, expected one of the column's"),
        (range_of("at", dt.date(2021, 1, 1)), "expected one of the column's type DATETIME, without a zone"),
        (range_of("seen", dt.datetime(2021, 1, 1)), "expected one of the column's type TIMESTAMP, with a zone"),
        (range_of("id", 2, 1), "range of id): found max 1 below min 2, expected them in order"),
        ({"check": "row_count", "min": 2, "max": 1}, "row_count: found max 1 below min 2, expected them in order"),
        ({"check": "allowed_values", "column": "id", "values": ["1"]}, "found the value '1', expected one of the col"),
        ({"check": "allowed_values", "column": "paid", "values": [1]}, "found the value 1, expected one of the column"),
        ({"check": "allowed_values", "column": "fare", "values": [1]}, "found a column of type FLOAT64, expected one"),
        ({"check": "in_period", "column": "id"}, "in_period of id): found a column of type INT64, expected one of DA"),
        ({"check": "null_fraction", "column": "nothing", "max": 0.1}, "'nothing' is not a column of this contract"),
        ({"check": "change", "max_fraction": 0.5, "on_fail": "stop"}, "Input should be 'warn'"),
    ],
)
def test_a_check_that_does_not_suit_its_column_is_a_contract_error(check: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        contract_of(check)
    assert why in str(caught.value)


@pytest.mark.parametrize("check", [{"check": "change", "max_fraction": 0.5}, {"check": "in_period", "column": "day"}])
def test_a_snapshot_has_no_check_of_its_period(check: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="expected none: a snapshot has no period"):
        contract_of(check, partition="none")


def test_a_share_of_bad_rows_without_a_number_of_them_is_a_contract_error() -> None:
    with pytest.raises(ValidationError, match=r"max_rows: found none beside max_fraction 0\.1, expected a number"):
        Contract.model_validate({**contract_of().model_dump(), "quarantine": {"max_fraction": 0.1}})


def table_of(**values: list[Any]) -> pa.Table:
    rows = max(len(column) for column in values.values())
    wanted = [values.get(column.name, [None] * rows) for column in COLUMNS]
    arrays = [pa.array(column, arrow.ARROW[of.type]) for column, of in zip(wanted, COLUMNS, strict=True)]
    return pa.table(dict(zip([column.name for column in COLUMNS], arrays, strict=True)))


@pytest.mark.parametrize(
    ("check", "column", "values", "found"),
    [
        ({"check": "null_fraction", "column": "ID", "max": 0.0}, "id", [1, None, None], 2),
        (range_of("id", 2, 3), "id", [1, 2, 3, 4, None], 2),
        (range_of("fare", 0), "fare", [0.0, -0.0, -1e-300, math.inf, None], 1),
        (range_of("fare", 0, 1), "fare", [0.5, math.nan, -math.nan, None], 2),
        (range_of("fare", high=1), "fare", [0.5, math.nan, -math.inf, None], 1),
        (range_of("tip", 0.1), "Tip", [Decimal("0.1"), Decimal("0.099999999"), None], 1),
        (range_of("day", high=dt.date(2021, 1, 2)), "day", [dt.date(2021, 1, 2), dt.date(2021, 1, 3), None], 1),
        (
            range_of("seen", dt.datetime(2021, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
            *("seen", [dt.datetime(2021, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 12, 31, 23, tzinfo=dt.UTC)], 1),
        ),
        ({"check": "allowed_values", "column": "zone", "values": ["", "A"]}, "zone", ["A", "", "a", None], 1),
        ({"check": "allowed_values", "column": "id", "values": [1, 2]}, "id", [1, 3, None], 1),
        ({"check": "allowed_values", "column": "paid", "values": [True]}, "paid", [True, False, None], 1),
        (
            {"check": "in_period", "column": "day"},
            *("day", [dt.date(2020, 12, 31), dt.date(2021, 1, 1), dt.date(2021, 1, 31), dt.date(2021, 2, 1)], 2),
        ),
        (
            {"check": "in_period", "column": "at", "tolerance_days": 1},
            *("at", [dt.datetime(2020, 12, 30, 23, 59), dt.datetime(2020, 12, 31), dt.datetime(2021, 2, 1, 23)], 1),
        ),
        (
            {"check": "in_period", "column": "seen"},
            *("seen", [dt.datetime(2021, 1, 31, 23, 59, 59, 999999, dt.UTC), dt.datetime(2021, 2, 1, tzinfo=dt.UTC)]),
            1,
        ),
        (
            {"check": "in_period", "column": "at", "tolerance_days": 10**9},
            *("at", [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)], 0),
        ),
        ({"check": "row_count"}, "id", [1, 2], 0),
    ],
)
def test_what_counts_against_a_check_is_counted(
    check: dict[str, Any], column: str, values: list[Any], found: int
) -> None:
    counts = Counts(contract_of(check), MONTH)
    table = table_of(**{column: values})
    for number in range(table.num_rows):  # batch by batch
        counts.add(table.slice(number, 1))
    assert (counts.rows, counts.found) == (len(values), [found])


def test_a_column_that_has_not_begun_may_lack_every_value() -> None:
    begins = Column(name="fee", type="INT64", since="2021-02")
    agreed = contract_of().model_copy(update={"columns": [*COLUMNS, begins]})
    check = Contract.model_validate(
        {**agreed.model_dump(), "checks": [{"check": "null_fraction", "column": "fee", "max": 0.0}]}
    )
    table = table_of(id=[1, 2]).append_column("fee", pa.nulls(2, pa.int64()))
    for period, found in (("2021-01", 0), ("2021-02", 2)):
        partition = Partition.parse("month", period)
        counts = Counts(check, partition)
        counts.add(table)
        assert counts.found == [found]
        assert checks.aggregates(check, partition)[0] == [
            f"COUNT(CASE WHEN {'`fee` IS NULL' if found else 'FALSE'} THEN 1 END)"
        ]


def test_a_period_at_the_end_of_the_calendar_has_no_end_beyond_it() -> None:
    check = {"check": "in_period", "column": "at"}
    counts = Counts(contract_of(check), Partition.parse("month", "9999-12"))
    counts.add(table_of(at=[dt.datetime(9999, 12, 31, 23, 59), dt.datetime(9999, 11, 30)]))
    assert counts.found == [1]


@pytest.mark.parametrize(
    ("check", "rows", "found", "before", "said"),
    [
        ({"check": "row_count", "min": 10}, 10, 0, None, None),
        ({"check": "row_count", "min": 10}, 9, 0, None, "check row_count: found 9 rows, expected at least 10"),
        ({"check": "row_count", "max": 8}, 9, 0, None, "check row_count: found 9 rows, expected 0 to 8"),
        ({"check": "null_fraction", "column": "id", "max": 0.29}, 100, 29, None, None),  # 0.29 * 100 < 29 in binary
        (
            {"check": "null_fraction", "column": "id", "max": 0.29},
            *(100, 30, None),
            "check null_fraction of id: found 30 of 100 rows (30 %) without a value, expected at most 29 % of them",
        ),
        (
            range_of("fare", 0, 2.5),
            *(1000, 1, None, "check range of fare: found 1 of 1000 rows (0.1 %) outside 0.0 to 2.5, expected none"),
        ),
        (range_of("id", 0), 9, 9, None, "check range of id: found 9 of 9 rows (100 %) below 0, expected none"),
        (
            {"check": "allowed_values", "column": "zone", "values": ["A", "B"]},
            *(4, 1, None),
            "check allowed_values of zone: found 1 of 4 rows (25 %) with another value than 'A', 'B', expected none",
        ),
        (
            {"check": "in_period", "column": "day", "max_fraction": 0.01},
            *(100, 2, None),
            "check in_period of day: found 2 of 100 rows (2 %) outside 2021-01-01 to 2021-01-31, expected at most 1 % of them",  # noqa: E501
        ),
    ],
)
def test_a_check_that_does_not_hold_says_what_was_found_and_expected(
    check: dict[str, Any], rows: int, found: int, before: int | None, said: str | None
) -> None:
    stopping, warning = contract_of(check), contract_of({**check, "on_fail": "warn"})
    words = (said,) if said else ()
    assert judge(stopping, MONTH, rows, [found], before) == checks.Verdict(stops=words)
    assert judge(warning, MONTH, rows, [found], before) == checks.Verdict(warnings=words)


@pytest.mark.parametrize(
    ("rows", "before", "warning"),
    [
        (120, 100, None),
        (80, 100, None),
        (121, 100, "found 121 rows, 21 % more than the 100 of the period before, expected a change of at most 20 %"),
        (0, 100, "found 0 rows, 100 % fewer than the 100 of the period before, expected a change of at most 20 %"),
    ],
)
def test_a_change_against_the_period_before_only_warns(rows: int, before: int, warning: str | None) -> None:
    verdict = judge(contract_of({"check": "change", "max_fraction": 0.2}), MONTH, rows, [0], before)
    assert verdict == checks.Verdict(warnings=(f"check change: {warning}",) if warning else ())


def test_nothing_to_compare_with_is_a_note_and_no_warning() -> None:
    verdict = judge(contract_of({"check": "change", "max_fraction": 0.2}), MONTH, 5, [0], None)
    note = "check change: nothing to compare with, the period before has not landed"
    assert verdict == checks.Verdict(notes=(note,))


def test_the_fingerprint_follows_the_checks_and_only_them() -> None:
    plain, checked = contract_of(), contract_of(range_of("id", 0))
    assert plain.checks_fingerprint is None
    assert checked.checks_fingerprint != contract_of(range_of("id", 1)).checks_fingerprint
    assert checked.checks_fingerprint == contract_of(range_of("id", 0, on_fail="stop")).checks_fingerprint
    assert plain.fingerprint == checked.fingerprint


EVERY_CHECK = contract_of(
    {"check": "row_count", "min": 1},
    *({"check": "null_fraction", "column": column.name, "max": 0.5} for column in COLUMNS),
    *(range_of("id", -3, 3), range_of("fare", -1.5, 2), range_of("fare", 0), range_of("fare", high=0.1)),
    *(range_of("tip", 0.1, 99), range_of("day", dt.date(2020, 12, 31)), range_of("at", high=dt.datetime(2021, 1, 9))),
    range_of("seen", dt.datetime(2021, 1, 1, 1, 2, 3, 4, dt.UTC), dt.datetime(2021, 1, 31, 23, tzinfo=dt.UTC)),
    {"check": "allowed_values", "column": "zone", "values": ["A", "", 'it\'s \\ "quoted"', "ä"]},
    {"check": "allowed_values", "column": "id", "values": [0, -1, 2**63 - 1]},
    {"check": "allowed_values", "column": "paid", "values": [False]},
    *({"check": "in_period", "column": name, "tolerance_days": 2} for name in ("day", "at", "seen")),
    {"check": "change", "max_fraction": 0.5},
)
NEAR = dt.datetime(2020, 12, 28), dt.datetime(2021, 2, 4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(-4, 4) | st.integers(-(2**63), 2**63 - 1),
    "fare": st.floats() | st.sampled_from([-1.5, 2.0, 0.0, -0.0, 0.1, math.nan]),
    "Tip": st.decimals(-1, 100, places=9) | st.sampled_from([Decimal("0.1"), Decimal(99)]),
    "paid": st.booleans(),
    "zone": st.sampled_from(["A", "a", "", 'it\'s \\ "quoted"', "ä"])
    | st.text(st.characters(exclude_characters="\0"), max_size=3),
    "day": st.dates(NEAR[0].date(), NEAR[1].date()) | st.dates(),
    "at": st.datetimes(*NEAR) | st.datetimes(),
    "seen": st.datetimes(*NEAR, timezones=st.just(dt.UTC)) | st.datetimes(timezones=st.just(dt.UTC)),
    "clock": st.times(),
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bigquery.Client, FolderLake]]:
    lake = FolderLake(tmp_path_factory.mktemp("objects"))
    with running(tmp_path_factory.mktemp("warehouse"), lake) as address:
        credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
        with bigquery.Client("local", credentials, client_options={"api_endpoint": address}) as client:
            client.create_dataset("trips")
            yield client, lake


@given(st.lists(st.fixed_dictionaries({name: st.none() | some for name, some in VALUES.items()}), max_size=30))
@settings(
    max_examples=15,
    deadline=None,
)
def test_the_pass_and_the_query_count_the_same(
    warehouse: tuple[bigquery.Client, FolderLake], rows: list[dict[str, Any]]
) -> None:
    client, lake = warehouse
    table = table_of(**{name: [row[name] for row in rows] for name in VALUES})
    counts = Counts(EVERY_CHECK, MONTH)
    counts.add(table)

    other_month = table.append_column("file_month", pa.array([dt.date(2021, 2, 1)] * len(rows), pa.date32()))
    this_month = table.append_column("file_month", pa.array([dt.date(2021, 1, 1)] * len(rows), pa.date32()))
    uri = lake.write("rows.parquet", pa.concat_tables([this_month, other_month]))
    schema = [bigquery.SchemaField(column.name, column.type) for column in COLUMNS]
    config = bigquery.LoadJobConfig(
        source_format="PARQUET",
        write_disposition="WRITE_TRUNCATE",
        schema=[*schema, bigquery.SchemaField("file_month", "DATE")],
    )
    client.load_table_from_uri(uri, "trips.trips", job_config=config).result()

    nowhere: Any = None  # no bucket: counting asks the table alone
    destination = Destination(nowhere, client, client.get_dataset("trips"))
    landing = Landing(destination, EVERY_CHECK, MONTH, "", None, 0, None)
    assert recheck.count(landing) == (counts.rows, counts.found)

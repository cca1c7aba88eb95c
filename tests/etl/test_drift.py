import datetime as dt
import io
import tomllib
from typing import Any

import pyarrow as pa
import pytest

from flows.etl import drift, formats, proposal
from flows.etl.contract import Column, Contract, Drift
from flows.etl.drift import Evidence
from flows.etl.errors import BadFile
from flows.etl.partition import Partition
from tests.etl.agreed import contract_of

YELLOW_HEADER = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,"
    "PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,"
    "total_amount,congestion_surcharge"
)
GREEN_HEADER = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,"
    "passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,"
    "total_amount,payment_type,trip_type,congestion_surcharge"
)
YELLOW, GREEN = YELLOW_HEADER.split(","), GREEN_HEADER.split(",")


def kind(name: str) -> Any:
    if name.endswith("datetime"):
        return "DATETIME"
    if name.endswith("flag"):
        return "STRING"
    return "INT64" if name.endswith(("ID", "count", "_type")) else "FLOAT64"


def yellow(**more: Any) -> Contract:
    columns = [Column(name=name, type=kind(name)) for name in YELLOW]
    return contract_of(
        *columns,
        Column(name="airport_fee", type="FLOAT64"),
        Column(name="cbd_congestion_fee", type="FLOAT64", since="2025-01"),
        Column(name="request_source", type="STRING", since="2026-06"),
        **more,
    )


def match(found: list[str], agreed: Contract, period: str = "2021-02", **evidence: Any) -> drift.Matched:
    return drift.match(found, agreed, Partition.parse(agreed.partition, period), "file", Evidence(**evidence))


def refusal(found: list[str], agreed: Contract, period: str = "2021-02", **evidence: Any) -> str:
    with pytest.raises(BadFile) as caught:
        match(found, agreed, period, **evidence)
    return str(caught.value)


def test_a_column_that_changes_its_case_is_the_same_column() -> None:
    matched = match([*YELLOW, "Airport_fee"], yellow(), "2023-02")
    assert matched.names == (*YELLOW, "Airport_fee", None, None)
    assert matched.added == ()


def test_a_column_is_expected_since_its_period_and_not_before() -> None:
    before, from_then_on = [*YELLOW, "airport_fee"], [*YELLOW, "airport_fee", "cbd_congestion_fee"]
    assert match(before, yellow(), "2024-12").names[-2:] == (None, None)
    assert match(from_then_on, yellow(), "2025-01").names[-2:] == ("cbd_congestion_fee", None)
    assert refusal(before, yellow(), "2025-01") == (
        "file: found columns that are not those of the contract trips: 'cbd_congestion_fee' is missing;"
        " expected its 21 columns; if the file is right, write into trips.toml and raise its revision:\n"
        '  [drift] missing_column = "null"\n'
        "nothing was written"
    )
    assert "'request_source' is missing" in refusal(from_then_on, yellow(), "2026-06")
    # there earlier than the contract says: it lands
    assert match(from_then_on, yellow(), "2024-12").names[-2:] == ("cbd_congestion_fee", None)


def test_a_column_that_publishers_rename_is_found_by_its_alias() -> None:
    agreed = contract_of(Column(name="pickup", type="DATETIME", aliases=["Trip_Pickup_DateTime", "pickup_datetime"]))
    assert match(["trip_pickup_datetime"], agreed).names == ("trip_pickup_datetime",)
    assert match([" Pickup_DateTime "], agreed).names == (" Pickup_DateTime ",)
    assert "'pickup' is there twice; expected each once; ask the publisher" in refusal(
        ["pickup", "pickup_datetime"], agreed
    )


def test_a_new_column_is_refused_with_the_line_to_write() -> None:
    agreed = contract_of(Column(name="id", type="INT64"))
    assert refusal(["id", "airport_fee"], agreed, "2025-01", types={"id": "INT64", "airport_fee": "FLOAT64"}) == (
        "file: found columns that are not those of the contract trips: 'airport_fee' is not in the contract;"
        " expected id; if the file is right, write into trips.toml and raise its revision:\n"
        '  columns: { name = "airport_fee", type = "FLOAT64", since = "2025-01" },\n'
        '  [drift] new_column = "ignore", or "add"\n'
        "nothing was written"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-20", ""], "INT64"),
        (["1", "2.5"], "FLOAT64"),
        (["00501", "10001"], "STRING"),
        (["nan"], "STRING"),
        (["99999999999999999999"], "NUMERIC"),
        (["9" * 30], "STRING"),
        (["1", "12345678901234567.89"], "NUMERIC"),
        (["40.123456789012345678", ".5", "2."], "FLOAT64"),
        (["1e400"], "STRING"),
        (["true", "FALSE"], "BOOL"),
        (["2021-01-31"], "DATE"),
        (["2021-02-30"], "STRING"),
        (["2021-01-31 07:08:09"], "DATETIME"),
        (["2021-01-31T07:08:09Z"], "TIMESTAMP"),
        (["2021-01-31T07:08:09Z", "2021-01-31T07:08:09"], "STRING"),
        (["2021-01-31 07:08:09.123456000 UTC", "2021-01-31T07:08:09-0500"], "TIMESTAMP"),
        (["2021-01-31 07:08:09.123456789"], "STRING"),
        (["2021-01-31", "2021-01-31 07:08"], "DATETIME"),
        (["2021-01-31Z"], "STRING"),
        (["07:08:09"], "TIME"),
        (["0708"], "STRING"),
        (["", ""], "STRING"),
        ([], "STRING"),
    ],
)
def test_the_line_for_a_text_column_guesses_from_values(values: list[str], expected: str) -> None:
    said = refusal(["id", "x"], contract_of(Column(name="id", type="INT64")), samples={"x": values})
    assert f'{{ name = "x", type = "{expected}", since = "2021-02" }},' in said


def test_the_first_periods_file_needs_no_since() -> None:
    agreed = contract_of(Column(name="id", type="INT64"))
    assert '{ name = "x", type = "STRING" },' in refusal(["id", "x"], agreed, "2021-01")
    snapshot = contract_of(Column(name="id", type="INT64"), partition="none")
    assert '{ name = "x", type = "STRING" },' in refusal(["id", "x"], snapshot, "all")


def test_a_column_that_looks_renamed_gets_the_line_with_its_alias() -> None:
    agreed = contract_of(
        Column(name="id", type="INT64"),
        Column(name="airport_fee", type="FLOAT64", description='a \\ "fee"'),
    )
    said = refusal(["id", "Airport Fee"], agreed, samples={"Airport Fee": ["1.25"]})
    (line,) = [line for line in said.splitlines() if line.startswith("  columns: ")]
    assert tomllib.loads(f"x = [{line.removeprefix('  columns: ')}]") == {
        "x": [
            {
                "name": "airport_fee",
                "type": "FLOAT64",
                "description": 'a \\ "fee"',
                "aliases": ["Airport Fee"],
            }
        ]
    }
    assert "[drift]" not in said


def test_a_new_column_of_another_kind_is_no_rename() -> None:
    agreed = contract_of(Column(name="id", type="INT64"), Column(name="pickup_time", type="DATETIME"))
    said = refusal(["id", "pickup_times"], agreed, samples={"pickup_times": ["3", "4"]})
    assert "aliases" not in said
    assert '{ name = "pickup_times", type = "INT64", since = "2021-02" },' in said


@pytest.mark.parametrize("more", [{}, {"drift": {"new_column": "ignore", "missing_column": "fail"}}])
def test_a_green_file_is_refused_by_the_yellow_contract(more: dict[str, Any]) -> None:
    said = refusal(GREEN, yellow(**more))
    assert "'tpep_pickup_datetime' is missing, 'tpep_dropoff_datetime' is missing, 'airport_fee' is missing" in said
    assert "is it a file of another data set? check the contract's source" in said
    assert said.endswith("nothing was written")


def test_a_header_with_another_delimiter_gets_the_dialects_line() -> None:
    said = refusal([";".join(YELLOW)], yellow())
    assert '\n  [dialect] delimiter = ";"\nnothing was written' in said
    assert "columns:" not in said
    assert '[dialect] delimiter = "\\t"' in refusal(["\t".join(YELLOW)], yellow())
    # one column of a name of its own, and a Parquet file, which has no delimiter
    assert "dialect" not in refusal(["more"], yellow())
    assert "dialect" not in refusal([";".join(YELLOW)], yellow(format="parquet"))


def test_ignored_columns_are_left_out_and_missing_ones_hold_null() -> None:
    agreed = contract_of(
        Column(name="id", type="INT64"),
        Column(name="zone", type="STRING"),
        drift={"new_column": "ignore", "missing_column": "null"},
    )
    assert match(["more", "ID"], agreed) == drift.Matched(tuple(agreed.columns), ("ID", None))


@pytest.mark.parametrize("policy", ["fail", "add"])
def test_a_column_that_the_contract_names_to_ignore_is_left_out_under_any_policy(policy: Any) -> None:
    agreed = contract_of(
        Column(name="id", type="INT64"), drift=Drift(new_column=policy, ignore=["__Index_Level_0__", "row"])
    )
    assert match(["id", "__index_level_0__"], agreed) == drift.Matched((agreed.columns[0],), ("id",))
    with pytest.raises(ValueError, match=r"drift\.ignore: 'id' is a column of this contract, expected none"):
        contract_of(Column(name="id", type="INT64"), drift=Drift(ignore=["ID"]))


def test_a_column_that_may_not_be_null_may_not_be_missing() -> None:
    agreed = contract_of(
        Column(name="id", type="INT64"),
        Column(name="zone", type="STRING", nullable=False),
        drift={"missing_column": "null"},
    )
    assert refusal(["id"], agreed) == (
        "file: found columns that are not those of the contract trips: 'zone' is missing and not nullable;"
        " expected id, zone; if the file is right, write into trips.toml and raise its revision:\n"
        '  columns: { name = "zone", type = "STRING" },\n'
        "nothing was written"
    )


def test_added_columns_land_as_the_file_types_them_and_text_as_string() -> None:
    agreed = contract_of(Column(name="id", type="INT64"), drift={"new_column": "add"})
    assert match(["fee", "id"], agreed).added == (Column(name="fee", type="STRING"),)
    # of Parquet: a column of nothing but nulls has no type to be added with
    typed = match(["Fee", "id", "empty"], agreed, types={"Fee": "FLOAT64", "id": "INT64"})
    assert typed.added == (Column(name="Fee", type="FLOAT64"),)
    assert typed.landing == (Column(name="id", type="INT64"), Column(name="Fee", type="FLOAT64"))


@pytest.mark.parametrize(
    ("name", "types", "why", "line"),
    [
        ("legs", {"legs": None}, "of a type that cannot be added", '[drift] new_column = "ignore"'),
        (
            "Airport Fee",
            None,
            "no name that can be",
            '{ name = "Airport_Fee", type = "STRING", aliases = ["Airport Fee"]',
        ),
        (
            "file_month",
            None,
            "no name that can be",
            '{ name = "file_month_2", type = "STRING", aliases = ["file_month"]',
        ),
        ("_TABLE_x", None, "no name that can be", '{ name = "column_TABLE_x", type = "STRING", aliases = ["_TABLE_x"]'),
        ("2nd", None, "no name that can be", '{ name = "column_2nd", type = "STRING", aliases = ["2nd"]'),
        ("", None, "no name that can be", '{ name = "column_", type = "STRING", aliases = [""]'),
    ],
)
def test_a_column_that_cannot_be_added_is_refused(name: str, types: Any, why: str, line: str) -> None:
    agreed = contract_of(Column(name="id", type="INT64"), drift={"new_column": "add"})
    said = refusal(["id", name], agreed, types=types)
    assert f"{name!r} is new, and {why}" in said
    assert line in said


def test_a_columns_line_reads_back_as_the_column() -> None:
    column = Column(
        name="fee",
        type="NUMERIC",
        nullable=False,
        description='with "quotes", \\ and\ttabs\x7f ü',
        aliases=["a", '"'],
        since="2025-01",
    )
    (read,) = tomllib.loads(f"columns = [{proposal.line(column)}]")["columns"]
    assert Column(**read) == column


def rows_of(text: str, agreed: Contract, period: str = "2021-02") -> list[dict[str, Any]]:
    partition = Partition.parse(agreed.partition, period)
    with formats.read(io.BytesIO(text.encode()), agreed, partition, "file") as reader:
        rows: list[dict[str, Any]] = pa.concat_tables(batch.table for batch in reader).to_pylist()
    return rows


TRIP = "2,2021-02-01 00:40:47,2021-02-01 00:48:28,1,2.3,1,N,141,226,2,8.5,3,0.5,0,0,0.3,12.3,2.5"


def test_a_real_csv_file_lands_under_columns_that_came_later_and_changed_their_case() -> None:
    (early,) = rows_of(f"{YELLOW_HEADER},airport_fee\n{TRIP},\n", yellow())
    (late,) = rows_of(f"{YELLOW_HEADER},Airport_fee,CBD_congestion_fee\n{TRIP},1.25,0.75\n", yellow(), "2025-01")
    last = ["airport_fee", "cbd_congestion_fee", "request_source"]
    assert [early[name] for name in ("VendorID", "tpep_pickup_datetime", "total_amount", *last)] == [
        *(2, dt.datetime(2021, 2, 1, 0, 40, 47), 12.3),
        *(None, None, None),
    ]
    assert [late[name] for name in last] == [1.25, 0.75, None]


def test_a_real_green_csv_is_refused_by_the_yellow_contract() -> None:
    with pytest.raises(BadFile, match=r"'tpep_pickup_datetime' is missing.*is it a file of another data set\?"):
        rows_of(f"{GREEN_HEADER}\n{',' * (len(GREEN) - 1)}\n", yellow())


def test_a_new_csv_column_lands_as_text_where_the_contract_lets_it_in() -> None:
    agreed = contract_of(Column(name="id", type="INT64"), drift={"new_column": "add"})
    assert rows_of("fee,ID\n1.50,1\n,2\n", agreed) == [{"id": 1, "fee": "1.50"}, {"id": 2, "fee": None}]

import datetime as dt
from pathlib import Path

import pytest

from flows.etl import contract
from flows.etl.errors import ContractError

NOW = dt.datetime(2021, 3, 15, tzinfo=dt.UTC)
TEXT = """\
revision = 1
description = "Trips"
owner = "data-team"
source = "https://example.org/trips_{yyyy}-{mm}.csv.gz"
format = "csv"
compression = "gzip"
partition = "month"
first_partition = "2021-01"
clustering = ["zone"]
columns = [
    { name = "id", type = "INT64", nullable = false },
    { name = "zone", type = "STRING" },
]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trips.toml").write_text(TEXT)
    return tmp_path


def edited(folder: Path, old: str, new: str) -> contract.Contract:
    assert old in TEXT
    (folder / "trips.toml").write_text(TEXT.replace(old, new, 1))
    return contract.read(folder, "trips")


@pytest.mark.parametrize(
    ("old", "new", "place", "why"),
    [
        ("owner", "ower", "ower: found 'data-team'", "Extra inputs are not permitted"),
        ("revision = 1\n", "", "revision", "Field required"),
        ("revision = 1", 'revision = "1"', "revision: found '1'", "valid integer"),
        ("revision = 1", "revision = 0", "revision: found 0", "greater than or equal to 1"),
        ('"STRING"', '"TEXT"', "columns.1.type (column 'zone'): found 'TEXT'", "'STRING', 'INT64', 'FLOAT64'"),
        ('name = "zone"', 'name = "ID"', "columns", "'id' is there twice"),
        ('name = "zone"', 'name = "a zone"', "columns.1.name (column 'a zone')", "match pattern"),
        ('name = "zone"', 'name = "_table_x"', "columns", "prefix that BigQuery reserves"),
        ('name = "id"', 'name = "file_month"', "columns", "the column that Landfall adds"),
        ("{mm}", "01", "source", "no {mm} in the address, which a partition by month needs"),
        ("{mm}", "{mm}{dd}", "source", "{dd} cannot be filled in for a partition by month"),
        ("https://", "http://", "source: found the address", "without encryption, expected https://"),
        ("https://", "ftp://", "source: found the address", "expected one that begins with https://"),
        ("https://", "https://me:hidden@", "source: found a name or password in the address", "expected neither"),
        (
            'clustering = ["zone"]',
            'allowed_networks = ["10.0.0.1/8"]',
            "allowed_networks.0: found '10.0.0.1/8'",
            "has host bits set",
        ),
        (
            'clustering = ["zone"]',
            'allowed_networks = ["inside"]',
            "allowed_networks.0: found 'inside'",
            "IPv4 or IPv6",
        ),
        ('"2021-01"', '"2021-13"', "", "found '2021-13', expected YYYY-MM"),
        ('first_partition = "2021-01"\n', "", "first_partition", "missing"),
        ('["zone"]', '["place"]', "clustering", "'place' is not a column of this contract"),
        ('"month"', '"none"', "source", "cannot be filled in for a partition by none"),
        ("partition =", "partition", "not TOML", "line 7"),
        ('"month"', '"hour"', "source", "no {dd} in the address, which a partition by hour needs"),
        (
            "revision = 1",
            "revision = 1\nexpires_after_days = 0",
            "expires_after_days: found 0",
            "greater than or equal",
        ),
        ('clustering = ["zone"]', 'headers = { Host = "a-block" }', "headers: found 'host'", "none that Landfall sets"),
        (
            'clustering = ["zone"]',
            'headers = { If-Range = "a" }',
            "headers: found 'if-range'",
            "none that Landfall sets",
        ),
        (
            'clustering = ["zone"]',
            'headers = { X-A = "a", x-a = "b" }',
            "headers: 'x-a' is there twice",
            "without case",
        ),
        ('clustering = ["zone"]', 'headers = { "X: A" = "a" }', "headers.X: A", "match pattern"),
        (
            'clustering = ["zone"]',
            'headers = { X-A = "Bearer abc" }',
            "headers.X-A: found 'Bearer abc'",
            "match pattern",
        ),
        ("nullable = false", "nullable = 0", "columns.0.nullable (column 'id'): found 0", "valid boolean"),
    ],
)
def test_a_contract_that_does_not_hold_is_refused_with_file_and_place(
    folder: Path, old: str, new: str, place: str, why: str
) -> None:
    with pytest.raises(ContractError) as refused:
        edited(folder, old, new)
    messages = str(refused.value).splitlines()  # one for each place
    (message,) = (each for each in messages if each.startswith(f"{folder / 'trips.toml'}: {place}"))
    assert why in message
    assert message.endswith("nothing was written")
    assert "hidden" not in message


@pytest.mark.parametrize("name", ["nothing", "../trips", "trips.toml", "", "Trips"])
def test_an_unknown_contract_is_refused_with_those_that_exist(folder: Path, name: str) -> None:
    with pytest.raises(ContractError, match="expected one of trips; nothing was written"):
        contract.read(folder, name)


@pytest.mark.parametrize(
    ("old", "new", "lands_again"),
    [
        ('"Trips"', '"All trips"', False),
        ('"data-team"', '"somebody"', False),
        ("https://example.org", "https://mirror.example.org", False),
        ("revision = 1", 'revision = 1\nallowed_networks = ["10.0.0.0/8", "fd00::/8"]', False),
        ("revision = 1", "revision = 2", False),
        ('type = "STRING"', 'type = "STRING", description = "Where"', False),
        ('type = "STRING"', 'type = "STRING", nullable = false', True),
        ('"STRING"', '"INT64"', True),
        ('name = "id"', 'name = "number"', True),
        ("columns = [", 'dialect = { null_values = ["NA"] }\ncolumns = [', True),
    ],
)
def test_the_fingerprint_changes_with_what_lands_and_with_nothing_else(
    folder: Path, old: str, new: str, *, lands_again: bool
) -> None:
    before = contract.read(folder, "trips").fingerprint
    after = edited(folder, old, new).fingerprint
    assert (after != before) is lands_again


@pytest.mark.parametrize(("days", "holds"), [(None, False), (417, False), (416, True)])
def test_an_hourly_contract_says_when_its_partitions_expire(folder: Path, days: int | None, *, holds: bool) -> None:
    text = TEXT.replace("{mm}", "{mm}{dd}{hh}").replace('"month"', '"hour"').replace('"2021-01"', '"2021-01-01T00"')
    (folder / "trips.toml").write_text(f"expires_after_days = {days}\n{text}" if days else text)
    if holds:
        assert contract.read(folder, "trips").expires_after_days == days
    else:
        with pytest.raises(ContractError, match="expected one for a partition by hour: a table holds 10,000"):
            contract.read(folder, "trips")


def test_periods_default_to_all_that_are_over(folder: Path) -> None:
    trips = contract.read(folder, "trips")
    assert [str(p) for p in trips.periods(None, None, NOW)] == ["2021-01", "2021-02"]
    assert [str(p) for p in trips.periods("2021-02", None, NOW)] == ["2021-02"]
    assert [str(p) for p in trips.periods("2021-02", "2021-03", NOW)] == ["2021-02", "2021-03"]
    with pytest.raises(ContractError, match=r"found the period 2020-12, expected one from .* 2021-01"):
        trips.periods("2020-12", "2021-01", NOW)


@pytest.mark.parametrize(("days", "first"), [(40, "2021-03"), (43, "2021-02"), (80, "2021-01"), (400, "2021-01")])
def test_a_period_that_bigquery_would_drop_at_once_is_left_out_and_refused(folder: Path, days: int, first: str) -> None:
    trips = edited(folder, "revision = 1", f"revision = 1\nexpires_after_days = {days}")
    assert str(trips.periods(None, "2021-03", NOW)[0]) == first
    if first > "2021-01":
        with pytest.raises(
            ContractError, match=rf"found the period 2021-01, expected {first} or a later one: BigQuery"
        ):
            trips.periods("2021-01", None, NOW)


@pytest.mark.parametrize(("days", "last"), [(14, "2021-02"), (15, "2021-01"), (42, "2021-01")])
def test_a_run_without_periods_ends_before_those_that_are_not_published_yet(folder: Path, days: int, last: str) -> None:
    trips = edited(folder, "revision = 1", f"revision = 1\npublished_after_days = {days}")
    assert str(trips.periods(None, None, NOW)[-1]) == last
    assert [str(period) for period in trips.periods("2021-02", None, NOW)] == ["2021-02"]


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2021-04", None, "found the period 2021-04, which begins after now (2021-03-15 00:00 UTC), expected one that"),
        ("2021-01", "2021-04", "found the period 2021-04, which begins after now"),
        (None, "2021-04", "found the period 2021-04, which begins after now"),
        ("2021-13", None, "partition: found '2021-13', expected YYYY-MM, for example 2021-01"),
        ("2021-01", "2021-00", "partition: found '2021-00', expected YYYY-MM"),
        ("2021-01-01", None, "partition: found '2021-01-01', expected YYYY-MM"),
        ("2021", None, "partition: found '2021', expected YYYY-MM"),
        ("all", None, "partition: found 'all', expected YYYY-MM"),
        ("", None, "partition: found '', expected YYYY-MM"),
        ("2020-12", None, "found the period 2020-12, expected one from the contract's first_partition 2021-01"),
        ("2021-03", "2021-01", "found 2021-03 to 2021-01, expected the earlier first"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(folder: Path, first: str | None, last: str | None, why: str) -> None:
    with pytest.raises(ContractError) as refused:
        contract.read(folder, "trips").periods(first, last, NOW)
    assert str(refused.value).startswith(f"trips: {why}")
    assert str(refused.value).endswith("nothing was written")


def test_a_period_may_be_asked_for_while_it_lasts(folder: Path) -> None:
    begun = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)
    assert [str(p) for p in contract.read(folder, "trips").periods("2021-03", None, begun)] == ["2021-03"]
    with pytest.raises(ContractError, match="begins after now"):
        contract.read(folder, "trips").periods("2021-03", None, begun - dt.timedelta(seconds=1))


def test_all_periods_end_with_the_last_that_is_over_or_that_is_served(folder: Path) -> None:
    ending = 'first_partition = "2021-01"\nlast_partition = "{}"'.format
    for last, expected in (("2021-12", ["2021-01", "2021-02"]), ("2021-01", ["2021-01"])):
        trips = edited(folder, 'first_partition = "2021-01"', ending(last))
        assert [str(p) for p in trips.periods(None, None, NOW)] == expected
    with pytest.raises(
        ContractError, match="found 2020-12 as the last period that is published, expected the contract's"
    ):
        trips.periods(None, None, dt.datetime(2021, 1, 31, tzinfo=dt.UTC))


def test_an_address_that_needs_a_publisher_asks_for_one(folder: Path) -> None:
    trips = edited(folder, "https://example.org", "{publisher}")
    period = trips.period("2021-02")
    assert trips.address(period, "http://127.0.0.1:1/") == "http://127.0.0.1:1/trips_2021-02.csv.gz"
    with pytest.raises(ContractError, match="set LANDFALL_PUBLISHER"):
        trips.address(period, None)


def test_the_projects_own_contracts_hold() -> None:
    folder = Path(__file__).parents[2] / "flows" / "contracts"
    held = [contract.read(folder, name) for name in contract.names(folder)]
    assert {(each.name, each.partition) for each in held} >= {
        ("airlines", "none"),
        ("flights", "month"),
        ("weather", "month"),
    }

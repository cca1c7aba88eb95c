"""Names by people, contracts and publishers never become another path, another query or an order to a terminal."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows import settings
from flows.etl import contract, jobs, lake_object, ledger
from flows.etl.address import shown
from flows.etl.checks.against import against
from flows.etl.contract import Column
from flows.etl.contract.checks import AllowedValues
from flows.etl.destination import Destination
from flows.etl.errors import ContractError
from flows.etl.fetch import Validators
from flows.etl.landing_log import Claim, Published
from flows.etl.load import Loaded
from flows.etl.partition import STYLES, Grain, Partition
from tests.etl.agreed import contract_of

HOSTILE = (
    *(
        "../secret",
        "..",
        "/etc/passwd",
        "trips/../secret",
        "trips\0",
        "trips\n",
        "secret.toml",
        "C:\\secret",
        "~/secret",
    ),
    *(
        "`; DROP TABLE landings; --",
        "') OR TRUE --",
        "trips$202101",
        "[red]trips[/]",
        "\x1b[2J",
        "ｔrips",
        "tri\u0301ps",
    ),
    *("a" * 64, "", "-trips", "TRIPS"),
)
texts = st.sampled_from(HOSTILE) | st.text() | st.text("./\\abc_-01`'\"$@\n\0")
contract_names = st.from_regex(r"[a-z][a-z0-9_]{0,62}", fullmatch=True)
grains = st.sampled_from([*STYLES, "none"])
moments = st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31))


def period_of(grain: Grain, moment: dt.datetime) -> Partition:
    return Partition.parse(grain, "all" if grain == "none" else moment.strftime(STYLES[grain].text))


def destination_of(warehouse: Any = None) -> Destination:
    dataset = bigquery.Dataset("local.landfall_local")
    dataset._properties["location"] = "US"  # noqa: SLF001 - only a server sets it
    return Destination(None, warehouse, dataset)  # type: ignore[arg-type] # naming needs no bucket


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contract that may be read, and beside its folder one that may not."""
    made: Path = tmp_path_factory.mktemp("outside") / "contracts"
    made.mkdir()
    for path in (made / "trips.toml", made.parent / "secret.toml", made / "TRIPS.toml"):
        path.write_text("password = 'hidden'")
    return made


@given(name=texts)
def test_a_contracts_name_opens_no_other_file(folder: Path, name: str) -> None:
    if name == "trips":
        return
    with pytest.raises(ContractError, match=r"^contract: found .*, expected one of TRIPS, trips; nothing was written$"):
        contract.read(folder, name)


@given(grain=grains, text=texts | st.text("0123456789-T٣３"))
def test_a_period_is_read_as_itself_or_not_at_all(grain: Grain, text: str) -> None:
    try:
        found = Partition.parse(grain, text)
    except ContractError:
        return
    assert str(found) == text
    assert re.fullmatch(r"all|[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2})?)?)?", text, re.ASCII)
    assert re.fullmatch(r"[0-9]{0,10}", found.decorator, re.ASCII)


@given(name=texts)
def test_a_columns_name_cannot_leave_its_quotes(name: str) -> None:
    try:
        column = Column(name=name, type="STRING")
    except ValidationError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_]{1,300}", column.name, re.ASCII)


@pytest.mark.parametrize("key", ["clean", "headers", "clustering", "labels", "allowed_networks"])
@given(name=texts)
def test_a_contracts_other_names_are_of_what_they_name(key: str, name: str) -> None:
    values: dict[str, Any] = {"clean": name, "headers": {"X-Key": name}, "clustering": [name], "labels": {"x": name}}
    try:
        agreed = contract_of(Column(name="id", type="INT64"), **{key: values.get(key, [name])})
    except ValidationError:
        return
    found = str(getattr(agreed, key))
    assert ".." not in found
    assert re.fullmatch(r"[\]\[{}' A-Za-z0-9_.:/-]+", found, re.ASCII)


@given(name=texts)
def test_an_environments_name_cannot_name_another_block_or_dataset(name: str) -> None:
    try:
        values = settings.Settings(environment=name, publisher=None)
    except ValidationError:
        return
    assert re.fullmatch(r"landfall-[a-z0-9-]{1,30}-lake", values.lake_block, re.ASCII)
    assert re.fullmatch(r"landfall_[a-z0-9_]{1,30}", values.dataset, re.ASCII)


@given(name=contract_names, grain=grains, moment=moments)
def test_objects_and_jobs_have_names_of_their_kind(name: str, grain: Grain, moment: dt.datetime) -> None:
    period = str(period_of(grain, moment))
    for uri, kind in zip(lake_object.new_names(name, period), ("parquet", r"jsonl\.gz"), strict=True):
        assert re.fullmatch(rf"(lake|quarantine)/{name}/{period}/[0-9a-f]{{32}}\.{kind}", uri)
    job = jobs.name(destination_of(), claim_of(contract=name, partition=period), 0)
    assert re.fullmatch(
        r"[A-Za-z0-9_-]{1,1024}", job
    )  # https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid
    assert job.split("-")[2] == name  # no other contract's job is called so


@given(values=st.lists(texts, min_size=1))
def test_what_a_check_allows_is_a_parameter_and_no_part_of_its_query(values: list[str]) -> None:
    column = Column(name="zone", type="STRING")
    check = AllowedValues(check="allowed_values", column="zone", values=list(values))
    asked = against(check, [column], period_of("month", dt.datetime(2021, 1, 1)))
    assert asked is not None
    condition, (parameter,) = asked.sql("c0")
    assert condition == "`zone` NOT IN UNNEST(@c0)"
    assert parameter.value == tuple(values)


def claim_of(**changes: Any) -> Claim:
    values: dict[str, Any] = dict.fromkeys(Claim.__dataclass_fields__)
    return Claim(**{**values, "n": 0, "generation": 1, "added_columns": {}, **changes})


class Warehouse:
    """Keeps what is asked of it; its view is there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get_table(self, _name: str) -> None:
        """Find it."""

    def query(self, query: str, *, job_config: bigquery.QueryJobConfig, **_: Any) -> "Warehouse":
        self.asked.append((query, {each.name: each.value for each in job_config.query_parameters}))
        return self

    def done(self) -> bool:
        return True

    error_result = None


@given(etag=texts, last_modified=texts, source_uri=texts, flow_run_id=texts)
def test_what_a_publisher_says_is_a_parameter_and_no_part_of_the_ledgers_query(**said: str) -> None:
    warehouse = Warehouse()
    for values in (said, dict.fromkeys(said, "x")):
        claim = claim_of(
            contract="trips",
            partition="2021-01",
            source_rows=1,
            lake_rows=1,
            quarantined_rows=0,
            **values,
        )
        ledger.record(destination_of(warehouse), Loaded(claim, "job", 0, 1, "2021-01-01T00:00:00+00:00"))
    (query, parameters), (other, _) = warehouse.asked
    assert query == other
    assert {name: parameters[name] for name in said} == said


@given(address=texts, etag=texts)
def test_what_a_publisher_says_is_noted_as_it_was_said(address: str, etag: str) -> None:
    noted = Published(address, Validators(etag, None, 5))
    assert Published.read(noted.text()) == noted
    assert noted.text().isascii()


@given(address=texts | st.text("https:/@?#\x1b\r\n\t"))
def test_an_address_that_is_shown_orders_no_terminal_and_begins_no_line(address: str) -> None:
    assert shown(address).isprintable()
    assert shown(shown(address)) == shown(address)

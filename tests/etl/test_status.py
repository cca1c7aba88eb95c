"""A partition's state by itself: what log, ledger and table say in, one state and its reason out."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from flows.etl.contract import Column
from flows.etl.contract.checks import RowCount
from flows.etl.errors import ContractError
from flows.etl.landing_log import Head, Notes
from flows.etl.partition import Partition
from flows.etl.status import STATES, Said, Span, Standing, State, counts, judge
from tests.etl.agreed import contract_of

CONTRACT = contract_of(Column(name="id", type="INT64"), revision=2)
CHECKED = contract_of(Column(name="id", type="INT64"), revision=2, checks=[RowCount(check="row_count", min=1)])
JANUARY = Partition.parse("month", "2021-01")
NOON = dt.datetime(2021, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LOADED = Said(
    *(1, "landing", "loaded", 10, 31, 0, 31, CONTRACT.fingerprint, 2, "Mon, 01 Mar 2021", NOON - HOUR / 60, NOON),
)
REFUSED = replace(LOADED, n=2, status="refused", warehouse_rows=0)


def head(n: int = 1, checks: str | None = None) -> Head:
    return Head(n, Notes(None, checks))


CASES: list[tuple[dict[str, Any], State, str, bool]] = [
    ({}, "landed", "", True),
    ({"loaded": replace(LOADED, quarantined_rows=1)}, "quarantined", "1 of 31 rows put aside", True),
    ({"head": None, "loaded": None}, "missing", "never claimed", False),
    ({"made": None}, "missing", "the table was dropped after it was loaded", False),
    ({"made": NOON + HOUR}, "missing", "the table was made anew after it was loaded", False),
    ({"head": None}, "failed", "the log has lost claim 1; reconcile", True),
    ({"head": head(0)}, "failed", "the log has lost claim 1; reconcile", True),
    ({"loaded": None}, "failed", "claim 1 is not loaded: its run ended before, or is at work", False),
    ({"head": head(2)}, "failed", "claim 2 is not loaded: its run ended before, or is at work", True),
    ({"head": head(2), "refused": REFUSED}, "failed", "BigQuery refused claim 2", True),
    ({"head": head(2), "loaded": None, "refused": REFUSED}, "failed", "BigQuery refused claim 2", False),
    ({"head": head(2), "refused": REFUSED, "made": None}, "failed", "BigQuery refused claim 2", False),
    # a claim that was refused first, and loaded by a repair of the table
    ({"refused": replace(REFUSED, n=1)}, "landed", "", True),
    (
        {"loaded": replace(LOADED, contract_revision=1, contract_fingerprint="1-older")},
        *("stale", "read by revision 1 of the contract, which is at 2", True),
    ),
    (
        {"loaded": replace(LOADED, contract_fingerprint="0-older")},
        *("stale", f"read by 0-older, the contract is {CONTRACT.fingerprint} now", True),
    ),
    ({"contract": CHECKED}, "stale", "not held against the contract's present checks", True),
    ({"contract": CHECKED, "head": head(1, "other")}, "stale", "not held against the contract's present checks", True),
    ({"contract": CHECKED, "head": head(1, CHECKED.checks_fingerprint)}, "landed", "", True),
    ({"head": head(1, "checks that the contract has no more")}, "landed", "", True),
]


@pytest.mark.parametrize(("given", "state", "why", "is_held"), CASES)
def test_each_state_has_its_reason(given: dict[str, Any], state: State, why: str, is_held: bool) -> None:
    asked: dict[str, Any] = {
        "contract": CONTRACT,
        "head": head(),
        "loaded": LOADED,
        "refused": None,
        "made": NOON - HOUR,
    } | given
    rows = {name: asked[name] for name in ("loaded", "refused") if asked[name]}
    expected = Standing("trips", JANUARY, state, why, asked["loaded"] if is_held else None)
    assert judge(asked["contract"], JANUARY, asked["head"], rows, asked["made"]) == expected


def test_every_state_is_met_by_these_cases() -> None:
    assert {state for _, state, _, _ in CASES} == set(STATES)


def test_a_row_for_programs_says_all_and_nothing_of_what_is_not_there() -> None:
    assert judge(CONTRACT, JANUARY, head(), {"loaded": LOADED}, NOON - HOUR).flat() == {
        "contract": "trips",
        "partition": "2021-01",
        "state": "landed",
        "why": "",
        "n": 1,
        "kind": "landing",
        "source_bytes": 10,
        "source_rows": 31,
        "quarantined_rows": 0,
        "warehouse_rows": 31,
        "contract_revision": 2,
        "last_modified": "Mon, 01 Mar 2021",
        "claimed_at": NOON - HOUR / 60,
        "loaded_at": NOON,
        "seconds": 60,
    }
    missing = judge(CONTRACT, JANUARY, None, {}, None).flat()
    assert [name for name, value in missing.items() if value is not None] == ["contract", "partition", "state", "why"]


def test_a_row_of_a_claim_whose_time_is_unknown_has_no_duration() -> None:
    assert replace(LOADED, claimed_at=None).seconds is None


@pytest.mark.parametrize(
    ("first", "last", "inside", "outside"),
    [
        (None, None, ["2021", "2021-01", "2021-01-31", "2021-01-31T07", "all"], []),
        ("2021", None, ["2021", "2021-01", "2022-05-01", "all"], ["2020", "2020-12", "2020-12-31T23"]),
        (None, "2021-01", ["2020", "2021", "2021-01-31T23", "all"], ["2022", "2021-02", "2021-02-01T00"]),
        ("2021-02", "2021-03", ["2021", "2021-02", "2021-03-31", "all"], ["2021-01", "2021-04", "2021-04-01T00"]),
        ("2021-01-31T07", "2021-01-31T07", ["2021-01-31T07", "2021-01-31", "2021"], ["2021-01-31T06", "2021-01-31T08"]),
    ],
)
def test_a_span_holds_periods_of_any_grain_that_touch_it(
    first: str | None, last: str | None, inside: list[str], outside: list[str]
) -> None:
    span = Span.read(first, last)
    grains = {4: "year", 7: "month", 10: "day", 13: "hour", 3: "none"}
    touches = {text: span.touches(Partition.parse(grains[len(text)], text)) for text in inside + outside}  # type: ignore[arg-type]
    assert touches == dict.fromkeys(inside, True) | dict.fromkeys(outside, False)


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (
            *("2021-13", None),
            (
                "status: found the period '2021-13', expected a year, month, day or hour: 2021, 2021-01, 2021-01-31,"
                " 2021-01-31T07"
            ),
        ),
        ("2021-02", "2021-01", "status: found 2021-02 to 2021-01, expected the earlier first"),
    ],
)
def test_a_span_that_is_none_is_refused(first: str, last: str | None, why: str) -> None:
    with pytest.raises(ContractError) as found:
        Span.read(first, last)
    assert str(found.value) == why


def test_states_are_counted_the_worst_first() -> None:
    landed = judge(CONTRACT, JANUARY, head(), {"loaded": LOADED}, NOON - HOUR)
    missing = judge(CONTRACT, JANUARY, None, {}, None)
    assert list(counts([landed, missing, landed]).items()) == [("missing", 1), ("landed", 2)]

"""The comparison by itself: facts in, divergences out."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from flows.etl.contract import Column
from flows.etl.fetch import Validators
from flows.etl.lake_object import LakeObject, Stored
from flows.etl.landing_log import Head, Notes, Published
from flows.etl.ledger import Row
from flows.etl.reconcile.divergence import NAMES, compare
from flows.etl.reconcile.facts import Facts, Gathered, Newest
from flows.etl.reconcile.mend import BY_HAND, FROM_THE_LAKE, FROM_THE_PUBLISHER
from tests.etl.agreed import contract_of

CONTRACT = contract_of(Column(name="id", type="INT64"))
NOON = dt.datetime(2021, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
OWN = LakeObject("gs://lake/lake/trips/2021-01/0b.parquet", 7, "crc")
OLDER = LakeObject("gs://lake/lake/trips/2021-01/0a.parquet", 5, "crc")
ASIDE = LakeObject("gs://lake/quarantine/trips/2021-01/0b.jsonl.gz", 6, "crc")
SAID = Published("https://example.org/2021-01", Validators('"b"', None, 10))


def at(item: LakeObject, created: dt.datetime = NOON) -> Stored:
    return Stored(item, 1, created)


ROW = Row(
    *("2021-01", 1, "landing", "loaded", "https://example.org/2021-01", '"b"', None, 10, "ab", 31, 1),
    *(OWN.uri, OWN.generation, OWN.crc32c, 30, 30, CONTRACT.fingerprint, 1, None, None, NOON),
)
SETTLED = Facts(
    "2021-01",
    Head(1, Notes(SAID, None)),
    Newest(OWN, 30, puts_aside=True),
    ROW,
    (at(OWN), at(ASIDE)),
    frozenset({OWN.uri, OLDER.uri}),
    30,
    SAID,
)
TOLD_NOTHING = Published(SAID.address, Validators(None, None, 11))


def names(facts: Facts, made: dt.datetime | None = NOON - HOUR) -> list[str]:
    return [each.name for each in compare(Gathered(CONTRACT, made, NOON + HOUR, (facts,), {}))]


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"row": replace(ROW, n=2)}, ["ledger row without claim"]),
    ({"head": None, "newest": None, "claimed": frozenset(), "objects": (), "row": None}, ["rows without claim"]),
    ({"objects": (at(ASIDE),)}, ["lake object gone"]),
    ({"objects": (at(replace(OWN, generation=8)), at(ASIDE))}, ["lake object changed"]),
    ({"objects": (at(OWN),)}, ["quarantine object gone"]),
    ({"objects": (at(OWN),), "newest": Newest(OWN, 30, puts_aside=False)}, []),
    ({"objects": (at(OWN), at(ASIDE), at(OLDER))}, ["superseded object left"]),
    ({"objects": (at(OWN), at(ASIDE), at(OLDER)), "claimed": frozenset({OWN.uri})}, ["unclaimed object"]),
    ({"objects": (at(OWN), at(ASIDE), at(OLDER, NOON + 2 * HOUR)), "claimed": frozenset({OWN.uri})}, []),
    ({"row": None, "rows": 20}, ["claim not loaded"]),
    ({"row": replace(ROW, n=0), "rows": 20}, ["claim not loaded"]),
    ({"row": None}, ["ledger row missing"]),
    ({"row": replace(ROW, status="refused")}, ["refused"]),
    ({"row": replace(ROW, contract_fingerprint="1-other")}, ["contract changed"]),
    ({"rows": 29}, ["rows differ"]),
    ({"rows": 31}, ["rows differ"]),
    ({"served": replace(SAID, validators=Validators('"c"', None, 10))}, ["publisher changed"]),
    ({"served": TOLD_NOTHING}, []),
    ({"served": None, "trouble": "404"}, ["publisher does not answer"]),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_each_difference_has_its_own_name(change: dict[str, Any], expected: list[str]) -> None:
    assert names(replace(SETTLED, **change)) == expected


@pytest.mark.parametrize(
    ("made", "expected"), [(None, ["table dropped"]), (NOON + HOUR, ["table made anew"]), (NOON, [])]
)
def test_a_table_counts_only_from_when_it_was_made(made: dt.datetime | None, expected: list[str]) -> None:
    assert names(SETTLED, made) == expected


def test_every_name_is_met_above_and_has_its_way_of_mending() -> None:
    met = {name for _, expected in CASES for name in expected} | {"table dropped", "table made anew"}
    assert met == set(NAMES)
    by_themselves = {"superseded object left", "unclaimed object", "ledger row without claim"}
    assert by_themselves | BY_HAND | FROM_THE_LAKE | FROM_THE_PUBLISHER == set(NAMES)

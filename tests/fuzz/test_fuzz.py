"""A few seconds of what `make fuzz` does for minutes, always on the same inputs."""

import random

import pytest

from flows.etl import proposal
from tests.fuzz.__main__ import try_one
from tests.fuzz.targets import TARGETS

INPUTS = 60


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused_with_a_word(name: str) -> None:
    outcomes = set()
    for number in range(INPUTS):
        outcome, word, _ = try_one(name, 1, number)
        assert outcome != "finding", f"--seed 1 --only {name}:{number}: {word}"
        outcomes.add(outcome)
    assert "refused" in outcomes


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_that_is_not_mutated_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "answer":
        pytest.skip("no text is both a date and an address")
    monkeypatch.setattr("tests.fuzz.targets.mutated", lambda data, *_: data)
    assert {try_one(name, 1, number)[0] for number in range(10)} >= {"read"}


def test_the_same_seed_makes_the_same_inputs() -> None:
    for name, target in TARGETS.items():
        assert target.make(random.Random(f"1 {name} 7")) == try_one(name, 1, 7)[2]


@pytest.mark.parametrize("taken", [set(), {"column_1" + "x" * 292}])
def test_a_long_name_that_is_proposed_for_a_column_is_one_that_bigquery_takes(taken: set[str]) -> None:
    assert len(proposal.column_of("1" + "x" * 400, "STRING", None, taken).name) == proposal.NAME_LENGTH

"""How checks are made: in order, each by itself, within a time, and none of them ends the others."""

import time
from pathlib import Path

import pytest

from flows.doctor import checks
from flows.doctor.examination import Check, Examined, examine, left_behind
from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import Seen, here


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path, tmp_path, {})


def refuse(_seen: Seen) -> Finding:
    raise AssertionError("was made")


def oversleep(_seen: Seen) -> Finding:
    time.sleep(60)
    return ok("late")


def test_findings_come_in_the_order_of_the_checks_each_with_what_to_do(seen: Seen) -> None:
    listed = (
        Check("a", lambda _: [ok("x"), warning("y", "mend y")]),
        Check("b", lambda _: problem("z", "mend z")),
    )
    assert list(examine(listed, seen)) == [
        Examined("a", "ok", "x", ""),
        Examined("a", "warning", "y", "mend y"),
        Examined("b", "problem", "z", "mend z"),
    ]


def test_a_check_is_not_made_after_a_problem_or_a_skip_of_what_it_needs_and_says_which(seen: Seen) -> None:
    listed = (
        Check("broken", lambda _: problem("z", "mend z")),
        Check("left out", lambda _: skipped("why")),
        Check("fair", lambda _: warning("y", "mend y")),
        Check("after broken", refuse, needs=("fair", "broken")),
        Check("after that", refuse, needs=("after broken",)),
        Check("after left out", refuse, needs=("left out",)),
        Check("after fair", lambda _: ok("made"), needs=("fair",)),
    )
    because = "not looked at: `broken` comes first, and has a problem"
    assert list(examine(listed, seen))[3:] == [
        Examined("after broken", "skipped", because, ""),
        Examined("after that", "skipped", because, ""),
        Examined("after left out", "skipped", "not looked at: `left out` comes first, and was skipped", ""),
        Examined("after fair", "ok", "made", ""),
    ]


def test_an_error_that_nobody_foresaw_is_a_problem_of_its_check_alone(seen: Seen) -> None:
    def fail(_seen: Seen) -> Finding:
        raise KeyError("https://ann:hunter2@example.org/x\n\x1b[2J")

    first, second = examine((Check("a", fail), Check("b", lambda _: ok("made"))), seen)
    assert (first.verdict, first.found) == ("problem", "KeyError: 'https://example.org/x\\n\\x1b[2J'")
    assert second == Examined("b", "ok", "made", "")


def test_a_check_that_does_not_end_is_left_behind(seen: Seen) -> None:
    began = time.monotonic()
    silent, other = examine((Check("a", oversleep), Check("b", lambda _: ok("made"))), seen, limits_s=(0.1, 30))
    assert (silent.verdict, silent.found) == ("problem", "no answer within 0 s")
    assert silent.what_to_do.endswith("landfall doctor --only a")
    assert other.found == "made"
    assert time.monotonic() - began < 30
    assert (left_behind([Check("a", oversleep)]), left_behind([Check("b", refuse)])) == (True, False)


def test_what_a_checks_code_takes_to_load_is_not_held_against_its_time(seen: Seen) -> None:
    slow = Check("a", lambda _: ok("made"), load=lambda: time.sleep(0.3))
    assert [each.found for each in examine((slow, slow), seen, limits_s=(0.25, 0.25))] == ["made", "made"]


def test_no_check_begins_when_the_time_for_all_is_over(seen: Seen) -> None:
    listed = (Check("a", oversleep), Check("b", refuse))
    assert [(each.check, each.verdict) for each in examine(listed, seen, limits_s=(30, 0.1))] == [
        ("a", "problem"),
        ("b", "skipped"),
    ]


def test_only_what_was_asked_for_is_shown_and_only_what_it_needs_is_made(seen: Seen) -> None:
    made = []

    def note(name: str) -> Check:
        def examine(_seen: Seen) -> Finding:
            made.append(name)
            return ok(name)

        return Check(name, examine, needs=("a",) if name == "b" else ())

    found = list(examine((note("a"), note("b"), note("c")), seen, ["b"]))
    assert (made, found) == (["a", "b"], [Examined("b", "ok", "b", "")])


def test_hidden_values_are_in_nothing_that_is_shown(seen: Seen) -> None:
    seen.hidden.add("hunter2")
    found = examine((Check("a", lambda _: problem("it is hunter2", "say hunter2")),), seen)
    assert list(found) == [Examined("a", "problem", "it is (a secret)", "say (a secret)")]


def test_a_secret_that_is_found_out_by_a_check_is_hidden_at_once(seen: Seen) -> None:
    def learn(seen: Seen) -> Finding:
        seen.hidden.add("hunter2")
        return ok("hunter2")

    assert [each.found for each in examine((Check("a", learn),), seen)] == ["(a secret)"]


def test_variables_that_are_secrets_by_name_are_hidden_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_API_KEY", "GITHUB_TOKEN", "LANDFALL_DATABASE_PASSWORD", "PREFECT__CONTEXT__SECRETS__X"):
        monkeypatch.setenv(name, f"value of {name}")
    monkeypatch.setenv("LANDFALL_ENVIRONMENT", "local")
    hidden = here().hidden
    assert {each for each in hidden if each.startswith("value of")} == {
        "value of PREFECT_API_KEY",
        "value of GITHUB_TOKEN",
        "value of LANDFALL_DATABASE_PASSWORD",
        "value of PREFECT__CONTEXT__SECRETS__X",
    }
    assert "local" not in hidden


def test_a_missing_package_is_a_finding_of_its_check(seen: Seen) -> None:
    broken = checks._check("a", "not_there:nothing")  # noqa: SLF001
    first, second = examine((broken, Check("b", lambda _: ok("made"))), seen)
    assert first.found == "ModuleNotFoundError: No module named 'flows.doctor.not_there'"
    assert second.found == "made"


def test_each_check_comes_after_those_that_it_needs() -> None:
    before: list[str] = []
    for check in checks.CHECKS:
        assert set(check.needs) <= {*before}
        before.append(check.name)
    assert len({*before}) == len(before)

import pytest

from tests.protocol.landing_model import ECONOMY, RULES, SHORT, Search, check

NOTICED_BY = {
    "numbered": Search("ABA"),
    "if absent": Search("AB"),
    "alive": Search("A", processes=1, deleted=1),
    "look": Search("AB"),
    "fence": Search("AB"),
    "wait": Search("AB"),
    "count": Search("A", dropped=1),
    "head": Search("ABA"),
    "born": Search("A", dropped=1),
    "stands": Search("B", landed="AB", restores=1),
    "released": Search("BAB", landed="AB", restores=1),
    "old": Search("A", processes=1, sweeps=1),
    "listed first": Search("A", processes=1, sweeps=1),
}


@pytest.mark.parametrize("search", SHORT, ids=str)
def test_no_interleaving_breaks_the_promise(search: Search) -> None:
    states, why = check(set(RULES), search)
    assert why is None
    assert states > 5_000  # a search that ends early has searched nothing


@pytest.mark.parametrize("rule", sorted(RULES.keys() - ECONOMY))
def test_each_rule_is_missed_when_it_is_left_out(rule: str) -> None:
    assert check(RULES.keys() - {rule}, NOTICED_BY[rule])[1] is not None

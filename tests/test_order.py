"""Whose address reaches how far, and what of it Prefect is given."""

from contextvars import copy_context

import pytest

from flows import order
from flows.etl.errors import ContractError, SourceError
from flows.etl.plan import Order
from flows.settings import Settings

VALUES = Settings(environment="local", publisher="http://127.0.0.1:9")
SIGNED = "http://127.0.0.1:8/f?X-Goog-Signature=hidden"


def taken(source: str | None, typed: str | None = None) -> Order:
    """Take an order whose run has a parameter, in a process on whose command line an address was typed."""

    def take() -> Order:
        if typed:
            assert order.withhold(typed) == source
        return order.take_order(VALUES, "flights", "2013-01", None, source)

    return copy_context().run(take)


def test_an_address_of_the_command_line_is_whole_and_trusted_and_prefect_has_it_without_its_query() -> None:
    made = taken("http://127.0.0.1:8/f?...", SIGNED)
    assert (made.override, made.trusted) == (SIGNED, ("http://127.0.0.1:9", SIGNED))
    assert "hidden" not in repr(made)


def test_an_address_among_a_runs_parameters_is_not_trusted() -> None:
    made = taken("https://10.0.0.1/f?a=b")
    assert (made.override, made.trusted) == ("https://10.0.0.1/f?a=b", ("http://127.0.0.1:9",))
    assert taken(None).override is None


def test_a_run_that_is_repeated_without_the_command_line_is_refused() -> None:
    with pytest.raises(ContractError, match=r"found 'http://127.0.0.1:8/f\?\.\.\.', whose query was left out"):
        taken("http://127.0.0.1:8/f?...")


@pytest.mark.parametrize(
    "source", ["https://me:hidden@example.org/f", "ftp://example.org/f", "http://example.org/f", "f"]
)
def test_an_address_that_cannot_be_asked_is_refused_before_prefect_has_it(source: str) -> None:
    with pytest.raises(SourceError, match=r"^--source: ") as refused:
        order.withhold(source)
    assert "hidden" not in str(refused.value)


def asked(*names: str, first: str | None = None, last: str | None = None) -> list[tuple[str, str, str]]:
    orders = order.take_orders(VALUES, names, first, last)
    return [(each.contract.name, str(each.periods[0]), str(each.periods[-1])) for each in orders]


def test_several_contracts_are_asked_for_the_same_periods_each_once_and_snapshots_for_all() -> None:
    assert asked("weather", "planes", "flights", "weather", first="2013-02", last="2013-03") == [
        ("weather", "2013-02", "2013-03"),
        ("planes", "all", "all"),
        ("flights", "2013-02", "2013-03"),
    ]


def test_an_end_that_is_left_out_is_the_contracts_own() -> None:
    assert asked("flights", first="2013-11") == [("flights", "2013-11", "2013-12")]
    assert asked("flights", last="2013-02") == [("flights", "2013-01", "2013-02")]
    assert asked("flights") == [("flights", "2013-01", "2013-12")]


def test_no_contract_at_all_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^contracts: found none, expected at least one; nothing was written$"):
        asked()

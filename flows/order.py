"""From a flow's parameters to what is asked of the plan."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from prefect.blocks.system import Secret
from prefect.runtime import flow_run

from flows import settings
from flows.etl import contract, landing_log
from flows.etl.address import parse, shown
from flows.etl.destination import Destination
from flows.etl.errors import ContractError
from flows.etl.plan import Order
from flows.etl.request import check_headers

_withheld: ContextVar[str | None] = ContextVar("_withheld", default=None)


def withhold(source: str) -> str:
    """Give an address of the command line as it may stand among a run's parameters, which Prefect keeps and shows.

    A query may be a signature: the whole address stays in this process, for the run that this context starts.

    Raises:
        SourceError: it is no address, or has a password in it.
    """
    parse(source, "--source")
    _withheld.set(source)
    return shown(source)


def _whole(source: str) -> str:
    """Give the address of which a parameter may be the part that is shown."""
    whole = _withheld.get()
    if whole is not None and shown(whole) == source:
        return whole
    if source.endswith("?..."):
        raise ContractError(
            f"source: found {source!r}, whose query was left out as it may be a secret, expected the whole address;"
            " run the flow by hand with it, nothing was written"
        )
    return source


def take_order(values: settings.Settings, name: str, first: str | None, last: str | None, source: str | None) -> Order:
    """Read the contract and the periods that a run is asked for.

    Raises:
        ContractError: no such contract or period; or one address given for several periods.
    """
    agreed = contract.read(settings.CONTRACTS, name)
    periods = agreed.periods(first, last, dt.datetime.now(dt.UTC))
    if source and len(periods) > 1:
        raise ContractError(
            f"{name}: found one source for {len(periods)} periods, expected one period; name it, nothing was written"
        )
    whole = _whole(source) if source else None
    # a parameter may come from anybody who can start a run; the setting and the command line come from who runs it
    trusted = tuple(each for each in (values.publisher, _withheld.get()) if each)
    return Order(agreed, periods, values.publisher, whole, flow_run.id, trusted=trusted)


def take_orders(values: settings.Settings, names: Sequence[str], first: str | None, last: str | None) -> list[Order]:
    """Read several contracts and the periods that each is asked for, all of them before anything else is done.

    Without *first* a contract's own first period, without *last* the last one that is over; a snapshot has neither.

    Raises:
        ContractError: no such contract or period; or none is named.
        SettingsError: a secret is missing.
    """
    if not names:
        raise ContractError("contracts: found none, expected at least one; nothing was written")
    now = dt.datetime.now(dt.UTC)
    orders = []
    for name in dict.fromkeys(names):
        agreed = contract.read(settings.CONTRACTS, name)
        if agreed.partition == "none":
            orders.append(take_order(values, name, None, None, None))
            continue
        end = str(agreed.periods(None, None, now)[-1]) if first and not last else last
        orders.append(take_order(values, name, first, end, None))
    return [with_secrets(order) for order in orders]


def every_order(values: settings.Settings, destination: Destination, name: str | None) -> list[Order]:
    """Give an order without periods for a contract, or for each that has ever landed something here.

    Raises:
        ContractError: no such contract, or one that does not hold.
        SettingsError: a secret is missing.
    """
    known = contract.names(settings.CONTRACTS)
    names = [name] if name else [each for each in landing_log.contracts(destination.bucket) if each in known]
    trusted = tuple(each for each in (values.publisher,) if each)
    return [
        with_secrets(
            Order(contract.read(settings.CONTRACTS, each), [], values.publisher, None, flow_run.id, trusted=trusted)
        )
        for each in names
    ]


def with_as_of(order: Order, as_of: int | str | None) -> Order:
    """Ask for an older claim's content, by its number or by a time, in place of what the publisher serves.

    Raises:
        ContractError: it is neither; one number for several periods; or an address is given as well.
    """
    if as_of is None:
        return order
    name, wanted = order.contract.name, _claim_or_time(order.contract.name, as_of)
    if order.override:
        raise ContractError(f"{name}: found both a source and an as_of, expected one of them; nothing was written")
    if isinstance(wanted, int) and len(order.periods) > 1:
        raise ContractError(
            f"{name}: found one claim's number for {len(order.periods)} periods, expected one period, or a time in"
            " place of the number; nothing was written"
        )
    return dataclasses.replace(order, as_of=wanted)


def _claim_or_time(name: str, as_of: int | str) -> int | dt.datetime:
    """Read a claim's number, or a time; without a zone it is UTC."""
    text = str(as_of)
    try:
        if text.isdecimal() and text.isascii():
            return int(text)
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ContractError(
            f"{name}: found as_of {text!r}, expected a claim's number, such as 0, or a time, such as"
            " 2026-01-31T12:00; nothing was written"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def with_secrets(order: Order) -> Order:
    """Load the request headers that the contract names from Prefect's Secret blocks, one by one.

    Raises:
        SettingsError: there is no such block, or it holds something else than a text.
        SourceError: a value cannot be sent as a header.
    """
    name = order.contract.name
    headers = {header: _secret(f"{name}: header {header}", block) for header, block in order.contract.headers.items()}
    check_headers(name, headers)
    return dataclasses.replace(order, headers=headers)


def _secret(where: str, block: str) -> str:
    try:
        loaded: Any = Secret.load(block)
    except ValueError as error:  # so Prefect says that there is no such block
        raise settings.SettingsError(
            f"{where}: found no Prefect Secret block {block!r}, expected one that holds the header's value; make it in"
            " Prefect's UI under Blocks, nothing was written"
        ) from error
    value = loaded.value.get_secret_value()  # its `get` would read "007" as the number 7
    if not isinstance(value, str):
        raise settings.SettingsError(
            f"{where}: found no text in the Prefect Secret block {block!r}, expected the header's value; nothing was"
            " written"
        )
    return value

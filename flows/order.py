"""From a flow's parameters to what is asked of the plan."""

import dataclasses
import datetime as dt
from contextvars import ContextVar
from typing import Any

from prefect.blocks.system import Secret
from prefect.runtime import flow_run

from flows import settings
from flows.etl import contract
from flows.etl.address import parse, shown
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

"""A contract's table in BigQuery: made, and widened, by the loader from the contract alone."""

import datetime as dt
import logging
from typing import Any, cast

from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery

from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.errors import WarehouseRefused
from flows.etl.partition import STYLES

log = logging.getLogger(__name__)

DAY_MS = 24 * 60 * 60 * 1000
SAME = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}  # names that tables.get still answers with


def schema(contract: Contract) -> list[bigquery.SchemaField]:
    """Give the table's columns: all nullable, what may be null is checked before the lake; the period's is last."""
    fields = [
        bigquery.SchemaField(column.name, column.type, description=column.description) for column in contract.columns
    ]
    if contract.partition != "none":
        style = STYLES[contract.partition]
        what = f"The {contract.partition} of the publisher's file"
        fields.append(bigquery.SchemaField(style.column, style.column_type, description=what))
    return fields


def labels(contract: Contract) -> dict[str, str]:
    """Give the table's labels: the contract's own, its name and the fingerprint that the columns come from."""
    return {**contract.labels, "contract": contract.name, "contract_fingerprint": contract.fingerprint}


def created(destination: Destination, name: str) -> dt.datetime | None:
    """Tell when a table was made, by BigQuery's clock; None if it is absent."""
    try:
        found = destination.warehouse.get_table(destination.table(name))
    except NotFound:
        return None
    return cast(dt.datetime, found.created)


def ensure(destination: Destination, contract: Contract) -> None:
    """Make the contract's table if it is absent; bring columns, description, labels and expiry up to the contract.

    Raises:
        WarehouseRefused: the table is laid out otherwise, or a column has another type; nothing was changed.
    """
    wanted = _definition(destination, contract)
    try:
        found = destination.warehouse.get_table(wanted.reference)
    except NotFound:
        try:
            destination.warehouse.create_table(wanted)
        except Conflict:
            found = destination.warehouse.get_table(wanted.reference)  # another process was quicker
        else:
            log.info("%s: made the table %s", contract.name, wanted.reference)
            return
    _check(found, wanted, contract)
    if changed := _bring_up(found, wanted):
        try:
            destination.warehouse.update_table(found, changed)
        except PreconditionFailed:  # another process changed it between our reading and writing: look again
            ensure(destination, contract)
        else:
            log.info("%s: brought the table's %s up to the contract", contract.name, ", ".join(changed))


def _bring_up(found: bigquery.Table, wanted: bigquery.Table) -> list[str]:
    """Change *found* to what is *wanted*, and name the properties that differed; what others added stays."""
    known = {field.name.lower() for field in found.schema}
    added = [field for field in wanted.schema if field.name.lower() not in known]
    changes: dict[str, Any] = {
        "schema": [*found.schema, *added],
        "description": wanted.description,
        "labels": {**found.labels, **wanted.labels},
        "time_partitioning": wanted.time_partitioning,
    }
    changed = [name for name, value in changes.items() if _plain(getattr(found, name)) != _plain(value)]
    for name in changed:
        setattr(found, name, changes[name])
    return changed


def _plain(value: Any) -> Any:
    """Give a property as BigQuery's JSON says it: equal partitionings may be unequal objects."""
    return value.to_api_repr() if isinstance(value, bigquery.TimePartitioning) else value


def _definition(destination: Destination, contract: Contract) -> bigquery.Table:
    table = bigquery.Table(destination.table(contract.name), schema=schema(contract))
    table.description = contract.description
    table.labels = labels(contract)
    table.clustering_fields = list(contract.clustering) or None
    if contract.partition != "none":
        table.time_partitioning = bigquery.TimePartitioning(
            type_=contract.partition.upper(),
            field=STYLES[contract.partition].column,
            expiration_ms=contract.expires_after_days * DAY_MS if contract.expires_after_days else None,
        )
    return table


def _check(found: bigquery.Table, wanted: bigquery.Table, contract: Contract) -> None:
    differences = [
        f"{name} is {ours!r} in the contract and {theirs!r} in the table"
        for name, ours, theirs in (
            ("partitioning", _layout(wanted), _layout(found)),
            ("clustering", wanted.clustering_fields, found.clustering_fields),
        )
        if ours != theirs
    ]
    types = {field.name.lower(): SAME.get(field.field_type, field.field_type) for field in found.schema}
    differences += [
        f"column {field.name} is {field.field_type} in the contract and {types[field.name.lower()]} in the table"
        for field in wanted.schema
        if types.get(field.name.lower(), field.field_type) != field.field_type
    ]
    if differences:
        raise WarehouseRefused(
            f"{found.reference}: {'; '.join(differences)}; expected them to agree: a breaking change of"
            f" {contract.name} is a new contract, or a dropped table; the old rows stand"
        )


def _layout(table: bigquery.Table) -> tuple[str, str] | None:
    timed = table.time_partitioning
    return (timed.type_, timed.field) if timed else None

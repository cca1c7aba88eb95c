"""A contract's table in BigQuery: made, and widened, by the loader from the contract alone."""

import datetime as dt
import logging
from typing import cast

from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery

from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.errors import WarehouseRefused
from flows.etl.partition import STYLES

log = logging.getLogger(__name__)

SAME = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}  # names that tables.get still answers with


def schema(contract: Contract) -> list[bigquery.SchemaField]:
    """Give the table's columns: all nullable, what may be null is checked before the lake; the period's is last."""
    fields = [
        bigquery.SchemaField(column.name, column.type, description=column.description) for column in contract.columns
    ]
    if contract.partition != "none":
        kind = "DATETIME" if contract.partition == "hour" else "DATE"
        name = STYLES[contract.partition].column
        fields.append(bigquery.SchemaField(name, kind, description=f"The {contract.partition} of the publisher's file"))
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
    """Make the contract's table if it is absent, and add columns, description and labels that it lacks.

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
    if found.labels.get("contract_fingerprint") == contract.fingerprint and found.description == contract.description:
        return
    _check(found, wanted, contract)
    known = {field.name.lower(): field for field in found.schema}
    added = [field for field in wanted.schema if field.name.lower() not in known]
    found.schema = [*found.schema, *added]
    found.description = wanted.description
    found.labels = {**found.labels, **wanted.labels}
    try:
        destination.warehouse.update_table(found, ["schema", "description", "labels"])
    except PreconditionFailed:  # another process changed it between our reading and writing: look again
        ensure(destination, contract)
        return
    log.info("%s: brought the table up to the contract, %d columns added", contract.name, len(added))


def _definition(destination: Destination, contract: Contract) -> bigquery.Table:
    table = bigquery.Table(destination.table(contract.name), schema=schema(contract))
    table.description = contract.description
    table.labels = labels(contract)
    table.clustering_fields = list(contract.clustering) or None
    if contract.partition != "none":
        table.time_partitioning = bigquery.TimePartitioning(
            type_=contract.partition.upper(), field=STYLES[contract.partition].column
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
            f" {contract.name} is a new contract, or a dropped table; nothing was written"
        )


def _layout(table: bigquery.Table) -> tuple[str, str] | None:
    timed = table.time_partitioning
    return (timed.type_, timed.field) if timed else None

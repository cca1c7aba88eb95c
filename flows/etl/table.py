"""A contract's table in BigQuery: made, and widened, by the loader from the contract alone."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery

from flows.etl.contract import ColumnType, Contract
from flows.etl.destination import Destination
from flows.etl.errors import WarehouseRefused
from flows.etl.partition import STYLES, Partition, written

Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter

log = logging.getLogger(__name__)

NOTHING: Mapping[str, ColumnType] = {}
DAY_MS = 24 * 60 * 60 * 1000
SAME = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}  # names that tables.get still answers with


def schema(contract: Contract, added: Mapping[str, ColumnType]) -> list[bigquery.SchemaField]:
    """Give the table's columns: all nullable, what may be null is checked before the lake.

    First the contract's, then the period's, then those that a file has *added*.
    """
    fields = [
        bigquery.SchemaField(column.name, column.type, description=column.description) for column in contract.columns
    ]
    if contract.partition != "none":
        style = STYLES[contract.partition]
        what = f"The {contract.partition} of the publisher's file"
        fields.append(bigquery.SchemaField(style.column, style.column_type, description=what))
    return fields + [bigquery.SchemaField(name, kind) for name, kind in added.items()]


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


def count(
    destination: Destination,
    contract: Contract,
    partition: Partition,
    aggregates: Sequence[str] = (),
    parameters: Sequence[Parameter] = (),
) -> list[int]:
    """Count the partition's rows in the table, then what *aggregates* in GoogleSQL count of them, in one query.

    BigQuery answers the rows alone from metadata, at no cost.
    """
    where, asked = "", list(parameters)
    if partition.column:
        where = f"WHERE {partition.column} = @period"
        asked.append(bigquery.ScalarQueryParameter("period", partition.column_type, partition.value))
    counts = ", ".join(["COUNT(*)", *aggregates])
    query = f"SELECT {counts} FROM `{destination.table(contract.name)}` {where}"  # noqa: S608 - a contract's own names
    job = destination.warehouse.query(
        query,
        job_config=bigquery.QueryJobConfig(
            query_parameters=asked, use_query_cache=False, labels={"contract": contract.name}
        ),
        location=destination.location,
    )
    return list(next(iter(job.result())).values())


def counts(destination: Destination, contract: Contract) -> dict[str, int]:
    """Count the rows of all partitions, in one query; those without rows are left out, and so is a table that is."""
    name, column = destination.table(contract.name), Partition(contract.partition, None).column
    by = f"SELECT {column}, COUNT(*) FROM `{name}` GROUP BY 1" if column else f"SELECT NULL, COUNT(*) FROM `{name}`"  # noqa: S608 - a contract's own names
    config = bigquery.QueryJobConfig(use_query_cache=False, labels={"contract": contract.name})
    try:
        rows = destination.warehouse.query(by, job_config=config, location=destination.location).result()
    except NotFound:
        return {}
    return {written(contract.partition, value): number for value, number in (row.values() for row in rows) if number}


def ensure(destination: Destination, contract: Contract, added: Mapping[str, ColumnType]) -> list[bigquery.SchemaField]:
    """Make the contract's table if it is absent; bring columns, description, labels and expiry up to the contract.

    Args:
        destination: Where the table is.
        contract: What it is to be like.
        added: Columns that a file has beyond the contract's, and that the table shall have too.

    Returns:
        The columns of the table as it is now. A load passes all of them: BigQuery refuses a schema that lacks one of
        the table's, while a file that lacks one loads as null.

    Raises:
        WarehouseRefused: the table is laid out otherwise, or a column has another type; nothing was changed.
    """
    wanted = _definition(destination, contract, added)
    try:
        found = destination.warehouse.get_table(wanted.reference)
    except NotFound:
        try:
            destination.warehouse.create_table(wanted)
        except Conflict:
            found = destination.warehouse.get_table(wanted.reference)  # another process was quicker
        else:
            log.info("%s: made the table %s", contract.name, wanted.reference)
            return _columns(wanted)
    _check(found, wanted, contract)
    _check_added(found, added, contract)
    if changed := _bring_up(found, wanted):
        try:
            found = destination.warehouse.update_table(found, changed)
        except PreconditionFailed:  # another process changed it between our reading and writing: look again
            return ensure(destination, contract, added)
        log.info("%s: brought the table's %s up to the contract", contract.name, ", ".join(changed))
    return _columns(found)


def _columns(table: bigquery.Table) -> list[bigquery.SchemaField]:
    """Give a table's columns as a load may name them: without the policies that only others may set."""
    return [
        bigquery.SchemaField(
            field.name, field.field_type, field.mode, description=field.description, fields=field.fields
        )
        for field in table.schema
    ]


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


def _definition(destination: Destination, contract: Contract, added: Mapping[str, ColumnType]) -> bigquery.Table:
    table = bigquery.Table(destination.table(contract.name), schema=schema(contract, added))
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
    types = _types(found)
    differences += [
        f"column {field.name} is {field.field_type} in the contract and {types[field.name.lower()]} in the table"
        for field in schema(contract, NOTHING)
        if types.get(field.name.lower(), field.field_type) != field.field_type
    ]
    if differences:
        raise WarehouseRefused(
            f"{found.reference}: {'; '.join(differences)}; expected them to agree: a breaking change of"
            f" {contract.name} is a new contract, or a dropped table; the old rows stand"
        )


def _check_added(found: bigquery.Table, added: Mapping[str, ColumnType], contract: Contract) -> None:
    types = _types(found)
    for name, kind in added.items():
        if (there := types.get(name.lower(), kind)) != kind:
            raise WarehouseRefused(
                f"{found.reference}: column {name}: found {kind} in the file, expected the {there} that an earlier file"
                f" has added; declare the column in {contract.name}.toml and raise its revision:\n"
                f'  columns: {{ name = "{name}", type = "{there}" }},\nthe old rows stand'
            )


def _types(table: bigquery.Table) -> dict[str, str]:
    return {field.name.lower(): SAME.get(field.field_type, field.field_type) for field in table.schema}


def _layout(table: bigquery.Table) -> tuple[str, str] | None:
    timed = table.time_partitioning
    return (timed.type_, timed.field) if timed else None

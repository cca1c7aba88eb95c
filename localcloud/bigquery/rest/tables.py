"""bigquery.tables: get, insert, list, patch, update, delete."""

from __future__ import annotations

from localcloud.bigquery import catalog
from localcloud.bigquery.columns import describe
from localcloud.bigquery.database import Cursor
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.partitions import check_layout, in_partition
from localcloud.bigquery.resources import TABLE_OUTPUT, Column, DatasetKey, Schema, Table, TableKey
from localcloud.bigquery.rest.changes import check_etag, patched, without
from localcloud.bigquery.rest.methods import Call, Json, Method, page
from localcloud.bigquery.sql import parse as parse_sql
from localcloud.bigquery.translation import Scope, translated
from localcloud.bigquery.warehouse import Warehouse
from localcloud.bigquery.writing import extend, relax

SUMMARY = "__PARTITIONS_SUMMARY__"  # the partition that lists the partitions
SUMMARY_COLUMNS = tuple(
    Column(name=name, type="STRING")
    for name in ("project_id", "dataset_id", "table_id", "partition_id", "creation_time", "last_modified_time")
)
_LISTED = {
    "kind",
    "id",
    "table_reference",
    "friendly_name",
    "type",
    "time_partitioning",
    "range_partitioning",
    "clustering",
    "labels",
    "view",
    "creation_time",
    "expiration_time",
}


def methods(warehouse: Warehouse) -> list[Method]:
    """Declare the methods."""
    database = warehouse.database

    def insert(call: Call) -> Json:
        given = without(parse(Table, call.body, call.method), TABLE_OUTPUT)
        key = TableKey(call.project, call.path["dataset"], given.table_reference.table_id)
        with database.write() as cursor:
            made = catalog.create_table(cursor, key, _with_view_schema(cursor, key, given))
            return catalog.with_counts(cursor, key, made).to_json()

    def get(call: Call) -> Json:
        key, partition = address(call)
        with database.read() as cursor:
            body = catalog.table(cursor, key)
            if partition == SUMMARY:
                return _renamed(body, key, SUMMARY, Schema(fields=SUMMARY_COLUMNS)).to_json()
            if partition is None:
                return catalog.with_counts(cursor, key, body).to_json()
            counted = catalog.with_counts(cursor, key, body, in_partition(body, partition))
            return _renamed(counted, key, partition, body.table_schema).to_json()

    def list_all(call: Call) -> Json:
        key = DatasetKey(call.project, call.path["dataset"])
        with database.read() as cursor:
            catalog.dataset(cursor, key)
            found = catalog.tables(cursor, key)
        listed = page([body.to_json(_LISTED) for body in found], call, "bigquery#tableList", "tables")
        return {**listed, "totalItems": len(found)}

    def change(call: Call) -> Json:
        key, _ = address(call)
        with database.write() as cursor:
            old = catalog.table(cursor, key)
            check_etag(call, old.etag)
            new = patched(Table, call, old, TABLE_OUTPUT, "tableReference")
            saved = catalog.save_table(cursor, key, _changed(cursor, key, old, new))
            return catalog.with_counts(cursor, key, saved).to_json()

    def delete(call: Call) -> None:
        key, partition = address(call)
        with database.write() as cursor:
            body = catalog.table(cursor, key)
            check_etag(call, body.etag)
            if partition is None:
                catalog.drop_table(cursor, key, body)
                return
            cursor.execute(f"DELETE FROM {key.sql} WHERE {in_partition(body, partition)}")
            catalog.save_table(cursor, key, body)

    every = "/projects/{project}/datasets/{dataset}/tables"
    one = every + "/{table}"
    return [
        Method("bigquery.tables.insert", "POST", every, insert),
        Method("bigquery.tables.list", "GET", every, list_all, frozenset({"maxResults", "pageToken"})),
        Method("bigquery.tables.get", "GET", one, get),
        Method("bigquery.tables.patch", "PATCH", one, change),
        Method("bigquery.tables.update", "PUT", one, change),
        Method("bigquery.tables.delete", "DELETE", one, delete),
    ]


def address(call: Call) -> tuple[TableKey, str | None]:
    """Read the table in a path, and the partition that its decorator names."""
    name, _, partition = call.path["table"].partition("$")
    return TableKey(call.project, call.path["dataset"], name), partition or None


def _renamed(body: Table, key: TableKey, partition: str, schema: Schema | None) -> Table:
    """Show a table as one of its partitions."""
    reference = body.table_reference.model_copy(update={"table_id": f"{key.table}${partition}"})
    return body.model_copy(update={"table_reference": reference, "id": f"{key}${partition}", "table_schema": schema})


def _changed(cursor: Cursor, key: TableKey, old: Table, new: Table) -> Table:
    """Check a changed resource against the kept one, and change the rows' columns with it.

    Raises:
        Fault: invalid for what BigQuery cannot change: a column that is gone or retyped, the partitioning.
    """
    if new.view is not None:
        return _with_view_schema(cursor, key, new) if new.view != old.view else new
    for name in ("time_partitioning", "range_partitioning"):
        before, after = getattr(old, name), getattr(new, name)
        ignored = {"expiration_ms"}
        if (before and before.model_dump(exclude=ignored)) != (after and after.model_dump(exclude=ignored)):
            raise Fault("invalid", f"Cannot change partitioning or clustering of table {key}: {name}")
    wanted = {column.lower: column for column in new.columns}
    for column in old.columns:
        if column.lower not in wanted:
            message = f"Provided Schema does not match Table {key}. Field {column.name} is missing in new schema"
            raise Fault("invalid", message)
    if not old.columns:
        catalog.make_rows(cursor, key, new)
    else:
        extended = extend(cursor, key, old, new.columns, ("ALLOW_FIELD_ADDITION",))
        relax(cursor, key, extended, new.columns, ("ALLOW_FIELD_RELAXATION",))
    check_layout(new)
    return new


def _with_view_schema(cursor: Cursor, key: TableKey, given: Table) -> Table:
    """Let a view's query say what its columns are."""
    if given.view is None:
        return given
    location = catalog.dataset(cursor, key.parent).location or catalog.DEFAULT_LOCATION
    (query,) = parse_sql(given.view.query)
    found = describe(cursor, translated(cursor, query, Scope(key.project, location)))
    return given.model_copy(update={"table_schema": Schema(fields=found)})

"""bigquery.tabledata: list and insertAll."""

from __future__ import annotations

import json
import uuid

import duckdb

from localcloud.bigquery import catalog, cells
from localcloud.bigquery.columns import names
from localcloud.bigquery.configurations import FormatOptions, InsertAllRequest, Load
from localcloud.bigquery.database import Cursor, count
from localcloud.bigquery.faults import Fault, from_duckdb
from localcloud.bigquery.information_schema import partition_ids
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.partitions import in_partition
from localcloud.bigquery.resources import Column, Table, TableKey, TableReference
from localcloud.bigquery.rest.methods import Call, Json, Method
from localcloud.bigquery.rest.tables import SUMMARY, address
from localcloud.bigquery.sources import Source, read
from localcloud.bigquery.warehouse import Warehouse
from localcloud.bigquery.writing import Target, write

PAGE_ROWS = 50_000
FORMATS = frozenset({"formatOptions.useInt64Timestamp", "formatOptions.timestampOutputFormat"})


def methods(warehouse: Warehouse) -> list[Method]:
    """Declare the methods."""

    def list_rows(call: Call) -> Json:
        token, _, position = call.query.get("pageToken", "").partition(".")
        start = int(position) if position.isdecimal() else call.number("startIndex") or 0
        with warehouse.snapshots.use(token or None) as (kept, cursor):
            answer, end, total = _page(cursor, call, start)
        if end < total and end > start:
            answer["pageToken"] = f"{kept}.{end}"
        else:
            warehouse.snapshots.drop(kept)
        return answer

    def insert_all(call: Call) -> Json:
        key, partition = address(call)
        request = parse(InsertAllRequest, call.body, call.method)
        path = warehouse.uploads / f"rows-{uuid.uuid4().hex}"
        path.write_text("\n".join(json.dumps(row.json_) for row in request.rows))
        load = Load(
            destination_table=TableReference(dataset_id=key.dataset, table_id=key.table),
            source_format="NEWLINE_DELIMITED_JSON",
            ignore_unknown_values=request.ignore_unknown_values,
        )
        try:
            with warehouse.database.write() as cursor:
                table = catalog.table(cursor, key)
                source = Source("the request", path, path.stat().st_size)
                write(cursor, Target(key=key, partition=partition), read(cursor, load, [source], table.columns))
        except Fault as fault:
            if fault.reason != "invalid":
                raise
            return _refused(fault, len(request.rows))
        except duckdb.Error as error:
            return _refused(from_duckdb(error, "invalid"), len(request.rows))
        finally:
            path.unlink()
        return {"kind": "bigquery#tableDataInsertAllResponse"}

    data = "/projects/{project}/datasets/{dataset}/tables/{table}"
    paging = frozenset({"maxResults", "pageToken", "startIndex", "selectedFields"})
    return [
        Method("bigquery.tabledata.list", "GET", data + "/data", list_rows, paging | FORMATS),
        Method("bigquery.tabledata.insertAll", "POST", data + "/insertAll", insert_all),
    ]


def format_options(call: Call) -> FormatOptions:
    """Read how cells are to be spelled."""
    given = {name.partition(".")[2]: value for name, value in call.query.items() if name in FORMATS}
    return parse(FormatOptions, json.dumps(given), call.method)


def _page(cursor: Cursor, call: Call, start: int) -> tuple[Json, int, int]:
    """Read a page; give also where it ends and how many rows there are."""
    key, partition = address(call)
    table = catalog.table(cursor, key)
    if table.view is not None:
        raise Fault("invalid", f"Cannot list a table of type VIEW: {key}")
    source = _summary(key, table) if partition == SUMMARY else key.sql
    condition = in_partition(table, partition) if partition not in {None, SUMMARY} else "true"
    total = count(cursor, f"SELECT count(*) FROM {source} WHERE {condition}")
    columns = _selected(call, table, partition)
    limit = call.number("maxResults")
    wanted = PAGE_ROWS if limit is None else min(limit, PAGE_ROWS)
    order = "partition_id" if partition == SUMMARY else "rowid"
    listed = names(columns) or "1"
    page = cursor.sql(
        f"SELECT {listed} FROM {source} WHERE {condition} ORDER BY {order} LIMIT {wanted} OFFSET {start}"
    ).to_arrow_table()
    rows = cells.rows(page, columns, format_options(call)) if columns else []
    answer: Json = {"kind": "bigquery#tableDataList", "etag": table.etag, "totalRows": str(total), "rows": rows}
    return answer, start + page.num_rows, total


def _selected(call: Call, table: Table, partition: str | None) -> tuple[Column, ...]:
    fields = call.query.get("selectedFields")
    if partition == SUMMARY:
        return (Column(name="partition_id", type="STRING"),)
    if not fields:
        return table.columns
    wanted = [name.strip().lower() for name in fields.split(",")]
    missing = set(wanted) - {column.lower for column in table.columns}
    if missing:
        raise Fault("invalid", f"Invalid selectedFields: {', '.join(sorted(missing))}")
    return tuple(column for column in table.columns if column.lower in wanted)


def _summary(key: TableKey, table: Table) -> str:
    """Write the SQL of a table's partition ids, as list_partitions reads them."""
    ids = partition_ids(table)
    return f"(SELECT DISTINCT {ids} AS partition_id FROM {key.sql} WHERE {ids} IS NOT NULL)"


def _refused(fault: Fault, rows: int) -> Json:
    """Answer that no row was taken: one that is invalid stops them all."""
    errors = [{"reason": fault.reason, "message": fault.message, "location": "", "debugInfo": ""}]
    return {
        "kind": "bigquery#tableDataInsertAllResponse",
        "insertErrors": [{"index": index, "errors": errors} for index in range(rows)],
    }

"""Files as rows: Parquet and JSON columns go by name, CSV columns by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from localcloud.bigquery.columns import column_of, converted, describe, duckdb_type, fits
from localcloud.bigquery.configurations import Load
from localcloud.bigquery.database import Cursor, first, literal, quoted
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.resources import Column
from localcloud.bigquery.writing import Rows

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to load: its name as users know it, and the local file that holds it and does not change."""

    name: str
    path: Path
    size: int


def read(cursor: Cursor, load: Load, sources: Sequence[Source], existing: Sequence[Column]) -> Rows:
    """Write the SQL that yields the files' rows, typed as the load or the existing table says.

    Raises:
        Fault: invalid, naming the file and the column.
    """
    try:
        if load.source_format == "PARQUET":
            return _parquet(cursor, load, sources, existing)
        if load.source_format == "CSV":
            return _csv(cursor, load, sources, existing)
        return _json(cursor, load, sources, existing)
    except duckdb.Error as error:
        raise in_users_words(error, sources) from error


def in_users_words(error: duckdb.Error, sources: Sequence[Source]) -> Fault:
    """Word an error of the engine about the files' contents, with the files' own names."""
    message = str(error)
    for source in sources:
        message = message.replace(str(source.path), source.name)
    return Fault("invalid", f"Error while reading data, error message: {message}")


def _parquet(cursor: Cursor, load: Load, sources: Sequence[Source], existing: Sequence[Column]) -> Rows:
    lists = load.parquet_options is not None and load.parquet_options.enable_list_inference
    wanted: tuple[Column, ...] = load.table_schema.fields if load.table_schema else ()
    known = {column.lower: column for column in existing}
    parts = []
    for source in sources:
        scan = f"read_parquet({literal(str(source.path))})"
        found = describe(cursor, f"SELECT * FROM {scan}")
        for column in found:
            if column.mode == "REPEATED" and not lists:
                raise Fault("notImplemented", f"{source.name}: a list needs parquetOptions.enableListInference here")
        # without a schema the first file speaks for all, as it does at Google
        wanted = wanted or tuple(known.get(column.lower, column) for column in found)
        parts.append(f"SELECT {_by_name(source, found, wanted, load)} FROM {scan}")
    return Rows(" UNION ALL ".join(parts), wanted)


def _by_name(source: Source, found: Sequence[Column], wanted: Sequence[Column], load: Load) -> str:
    """List a Parquet file's columns in the wanted order and types."""
    by_name = {column.lower: column for column in found}
    if not load.ignore_unknown_values:
        names = {column.lower for column in wanted}
        for column in found:
            if column.lower not in names:
                message = f"Provided Schema does not match the file {source.name}: no such field: {column.name}"
                raise Fault("invalid", message)
    listed = []
    for want in wanted:
        have = by_name.get(want.lower)
        if have is None:
            if want.mode == "REQUIRED":
                raise Fault("invalid", f"Required field {want.name} is missing from the file {source.name}")
            listed.append(f"CAST(NULL AS {duckdb_type(want)}) AS {quoted(want.name)}")
        elif not fits(have, want):
            message = (
                f"Error while reading data, error message: {source.name}: Parquet column '{have.name}' has type "
                f"{have.type} which does not match the target type {want.type}"
            )
            raise Fault("invalid", message)
        else:
            listed.append(f"{converted(have, want)} AS {quoted(want.name)}")
    return ", ".join(listed)


def _csv(cursor: Cursor, load: Load, sources: Sequence[Source], existing: Sequence[Column]) -> Rows:
    wanted = load.table_schema.fields if load.table_schema else tuple(existing)
    if not wanted:
        return _detected(cursor, load, f"read_csv({_files(sources)})")
    options = [
        "auto_detect=false",
        "header=false",
        f"skip={load.skip_leading_rows or 0}",
        f"delim={literal(_delimiter(load))}",
        f"quote={literal(load.quote)}",
        f"escape={literal(load.quote)}",
        f"nullstr={literal(load.null_marker)}",
        "allow_quoted_nulls=false",  # a quoted empty text is a text
        f"null_padding={str(load.allow_jagged_rows).lower()}",
        f"columns={_text_columns(wanted)}",
    ]
    listed = _from_text(wanted, one_line=not load.allow_quoted_newlines)
    return Rows(f"SELECT {listed} FROM read_csv({_files(sources)}, {', '.join(options)})", wanted)


def _json(cursor: Cursor, load: Load, sources: Sequence[Source], existing: Sequence[Column]) -> Rows:
    wanted = load.table_schema.fields if load.table_schema else tuple(existing)
    form = f"{_files(sources)}, format='newline_delimited'"
    if not wanted:
        return _detected(cursor, load, f"read_json({form})")
    if not load.ignore_unknown_values:
        known = ", ".join(literal(column.lower) for column in wanted)
        unknown = first(
            cursor,
            f"SELECT name FROM (SELECT unnest(json_keys(json)) AS name FROM read_json_objects({form})) "
            f"WHERE lower(name) NOT IN ({known}) LIMIT 1",
        )
        if unknown:
            raise Fault("invalid", f"Error while reading data, error message: No such field: {unknown[0]}.")
    return Rows(f"SELECT {_from_text(wanted)} FROM read_json({form}, columns={_text_columns(wanted)})", wanted)


def _text_columns(wanted: Sequence[Column]) -> str:
    """Name the columns and the types that the engine reads them as; BYTES are base64 in texts."""
    kinds = ((column.name, "VARCHAR" if _is_base64(column) else duckdb_type(column)) for column in wanted)
    return "{" + ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds) + "}"


def _from_text(wanted: Sequence[Column], *, one_line: bool = False) -> str:
    """List the columns in their own types; with `one_line` a text that holds a newline is an error."""
    listed = []
    for column in wanted:
        name = quoted(column.name)
        if _is_base64(column):
            listed.append(f"from_base64({name}) AS {name}")
        elif one_line and column.type == "STRING":
            refused = literal("a quoted newline, which needs allowQuotedNewlines")
            listed.append(f"CASE WHEN contains({name}, chr(10)) THEN error({refused}) ELSE {name} END AS {name}")
        else:
            listed.append(name)
    return ", ".join(listed)


def _is_base64(column: Column) -> bool:
    return column.type == "BYTES" and column.mode != "REPEATED"


def _detected(cursor: Cursor, load: Load, scan: str) -> Rows:
    """Leave the schema to the engine, whose guesses are not always Google's."""
    if not load.autodetect:
        raise Fault("invalid", "No schema specified on job or table.")
    relation = cursor.sql(f"SELECT * FROM {scan}")
    columns = tuple(column_of(name, kind) for name, kind in zip(relation.columns, relation.types, strict=True))
    return Rows(f"SELECT * FROM {scan}", columns)


def _files(sources: Sequence[Source]) -> str:
    packed = all(_starts_as_gzip(source.path) for source in sources)
    compression = ", compression='gzip'" if packed else ""
    return "[" + ", ".join(literal(str(source.path)) for source in sources) + "]" + compression


def _starts_as_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def _delimiter(load: Load) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(load.field_delimiter, load.field_delimiter)

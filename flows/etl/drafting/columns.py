"""A head's columns: the type of each as its values are written, and what a person should see to."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from flows.etl import proposal
from flows.etl.contract import ColumnType
from flows.etl.errors import BadFile
from flows.etl.formats import casting

DATE_FORMATS = (
    "%Y%m%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%b %d, %Y",
)
TIME_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M:%S %p", " %I:%M %p")
FORMATS = tuple(date + time for date in DATE_FORMATS for time in TIME_FORMATS)
LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
CODE = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
WHOLE_DOUBLE = re.compile(r"-?[0-9]+\.0*")


@dataclass(frozen=True, slots=True)
class Seen:
    """A column of the file, under its name there; `kind` is None where no column type holds it.

    `always`: the file says that it holds no null.
    """

    name: str
    kind: ColumnType | None
    notes: list[str] = field(default_factory=list)
    always: bool = False


class _Number(str):
    """A number as JSON writes it."""

    __slots__ = ()


def of_texts(name: str, values: Sequence[str | None]) -> Seen:
    """Tell a column's type from its texts; None is no value, and an empty text is one."""
    there = [value for value in values if value is not None]
    if not there:
        return Seen(name, "STRING", [_nothing(len(values))])
    if "" in there:
        return Seen(name, "STRING", ["an empty field in quotes is a text and not null, in whatever column"])
    kind = proposal.type_of([value.strip(" \t") for value in there])
    return Seen(name, kind, list(_remarks(kind, there)))


def _nothing(rows: int) -> str:
    return f"no value in the first {rows:,} rows, so its type is not known"


def _remarks(kind: ColumnType, values: list[str]) -> Iterable[str]:
    """Say what a type leaves out that the values suggest."""
    match kind:
        case "STRING" if any(LEADING_ZERO.fullmatch(value) for value in values) and _all(CODE, values):
            yield "leading zeros, so codes and no numbers"
        case "STRING" if _all(DECIMAL_COMMA, values):
            yield 'numbers with a comma: type = "FLOAT64", with decimal = "," under [dialect]'
        case "STRING":
            if formats := _formats(values):
                yield f"dates, perhaps: their type, with timestamp_formats = [{', '.join(map(proposal.text, formats))}]"
        case "INT64" if all(len(value) == 8 for value in values) and _formats(values) == ["%Y%m%d"]:
            yield 'dates, perhaps: type = "DATE", with timestamp_formats = ["%Y%m%d"]'
        case "FLOAT64" if _all(WHOLE_DOUBLE, values):
            yield "all are whole: INT64 takes them as they are written"
        case "DATETIME":
            yield "a clock's reading without a zone: say whose"
        case "TIMESTAMP":
            yield "an instant, shown in UTC: say of what"


def _all(pattern: re.Pattern[str], values: list[str]) -> bool:
    return all(pattern.fullmatch(value) for value in values)


def _formats(values: list[str]) -> list[str]:
    """List the formats that read all values as dates of our time; more than one where days and months may be meant."""
    return [each for each in FORMATS if all(_reads(value, each) for value in values)]


def _reads(value: str, written: str) -> bool:
    try:
        found = dt.datetime.strptime(value, written)  # noqa: DTZ007 - DATETIME has no zone
    except ValueError:
        return False
    return 1900 <= found.year <= 2100


def of_json(lines: Iterable[bytes], where: str) -> tuple[list[Seen], bool]:
    """Tell columns from lines of JSON, and whether each of them is in every line.

    Raises:
        BadFile: a key cannot be written in utf-8.
    """
    values: dict[str, list[object]] = {}
    written: dict[str, str] = {}
    total = 0
    for line in lines:
        row = _object(line.decode("utf-8", "replace"))
        if row is None:
            continue
        total += 1
        for key, value in row.items():
            name = key.strip().lower()
            written.setdefault(name, key)
            values.setdefault(name, []).append(value)
    for key in written.values():
        try:
            key.encode()
        except UnicodeEncodeError as error:  # JSON can write half of a surrogate pair
            raise BadFile(f"{where}: found the key {key!r}, expected Unicode text; nothing was written") from error
    found = [_of_values(written[name], each, total) for name, each in values.items()]
    return found, all(len(each) == total for each in values.values())


def _object(line: str) -> dict[str, object] | None:
    try:
        found = (
            json.loads(line, parse_int=_Number, parse_float=_Number, parse_constant=_refuse) if line.strip() else None
        )
    except (ValueError, RecursionError):  # a bad row: reading the head by the draft counts those
        return None
    return found if isinstance(found, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _of_values(name: str, values: list[object], rows: int) -> Seen:
    there = [value for value in values if value is not None]
    numbers = [value for value in there if isinstance(value, _Number)]
    texts = [value for value in there if isinstance(value, str) and not isinstance(value, _Number)]
    if not there:
        return Seen(name, "STRING", [_nothing(rows)])
    if len(texts) == len(there):
        kind = proposal.type_of(texts) if "" not in texts else "STRING"
        if kind in ("INT64", "FLOAT64", "NUMERIC", "BOOL"):
            return Seen(name, "STRING", [f"the publisher writes these as text; {kind} would take them, too"])
        return Seen(name, kind, list(_remarks(kind, texts)))
    if len(numbers) == len(there):
        kind = proposal.type_of(numbers)
        return Seen(name, kind if kind != "STRING" else None, [] if kind != "STRING" else ["numbers beyond every type"])
    if all(isinstance(value, bool) for value in there):
        return Seen(name, "BOOL")
    several = "values of several kinds (numbers, texts, true or false)"
    nested = any(isinstance(value, (dict, list)) for value in there)
    return Seen(name, None, [f"holds {'objects or lists' if nested else several}, which no column type does"])


def of_table(table: pa.Table) -> list[Seen]:
    """Tell columns from a Parquet file's own types and its first rows."""
    return [_of_field(field, table.column(number)) for number, field in enumerate(table.schema)]


def _of_field(written: pa.Field, values: pa.ChunkedArray) -> Seen:
    kind = casting.plain(written.type)
    name, always = written.name, not written.nullable
    if pa.types.is_null(kind):
        return Seen(name, "STRING", ["the file gives it no type, as it holds no value in it"])
    lands_as = casting.lands_as(written.type)
    if lands_as is None and casting.can_become(written.type, "STRING"):
        if _is_text(values):
            return Seen(name, "STRING", ["bytes in the file, which are texts in the first rows"], always)
        return Seen(name, None, ["bytes that are no text, which no column type holds"])
    if lands_as is None and casting.can_become(written.type, "FLOAT64"):
        return Seen(name, "FLOAT64", [f"{written.type} in the file"], always)
    if lands_as is None:
        return Seen(name, None, [f"{written.type} in the file, which no column type holds"])
    return Seen(name, lands_as, list(_remarks(lands_as, [])) if lands_as in ("DATETIME", "TIMESTAMP") else [], always)


def _is_text(values: pa.ChunkedArray) -> bool:
    _, bad = casting.cast(values.combine_chunks() if values.num_chunks != 1 else values.chunk(0), "STRING")
    return not bad

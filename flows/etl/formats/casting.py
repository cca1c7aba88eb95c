"""From typed values, as Parquet has them, to a contract's types: without loss, or the value is a bad one.

Which types may become which:

| contract | the file's |
|---|---|
| STRING | text; bytes without annotation, as old writers store text; both must be UTF-8 |
| INT64 | integers; floating point and decimals where they are whole |
| FLOAT64 | floating point (NaN too); integers up to 2^53; decimals of at most 15 digits |
| NUMERIC | decimals and integers |
| BOOL | booleans |
| DATE | dates; timestamps without a zone at midnight |
| TIME | times |
| DATETIME | timestamps without a zone; dates |
| TIMESTAMP | timestamps in UTC |

A timestamp that is in UTC is an instant, one that is not is a reading of a clock somewhere: neither is ever taken for
the other. A floating point number is no decimal, and a number no text: how to write it would be our choice. Nulls fit
everything.
"""

import datetime as dt
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl import arrow
from flows.etl.contract import ColumnType

DIGITS = 15  # decimals of so many digits come back from a double unchanged
NUMERIC_SCALE, NUMERIC_WHOLE = 9, 29  # digits after and before the point
SHOWN = 100  # characters of a value in a message
MICROS_A_DAY = 24 * 60 * 60 * 1_000_000
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a DATETIME has no zone
FIRST_DAY, LAST_DAY = (dt.date.min - EPOCH.date()).days, (dt.date.max - EPOCH.date()).days
RANGES: dict[ColumnType, tuple[int, int]] = {  # of years 1 to 9999, as BigQuery has it
    "DATE": (FIRST_DAY, LAST_DAY),
    "DATETIME": (FIRST_DAY * MICROS_A_DAY, (LAST_DAY + 1) * MICROS_A_DAY - 1),
    "TIMESTAMP": (FIRST_DAY * MICROS_A_DAY, (LAST_DAY + 1) * MICROS_A_DAY - 1),
    "TIME": (0, MICROS_A_DAY - 1),
}


def plain(kind: pa.DataType) -> pa.DataType:
    """Give the type of the values themselves, without a dictionary or an extension around them."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind):
            kind = kind.value_type
        else:
            return kind


def lands_as(kind: pa.DataType) -> ColumnType | None:
    """Give the column type that holds every value of a file's type; None: none does."""
    kind = plain(kind)
    if pa.types.is_decimal(kind):
        fits_numeric = kind.scale <= NUMERIC_SCALE and kind.precision - kind.scale <= NUMERIC_WHOLE
        return "NUMERIC" if fits_numeric else None
    return next((wanted for test, wanted in LANDS if test(kind)), None)


def can_become(kind: pa.DataType, wanted: ColumnType) -> bool:
    """Tell whether values of a file's type may be those of a column; single values may still not fit."""
    kind = plain(kind)
    return any(test(kind) for test in BECOMES[wanted])


def cast(values: pa.Array, wanted: ColumnType) -> tuple[pa.Array, dict[int, str]]:
    """Cast values, and tell which do not fit: their positions, and how they are written. They are null in the result.

    Args:
        values: Of a type that can become the wanted one.
        wanted: The column's type.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    bad: dict[int, str] = {}
    parts = _cast(values, wanted, 0, bad)
    return (parts[0] if len(parts) == 1 else pa.concat_arrays(parts)), bad


def text(value: pa.Scalar) -> str:
    """Write a value for people, cut to a length."""
    written = _written(value)
    return written if len(written) <= SHOWN else f"{written[:SHOWN]}..."


def _written(value: pa.Scalar) -> str:
    if not value.is_valid:
        return "null"
    if _is_text(value.type):
        try:
            return repr(value.as_py())
        except UnicodeDecodeError:
            return repr(value.cast(pa.binary()).as_py())
    if pa.types.is_temporal(value.type):  # Python's own type may not hold it
        return str(value.cast(pa.string()).as_py())
    return str(value.as_py())


def _cast(values: pa.Array, wanted: ColumnType, offset: int, bad: dict[int, str]) -> list[pa.Array]:
    """Cast what can be cast at once, and halve the rest until single values are left."""
    try:
        return [_exactly(values, wanted)]
    except pa.ArrowInvalid:
        if len(values) == 1:
            bad[offset] = text(values[0])
            return [pa.nulls(1, arrow.ARROW[wanted])]
    half = len(values) // 2
    return _cast(values[:half], wanted, offset, bad) + _cast(values[half:], wanted, offset + half, bad)


def _exactly(values: pa.Array, wanted: ColumnType) -> pa.Array:
    """Cast values, all of them.

    Raises:
        pa.ArrowInvalid: one of them does not fit.
    """
    result = values.cast(arrow.ARROW[wanted])
    if wanted == "STRING":
        result.validate(full=True)  # Parquet's texts are taken for UTF-8 without a look
    if wanted == "DATE" and pa.types.is_timestamp(values.type) and not result.cast(values.type).equals(values):
        raise pa.ArrowInvalid("a time of day")  # which a cast leaves out
    if limits := RANGES.get(wanted):
        found = pc.min_max(result.view(pa.int32() if wanted == "DATE" else pa.int64()))
        low, high = found["min"].as_py(), found["max"].as_py()
        if low is not None and not limits[0] <= low <= high <= limits[1]:
            raise pa.ArrowInvalid("out of range")
    return result


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_instant(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def _is_clock(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is None)


def _is_short_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind) and kind.precision <= DIGITS)


Test = Callable[[pa.DataType], bool]
BECOMES: dict[ColumnType, tuple[Test, ...]] = {
    "STRING": (_is_text, _is_bytes),
    "INT64": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "FLOAT64": (pa.types.is_integer, pa.types.is_floating, _is_short_decimal),
    "NUMERIC": (pa.types.is_integer, pa.types.is_decimal),
    "BOOL": (pa.types.is_boolean,),
    "DATE": (pa.types.is_date, _is_clock),
    "TIME": (pa.types.is_time,),
    "DATETIME": (_is_clock, pa.types.is_date),
    "TIMESTAMP": (_is_instant,),
}
LANDS: tuple[tuple[Test, ColumnType], ...] = (
    (pa.types.is_uint64, "NUMERIC"),  # INT64 holds the half of them
    (pa.types.is_integer, "INT64"),
    (pa.types.is_floating, "FLOAT64"),
    (pa.types.is_boolean, "BOOL"),
    (_is_text, "STRING"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_time, "TIME"),
    (_is_instant, "TIMESTAMP"),
    (_is_clock, "DATETIME"),
)

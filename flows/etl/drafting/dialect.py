"""How a text file is written, told by its first lines: format, encoding, delimiter, quote, header."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.etl import proposal
from flows.etl.contract import Dialect
from flows.etl.contract.dialect import Encoding
from flows.etl.errors import BadFile

DELIMITERS = (",", ";", "\t", "|")
LINES = 200  # that are looked at
FLAWED = 0.5  # what a text's reading is worth that ends at a quote
CLEARLY = 0.1  # how much better a less likely quote must read a text
YEARS = range(1800, 2101)  # numbers that may well be columns' names
# what stands for no value in so many files that it can hardly mean anything else
NULLS = ("\\N", "N/A", "n/a", "#N/A", "NULL", "null")
# what may as well be a word: no value where a column's other values are numbers or times
PERHAPS_NULLS = ("NA", "na", "NaN", "nan", "None", "none", "-", "--", ".", "?")


@dataclass(frozen=True, slots=True)
class Written:
    """How a text is written, and what a person should see to."""

    format: Literal["csv", "jsonl"]
    dialect: Dialect
    notes: list[str]


def detect(text: bytes, where: str, *, whole: bool) -> Written:
    """Tell how a text is written.

    Args:
        text: The file's beginning.
        where: The file, for messages.
        whole: It is the whole file, so its last line is complete.

    Raises:
        BadFile: it is no text, or of a kind that cannot land.
    """
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(f"{where}: found text in UTF-16, expected utf-8, latin-1 or cp1252; nothing was written")
    if b"\0" in text:
        raise BadFile(
            f"{where}: found a file with NUL bytes, which is no text, expected CSV, JSON lines or Parquet; nothing was"
            " written"
        )
    encoding = _encoding(text)
    lines = text.decode(encoding, "replace").removeprefix("\ufeff")
    if not whole:
        lines = lines[: lines.rfind("\n") + 1] or lines
    sample = "\n".join(lines.split("\n", LINES)[:LINES])
    if not sample.strip():
        raise BadFile(f"{where}: found an empty file, expected a header line and rows; nothing was written")
    if _is_json(sample.lstrip(), where):
        return Written("jsonl", Dialect(), [])
    delimiter, quote = _marks(sample)
    rows, _ = _rows(sample, delimiter, quote)
    if not rows:
        raise BadFile(f"{where}: found a quote that is never closed, expected its end; nothing was written")
    _check_header(rows, delimiter, where)
    notes = []
    if not quote:
        notes.append('the quote " opens fields that it does not close, so it is taken for a letter like others')
    header = _has_header(rows)
    if not header:
        notes.append("the first line looks like a row, so the file has no header, and the columns' names are made up")
    if encoding != "utf-8":
        notes.append(f"the text is no utf-8; {encoding} reads every byte, whether it is right or not")
    return Written("csv", Dialect(delimiter=delimiter, quote=quote, header=header, encoding=encoding), notes)


def nulls(texts: Mapping[str, Sequence[str | None]]) -> tuple[list[str], dict[str, list[str]]]:
    """Find what a file writes where it has no value.

    Returns those, the empty text first, and by column the others that may be meant so and stay text.
    """
    found: dict[str, None] = {"": None}
    kept: dict[str, list[str]] = {}
    for name, values in texts.items():
        there = {value for value in values if value is not None}
        certain = [each for each in NULLS if each in there]
        perhaps = [each for each in PERHAPS_NULLS if each in there]
        rest = there.difference(certain, perhaps)
        found |= dict.fromkeys(certain)
        if perhaps and rest and "" not in rest and proposal.type_of(list(rest)) != "STRING":
            found |= dict.fromkeys(perhaps)
        elif perhaps:
            kept[name] = perhaps
    return list(found), {
        name: left for name, some in kept.items() if (left := [each for each in some if each not in found])
    }


def _encoding(text: bytes) -> Encoding:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end >= len(text) - 1 and error.start >= len(text) - 3:  # a letter that was cut in two
            return "utf-8"
    else:
        return "utf-8"
    try:
        text.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _is_json(text: str, where: str) -> bool:
    """Tell JSON lines from other text, and refuse other JSON."""
    if text[0] not in "{[":
        return False
    first = text.split("\n", 1)[0]
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return True
    if isinstance(found, list) or re.match(r'[\[{]\s*(?:[{\["]|\Z|\n)', text):
        raise BadFile(
            f"{where}: found a JSON document ({first[:60]!r}), expected JSON lines, one object a line; ask the"
            " publisher for those, or for CSV or Parquet, nothing was written"
        )
    return False


def _marks(sample: str) -> tuple[str, str]:
    """Choose the delimiter and the quote with which the most lines have as many fields as the first."""
    best, marks = 0.0, (",", '"')
    for quote in _quotes(sample):
        share, _, delimiter = max(
            ((*_agreement(*_rows(sample, each, quote)), each) for each in DELIMITERS), key=lambda found: found[:2]
        )
        if share > best + CLEARLY * bool(best):
            best, marks = share, (delimiter, quote)
    return marks


def _agreement(rows: list[list[str]], flaw: float) -> tuple[float, int]:
    """Give the share of rows that have as many fields as most, and how many that is; 0 for one field."""
    counts = Counter(len(row) for row in rows)
    usual, times = counts.most_common(1)[0] if counts else (0, 0)
    return (times / counts.total() * flaw, usual) if usual > 1 else (0.0, usual)


def _quotes(sample: str) -> list[str]:
    """List the quotes that a text may have, the likely ones first."""
    single = re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|\Z)", sample, re.MULTILINE)
    double = re.findall(r'(?:^|[,;\t|])"', sample, re.MULTILINE)
    return ["'", '"', ""] if len(single) > 2 * len(double) else ['"', ""]


def _rows(sample: str, delimiter: str, quote: str) -> tuple[list[list[str]], float]:
    """Part a text into rows, as far as its quotes allow; and give what it is worth: less where they do not."""
    rows = []
    try:
        for row in csv.reader(
            io.StringIO(sample, newline=""),
            delimiter=delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        ):
            rows += [row] if row else []
    except csv.Error:
        return rows, FLAWED
    return rows, 1.0


def _check_header(rows: list[list[str]], delimiter: str, where: str) -> None:
    counts = Counter(len(row) for row in rows[1:])
    if not counts:
        return
    usual, times = counts.most_common(1)[0]
    if usual != len(rows[0]) and times * 2 > len(rows):
        raise BadFile(
            f"{where}: found {len(rows[0])} fields in the first line ({delimiter.join(rows[0])[:60]!r}) and {usual} in"
            " most others, expected the columns' names there; is there a title above them, or a delimiter behind each"
            " row? ask the publisher for a plain file, nothing was written"
        )


def _has_header(rows: list[list[str]]) -> bool:
    """Tell names from values: a first line in which each column of numbers or times has one, too, is a row."""
    first, rest = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if _are_years(first):
        return True
    nothing = {*NULLS, *PERHAPS_NULLS}
    kinds = [proposal.type_of([row[at] for row in rest if row[at] not in nothing]) for at in range(len(first))]
    typed = [(value, kind) for value, kind in zip(first, kinds, strict=True) if kind != "STRING"]
    return not typed or not all(value and proposal.type_of([value]) in (kind, "INT64") for value, kind in typed)


def _are_years(first: list[str]) -> bool:
    """Tell whether all numbers in a first line are years in order: the columns of a wide table."""
    numbers = [value for value in first if re.fullmatch(r"[0-9.]+", value)]
    years = [int(value) for value in numbers if re.fullmatch(r"[0-9]{4}", value) and int(value) in YEARS]
    return len(years) > 1 and len(years) == len(numbers) and years == sorted(set(years))

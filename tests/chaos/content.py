"""The data set of the scenarios: parcels, a month each, in two or three versions of its file.

Two forms of it: gzip is decompressed as it comes, ZIP is put on disk first.
"""

import csv
import gzip
import hashlib
import io
import random
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

ROWS = 400
NOTE_BYTES = 700  # random, as hex: compressed it stays as long, so that a month is several upload parts

Form = Literal["gzip", "zip"]
SUFFIX: dict[Form, str] = {"gzip": "csv.gz", "zip": "zip"}

CONTRACT = """
revision = 1
description = "Parcels, made up for the fault matrix"
owner = "chaos"
source = "{publisher}/parcels/parcels_{yyyy}-{mm}.SUFFIX"
format = "csv"
compression = "FORM"
partition = "month"
first_partition = "1901-01"
columns = [
    { name = "parcel", type = "INT64", nullable = false },
    { name = "grams", type = "INT64", nullable = false },
    { name = "note", type = "STRING", nullable = false },
]

[[checks]]
check = "row_count"
min = 10
"""

Row = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Content:
    """One version of one month's file."""

    month: str
    version: str
    rows: tuple[Row, ...]
    file: bytes
    form: Form = "gzip"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.file).hexdigest()

    @property
    def path(self) -> str:
        """Where the publisher serves it."""
        return f"/parcels/parcels_{self.month}.{SUFFIX[self.form]}"

    @property
    def digest(self) -> str:
        """The hash of all rows, whatever their order."""
        return digest(self.rows)

    @property
    def outline(self) -> str:
        """The hash of the two small columns: what a reader asks for again and again."""
        return digest((parcel, grams) for parcel, grams, _ in self.rows)

    def __str__(self) -> str:
        return f"{self.version} ({len(self.rows)} rows)"


def digest(rows: Iterable[tuple[object, ...]]) -> str:
    """Hash rows: equal for the same rows the same number of times each, and for nothing else."""
    lines = sorted("\x1f".join(str(value) for value in row) for row in rows)
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()


def contract(form: Form) -> str:
    """Give the contract of a form."""
    return CONTRACT.replace("SUFFIX", SUFFIX[form]).replace("FORM", form)


def make(month: str, version: str, form: Form = "gzip") -> Content:
    """Make a version of a month: half of its rows are those of every version, the others are its own."""
    own = random.Random(f"{month} {version}")
    common = random.Random(month)
    count = ROWS + "ABCDEFGH".index(version) * 7  # each has a length of its own
    base = sum(int(digit) for digit in month if digit.isdigit()) * 10_000
    rows = []
    for i in range(count):
        chance = common if i < ROWS // 2 else own
        rows.append((base + i, chance.randrange(1_000_000), chance.randbytes(NOTE_BYTES).hex()))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("parcel", "grams", "note"))
    writer.writerows(rows)
    return Content(month, version, tuple(rows), _packed(text.getvalue().encode(), form), form)


def _packed(text: bytes, form: Form) -> bytes:
    if form == "gzip":
        return gzip.compress(text, 1, mtime=0)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(zipfile.ZipInfo("parcels.csv"), text)
    return archive.getvalue()

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet
import pytest
from pyarrow.parquet import encryption

from flows.etl import formats
from flows.etl.contract import Column, Contract
from flows.etl.errors import BadFile, SourceError, Transient
from flows.etl.fetch import Tail
from flows.etl.formats import parquet, window
from flows.etl.partition import Partition
from flows.etl.passage import opened
from flows.etl.ranges import TAIL_BYTES
from flows.etl.source import Source
from tests.etl import agreed as agreed_on
from tests.etl.test_parquet import Keys
from tests.publisher import File, Publisher

contract_of = partial(agreed_on.contract_of, format="parquet")
MONTH = Partition.parse("month", "2021-02")
TRIPS = contract_of(Column(name="x", type="INT64"), Column(name="name", type="STRING"))
ROWS = 30_000
TABLE = pa.table({"x": range(ROWS), "name": [f"name {number % 700}" for number in range(ROWS)]})
SILENT = ("ETag", "Last-Modified")


def file_of(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, **{"row_group_size": 1000, **options})
    return sink.getvalue()


WHOLE = file_of(TABLE)


@dataclass
class Replaced(File):
    """Its end is asked for while another file is there."""

    before: File | None = None

    def part(self, span: str) -> File:
        assert self.before
        return self.before.part(span)


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setattr(parquet, "SMALL_BYTES", 0)
    monkeypatch.setattr(window, "PIECE_BYTES", 20_000)
    with Publisher() as started:
        started.files["/f"] = File(WHOLE, ranges=True)
        yield started


@pytest.fixture
def without_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))


def read(publisher: Publisher, agreed: Contract = TRIPS) -> pa.Table:
    """Give the rows of what the publisher serves, read as a landing does."""
    source = Source(agreed, MONTH, f"{publisher.url}/f", reach=publisher.reach)
    with opened(source) as body:
        stream = io.BufferedReader(body)
        with formats.read(cast(IO[bytes], stream), agreed, MONTH, "file", body.tail) as reader:
            rows = pa.concat_tables(batch.table for batch in reader)
        assert not stream.read(1)
        assert body.bytes_read == body.validators.length
    return rows


@pytest.mark.usefixtures("without_disk")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 1},
        {"row_group_size": ROWS},
        {"use_dictionary": False, "compression": "none", "data_page_version": "2.0", "data_page_size": 100},
        {"write_page_index": True, "bloom_filter_options": {"x": {"ndv": 1000}}, "write_page_checksum": True},
    ],
)
def test_a_file_whose_end_is_known_needs_no_disk(publisher: Publisher, options: dict[str, Any]) -> None:
    table = TABLE.slice(0, 3000) if options.get("row_group_size") == 1 else TABLE
    whole = file_of(table, **options)
    publisher.files["/f"] = File(whole, ranges=True)
    assert read(publisher).equals(table)
    assert next(headers.get("Range") for headers in publisher.headers) == f"bytes=-{TAIL_BYTES}"


@pytest.mark.usefixtures("without_disk")
def test_old_timestamps_are_read_in_all_their_units_from_the_same_window(publisher: Publisher) -> None:
    times = pa.array([*range(ROWS - 1), 253_402_300_799_000_000], pa.timestamp("us"))
    publisher.files["/f"] = File(file_of(pa.table({"x": times}), use_deprecated_int96_timestamps=True), ranges=True)
    assert read(publisher, contract_of(Column(name="x", type="DATETIME")))["x"].combine_chunks().equals(times)


@pytest.mark.parametrize("columns", [2, 3000])
def test_a_publisher_is_asked_for_the_file_and_its_end_and_nothing_twice(publisher: Publisher, columns: int) -> None:
    names = ["x", *(f"c{number}" for number in range(columns))]
    whole = file_of(pa.table({name: [1] * 20 for name in names}), row_group_size=10)
    publisher.files["/f"] = File(whole, ranges=True)
    read(publisher, contract_of(Column(name="x", type="INT64"), drift={"new_column": "ignore"}))
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    tails = [TAIL_BYTES] if footer <= TAIL_BYTES else [TAIL_BYTES, footer]
    asked = [headers.get("Range") for headers in publisher.headers]
    assert asked == [*(f"bytes=-{size}" for size in tails), None]
    assert len(tails) == (1 if columns == 2 else 2)


def test_what_is_held_does_not_grow_with_the_number_of_row_groups() -> None:
    def largest(groups: int) -> int:
        table = TABLE.slice(0, groups * 1000)
        whole = file_of(table, use_dictionary=False, compression="none")
        tail = Tail(whole[-TAIL_BYTES:], len(whole))
        passing = window.Window(io.BytesIO(whole), b"", tail, window.plan(tail) or [], "file")
        assert pyarrow.parquet.read_table(io.BytesIO(whole)).num_rows == table.num_rows
        assert sum(len(piece) for piece in passing) == groups
        passing.finish()
        return passing.largest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "PIECE_BYTES", 0)
        held = [largest(groups) for groups in (3, 30)]
    assert max(held) < 1.1 * min(held) < 30_000


MEMORY = """
import io, resource, sys
import pyarrow as pa, pyarrow.parquet
from flows.etl import formats
from flows.etl.fetch import Tail
from tests.etl.test_window import MONTH, TRIPS
path = sys.argv[1]
data = open(path, "rb")
size = data.seek(0, 2)
data.seek(size - 65536)
tail = Tail(data.read(), size)
data.seek(0)
with formats.read(data, TRIPS, MONTH, "file", tail) as reader:
    rows = sum(batch.table.num_rows for batch in reader)
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_a_file_of_five_times_the_row_groups_takes_the_same_memory(tmp_path: Path) -> None:
    group = pa.table({"x": range(1 << 18), "name": [f"{number * 7919 % 2**40:040}" for number in range(1 << 18)]})

    def peak_mib(groups: int) -> int:
        path = tmp_path / f"{groups}.parquet"
        with pyarrow.parquet.ParquetWriter(path, group.schema, compression="none", use_dictionary=False) as file:
            for _ in range(groups):
                file.write_table(group)
        printed = subprocess.run(
            [sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True
        ).stdout
        rows, peak = map(int, printed.split())
        assert rows == groups * group.num_rows
        return peak

    assert peak_mib(10) < peak_mib(2) + 15  # the eight more have 96 MiB


@pytest.mark.usefixtures("without_disk")
@pytest.mark.parametrize(
    "options",
    [
        {"ranges": False},  # it sends the whole, whatever is asked for
        {"before": File(file_of(TABLE.slice(1)), ranges=True)},  # replaced, and it says so
        {"before": File(WHOLE, headers={"Content-Range": "bytes 0-9/*"})},
    ],
)
def test_without_the_end_of_the_same_file_it_goes_by_way_of_the_disk(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    publisher.files["/f"] = (Replaced if "before" in options else File)(WHOLE, **{"ranges": True, **options})
    with pytest.raises(Transient, match="file: found no room for a temporary file"):
        read(publisher)
    monkeypatch.setattr(tempfile, "tempdir", None)
    publisher.requests.clear()
    assert read(publisher).equals(TABLE)
    assert len(publisher.requests) == (2 if "before" in options else 1)


def doubled() -> bytes:
    """Let the footer lead through all row groups, and then through them once more."""
    metadata = pyarrow.parquet.read_metadata(io.BytesIO(WHOLE))
    metadata.append_row_groups(pyarrow.parquet.read_metadata(io.BytesIO(WHOLE)))
    made = io.BytesIO()
    metadata.write_metadata_file(made)
    length = int.from_bytes(WHOLE[-8:-4], "little") + 8
    return WHOLE[:-length] + made.getvalue()[4:]


def test_row_groups_in_disorder_and_large_ones_are_read_from_disk(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    publisher.files["/f"] = File(doubled(), ranges=True)
    assert read(publisher).equals(pa.concat_tables([TABLE, TABLE]))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(Transient, match="no room"):
        read(publisher)
    publisher.files["/f"] = File(WHOLE, ranges=True)
    monkeypatch.setattr(window, "PIECE_AT_MOST_BYTES", 1000)
    with pytest.raises(Transient, match="no room"):
        read(publisher)


OTHER = file_of(pa.table({"x": range(1, ROWS + 1), "name": TABLE["name"]}))
DAMAGED = WHOLE[:4] + b"\xff" * 5000 + WHOLE[5004:-500] + b"\xff" * 500


@pytest.mark.usefixtures("without_disk")
@pytest.mark.parametrize(
    "now",
    [
        pytest.param(OTHER, id="other values"),
        pytest.param(file_of(TABLE.slice(100)), id="shorter"),
        pytest.param(file_of(pa.concat_tables([TABLE, TABLE])), id="longer"),
        pytest.param(WHOLE + b"PAR1", id="with more behind it"),
        pytest.param(DAMAGED, id="no columns where they are looked for"),
    ],
)
def test_a_file_that_is_replaced_without_a_word_after_its_end_was_asked_for_starts_over(
    publisher: Publisher, now: bytes
) -> None:
    before = File(WHOLE, silent=SILENT)
    publisher.files["/f"] = Replaced(now, chunked=True, silent=SILENT, ranges=True, before=before)
    with pytest.raises(Transient, match="file: found a body that ends otherwise than the file did when its end was"):
        read(publisher)


@pytest.mark.usefixtures("without_disk")
def test_a_damaged_page_and_an_encrypted_column_are_told_while_the_file_arrives(publisher: Publisher) -> None:
    data = bytearray(file_of(TABLE, write_page_checksum=True))
    data[len(data) // 2] ^= 1
    publisher.files["/f"] = File(bytes(data), ranges=True)
    with pytest.raises(BadFile, match=r"found a damaged Parquet file .*CRC checksum verification failed"):
        read(publisher)


def test_an_encrypted_file_is_refused_whether_its_end_is_known_or_not(publisher: Publisher) -> None:
    keys = encryption.CryptoFactory(Keys)
    for plaintext_footer in (True, False):
        how = encryption.EncryptionConfiguration(
            footer_key="f", column_keys={"c": ["x"]}, plaintext_footer=plaintext_footer, double_wrapping=False
        )
        properties = keys.file_encryption_properties(encryption.KmsConnectionConfig(), how)
        publisher.files["/f"] = File(file_of(TABLE, encryption_properties=properties), ranges=True)
        with pytest.raises(BadFile, match="file: found an encrypted Parquet file"):
            read(publisher)


@pytest.mark.usefixtures("without_disk")
def test_a_new_column_is_refused_with_its_type_though_its_values_come_late(publisher: Publisher) -> None:
    late = pa.table({**{name: TABLE[name] for name in TABLE.column_names}, "fee": [None] * (ROWS - 1) + [0.5]})
    publisher.files["/f"] = File(file_of(late), ranges=True)
    with pytest.raises(BadFile, match='name = "fee", type = "FLOAT64"'):
        read(publisher)
    assert (
        read(publisher, TRIPS.model_copy(update={"drift": TRIPS.drift.model_copy(update={"new_column": "ignore"})}))
        == TABLE
    )


def test_a_new_column_that_is_added_has_its_type_though_its_values_come_late(publisher: Publisher) -> None:
    late = pa.table({**{name: TABLE[name] for name in TABLE.column_names}, "fee": [None] * (ROWS - 1) + [0.5]})
    publisher.files["/f"] = File(file_of(late), ranges=True)
    assert read(publisher, contract_of(*TRIPS.columns, drift={"new_column": "add"})).equals(late)


def test_what_is_no_file_is_refused_as_ever_and_a_missing_one_asked_for_once(publisher: Publisher) -> None:
    del publisher.files["/f"]
    with pytest.raises(SourceError, match=r"/f: found 404 Not Found, expected 200"):
        read(publisher)
    assert len(publisher.requests) == 1
    publisher.files["/f"] = File(b"", ranges=True)
    with pytest.raises(BadFile, match="file: found a file that begins with b''"):
        read(publisher)
    publisher.files["/f"] = File(WHOLE[:-8] + b"\x10\0\0\0PAR1", ranges=True)
    with pytest.raises(BadFile, match=r"file: found a damaged Parquet file \("):
        read(publisher)
    publisher.files["/f"] = File(WHOLE[:-8] + b"\xff\xff\xff\x7fPAR1", ranges=True)
    with pytest.raises(BadFile, match="without its footer"):
        read(publisher)

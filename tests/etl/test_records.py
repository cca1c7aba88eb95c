import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.etl.contract import Dialect
from flows.etl.errors import BadFile
from flows.etl.formats import records
from flows.etl.formats.records import Records


def read(data: bytes, delimiter: str = ",") -> tuple[bytes | None, list[records.Block]]:
    found = Records(io.BytesIO(data), Dialect(delimiter=delimiter), "file")
    return found.header, list(found)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"1,2\n", 1),
        (b"1,2", 1),
        (b"1,2\r\n3,4\r\n", 2),
        (b"\n\n1,2\n\n\n3,4\n\n", 2),
        (b"\r\n1,2\r\n\r\n3,4", 2),
        (b'1,"a\nb\n\nc"\n', 1),
        (b'1,"a ""quoted"" word\n"\n2,x\n', 2),
        (b'5" pipe,2\n6" pipe,3\n', 2),
        (b'"",""\n', 1),
        (b"", 0),
        (b"\n\n", 0),
    ],
)
def test_a_record_is_a_line_that_is_not_empty_outside_quotes(body: bytes, count: int) -> None:
    header, blocks = read(b"a,b\n" + body)
    assert header == b"a,b"
    assert sum(block.records for block in blocks) == count


FIELD = st.text(st.sampled_from('ab,"\n\r \t;é'), max_size=6)
ROWS = st.lists(st.lists(FIELD, min_size=2, max_size=2), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 40), st.sampled_from(["\n", "\r\n"]))
def test_blocks_hold_every_record_whole_wherever_they_are_cut(rows: list[list[str]], size: int, end: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    data = text.getvalue().encode()
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patched:
        patched.setattr(records, "BLOCK_BYTES", size)
        header, blocks = read(data)
    assert header == b'"a","b"'
    found = [row for block in blocks for row in csv.reader(io.StringIO(block.data.decode(), newline=""))]
    assert found == rows
    assert [block.first for block in blocks] == [
        1 + sum(earlier.records for earlier in blocks[:number]) for number in range(len(blocks))
    ]
    for block in blocks:
        assert block.records == len(list(csv.reader(io.StringIO(block.data.decode(), newline=""))))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "found an empty file, expected a header line"),
        (b"\n\r\n\n", "found an empty file, expected a header line"),
        (b'a,b\n1,2\n"x\n', "line 3: found a quote that is never closed"),
        (b'a,b\n1,2\n3,"x\n', "line 3: found a quote that is never closed"),
    ],
)
def test_a_file_without_records_to_cut_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        read(data)


def test_a_record_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_BYTES", 1 << 20)
    with pytest.raises(BadFile, match="line 3: found a record longer than 1 MiB"):
        read(b"a,b\n1,2\n" + b"x" * (3 << 20))


def test_a_quote_opens_a_field_only_after_this_files_delimiter() -> None:
    _, blocks = read(b'a;b\n1;"x\ny"\n2,"z;3\n', delimiter=";")
    assert sum(block.records for block in blocks) == 2

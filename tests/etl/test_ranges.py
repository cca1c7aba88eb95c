import io
from collections.abc import Iterator

import pytest

from flows.etl import ranges
from flows.etl.errors import SourceError, Transient
from flows.etl.ranges import NoRanges, Remote
from tests.publisher import File, Publisher

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setattr(ranges, "BLOCK_BYTES", 100)
    monkeypatch.setattr(ranges, "BLOCKS", 3)
    with Publisher() as started:
        started.files["/file"] = File(CONTENT, ranges=True)
        yield started


def remote(publisher: Publisher) -> Remote:
    return Remote(f"{publisher.url}/file", reach=publisher.reach)


def test_a_file_is_read_from_anywhere_and_only_the_blocks_around_are_fetched(publisher: Publisher) -> None:
    file = remote(publisher)
    assert (file.seek(-10, io.SEEK_END), file.read(20), file.read(1)) == (1014, CONTENT[-10:], b"")
    assert (file.seek(95), file.read(10), file.tell()) == (95, CONTENT[95:105], 105)
    assert [headers["Range"] for headers in publisher.headers] == ["bytes=0-99", "bytes=1000-1099", "bytes=100-199"]
    assert (file.bytes_read, file.size) == (224, 1024)


def test_a_block_that_made_room_for_others_is_fetched_again(publisher: Publisher) -> None:
    file = remote(publisher)
    assert file.read() == CONTENT
    assert (file.seek(0), file.read(1)) == (0, CONTENT[:1])
    assert len(publisher.requests) == 12


def test_a_publisher_that_sends_no_parts_is_told_at_once(publisher: Publisher) -> None:
    publisher.files["/file"] = File(CONTENT)
    with pytest.raises(NoRanges):
        remote(publisher)


def test_a_file_that_is_replaced_while_it_is_read_is_not_mixed(publisher: Publisher) -> None:
    file = remote(publisher)
    publisher.files["/file"] = File(CONTENT[::-1], ranges=True)
    file.seek(500)
    with pytest.raises(
        Transient, match=r"/file: found bytes 500-599/1024 of another content, expected 500 and on of 1024"
    ):
        file.read(1)


def test_a_part_that_breaks_off_is_no_part(publisher: Publisher) -> None:
    publisher.files["/file"] = File(CONTENT, ranges=True, announced=50)
    with pytest.raises(Transient, match=r"/file: found 50 bytes, expected 0 to 99; nothing was written"):
        remote(publisher)


def test_a_missing_file_is_refused_as_ever(publisher: Publisher) -> None:
    del publisher.files["/file"]
    with pytest.raises(SourceError, match=r"/file: found 404"):
        remote(publisher)

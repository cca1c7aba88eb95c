"""Every file that cannot land, published a day each: it is refused in its own words, and leaves nothing."""

import gzip
import io
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from tests.end_to_end.place import Place
from tests.proxy import Asked, Fault, Proxy
from tests.publisher import File

CONTRACT = """
revision = 1
description = "Trips"
owner = "data-team"
source = "{publisher}/trips/{yyyy}-{mm}-{dd}"
format = "FORMAT"
compression = "COMPRESSION"
partition = "day"
first_partition = "2021-01-01"
columns = [
    { name = "id", type = "INT64" },
    { name = "name", type = "STRING" },
]
"""
GOOD = b"id,name\n1,somebody\n2,\n"
OTHER_COLUMNS = "found columns that are not those of the contract trips:"
FULL_DISK = 300_000  # bytes that a file may have on a disk that is full
MIDDLE = 4 << 20  # the upload's first part has so many bytes


def published(place: Place, folder: Path, kind: str, compression: str, days: dict[str, File]) -> list[str]:
    """Publish a file a day, write the contract, and give the run's arguments."""
    (folder / "trips.toml").write_text(CONTRACT.replace("FORMAT", kind).replace("COMPRESSION", compression))
    for number, file in enumerate(days.values(), 1):
        place.publisher.files[f"/trips/2021-01-{number:02}"] = file
    return ["trips", "2021-01-01", f"2021-01-{len(days):02}"]


def assert_refused(place: Place, folder: Path, arguments: list[str], days: dict[str, File], **more: str) -> None:
    """Run, and find each day's own word with `nothing was written`, and lake, log and warehouse as before."""
    before = place.snapshot()
    run = place.run(
        *arguments,
        **{"plant": "tests.end_to_end.plants:other_contracts", "OTHER_CONTRACTS": str(folder), **more},
    )
    assert (run.code, run.last_line) == (1, f"{len(days)} partitions failed"), run.text
    found = " ".join(run.text.split())
    for number, why in enumerate(days, 1):
        _, where, word = found.partition(f"failed: {place.publisher.url}/trips/2021-01-{number:02}: ")
        assert where, f"2021-01-{number:02}: {found}"
        assert word.startswith(why), word[:500]
        assert "nothing was written" in word.partition("flows.etl")[0], word[:1000]
    assert place.snapshot() == before


def gzipped(text: bytes) -> File:
    return File(gzip.compress(text, mtime=0))


def test_a_gzip_file_of_csv_that_cannot_land_leaves_everything_as_it_was(place: Place, tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = b"".join(b"%d,%x\n" % (number, chance.randrange(10**20)) for number in range(5_000))
    whole = gzip.compress(b"id,name\n" + rows, mtime=0)
    nowhere = File(b"", status=302, headers={"Location": "ftp://example.org/f"})
    days = {
        "the gzip stream breaks off, expected its end mark": File(whole[:-100]),
        "the body broke off after": File(whole[:-100], announced=len(whole)),
        "found a body longer than announced": File(whole, surplus=b"more"),
        "found damaged gzip": File(whole[:9000] + b"\xff" * 50 + whole[9050:]),
        "found a file that begins with b'id,name\\n1,somebo', expected a gzip file of CSV": File(GOOD),
        "found an HTML page ('<!doctype html>": File(b"<!doctype html><p>Sorry"),
        "found an empty body, expected a gzip file of CSV": File(b""),
        "found 401 Unauthorized, expected 200": File(b"", status=401),
        "found 403 Forbidden, expected 200": File(b"", status=403),
        "found 404 Not Found, expected 200": File(b"", status=404),
        "found 410 Gone, expected 200": File(b"", status=410),
        "found 204 No Content, expected 200": File(b"", status=204),
        "found 206 Partial Content, expected 200": File(whole, status=206),
        "found 500 Internal Server Error, expected 200": File(b"", status=500),
        "found 429 Too Many Requests, expected 200; the publisher asks to come back at": File(
            b"", status=429, headers={"Retry-After": "600"}
        ),
        "found a redirect loop through": File(b"", status=302, headers={"Location": "/trips/2021-01-16"}),
        "found the address 'ftp://example.org/f', expected one that begins with http": nowhere,
        "found a header and no record": gzipped(b"id,name\n"),
        f"{OTHER_COLUMNS} 'name' is missing; expected id, name": gzipped(b"id\n1\n"),
        f"{OTHER_COLUMNS} 'age' is not in the contract": gzipped(b"id,name,age\n1,a,2\n"),
        f"{OTHER_COLUMNS} 'id' is there twice; expected each once": gzipped(b"id,name,ID\n1,a,2\n"),
        f"{OTHER_COLUMNS} 'id' is missing, 'name' is missing, 'id;name'": gzipped(b"id;name\n1;a\n"),
        "line 5002, column id: found 'last', expected INT64": gzipped(b"id,name\n" + rows + b"last,one\n"),
        "line 3: found a NUL byte, expected text": gzipped(b"id,name\n1,a\n2,b\0c\n"),
        "line 2: found a record longer than 16 MiB": gzipped(b"id,name\n1," + b"x" * 50_000_000),
        "found 68,157,440 bytes decompressed from": gzipped(
            b"id,name\n" + b"1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 2_100_000
        ),
    }
    landed = published(place, tmp_path, "csv", "gzip", {why: gzipped(GOOD) for why in days})
    first = place.run(*landed, plant="tests.end_to_end.plants:other_contracts", OTHER_CONTRACTS=str(tmp_path))
    assert first.last_line == "26 partitions landed: 52 source rows = 52 loaded + 0 quarantined", first.text
    assert_refused(place, tmp_path, published(place, tmp_path, "csv", "gzip", days), days)


def zipped(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def test_a_zip_that_cannot_land_leaves_everything_as_it_was(place: Place, tmp_path: Path) -> None:
    whole = zipped(("trips.csv", GOOD))
    directory = whole.index(b"PK\1\2")
    locked = bytearray(whole)
    locked[6] = locked[directory + 8] = 1
    days = {
        "found a ZIP with 2 files ('a.csv', 'b.csv'), expected exactly one": File(
            zipped(("a.csv", GOOD), ("b.csv", GOOD))
        ),
        "found a ZIP with 0 files, expected exactly one": File(zipped(("trips/", b""))),
        "found a ZIP whose file has a path in its name, '../trips.csv'": File(zipped(("../trips.csv", GOOD))),
        "found an encrypted ZIP, expected one without": File(bytes(locked)),
        "found damaged zip (Bad CRC-32": File(whole.replace(b"somebody", b"somebodi")),
        "found no whole ZIP file": File(whole[:-20]),
        "found no room for a temporary file after 300000 bytes": File(zipped(("trips.csv", os.urandom(400_000)))),
    }
    arguments = published(place, tmp_path, "csv", "zip", days)
    more = {"plant": "tests.end_to_end.plants:small_disk", "FILE_BYTES": str(FULL_DISK)}
    assert_refused(place, tmp_path, arguments, days, **more)


def parquet(**columns: Any) -> bytes:
    made = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), made)
    return made.getvalue()


def test_a_parquet_file_that_cannot_land_leaves_everything_as_it_was(place: Place, tmp_path: Path) -> None:
    whole = parquet(id=pa.array([1, 2]), name=pa.array(["a", None]))
    days = {
        "found a damaged Parquet file": File(whole[:-60] + b"\xff" * 40 + whole[-20:]),
        "found an encrypted Parquet file": File(b"PARE" + whole[4:-4] + b"PARE"),
        "column name: found values of the type list<element: string>, expected STRING": File(
            parquet(id=pa.array([1]), name=pa.array([["a"]]))
        ),
        f"{OTHER_COLUMNS} 'name' is missing; expected id, name": File(parquet(id=pa.array([1]))),
        f"found a Parquet file of {len(whole) - 30} bytes without its footer": File(whole[:-30]),
        "row 1, column id: found 1.5, expected INT64": File(parquet(id=pa.array([1.5]), name=pa.array(["a"]))),
        "found no rows, expected some": File(parquet(id=pa.array([], pa.int64()), name=pa.array([], pa.string()))),
    }
    assert_refused(place, tmp_path, published(place, tmp_path, "parquet", "none", days), days)


def is_middle_part(asked: Asked) -> bool:
    return asked.method == "PUT" and asked.headers.get("Content-Range", "") == f"bytes 0-{MIDDLE - 1}/*"


def wide(rows: int = 60_000) -> bytes:
    """Rows that do not compress: their Parquet file takes more than one part to upload."""
    chance = random.Random(1)
    return b"id,name\n" + b"".join(b"%d,%s\n" % (n, chance.randbytes(80).hex().encode()) for n in range(rows))


def test_a_503_of_storage_in_the_middle_of_an_upload_is_passed_over(
    place: Place, tmp_path: Path, cloud: dict[str, str]
) -> None:
    arguments = published(place, tmp_path, "csv", "none", {"": File(wide())})
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_middle_part, status=503))
        run = place.run(
            *arguments[:2],
            plant="tests.end_to_end.plants:other_contracts",
            OTHER_CONTRACTS=str(tmp_path),
            STORAGE_EMULATOR_HOST=proxy.url,
        )
    assert (fault.fired, run.code) == (1, 0), run.text
    assert run.last_line == "1 partition landed: 60000 source rows = 60000 loaded + 0 quarantined"
    assert place.ask("SELECT COUNT(DISTINCT id) FROM {trips}") == [(60_000,)]


def test_a_storage_that_goes_on_refusing_leaves_everything_as_it_was(
    place: Place, tmp_path: Path, cloud: dict[str, str]
) -> None:
    arguments = published(place, tmp_path, "csv", "none", {"": File(wide())})
    before = place.snapshot()
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_middle_part, status=503, times=100))
        run = place.run(
            *arguments[:2],
            plant="tests.end_to_end.plants:one_try",
            OTHER_CONTRACTS=str(tmp_path),
            STORAGE_EMULATOR_HOST=proxy.url,
        )
    assert fault.fired > 1
    assert (run.code, run.last_line) == (1, "1 partition failed"), run.text
    assert "was not taken (503" in run.text
    assert "nothing is visible" in run.text
    assert place.snapshot() == before

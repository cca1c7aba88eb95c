"""What is fuzzed: each target turns a chance into an input, and reads it as a landing would."""

import contextlib
import datetime as dt
import io
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.etl import address, contract, convert, formats
from flows.etl.contract import Contract
from flows.etl.decode import Limits, decompress
from flows.etl.errors import LandfallError
from flows.etl.fetch import Announced
from flows.etl.quarantine import Quarantine
from flows.etl.request import retry_after_s
from tests.fuzz import samples

NOW = dt.datetime(2021, 3, 15, tzinfo=dt.UTC)
SMALL = Limits(compressed=1 << 20, decompressed=16 << 20, free=1 << 20)
TOKENS = [
    *(b"", b"\0", b'"', b'""', b"'", b",", b";", b"\n", b"\r\n", b"\r", b"\xff\xfe", b"\xef\xbb\xbf", b"NaN", b"inf"),
    *(
        b"-",
        b"1e999",
        b"9" * 40,
        b"0x10",
        b"9999-12-31",
        b"0000-00-00",
        b"2021-02-30",
        b"24:00:00",
        b"null",
        b"{",
        b"}",
    ),
    *(b"[", b"]", b"\\", b"\\u0000", b"\\ud800", b"true", b"=", b"#", b"\xf0\x9f\x98\x80", b"-9223372036854775809"),
    *(b"{{", b"inf.0", b"1979-05-27T07:32:00Z", b"[[", b"a.b.c = 1\n", b"x" * 1000),
]


@dataclass(frozen=True)
class Target:
    """How an input is made of chance, and how it is read; a LandfallError is an answer, all else is a finding."""

    make: Callable[[random.Random], bytes]
    read: Callable[[bytes, random.Random], None]


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """Flip, cut, splice, insert, repeat: a few of each."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(changed) + 1)
        to = min(len(changed), at + chance.choice([1, 1, 2, 4, 16, 200]))
        match chance.randrange(7):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                changed[at:to] = other[start : start + chance.choice([4, 50, 1000])]
            case 3:
                changed[at:at] = chance.choice(TOKENS)
            case 4:
                changed[at:to] = chance.choice(TOKENS)
            case 5:
                del changed[at:to]
            case _:
                changed[at:at] = bytes(changed[at:to]) * chance.choice([1, 2, 30])
    return bytes(changed)


def _read_contract(data: bytes, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "trips.toml").write_bytes(data)
        found = contract.read(Path(folder), "trips")
    assert found.fingerprint
    assert found.checks_fingerprint or not found.checks
    with contextlib.suppress(LandfallError):
        found.periods(*chance.choice([(None, None), ("2021-01", "2021-03"), ("2021", None), ("all", None)]), NOW)


def _read_bytes(compression: str) -> Callable[[bytes, random.Random], None]:
    def read(data: bytes, chance: random.Random) -> None:
        announced = Announced(chance.choice(["", "text/html"]), chance.choice(["", "", "gzip"]), ends=True)
        agreed = samples.contract_of("csv", compression)
        with decompress(io.BytesIO(data), agreed, "file", announced, SMALL) as stream:
            while stream.read(chance.choice([100, 10_000])):
                pass

    return read


def _read_rows(contracts: list[Contract]) -> Callable[[bytes, random.Random], None]:
    def read(data: bytes, chance: random.Random) -> None:
        agreed = chance.choice(contracts)
        quarantine = Quarantine(agreed.quarantine, "file")
        with (
            decompress(io.BytesIO(data), agreed, "file", limits=SMALL) as stream,
            formats.read(stream, agreed, samples.MONTH, "file") as reader,
        ):
            rows = sum(table.num_rows for table in convert.tables(reader, agreed, samples.MONTH, quarantine))
        if rows + quarantine.rows != reader.total:
            word = f"{rows} rows and {quarantine.rows} put aside are not {reader.total} in the bytes"
            raise AssertionError(word)

    return read


def _read_answer(data: bytes, _: random.Random) -> None:
    text = data.decode("latin-1")
    retry_after_s(text, NOW)
    address.origin(text)


def _of(pool: list[bytes]) -> Callable[[random.Random], bytes]:
    return lambda chance: mutated(chance.choice(pool), chance, pool)


_CONTRACTS = [path.read_bytes() for path in sorted(samples.CONTRACTS.glob("*.toml"))]
_CSV = [samples.csv(each) for each in samples.CSV_CONTRACTS]
_ANSWERS = [b"http://example.org:80/f?a=b#c", b"Mon, 15 Mar 2021 12:01:30 GMT", b"120", b"//[::1]/f", b"http://a@b:c/"]

TARGETS: dict[str, Target] = {
    "contract": Target(_of(_CONTRACTS), _read_contract),
    "answer": Target(_of(_ANSWERS), _read_answer),
    "gzip": Target(_of([samples.gzipped(each) for each in _CSV]), _read_bytes("gzip")),
    "zip": Target(_of([samples.zipped(each) for each in _CSV]), _read_bytes("zip")),
    "csv": Target(_of(_CSV), _read_rows(samples.CSV_CONTRACTS)),
    "jsonl": Target(
        _of([samples.jsonl(each) for each in samples.JSONL_CONTRACTS]), _read_rows(samples.JSONL_CONTRACTS)
    ),
    "parquet": Target(
        _of([samples.parquet(each) for each in samples.PARQUET_CONTRACTS]), _read_rows(samples.PARQUET_CONTRACTS)
    ),
}

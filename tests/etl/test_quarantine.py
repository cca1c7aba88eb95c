"""Bad rows: put aside up to the contract's threshold, all or none of them visible, and read back."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from flows.etl import claims, convert, lake, lake_object, landing_log, load, quarantine_listing
from flows.etl.checks import Counts
from flows.etl.contract import Column, Contract
from flows.etl.destination import Destination
from flows.etl.drift import Matched
from flows.etl.errors import BadFile, CheckFailed, StartOver, Transient, Unequal
from flows.etl.formats.batch import BadRow, Batch, Place
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine
from flows.etl.quarantine_listing import PutAside
from flows.etl.source import Source
from localcloud.storage import serve
from tests.proxy import Asked, Fault, Proxy
from tests.publisher import Publisher

MONTH = Partition.parse("month", "2021-01")


def contract_of(**more: Any) -> Contract:
    agreed = {
        "name": "trips",
        "revision": 1,
        "description": "",
        "owner": "",
        "source": "{publisher}/{yyyy}{mm}",
        "format": "csv",
        "partition": "month",
        "first_partition": "2021-01",
        "columns": [Column(name="id", type="INT64", nullable=False), Column(name="zone", type="STRING")],
    }
    return Contract.model_validate({**agreed, **more})


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    server = serve(tmp_path)
    with Proxy(server.url) as before:
        yield before
    server.close()


@pytest.fixture
def bucket(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> storage.Bucket:
    monkeypatch.setattr("flows.etl.upload.time.sleep", lambda _: None)
    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
    client = storage.Client("local", credentials, client_options={"api_endpoint": proxy.url})
    made: storage.Bucket = client.create_bucket("lake")
    return made


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as made:
        yield made


class FakeReader:
    """Three batches of a file; rows 2, 5 and 7 do not fit."""

    def __init__(self, agreed: Contract) -> None:
        self.matched = Matched(tuple(agreed.columns), ("id", "zone"))
        self.total = 8

    def __iter__(self) -> Iterator[Batch]:
        for ids, first, bad in (([1, None, 3], 1, []), ([4, 6], 4, [5]), ([8], 7, [7])):
            records = [record for record in range(first, first + len(ids) + len(bad)) if record not in bad]
            table = pa.table({"id": pa.array(ids, pa.int64()), "zone": pa.array(["A"] * len(ids))})

            def place(position: int, records: list[int] = records) -> Place:
                return place_of(records[position])

            yield Batch(table, [BadRow(place_of(record), "id", "found 'x', expected INT64") for record in bad], place)


def place_of(record: int) -> Place:
    return Place(record, record + 1, f"x{record},A")


def names(bucket: storage.Bucket, prefix: str = "") -> list[str]:
    return [blob.name for blob in bucket.client.list_blobs(bucket, prefix=prefix)]


def test_bad_rows_are_put_aside_in_the_files_order_and_the_others_land(bucket: storage.Bucket) -> None:
    agreed = contract_of(quarantine={"max_rows": 3})
    aside, counts = Quarantine(agreed.quarantine, "file", bucket.blob("quarantine/1.jsonl.gz")), Counts(agreed, MONTH)
    tables = list(convert.tables(FakeReader(agreed), agreed, MONTH, aside, counts))
    aside.check(8)
    assert [table["id"].to_pylist() for table in tables] == [[1, 3], [4, 6], [8]]
    assert counts.rows == 5
    assert names(bucket) == []  # not before it is finished
    item = aside.finish()
    assert item is not None
    lines = gzip.decompress(item.blob(bucket).download_as_bytes()).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "file": "file",
            "record": 2,
            "line": 3,
            "column": "id",
            "reason": "found no value, expected INT64",
            "raw": "x2,A",
        },
        {"file": "file", "record": 5, "line": 6, "column": "id", "reason": "found 'x', expected INT64", "raw": "x5,A"},
        {"file": "file", "record": 7, "line": 8, "column": "id", "reason": "found 'x', expected INT64", "raw": "x7,A"},
    ]


def test_without_bad_rows_there_is_no_object(bucket: storage.Bucket) -> None:
    aside = Quarantine(contract_of(quarantine={"max_rows": 3}).quarantine, "file", bucket.blob("quarantine/1.jsonl.gz"))
    aside.check(8)
    assert aside.finish() is None
    aside.remove(bucket)
    assert names(bucket) == []


def bad(*records: int) -> list[BadRow]:
    return [BadRow(place_of(record), "id", "found 'x', expected INT64") for record in records]


def test_without_a_threshold_the_first_bad_row_refuses_the_file() -> None:
    aside = Quarantine(contract_of().quarantine, "file")
    with pytest.raises(BadFile) as caught:
        aside.add(bad(2, 3))
    assert str(caught.value) == (
        "file: line 3, column id: found 'x', expected INT64; correct the file or the contract; nothing was written"
    )


def test_more_bad_rows_than_the_threshold_refuse_the_file_with_the_first_of_them() -> None:
    aside = Quarantine(contract_of(quarantine={"max_rows": 6}).quarantine, "file")
    aside.add(bad(2, 3, 4))
    aside.add(bad(5, 6, 7))
    with pytest.raises(BadFile) as caught:
        aside.add(bad(8))
    first = "; ".join(f"line {line}, column id: found 'x', expected INT64" for line in (3, 4, 5, 6, 7))
    assert str(caught.value) == (
        f"file: found 7 bad rows so far, expected at most 6 (quarantine.max_rows): {first}; ...; correct the file, the"
        " contract or its threshold; nothing was written"
    )


@pytest.mark.parametrize(
    ("fraction", "total", "why"),
    [
        (0.29, 100, None),
        (0.29, 99, "file: found 29 bad rows among 99 records, expected at most 29 % of them (quarantine.max_fraction)"),
        (1.0, 30, None),
        (1.0, 29, "file: found 29 bad rows among 29 records, expected some that fit: line 2, column id: found 'x'"),
    ],
)
def test_the_share_of_bad_rows_is_held_against_all_records_at_the_end(
    fraction: float, total: int, why: str | None
) -> None:
    agreed = contract_of(quarantine={"max_rows": 100, "max_fraction": fraction})
    aside = Quarantine(agreed.quarantine, "file")
    aside.add(bad(*range(1, 30)))
    if why is None:
        aside.check(total)
        return
    with pytest.raises(BadFile) as caught:
        aside.check(total)
    assert str(caught.value).startswith(why)


# ten rows, of which rows 3 and 7 lack the id
BODY = ("id,zone\n" + "\n".join(f"{'' if row in (3, 7) else row},A" for row in range(1, 11)) + "\n").encode()
TWO_BAD = contract_of(quarantine={"max_rows": 2})


def source_of(agreed: Contract, publisher: Publisher, body: bytes = BODY) -> Source:
    publisher.serve("/202101", body)
    return Source(agreed, MONTH, f"{publisher.url}/202101", reach=publisher.reach)


def landing_of(bucket: storage.Bucket, agreed: Contract, publisher: Publisher, settled: int = -1) -> Landing:
    nowhere: Any = None  # claiming and fencing need the lake alone
    return Landing(
        *(Destination(bucket, nowhere, nowhere), agreed, MONTH, f"{publisher.url}/202101", None, settled, "run"),
        trusted=(publisher.url,),
    )


def claim(bucket: storage.Bucket, agreed: Contract, publisher: Publisher, body: bytes = BODY) -> Claim:
    upload = lake.bring(bucket, source_of(agreed, publisher, body))
    return claims.claim(landing_of(bucket, agreed, publisher), upload)


def listed(bucket: storage.Bucket) -> list[tuple[int, str | None]]:
    return [(row.record, row.column) for row in quarantine_listing.read(bucket, "trips", MONTH, MONTH)]


def test_rows_put_aside_have_an_object_beside_the_lakes_and_the_sum_holds(
    bucket: storage.Bucket, publisher: Publisher
) -> None:
    upload = lake.bring(bucket, source_of(TWO_BAD, publisher))
    assert (upload.source_rows, upload.lake_rows, upload.quarantined_rows) == (10, 8, 2)
    assert upload.quarantine_object is not None
    own = upload.lake_object.uri.rpartition("/")[2].removesuffix(".parquet")
    assert upload.quarantine_object.uri == f"gs://lake/quarantine/trips/2021-01/{own}.jsonl.gz"
    assert names(bucket) == [f"lake/trips/2021-01/{own}.parquet", f"quarantine/trips/2021-01/{own}.jsonl.gz"]


@pytest.mark.parametrize(
    ("agreed", "error", "why"),
    [
        (contract_of(quarantine={"max_rows": 1}), BadFile, "found 2 bad rows so far, expected at most 1"),
        (
            contract_of(quarantine={"max_rows": 5, "max_fraction": 0.1}),
            *(BadFile, "found 2 bad rows among 10 records, expected at most 10 % of them"),
        ),
        (
            contract_of(quarantine={"max_rows": 5}, checks=[{"check": "row_count", "min": 9}]),
            *(
                CheckFailed,
                "trips 2021-01: check row_count: found 8 rows, expected at least 9; correct the file or the",
            ),
        ),
    ],
)
def test_nothing_of_a_refused_file_is_visible_in_any_prefix(
    bucket: storage.Bucket, publisher: Publisher, agreed: Contract, error: type[Exception], why: str
) -> None:
    with pytest.raises(error) as caught:
        lake.bring(bucket, source_of(agreed, publisher))
    assert why in str(caught.value)
    assert str(caught.value).endswith("nothing was written")
    assert names(bucket) == []


def test_a_check_that_warns_lets_the_file_land_and_is_told(bucket: storage.Bucket, publisher: Publisher) -> None:
    check = {"check": "allowed_values", "column": "zone", "values": ["B"], "on_fail": "warn"}
    agreed = contract_of(quarantine={"max_rows": 2}, checks=[check])
    upload = lake.bring(bucket, source_of(agreed, publisher))
    warning = "check allowed_values of zone: found 8 of 8 rows (100 %) with another value than 'B', expected none"
    assert upload.warnings == (warning,)
    assert len(names(bucket)) == 2


@pytest.mark.parametrize("delete", ["answers", "refused"])
def test_rows_put_aside_are_removed_when_the_lake_object_cannot_be_finalised(
    bucket: storage.Bucket, proxy: Proxy, publisher: Publisher, delete: str, caplog: pytest.LogCaptureFixture
) -> None:
    parts = 0

    def is_lake_object(asked: Asked) -> bool:
        nonlocal parts
        parts += asked.method == "PUT"
        return asked.method == "PUT" and parts > 1  # the first is all of the rows put aside

    proxy.add(Fault(is_lake_object, status=503, times=100))
    proxy.add(
        Fault(lambda asked: asked.method == "DELETE" and "/o/" in asked.path, status=403, times=delete == "refused")
    )
    with pytest.raises(Transient, match="was not taken"):
        lake.bring(bucket, source_of(TWO_BAD, publisher))
    proxy.faults.clear()
    if delete == "answers":
        assert names(bucket) == []
    else:  # it stays, and nobody takes it for a landing's
        (left,) = names(bucket)
        assert f"gs://lake/{left}: not removed (403" in caplog.text
        assert listed(bucket) == []


def test_a_claim_names_what_it_put_aside_and_the_rows_can_be_listed(
    bucket: storage.Bucket, publisher: Publisher
) -> None:
    made = claim(bucket, TWO_BAD, publisher)
    assert made == landing_log.since(bucket, "trips", "2021-01", 0)[-1]
    assert made.quarantine_object is not None
    assert lake_object.is_alive(bucket, made.quarantine_object)
    url = f"{publisher.url}/202101"
    assert list(quarantine_listing.read(bucket, "trips", MONTH, MONTH)) == [
        PutAside("2021-01", url, 3, 4, "id", "found no value, expected INT64", ",A"),
        PutAside("2021-01", url, 7, 8, "id", "found no value, expected INT64", ",A"),
    ]
    other = Partition.parse("month", "2021-02")
    assert list(quarantine_listing.read(bucket, "trips", other, other)) == []


def test_content_that_is_adopted_leaves_no_second_object(bucket: storage.Bucket, publisher: Publisher) -> None:
    first = claim(bucket, TWO_BAD, publisher)
    before = names(bucket)
    assert claim(bucket, TWO_BAD, publisher).n == first.n
    assert names(bucket) == before
    assert listed(bucket) == [(3, "id"), (7, "id")]


def test_a_publisher_that_moved_on_leaves_nothing_of_what_was_brought(
    bucket: storage.Bucket, publisher: Publisher
) -> None:
    upload = lake.bring(bucket, source_of(TWO_BAD, publisher))
    publisher.serve("/202101", BODY + b"11,A\n")
    with pytest.raises(StartOver):
        claims.claim(landing_of(bucket, TWO_BAD, publisher), upload)
    assert names(bucket) == []


def test_an_older_claims_rows_go_to_superseded_with_its_object(bucket: storage.Bucket, publisher: Publisher) -> None:
    first = claim(bucket, TWO_BAD, publisher)
    second = claim(bucket, TWO_BAD, publisher, BODY.replace(b"\n,A", b"\n9,A"))
    for _ in range(2):  # any process may repeat it
        load._fence(landing_of(bucket, TWO_BAD, publisher), [first])  # noqa: SLF001 - a step, and not the whole load
    assert (second.quarantined_rows, second.quarantine_object) == (0, None)
    assert names(bucket, "quarantine/") == []
    own = first.lake_uri.rpartition("/")[2].removesuffix(".parquet")
    assert names(bucket, "superseded/") == [
        f"superseded/trips/2021-01/{own}.jsonl.gz",
        f"superseded/trips/2021-01/{own}.parquet",
    ]
    assert listed(bucket) == []


def test_a_repair_owns_a_copy_of_the_rows_put_aside(bucket: storage.Bucket, publisher: Publisher) -> None:
    broken = claim(bucket, TWO_BAD, publisher)
    repaired = claims.repair(bucket, broken, "run")
    assert repaired is not None
    assert repaired.quarantine_uri != broken.quarantine_uri
    load._fence(landing_of(bucket, TWO_BAD, publisher), [broken])  # noqa: SLF001 - a step, and not the whole load
    assert listed(bucket) == [(3, "id"), (7, "id")]


def test_a_repair_that_comes_second_leaves_no_copies(bucket: storage.Bucket, publisher: Publisher) -> None:
    broken = claim(bucket, TWO_BAD, publisher)
    claims.repair(bucket, broken, "run")
    before = names(bucket)
    assert claims.repair(bucket, broken, "another run") is None
    assert names(bucket) == before


def test_rows_put_aside_that_were_deleted_from_outside_are_missed_and_landed_again(
    bucket: storage.Bucket, publisher: Publisher
) -> None:
    first = claim(bucket, TWO_BAD, publisher)
    assert first.quarantine_object is not None
    lake_object.drop(bucket, first.quarantine_object)
    before = names(bucket)
    with pytest.raises(Unequal, match=r"found 0 rows in gs://.*, expected the 2 that claim 0 put aside"):
        listed(bucket)
    with pytest.raises(StartOver, match="gone"):
        claims.repair(bucket, first, "run")
    assert names(bucket) == before  # and no half of a repair
    assert claim(bucket, TWO_BAD, publisher).n == 1
    assert listed(bucket) == [(3, "id"), (7, "id")]


def test_rows_that_no_claim_names_are_not_listed(bucket: storage.Bucket, publisher: Publisher) -> None:
    lake.bring(bucket, source_of(TWO_BAD, publisher))  # and killed before it claims
    assert listed(bucket) == []
    claim(bucket, TWO_BAD, publisher, BODY.replace(b"\n,A", b"\n9,A", 1))
    assert listed(bucket) == [(7, "id")]
    assert len(names(bucket, "quarantine/")) == 2


def test_entries_of_before_there_was_a_quarantine_are_read(bucket: storage.Bucket, publisher: Publisher) -> None:
    made = claim(bucket, contract_of(), publisher, b"id,zone\n1,A\n")
    blob = bucket.blob("log/trips/2021-01/00000000.json")
    entry = json.loads(blob.download_as_bytes())
    for name in ("quarantine_uri", "quarantine_generation", "quarantine_crc32c", "checks_fingerprint"):
        assert entry.pop(name) is None
    blob.upload_from_string(json.dumps(entry))
    (read,) = landing_log.since(bucket, "trips", "2021-01", 0)
    assert read.lake_object == made.lake_object
    assert listed(bucket) == []


def test_what_was_checked_is_noted_beside_the_claim_and_stays_when_the_publisher_answers_otherwise(
    bucket: storage.Bucket, publisher: Publisher
) -> None:
    agreed = contract_of(quarantine={"max_rows": 2}, checks=[{"check": "row_count", "min": 1}])
    made = claim(bucket, agreed, publisher)
    assert made.checks_fingerprint == agreed.checks_fingerprint
    notes = landing_log.heads(bucket, "trips", MONTH, MONTH)["2021-01"].notes
    assert (notes.checks, notes.published is None) == (agreed.checks_fingerprint, False)
    landing_log.remember(bucket, "trips", "2021-01", 0, landing_log.Notes(None, "other"))
    again = landing_log.heads(bucket, "trips", MONTH, MONTH)["2021-01"].notes
    assert again == landing_log.Notes(notes.published, "other")

"""What goes on when the cloud is killed: lanes, each of which writes its versions 1, 2, 3, ... one after the other.

After each kill a lane says what it expects: what was acknowledged is there, what was under way is whole or absent.
"""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Protocol

import google_crc32c
import pyarrow as pa
import pyarrow.parquet as pq
from urllib3 import BaseHTTPResponse, PoolManager

from tests.localcloud.kills.cloud_process import CloudProcess, pool

ROWS = 200_000  # of the replaced partition: a load takes some 50 ms, so that kills meet it
QUANTUM = 256 << 10
END_TIMEOUT_S = 20


class Lane(Protocol):
    """One writer, which remembers over all kills what it was told."""

    def step(self) -> None:
        """Write the next version and wait for the answer. Raises urllib3.exceptions.HTTPError when killed."""

    def settle(self) -> None:
        """Assert, after a restart, what must hold, and let what was under way come to its end."""


@dataclass
class Tables:
    """The BigQuery API, without any repetition."""

    cloud: CloudProcess
    http: PoolManager = field(default_factory=pool)

    def ask(self, sql: str) -> list[tuple[str | None, ...]]:
        body = {"query": sql, "useLegacySql": False, "timeoutMs": 10_000}
        answer = self.http.request("POST", f"{self.cloud.bigquery}/queries", json=body)
        assert answer.status == 200, answer.data
        return [tuple(cell["v"] for cell in row["f"]) for row in answer.json().get("rows", [])]

    def insert(self, job_id: str, configuration: dict[str, Any], media: bytes | None = None) -> BaseHTTPResponse:
        body = {"jobReference": {"projectId": "local", "jobId": job_id}, "configuration": configuration}
        if media is None:
            return self.http.request("POST", f"{self.cloud.bigquery}/jobs", json=body)
        lines = [
            b"--edge\r\nContent-Type: application/json\r\n",
            json.dumps(body).encode(),
            b"--edge\r\nContent-Type: text/csv\r\n",
            media,
            b"--edge--",
        ]
        where = self.cloud.bigquery.replace("/bigquery/", "/upload/bigquery/", 1)
        headers = {"Content-Type": "multipart/related; boundary=edge"}
        content = b"\r\n".join(lines)
        return self.http.request("POST", f"{where}/jobs?uploadType=multipart", body=content, headers=headers)

    def job(self, job_id: str) -> dict[str, Any] | None:
        answer = self.http.request("GET", f"{self.cloud.bigquery}/jobs/{job_id}")
        assert answer.status in {200, 404}, answer.data
        found: dict[str, Any] = answer.json()
        return found if answer.status == 200 else None

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for a job's end; it is one that succeeds."""
        deadline = time.monotonic() + END_TIMEOUT_S
        while (job := self.job(job_id)) is None or job["status"]["state"] != "DONE":
            assert job is not None, f"{job_id}: gone"
            assert time.monotonic() < deadline, f"{job_id}: {job['status']}"
            time.sleep(0.005)
        assert "errorResult" not in job["status"], job["status"]
        return job


@dataclass
class JobLane:
    """Jobs that each bring a table to the next version; `version` reads it, and asserts that the table is whole."""

    name: str
    tables: Tables
    submit: Callable[[str, int], BaseHTTPResponse]
    version: Callable[[], int]
    done: dict[int, dict[str, Any]] = field(default_factory=dict)

    def step(self) -> None:
        number = len(self.done) + 1
        answer = self.submit(self._id(number), number)
        assert answer.status == 200, answer.data
        self.done[number] = self.tables.ended(self._id(number))

    def settle(self) -> None:
        for number, before in list(self.done.items())[-5:]:
            assert self.tables.job(self._id(number)) == before
        last, found, job = len(self.done), self.version(), self.tables.job(self._id(len(self.done) + 1))
        # the table was read first: what is not done now had not been done then
        finished = job is not None and job["status"]["state"] == "DONE"
        assert found in ({last, last + 1} if finished else {last})
        if job is not None:
            self.done[last + 1] = self.tables.ended(self._id(last + 1))
        assert self.version() == len(self.done)

    def _id(self, number: int) -> str:
        return f"{self.name}-{number}"


@dataclass
class UploadLane:
    """One object, overwritten by resumable uploads of two parts; what a kill cut off is taken up again."""

    cloud: CloudProcess
    name: str
    http: PoolManager = field(default_factory=pool)
    version: int = 0
    session: str | None = None

    def step(self) -> None:
        content = content_of(self.version + 1)
        if self.session is None:
            target = f"{self.cloud.storage}/upload/storage/v1/b/lake/o?uploadType=resumable&name={self.name}"
            self.session = self.http.request("POST", target, body=b"{}").headers["Location"]
            self._part(content, 0, QUANTUM)
        self._finish(content)

    def settle(self) -> None:
        finished = self.version
        if self.session is not None:
            content = content_of(self.version + 1)
            found = self._stored()
            status = self._status(content)
            assert status.status in {200, 308}, status.data
            # the object was read first
            assert found in ({finished, finished + 1} if status.status == 200 else {finished})
            self._finish(content)
        assert self._stored() == self.version

    def _finish(self, content: bytes) -> None:
        """Send what has not come; the object is the new one when that is answered."""
        answer = self._status(content)
        if answer.status == 308:
            start = int(answer.headers.get("Range", "bytes=0--1").removeprefix("bytes=0-")) + 1
            answer = self._part(content, start, len(content))
        assert (answer.status, int(answer.json()["size"])) == (200, len(content))
        self.session, self.version = None, self.version + 1

    def _status(self, content: bytes) -> BaseHTTPResponse:
        assert self.session is not None
        return self.http.request("PUT", self.session, headers={"Content-Range": f"bytes */{len(content)}"})

    def _part(self, content: bytes, start: int, end: int) -> BaseHTTPResponse:
        assert self.session is not None
        headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(content)}"}
        return self.http.request("PUT", self.session, body=content[start:end], headers=headers)

    def _stored(self) -> int:
        """Return the version that is visible, 0 for none; it is whole."""
        where = f"{self.cloud.storage}/storage/v1/b/lake/o/{self.name}"
        resource, media = self.http.request("GET", where), self.http.request("GET", f"{where}?alt=media")
        if resource.status == 404:
            return 0
        version = int(media.data[:8])
        assert media.data == content_of(version)
        assert resource.json()["size"] == str(len(media.data))
        assert resource.json()["crc32c"] == crc32c_of(media.data)
        return version


@dataclass
class OnceLane:
    """New objects, each put if it is absent."""

    cloud: CloudProcess
    http: PoolManager = field(default_factory=pool)
    acknowledged: dict[str, str] = field(default_factory=dict)  # the generation of each name

    def step(self) -> None:
        name, content = self._next()
        target = f"{self.cloud.storage}/upload/storage/v1/b/lake/o?uploadType=media&ifGenerationMatch=0&name={name}"
        answer = self.http.request("POST", target, body=content)
        assert answer.status == 200, answer.data
        self.acknowledged[name] = answer.json()["generation"]

    def settle(self) -> None:
        found = {each["name"]: each for each in self._listed()}
        name, content = self._next()
        expected = dict(self.acknowledged)
        if name in found:  # the answer was lost
            expected[name] = found[name]["generation"]
            assert found[name]["crc32c"] == crc32c_of(content)
        assert {each: found[each]["generation"] for each in found} == expected
        self.acknowledged = expected

    def _listed(self) -> Iterator[dict[str, Any]]:
        where, page = f"{self.cloud.storage}/storage/v1/b/lake/o?prefix=once-", ""
        while page is not None:
            answer = self.http.request("GET", f"{where}&pageToken={page}").json()
            yield from answer.get("items", [])
            page = answer.get("nextPageToken")

    def _next(self) -> tuple[str, bytes]:
        number = len(self.acknowledged) + 1
        return f"once-{number:06}", content_of(number)


def content_of(version: int) -> bytes:
    """Tell a torn or stale object from its own bytes; between 312 and 704 KiB, so it takes two parts."""
    return f"{version:08d}".encode() * (40_000 + version * 997 % 50_000)


def crc32c_of(content: bytes) -> str:
    return b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def lanes_on(cloud: CloudProcess) -> list[Lane]:
    """Make a bucket, a dataset and its tables, and return every lane."""
    http = pool()
    tables = Tables(cloud)
    made = [
        http.request("POST", f"{cloud.storage}/storage/v1/b?project=local", json={"name": "lake"}),
        http.request("POST", f"{cloud.bigquery}/datasets", json={"datasetReference": {"datasetId": "kills"}}),
    ]
    assert [answer.status for answer in made] == [200, 200]
    tables.ask("CREATE TABLE kills.loaded (m DATE, v INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    tables.ask("INSERT INTO kills.loaded VALUES (DATE '2021-02-01', 7)")
    tables.ask("CREATE TABLE kills.updated AS SELECT 0 AS v FROM UNNEST(GENERATE_ARRAY(1, 20000))")
    tables.ask("CREATE TABLE kills.inserted (v INT64)")
    tables.ask("CREATE TABLE kills.appended (v INT64)")

    def load(job_id: str, version: int) -> BaseHTTPResponse:
        table = pa.table({"m": pa.repeat(pa.scalar(18628, pa.date32()), ROWS), "v": pa.repeat(version, ROWS)})
        written = BytesIO()
        pq.write_table(table, written)
        name = f"loads/{version}.parquet"
        target = f"{cloud.storage}/upload/storage/v1/b/lake/o?uploadType=media&name={name}"
        assert http.request("POST", target, body=written.getvalue()).status == 200
        destination = {"projectId": "local", "datasetId": "kills", "tableId": "loaded$202101"}
        fields = [{"name": "m", "type": "DATE"}, {"name": "v", "type": "INTEGER"}]
        config = {
            "sourceUris": [f"gs://lake/{name}"],
            "sourceFormat": "PARQUET",
            "destinationTable": destination,
            "schema": {"fields": fields},
            "writeDisposition": "WRITE_TRUNCATE_DATA",
        }
        return tables.insert(job_id, {"load": config})

    def loaded() -> int:
        rows = tables.ask("SELECT CAST(m AS STRING), v, COUNT(*) FROM kills.loaded GROUP BY 1, 2 ORDER BY 1")
        *january, february = rows
        assert february == ("2021-02-01", "7", "1")
        assert len(january) <= 1
        versions = [int(version or 0) for _, version, _ in january]
        assert january == [("2021-01-01", str(version), str(ROWS)) for version in versions]
        return sum(versions)

    def query(sql: str) -> Callable[[str, int], BaseHTTPResponse]:
        return lambda job_id, version: tables.insert(
            job_id, {"query": {"query": sql.format(version), "useLegacySql": False}}
        )

    def updated() -> int:
        ((version, count),) = tables.ask("SELECT v, COUNT(*) FROM kills.updated GROUP BY v")
        assert count == "20000"
        return int(version or 0)

    def append(job_id: str, version: int) -> BaseHTTPResponse:
        destination = {"projectId": "local", "datasetId": "kills", "tableId": "appended"}
        config = {
            "sourceFormat": "CSV",
            "destinationTable": destination,
            "schema": {"fields": [{"name": "v", "type": "INTEGER"}]},
            "writeDisposition": "WRITE_APPEND",
        }
        return tables.insert(job_id, {"load": config}, media=f"{version}\n".encode() * 1000)

    def each_once(table: str, times: int) -> Callable[[], int]:
        def version() -> int:
            rows = tables.ask(f"SELECT v, COUNT(*) FROM kills.{table} GROUP BY v ORDER BY v")
            assert rows == [(str(number + 1), str(times)) for number in range(len(rows))]
            return len(rows)

        return version

    return [
        JobLane("load", tables, load, loaded),
        JobLane("update", tables, query("UPDATE kills.updated SET v = {} WHERE TRUE"), updated),
        JobLane("insert", tables, query("INSERT INTO kills.inserted VALUES ({})"), each_once("inserted", 1)),
        JobLane("append", tables, append, each_once("appended", 1000)),
        UploadLane(cloud, "parts"),
        OnceLane(cloud),
    ]

"""Restarts, clean and by SIGKILL: nothing torn, nothing acknowledged lost, nothing left over."""

import json
import subprocess
import sys
import threading
from base64 import b64decode
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
import urllib3

from localcloud.storage import StorageServer, serve
from localcloud.storage.errors import FolderInUse, LostBytes

SERVER = """
import sys, threading
from pathlib import Path
from localcloud.storage import serve
print(serve(Path(sys.argv[1])).url, flush=True)
threading.Event().wait()
"""


def test_objects_outlive_a_restart_as_they_were(tmp_path: Path, http: Any, server: StorageServer) -> None:
    http.media("kept", b"kept")
    http.object("PATCH", "kept", body={"metadata": {"run": "7"}})
    http.media("overwritten", b"old")
    http.media("overwritten", b"new")
    http.media("deleted", b"deleted")
    http.object("DELETE", "deleted")
    before = http.send("GET", "/storage/v1/b/lake/o").json()
    server.close()
    again = serve(tmp_path / "cloud", server.port)
    try:
        assert http.send("GET", "/storage/v1/b/lake/o").json() == before
        assert (http.download("kept").data, http.download("overwritten").data) == (b"kept", b"new")
        assert len(list((tmp_path / "cloud" / "generations").iterdir())) == 2
        assert list((tmp_path / "cloud" / "drafts").iterdir()) == []
    finally:
        again.close()


def test_a_generation_is_never_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"x")
    last = 0
    for microseconds in (2_000_000, 1_000_000, 0):  # the clock goes back
        monkeypatch.setattr("time.time_ns", lambda now=microseconds: now * 1000)
        server = serve(tmp_path / "cloud")
        try:
            urllib3.request("POST", f"{server.url}/storage/v1/b", body=b'{"name": "lake"}').close()
            server.store.put("gs://lake/x", tmp_path / "file")
            (found,) = server.store.matching("gs://lake/x")
            urllib3.request("DELETE", f"{server.url}/storage/v1/b/lake/o/x").close()
        finally:
            server.close()
        assert int(found.path.name) > last
        last = int(found.path.name)


def test_what_a_kill_left_half_done_is_swept(tmp_path: Path) -> None:
    serve(tmp_path).close()
    (tmp_path / "generations" / "17").write_bytes(b"linked, not yet in the journal")
    (tmp_path / "drafts" / "once-17").write_bytes(b"half an upload")
    serve(tmp_path).close()
    assert [file.name for file in tmp_path.glob("*/*")] == []


def test_a_folder_belongs_to_one_server(tmp_path: Path, server: StorageServer) -> None:
    assert server.port
    with pytest.raises(FolderInUse, match="is another local cloud running"):
        serve(tmp_path / "cloud")


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_lost_bytes_are_said_before_anything_is_served(
    tmp_path: Path, http: Any, server: StorageServer, damage: str
) -> None:
    http.media("x", b"bytes")
    (found,) = server.store.matching("gs://lake/x")
    server.close()
    if damage == "gone":
        found.path.unlink()
    else:
        found.path.write_bytes(b"byte")
    with pytest.raises(LostBytes, match="not the 5 bytes of gs://lake/x"):
        serve(tmp_path / "cloud")


def test_a_damaged_journal_is_said_before_anything_is_served(tmp_path: Path) -> None:
    serve(tmp_path).close()
    (tmp_path / "metadata.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(LostBytes, match="Remove the local cloud's folder"):
        serve(tmp_path)


def content_of(count: int) -> bytes:
    """Tell a torn or stale object from its own bytes."""
    return f"{count:08d}".encode() * (1000 + count % 1000)


class Writer(threading.Thread):
    """Overwrite two names for ever, one in one request and one in two, and remember what was acknowledged."""

    def __init__(self, url: str, number: int, start: int) -> None:
        super().__init__()
        self.url, self.number, self.first = url, number, start
        self.acknowledged: dict[str, int] = {}
        self.pool = urllib3.PoolManager(retries=False)

    def run(self) -> None:
        try:
            for count in range(self.first, self.first + 1_000_000):
                for name, write in ((f"once-{self.number}", self.once), (f"parts-{self.number}", self.in_parts)):
                    target = f"{self.url}/upload/storage/v1/b/lake/o?name={name}&uploadType="
                    if write(target, content_of(count)).status == 200:
                        self.acknowledged[name] = count
        except urllib3.exceptions.HTTPError:
            self.pool.clear()  # the server was killed

    def once(self, target: str, content: bytes) -> Any:
        return self.pool.request("POST", target + "media", body=content)

    def in_parts(self, target: str, content: bytes) -> Any:
        session = self.pool.request("POST", target + "resumable", body=b"{}").headers["Location"]
        headers = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"}
        return self.pool.request("PUT", session, body=content, headers=headers)


def test_a_sigkill_under_writers_tears_and_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path / "cloud")]
    acknowledged: dict[str, int] = {}
    for kill in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            urllib3.request("POST", f"{url}/storage/v1/b", body=json.dumps({"name": "lake"})).close()
            writers = [Writer(url, number, kill * 1_000_000 + 1) for number in range(4)]
            for writer in writers:
                writer.start()
            threading.Event().wait(0.2 + 0.1 * kill)
            process.kill()
            for writer in writers:
                writer.join()
                acknowledged |= writer.acknowledged
        server = serve(tmp_path / "cloud")
        try:
            files = server.store.matching("gs://lake/*")
            for file in files:
                content = file.path.read_bytes()
                assert content == content_of(int(content[:8]))
                assert int(content[:8]) >= acknowledged.get(file.name, 0)
                crc32c = b64decode(server.store.find("lake", file.name)["crc32c"])
                assert crc32c == google_crc32c.value(content).to_bytes(4, "big")
            assert {file.name for file in files} >= set(acknowledged)
            assert len(list((tmp_path / "cloud" / "generations").iterdir())) == len(files)
        finally:
            server.close()
    assert len(acknowledged) == 8

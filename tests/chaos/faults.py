"""The faults: what befalls the request at a boundary, or the process that makes it."""

import dataclasses
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.chaos.proxy import Answered, Blow

Kind = Literal[
    "SIGKILL",
    "SIGTERM",
    "reset",
    "stall",
    "overtaken",
    "taken back",
    "twin",
    "killed, taken back",
    "429 once",
    "500 once",
    "503 once",
    "429 always",
    "500 always",
    "503 always",
    "truncated",
    "checksum",
    "short file",
    "cloud restarted",
    "Prefect restarted",
    "full disk",
    "clock ahead",
    "clock behind",
]
Phase = Literal["before", "after"]

MEANINGS: dict[str, str] = {
    "SIGKILL": "the process is killed",
    "SIGTERM": "the process is told to end, as Cloud Run does, and killed 10 s later",
    "reset": "the connection is reset; after: the request was served and its reply is lost",
    "stall": "the line stays silent until the client gives up",
    "overtaken": "the process stands still while another one lands newer content, and then goes on",
    "taken back": "the same, and the newer content is the one of before",
    "twin": "the process stands still while another one lands the same content, and then goes on",
    "killed, taken back": "the process is killed, and the publisher serves the content of before again",
    "429 once": "one answer says 429",
    "500 once": "one answer says 500",
    "503 once": "one answer says 503",
    "429 always": "every answer says 429, until the fault is lifted for the repeat",
    "500 always": "every answer says 500, until the fault is lifted for the repeat",
    "503 always": "every answer says 503, until the fault is lifted for the repeat",
    "truncated": "the answer breaks off in its middle",
    "checksum": "a byte of the body, or the checksum in the answer, is another one",
    "short file": "the publisher sends a whole file with fewer rows than the contract's checks let in",
    "cloud restarted": "storage and BigQuery are killed and started again",
    "Prefect restarted": "Prefect's server is killed and started again",
    "full disk": "the disk is full in the middle of the file",
    "clock ahead": "the process' clock is an hour ahead; it is killed here, and one that is on time repeats",
    "clock behind": "the same, an hour behind",
}


class Hooks(Protocol):
    """What a fault can do to the processes around a request."""

    async def kill(self) -> None:
        """Kill the run."""

    async def terminate(self) -> None:
        """Tell the run to end."""

    async def wait(self) -> None:
        """Wait until the scenario lets go."""

    async def restart_cloud(self) -> None:
        """Kill storage and BigQuery, and start them again."""

    async def restart_prefect(self) -> None:
        """Kill Prefect's server, and start it again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one kind, before or after its boundary."""

    kind: Kind
    phase: Phase

    @property
    def is_lasting(self) -> bool:
        """Whether it strikes each time, not once."""
        return self.kind.endswith("always")

    def blow(self, hooks: Hooks, answered: Answered | None, at: int | None) -> Blow:
        """Say what befalls the request; *answered* and *at* are of a boundary that is behind the answer."""
        ends: dict[str, Callable[[], Awaitable[None]]] = {
            "SIGKILL": hooks.kill,
            "killed, taken back": hooks.kill,
            "clock ahead": hooks.kill,
            "clock behind": hooks.kill,
            "cloud restarted": hooks.restart_cloud,
        }
        goes_on: dict[str, Callable[[], Awaitable[None]]] = {
            "SIGTERM": hooks.terminate,
            "overtaken": hooks.wait,
            "taken back": hooks.wait,
            "twin": hooks.wait,
            "Prefect restarted": hooks.restart_prefect,
        }
        if self.kind in ends:
            return Blow("reset", hook=ends[self.kind], at=at)
        if self.kind in goes_on:
            return Blow("pass", hook=goes_on[self.kind], at=at)
        if self.kind in ("reset", "stall"):
            return Blow("reset" if self.kind == "reset" else "hold", at=at)
        if self.kind == "truncated":
            assert answered
            return Blow("close", at=len(answered.body) // 2 if at is None else at)
        return Blow("answer", instead=self._instead(answered))

    def _instead(self, answered: Answered | None) -> Answered:
        if self.kind not in ("checksum", "short file"):
            return refusal(int(self.kind[:3]))
        assert answered
        return corrupted(answered) if self.kind == "checksum" else shortened(answered)


def refusal(status: int) -> Answered:
    """Give an answer in the form that Google's and Prefect's APIs refuse in."""
    reasons = {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
    why = {429: "rateLimitExceeded", 500: "internalError", 503: "backendError"}[status]
    error = {"code": status, "message": "from the fault proxy", "errors": [{"reason": why, "message": "planted"}]}
    return Answered(
        status, reasons[status], [("Content-Type", "application/json")], json.dumps({"error": error}).encode()
    )


def corrupted(answered: Answered) -> Answered:
    """Change the checksum that storage answers with, or one byte of a file."""
    try:
        resource = json.loads(answered.body)
    except ValueError:
        middle = len(answered.body) // 2
        changed = bytes([answered.body[middle] ^ 0x40])
        return dataclasses.replace(answered, body=answered.body[:middle] + changed + answered.body[middle + 1 :])
    resource["crc32c"] = "AAAAAA=="
    return dataclasses.replace(answered, body=json.dumps(resource).encode())


def shortened(answered: Answered) -> Answered:
    """Give the file's first rows alone, well packed and with a length of their own."""
    lines = gzip.decompress(answered.body).splitlines(keepends=True)
    return dataclasses.replace(answered, body=gzip.compress(b"".join(lines[:4]), mtime=0))

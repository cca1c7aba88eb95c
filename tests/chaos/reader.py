"""A reader who asks the table for one month again and again, while it is landed, killed and repaired."""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Self

import urllib3

from tests.chaos.content import digest

CALM_S, BUSY_AT_MOST_S = 3.0, 2.0
BREATH_S = 0.03  # between two questions during a load: one takes the local BigQuery as long, and others wait for it


@dataclass(frozen=True, slots=True)
class Poll:
    """One answer: between which two moments it was asked (seconds since 1970), and the hash of what it showed."""

    began: float
    ended: float
    outline: str
    rows: int


class Reader:
    """Polls in a thread of its own; nearly back to back from before a load job is sent until it is done."""

    def __init__(self, warehouse: str, dataset: str, month: str) -> None:
        self.polls: list[Poll] = []
        self.trouble: list[tuple[float, float, str]] = []  # questions without an answer, and why
        self._url = f"{warehouse}/bigquery/v2/projects/local/queries"
        table = f"`local.{dataset}.parcels`"
        self._query = f"SELECT parcel, grams FROM {table} WHERE file_month = DATE '{month}-01'"
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self._ended, self._wake = threading.Event(), threading.Event()
        self._busy_until = 0.0
        self._asking = False
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._wake.set()
        self._thread.join()
        self._http.clear()

    def hurry(self) -> None:
        """Begin to ask with hardly a pause."""
        self._busy_until = time.monotonic() + BUSY_AT_MOST_S
        self._wake.set()

    async def at_its_question(self) -> None:
        """Begin to ask with hardly a pause, and come back when a question is on its way."""
        self.hurry()
        before = len(self.polls) + len(self.trouble)
        while not (self._asking and len(self.polls) + len(self.trouble) > before):
            await asyncio.sleep(0.002)
            if self._ended.is_set():
                return

    def calm(self) -> None:
        """Ask now and then again."""
        self._busy_until = 0.0

    def _read(self) -> None:
        while not self._ended.is_set():
            self._asking = True
            began = time.time()
            try:
                self._poll()
            except (urllib3.exceptions.HTTPError, KeyError, ValueError) as error:
                # the cloud is being restarted, perhaps: no answer is no wrong answer
                self.trouble.append((began, time.time(), repr(error)))
                time.sleep(0.02)
            self._asking = False
            self._wake.wait(CALM_S if time.monotonic() > self._busy_until else BREATH_S)
            self._wake.clear()

    def _poll(self) -> None:
        began = time.time()
        answer = self._http.request("POST", self._url, json={"query": self._query, "useLegacySql": False})
        if answer.status == 404:  # no table yet
            self.polls.append(Poll(began, time.time(), digest([]), 0))
            return
        said = answer.json()
        rows = [tuple(cell["v"] for cell in row["f"]) for row in said.get("rows", [])]
        if not said["jobComplete"] or int(said["totalRows"]) != len(rows):
            raise ValueError(f"{len(rows)} rows of {said.get('totalRows')}")
        self.polls.append(Poll(began, time.time(), digest(rows), len(rows)))

"""What the rehearsal asks the services itself, by REST: none of Landfall's code answers for Landfall."""

import base64
import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

PROJECT = "local"
REGION = "us-central1"
TIMEOUT_S = 30.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Services:
    """Where the rehearsal's own services answer, from what `make env` sets."""

    variables: Mapping[str, str]
    cloud_run: str

    @property
    def auth(self) -> str:
        """The Prefect server's auth string."""
        return self.variables["PREFECT_API_AUTH_STRING"]

    def published_rows(self, partition: str) -> int:
        """Count the records of a month of flights in the publisher's own file."""
        url = f"{self.variables['LANDFALL_PUBLISHER']}/flights/flights_{partition}.csv.gz"
        with gzip.open(io.BytesIO(_get(url).data), "rt", newline="") as text:
            return sum(1 for _ in csv.reader(text)) - 1

    def ask(self, query: str) -> list[dict[str, str | None]]:
        """Ask the warehouse."""
        url = f"{self.variables['BIGQUERY_EMULATOR_HOST']}/bigquery/v2/projects/{PROJECT}/queries"
        answer = _done(urllib3.request("POST", url, json={"query": query, "useLegacySql": False}, timeout=TIMEOUT_S))
        found = answer.json()
        names = [field["name"] for field in found["schema"]["fields"]]
        return [dict(zip(names, (cell["v"] for cell in row["f"]), strict=True)) for row in found.get("rows", [])]

    def jobs(self) -> list[Json]:
        """List the Cloud Run jobs that there are now."""
        answer = _get(f"{self.cloud_run}/v2/projects/{PROJECT}/locations/{REGION}/jobs")
        jobs: list[Json] = answer.json().get("jobs", [])
        return jobs

    def flow_run(self, identity: str) -> Json:
        """Read a flow run from Prefect."""
        return self._prefect(f"/flow_runs/{identity}")

    def worker_is_online(self, pool: str) -> bool:
        """Say whether a worker of the pool has told Prefect of itself."""
        found = self._prefect(f"/work_pools/{pool}")
        return bool(found["status"] == "READY")

    def _prefect(self, path: str) -> Json:
        login = base64.b64encode(self.auth.encode()).decode()
        answer = _get(f"{self.variables['PREFECT_API_URL']}{path}", Authorization=f"Basic {login}")
        found: Json = answer.json()
        return found


def _get(url: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return _done(urllib3.request("GET", url, headers=headers, timeout=TIMEOUT_S, decode_content=False))


def _done(answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    if answer.status != 200:
        raise ValueError(f"{answer.geturl()}: answered {answer.status} {answer.data[:300]!r}, expected 200")
    return answer

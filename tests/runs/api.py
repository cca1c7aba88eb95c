"""Cloud Run's API as a session that answers from a table."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

import requests

from flows.runs import jobs

PARENT = "/v2/projects/p/locations/europe-west1"
Answers = dict[str, tuple[int, dict[str, Any]]]


@dataclass
class Api(requests.Session):
    """Answers by method and address; all requests are noted."""

    answers: Answers
    asked: list[str] = field(default_factory=list)

    def request(self, method: str, url: str, params: Any = None, **_: Any) -> requests.Response:  # type: ignore[override]
        prepared = requests.Request(method, url, params=params).prepare()
        said = f"{method} {(prepared.url or '').removeprefix('https://run.example')}"
        self.asked.append(said)
        answer = requests.Response()
        answer.status_code, found = self.answers[said]
        answer.raw = io.BytesIO(json.dumps(found).encode())
        answer.request = prepared
        return answer


def region(answers: Answers) -> tuple[jobs.Region, Api]:
    api = Api(answers)
    return jobs.Region("https://run.example", "p", "europe-west1", api), api

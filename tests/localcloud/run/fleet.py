"""The local Cloud Run and Secret Manager in this process, and Google's own clients of them."""

import base64
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import urllib3
import uvicorn
from google.auth.credentials import AnonymousCredentials
from googleapiclient import discovery
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from localcloud.run.faults import Faults
from localcloud.run.fleet import Fleet
from localcloud.run.images import Image
from localcloud.run.launch import Place
from localcloud.run.operations import Operations
from localcloud.run.order import GRACE_S
from localcloud.run.rest import routes as run_routes
from localcloud.secrets.rest import routes as secret_routes
from localcloud.secrets.store import Secrets

PARENT = "projects/local/locations/us-central1"
IMAGE = "python:local"
NETWORK = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:1"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """An execution that has ended, and what its container said."""

    resource: Json
    operation: Json
    log: str

    @property
    def condition(self) -> Json:
        """Its one condition, without its time."""
        (condition,) = self.resource["conditions"]
        return {name: value for name, value in condition.items() if name != "lastTransitionTime"}

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks ended how."""
        return {name: value for name, value in self.resource.items() if name.endswith("Count") and name != "taskCount"}

    @property
    def id(self) -> str:
        return str(self.resource["name"].rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class CloudRun:
    """Jobs through Google's client; `data` is the local cloud's folder."""

    data: Path
    address: str
    locations: Any
    projects: Any

    def create(self, *command: str, **given: Any) -> str:
        """Make a job of Python code, or of a command, and wait until it is ready; return its name."""
        operation = self.locations.jobs().create(parent=PARENT, jobId=name(), body=body(*command, **given)).execute()
        return str(self.done(operation)["metadata"]["name"])

    def start(self, job: str, **overrides: Any) -> Json:
        operation: Json = self.locations.jobs().run(name=job, body={"overrides": overrides}).execute()
        return operation

    def run(self, *command: str, **given: Any) -> Ended:
        """Make a job, run it to its end."""
        return self.end(self.start(self.create(*command, **given)))

    def end(self, operation: Json) -> Ended:
        operation = self.done(operation)
        resource = self.execution(operation["metadata"]["name"])
        return Ended(resource, operation, log_of(resource))

    def done(self, operation: Json) -> Json:
        while not operation["done"]:
            wait = self.locations.operations().wait(name=operation["name"], body={"timeout": "5s"})
            operation = wait.execute()
        return operation

    def execution(self, name: str) -> Json:
        found: Json = self.locations.jobs().executions().get(name=name).execute()
        return found

    def until_it_says(self, operation: Json, word: str) -> Json:
        """Wait until a container has said a word, and return its execution."""
        name = operation["metadata"]["name"]
        until(lambda: word in log_of(self.execution(name)))
        return self.execution(name)

    def secret(self, value: str) -> str:
        """Make a secret with one version."""
        secret = name()
        secrets = self.projects.secrets()
        secrets.create(parent="projects/local", secretId=secret, body={"replication": {"automatic": {}}}).execute()
        payload = {"data": base64.b64encode(value.encode()).decode()}
        secrets.addVersion(parent=f"projects/local/secrets/{secret}", body={"payload": payload}).execute()
        return secret


def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}"


def body(*command: str, memory: str = "512Mi", image: str = IMAGE, **given: Any) -> Json:
    """Describe a job; one word of command is Python code."""
    container = {
        "image": image,
        "command": ["python", "-c"] if len(command) == 1 else [],
        "args": list(command),
        "resources": {"limits": {"memory": memory}},
        **({"env": given.pop("env")} if "env" in given else {}),
    }
    return {"template": {"template": {"containers": [container], "maxRetries": 0, **given}}}


def log_of(execution: Json) -> str:
    log = Path(url2pathname(urlsplit(execution["logUri"]).path))
    return log.read_text() if log.exists() else ""


def until(condition: Any) -> None:
    """Wait for something that is on its way."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def served(data: Path, grace_s: float = GRACE_S) -> Iterator[CloudRun]:
    """Serve a data folder, and give its clients; an API that ends leaves its containers at work."""
    place = Place(data, NETWORK, grace_s)
    place.images.put(IMAGE, Image(str(data), sys.executable, {"OF_THE_IMAGE": "1"}))
    secrets = Secrets(data / "secretmanager")
    fleet = Fleet(place, secrets)
    operations = Operations(data / "cloudrun" / "operations", fleet)
    with (
        _listening([*run_routes(fleet, operations, Faults())]) as run,
        _listening([*secret_routes(secrets)]) as manager,
        _client("run", "v2", run) as locations,
        _client("secretmanager", "v1", manager) as projects,
    ):
        yield CloudRun(data, run, locations.projects().locations(), projects.projects())


def _client(service: str, version: str, address: str) -> Any:
    return discovery.build(
        service,
        version,
        client_options={"api_endpoint": address},
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        static_discovery=True,
    )


@contextmanager
def _listening(routes: list[BaseRoute]) -> Iterator[str]:
    app = Starlette(routes=routes)
    # one server for all tests, whose files may be a quarter of an hour apart
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", timeout_keep_alive=3600)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def get(address: str, path: str) -> Json:
    answer: Json = urllib3.request("GET", address + path).json()
    return answer


def secret_of(address: str, secret: str, value: str) -> None:
    """Make a secret with one version where a Secret Manager answers."""
    secrets = f"{address}/v1/projects/local/secrets"
    payload = {"data": base64.b64encode(value.encode()).decode()}
    for url, sent in (
        (f"{secrets}?secretId={secret}", {"replication": {"automatic": {}}}),
        (f"{secrets}/{secret}:addVersion", {"payload": payload}),
    ):
        answer = urllib3.request("POST", url, json=sent)
        assert answer.status == 200, answer.data

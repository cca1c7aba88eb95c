"""What the cases run on: the local cloud, one of the stock emulators, or a real project."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google.auth
import google.auth.transport.requests
import pytest
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery, storage

from localcloud import environment, supervisor

TARGETS = ("local", "cloud", "gcp-storage-emulator", "bqemulator")
STOCK = ("gcp-storage-emulator", "bqemulator")
# A stock emulator may never answer; our own and Google's have the suite's timeout.
STOCK_TIMEOUT_S = 20
_CLOUD_ADDRESSES = {"storage": "https://storage.googleapis.com", "bigquery": "https://bigquery.googleapis.com"}
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@dataclass(frozen=True)
class Target:
    """Where the services are; `addresses` has `storage`, `bigquery` or both."""

    name: str
    project: str
    addresses: Mapping[str, str]
    credentials: Credentials
    variables: Mapping[str, str] = field(default_factory=dict)  # what its own `env` command sets

    @property
    def stock(self) -> bool:
        """Say whether it is an emulator as it ships."""
        return self.name in STOCK

    @property
    def environment(self) -> dict[str, str]:
        """Return what leads Google's clients there; nothing for the real cloud."""
        if self.name == "cloud":
            return {}
        names = {"storage": "STORAGE_EMULATOR_HOST", "bigquery": "BIGQUERY_EMULATOR_HOST"}
        return {**self.variables, **{names[service]: address for service, address in self.addresses.items()}}

    def unique(self, prefix: str) -> str:
        """Return a name that nobody else on the target has: letters, digits and the prefix."""
        return f"{prefix}{uuid.uuid4().hex[:12]}"

    def storage_client(self) -> storage.Client:
        """Make Google's client, as its users do."""
        with self._entered("storage"):
            return storage.Client(project=self.project, credentials=self.credentials)

    def bigquery_client(self) -> bigquery.Client:
        """Make Google's client, as its users do."""
        with self._entered("bigquery"):
            return bigquery.Client(self.project, self.credentials)

    def authorisation(self) -> dict[str, str]:
        """Return the headers of a plain HTTP request."""
        if self.name != "cloud":
            return {}
        if not self.credentials.valid:
            self.credentials.refresh(google.auth.transport.requests.Request())  # type: ignore[no-untyped-call]
        return {"Authorization": f"Bearer {self.credentials.token}"}

    @contextmanager
    def _entered(self, service: str) -> Iterator[None]:
        assert service in self.addresses, f"{self.name} has no {service} here"  # or the client asks the real one
        # the clients read the environment when they are made; other suites of this process have their own
        with pytest.MonkeyPatch.context() as patch:
            for name in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"):
                patch.delenv(name, raising=False)
            for name, address in self.environment.items():
                patch.setenv(name, address)
            yield


@contextmanager
def local(data: Path) -> Iterator[Target]:
    """Start a local cloud as its users do, and stop it afterwards."""
    _localcloud("up", "--no-prefect", data)
    try:
        addresses = supervisor.addresses_of(data)
        services = {name: addresses[name] for name in ("storage", "bigquery")}
        yield Target("local", "local", services, _anonymous(), environment.variables(data, addresses, os.environ))
    finally:
        _localcloud("down", data)


def stock(name: str, options: Mapping[str, Any]) -> Target:
    """Return a stock emulator that somebody started: `options` are --address, --storage-address and --project."""
    if not options["address"]:
        raise pytest.UsageError(f"--target={name}: no address, expected --address=http://127.0.0.1:<port>")
    if name == "gcp-storage-emulator":
        addresses = {"storage": options["address"]}
    else:
        storage_address = options["storage_address"]
        addresses = {"bigquery": options["address"], **({"storage": storage_address} if storage_address else {})}
    return Target(name, options["project"] or "local", addresses, _anonymous())


def cloud(options: Mapping[str, Any]) -> Target:
    """Return a real project, by the application default credentials; what the cases make there, they remove."""
    if not options["project"]:
        raise pytest.UsageError("--target=cloud: no project, expected --project=<a project made for this>")
    credentials, _ = google.auth.default(scopes=_SCOPES)
    return Target("cloud", options["project"], _CLOUD_ADDRESSES, credentials)


def _localcloud(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "localcloud", *arguments[:-1], "--data", arguments[-1]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def _anonymous() -> Credentials:
    return AnonymousCredentials()  # type: ignore[no-untyped-call]

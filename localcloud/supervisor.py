"""Start, watch and stop the services of a data folder.

Everything goes by the pid files: what a killed command left is found there and stopped before anything is started.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from localcloud import environment, groups
from localcloud.lock import Lock
from localcloud.services import CLOUD, SERVICES, Service, address, unwell
from localcloud.signals import handled_by
from localcloud.state import Identity, LocalCloudError, Record, State

# Prefect's first start on a slow machine, which also makes its database, was seen to take 18 s, and ten times that
# beside twenty processes that want the same two cores.
START_TIMEOUT_S = 240.0
# How long a service that runs may be too busy to answer before it is started anew.
BUSY_TIMEOUT_S = 15.0
LOG_LINES = 20
_POLL_S = 0.05
# the pid files of what runs on the local Cloud Run: its containers, and the processes that keep them
CONTAINERS = ("container-", "execution-")
_NAMES = frozenset(service.name for service in SERVICES)


@dataclass(frozen=True, slots=True)
class Health:
    """One address, and what is wrong with it; None if it answers as it should."""

    name: str
    address: str
    problem: str | None


def health(data: Path) -> list[Health]:
    """Ask every address that a pid file of `data` names, in the order of the services."""
    state = State(data)
    records = {record.name: record for record in state.records()}
    report = []
    for service in SERVICES:
        if record := records.get(service.name):
            alive = record.identity.process() is not None
            sick = unwell(service, record.addresses) if alive else list(record.addresses)
            problem = "does not answer" if alive else f"ended; see {_log(state, service)}"
            report += [
                Health(name, where, problem if name in sick else None) for name, where in record.addresses.items()
            ]
    return report


def addresses_of(data: Path) -> dict[str, str]:
    """Return the addresses of the services that run, by name; those of dead processes are left out."""
    return {
        name: where
        for record in State(data).records()
        if record.identity.process()
        for name, where in record.addresses.items()
    }


def up(data: Path, wanted: Sequence[Service]) -> list[str]:
    """Start what is not running of the wanted services and let it run for itself.

    Returns:
        The names of what was started.

    Raises:
        LocalCloudError: a service did not come up; what was started is stopped.
    """
    state = State(data)
    with Lock(state.run, "up"), _leaving_nothing(state):
        started = _start_missing(state, wanted)
        for record in started:
            state.write(replace(record, owner=None))
    return [record.name for record in started]


def down(data: Path) -> list[str]:
    """Stop every service and return the names of those that ran."""
    state = State(data)
    if not state.run.is_dir():
        return []
    with Lock(state.run, "down"):
        services = [record for record in state.records() if record.name in _NAMES]
        running = [record.name for record in services if record.identity.process()]
        _stop_with_containers(state, services + _orphans(state))
    return running


@contextmanager
def running(data: Path, wanted: Sequence[Service], doing: str) -> Iterator[list[str]]:
    """Have the wanted services running for the length of a `with`, and yield the names of those started for it.

    Those that `up` started stay as they are; the others are started, and stopped however the block ends. Whoever
    else wants to start or stop something in `data` meanwhile is told to wait.

    Raises:
        LocalCloudError: a service did not come up, or another command has the data folder; nothing is left.
    """
    state = State(data)
    if _belongs_to_ancestor(state, wanted):
        yield []
        return
    with Lock(state.run, doing) as lock, _leaving_nothing(state):
        started = _start_missing(state, wanted)
        if started:
            lock.keep()
        else:
            lock.release()
        try:
            yield [record.name for record in started]
        finally:  # here by what is remembered: somebody may have removed the data folder and the pid files with it
            _stop_with_containers(state, started)


@contextmanager
def _leaving_nothing(state: State) -> Iterator[None]:
    """Stop at the end what this process still owns, by the pid files: what is being started is there already."""
    try:
        yield
    finally:
        me = Identity.of(os.getpid())
        _stop_with_containers(state, [record for record in state.records() if record.owner == me])


def _start_missing(state: State, wanted: Sequence[Service]) -> list[Record]:
    """Start the wanted services that do not answer, all at once, and wait until they do."""
    _stop_with_containers(state, _orphans(state))
    records = {record.name: record for record in state.records()}
    missing = [service for service in wanted if not _works(service, records.get(service.name))]
    _stop(state, [records[service.name] for service in missing if service.name in records])
    (state.data / "gcloud").mkdir(parents=True, exist_ok=True)  # CLOUDSDK_CONFIG, with no account in it
    (state.data / ".gitignore").write_text("*\n")  # in whosever project it lies, it is not committed
    started = {service.name: _start(state, service) for service in missing}
    _wait(state, missing, started)
    return list(started.values())


def _start(state: State, service: Service) -> Record:
    ports = service.choose_ports(state.ports())
    state.keep_ports(ports)
    addresses = {name: address(port) for name, port in ports.items()}
    program = groups.Program(
        command=service.command(state.data, ports),
        folder=service.folder(state.data),
        environment=environment.for_service(state.data, addresses, os.environ),
        log=_log(state, service),
    )
    return groups.start(state, service.name, program, addresses)


def _wait(state: State, services: Sequence[Service], records: dict[str, Record]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    pending = list(services)
    while pending:
        for service in pending:
            if records[service.name].identity.process() is None:
                raise LocalCloudError(_failure(state, service, "ended while it was starting"))
            if time.monotonic() > deadline:
                raise LocalCloudError(_failure(state, service, f"did not answer within {START_TIMEOUT_S:.0f} s"))
        pending = [service for service in pending if unwell(service, records[service.name].addresses)]
        if pending:
            time.sleep(_POLL_S)


def _works(service: Service, record: Record | None) -> bool:
    """Say whether a service answers; a living one that is busy gets time to."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while record is not None and record.identity.process():
        if not unwell(service, record.addresses):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return False


def _orphans(state: State) -> list[Record]:
    """Return what killed commands left: services that nobody else will stop, commands that nobody waits for."""
    return [record for record in state.records() if record.owner is not None and record.owner.process() is None]


def _belongs_to_ancestor(state: State, wanted: Sequence[Service]) -> bool:
    """Say whether this command runs under the one that started the services."""
    owners = {record.name: record.owner for record in state.records()}
    ancestors = {process.pid for process in psutil.Process().parents()}
    return all((owner := owners.get(service.name)) and owner.pid in ancestors and owner.process() for service in wanted)


def _stop_with_containers(state: State, records: Sequence[Record]) -> None:
    """Stop services, and with the cloud all that runs on it; one that is only started anew leaves that running."""
    _stop(state, records)
    if CLOUD.name in {record.name for record in records}:  # now nothing can start another
        _stop(state, [record for record in state.records() if record.name.startswith(CONTAINERS)])


def _stop(state: State, records: Sequence[Record]) -> None:
    with handled_by(signal.SIG_IGN):  # it is bounded, and a second Ctrl-C must not leave half of them
        groups.stop(state, records)


def _log(state: State, service: Service) -> Path:
    return state.data / "logs" / f"{service.name}.log"


def _failure(state: State, service: Service, what: str) -> str:
    log = _log(state, service)
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n  ".join([f"{service.name}: {what}; everything that was started is stopped. The end of {log}:", *lines])

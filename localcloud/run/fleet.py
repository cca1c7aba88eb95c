"""The jobs and executions of a data folder, and what is kept of them."""

import os
import secrets as chance
import shutil
import signal
import string
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from localcloud import groups
from localcloud.rest import Refused
from localcloud.run import resources
from localcloud.run.launch import NotLaunched, Place, launch
from localcloud.run.outcome import LOST, Outcome, cancel, delete, deleted, read_outcome, write_outcome
from localcloud.secrets.store import Secrets
from localcloud.state import Identity, read_json, replace_json

Json = dict[str, Any]
CREATOR = "local@localhost"
BEGIN_S = 30.0  # an execution that was not started by then never will be
_LETTERS = string.ascii_lowercase + string.digits


class Fleet:
    """The jobs of all projects and locations. All methods raise Refused, with nothing changed."""

    def __init__(self, place: Place, secrets: Secrets) -> None:
        self._place = place
        self._secrets = secrets
        self._lock = threading.RLock()

    def create(self, parent: str, job: str, given: Json) -> Json:
        """Make a job."""
        resources.check_id(job)
        name = f"{parent}/jobs/{job}"
        now = time.time()
        stamp = resources.stamp(now)
        made = {
            **given,
            "name": name,
            "uid": str(uuid.uuid4()),
            "generation": "1",
            "observedGeneration": "1",
            "createTime": stamp,
            "updateTime": stamp,
            "creator": CREATOR,
            "lastModifier": CREATOR,
            "launchStage": given.get("launchStage", "GA"),
            "template": resources.completed(given.get("template", {})),
            "executionCount": 0,
            "latestCreatedExecution": {},
            "etag": _etag(),
            "made": now,
        }
        with self._lock:
            path = self._job_path(name)
            if path.exists():
                raise Refused("ALREADY_EXISTS", f"Resource '{job}' already exists.")
            replace_json(path, made)
        return self._show_job(made)

    def job(self, name: str) -> Json:
        """Return a job as it is now."""
        return self._show_job(self._job(name))

    def jobs(self, parent: str) -> list[Json]:
        """Return the jobs of a location by their names."""
        found = (read_json(path) for path in sorted(self._job_path(f"{parent}/jobs/x").parent.glob("*.json")))
        return [self._show_job(each) for each in found if each is not None]

    def delete(self, name: str) -> Json:
        """Remove a job, and end and remove its executions."""
        with self._lock:
            shown = self.job(name)
            for execution in list(self._kept_executions(name)):
                self._remove(execution)
            self._job_path(name).unlink()
        return {**shown, "deleteTime": resources.stamp(time.time())}

    def run(self, name: str, overrides: Json) -> Json:
        """Start an execution of a job."""
        with self._lock:
            job = self._job(name)
            shown = self._show_job(job)
            if shown["terminalCondition"]["state"] != "CONDITION_SUCCEEDED":
                raise Refused("FAILED_PRECONDITION", f"Job '{_last(name)}' is not ready and cannot be run.")
            execution = self._made(job, overrides)
            job["executionCount"] += 1
            job["latestCreatedExecution"] = {"name": execution["name"], "createTime": execution["createTime"]}
            replace_json(self._job_path(name), job)
            self._start(execution)
        return self._show(execution)

    def execution(self, name: str) -> Json:
        """Return an execution as it is now."""
        return self._show(self._execution(name))

    def executions(self, job: str) -> list[Json]:
        """Return a job's executions, the newest first."""
        found = sorted(self._kept_executions(job), key=lambda kept: float(kept["made"]), reverse=True)
        return [self._show(kept) for kept in found]

    def cancel(self, name: str) -> Json:
        """Ask for the end of an execution: SIGTERM, and SIGKILL ten seconds later."""
        shown = self.execution(name)
        if "completionTime" in shown:
            raise Refused("FAILED_PRECONDITION", f"Execution '{_last(name)}' has already completed.")
        cancel(self._place.folder(name))
        return shown

    def delete_execution(self, name: str) -> Json:
        """Remove an execution; one that runs is ended."""
        with self._lock:
            shown = self.execution(name)
            self._remove(self._execution(name))
        return {**shown, "deleteTime": resources.stamp(time.time())}

    def _made(self, job: Json, overrides: Json) -> Json:
        name = f"{_last(job['name'])[:57]}-{''.join(chance.choice(_LETTERS) for _ in range(5))}"
        template = resources.overridden(job["template"]["template"], overrides)
        now = time.time()
        made = {
            "name": f"{job['name']}/executions/{name}",
            "uid": str(uuid.uuid4()),
            "generation": "1",
            "observedGeneration": "1",
            "labels": job["template"].get("labels", {}),
            "annotations": job["template"].get("annotations", {}),
            "createTime": resources.stamp(now),
            "updateTime": resources.stamp(now),
            "creator": CREATOR,
            "job": job["name"],
            "parallelism": 1,
            "taskCount": 1,
            "template": template,
            "launchStage": job["launchStage"],
            "logUri": self._place.log(name).as_uri(),
            "etag": _etag(),
            "made": now,
        }
        folder = self._place.folder(made["name"])
        folder.mkdir(mode=0o700, parents=True)
        replace_json(folder / "execution.json", made)
        return made

    def _start(self, execution: Json) -> None:
        """Give an execution its keeper, or write down why it cannot have one."""
        try:
            launch(self._place, self._secrets, execution)
        except NotLaunched as refused:
            execution["refused"] = refused.condition
            replace_json(self._place.folder(execution["name"]) / "execution.json", execution)

    def _remove(self, execution: Json) -> None:
        folder = self._place.folder(execution["name"])
        cancel(folder)
        delete(folder)
        if "completionTime" in self._show(execution):
            shutil.rmtree(folder, ignore_errors=True)

    def _show(self, kept: Json) -> Json:
        return resources.execution(kept, None if "refused" in kept else self._judged(kept))

    def _judged(self, kept: Json) -> Outcome | None:
        """Return how far an execution has come; one whose keeper has died has failed, and its container is ended."""
        folder = self._place.folder(kept["name"])
        outcome = read_outcome(folder)
        if outcome is None:  # the API died before it had started the keeper
            if time.time() - kept["made"] < BEGIN_S:
                return None
            outcome = Outcome(keeper=Identity.of(os.getpid()), started=kept["made"])
        elif outcome.ended is not None or outcome.keeper.process():
            return outcome
        else:
            outcome = read_outcome(folder) or outcome  # it may have ended between the two looks
            if outcome.ended is not None:
                return outcome
        if outcome.container and outcome.container.process():
            groups.signal_group(outcome.container.pid, signal.SIGKILL)
        lost = replace(outcome, reason=LOST, ended=time.time(), container=None, exit_code=1)
        write_outcome(folder, lost)
        return lost

    def _show_job(self, kept: Json) -> Json:
        latest = None
        if name := kept["latestCreatedExecution"].get("name"):
            found = self._found(name)
            latest = found and self._show(found)
        reference = kept["template"]["template"]["containers"][0]["image"]
        return resources.job(kept, latest, None if self._place.images.find(reference) else reference)

    def _job(self, name: str) -> Json:
        kept = read_json(self._job_path(name))
        if kept is None:
            _projects, project, _locations, location, _jobs, job = name.split("/")
            raise Refused(
                "NOT_FOUND",
                f"Resource '{job}' of kind 'JOB' in region '{location}' in project '{project}' does not exist.",
            )
        return kept

    def _execution(self, name: str) -> Json:
        kept = self._found(name)
        if kept is None:
            _projects, project, _locations, location, *_job, execution = name.split("/")
            raise Refused(
                "NOT_FOUND",
                f"Resource '{execution}' of kind 'EXECUTION' in region '{location}' in project '{project}' does not "
                "exist.",
            )
        return kept

    def _found(self, name: str) -> Json | None:
        folder = self._place.folder(name)
        kept = read_json(folder / "execution.json")
        return None if kept is None or kept["name"] != name or deleted(folder) else kept

    def _kept_executions(self, job: str) -> Iterator[Json]:
        for path in self._place.executions.glob(f"{_last(job)[:57]}-?????/execution.json"):
            kept = read_json(path)
            if kept is not None and kept["job"] == job and not deleted(path.parent):
                yield kept

    def _job_path(self, name: str) -> Path:
        _projects, project, _locations, location, _jobs, job = name.split("/")
        return self._place.jobs / project / location / f"{job}.json"


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _etag() -> str:
    return f'"{uuid.uuid4().hex}"'

"""How an execution gets its container: what it is to run, with which environment, under which keeper."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localcloud.run import resources
from localcloud.run.environment import MissingSecret, resolved
from localcloud.run.images import Images
from localcloud.run.order import GRACE_S, Order
from localcloud.run.outcome import Outcome, write_outcome
from localcloud.secrets.store import Secrets
from localcloud.state import Identity

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]  # where `-m localcloud` is found, installed or not


class NotLaunched(Exception):
    """An execution has failed before it had a container; `condition` says why, as Cloud Run does."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.condition = {"state": "CONDITION_FAILED", "reason": reason, "message": message}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one local cloud keeps its executions, and what every container of it gets beside its own environment.

    `network` stands for what a container on Google Cloud has by its network: where Google's services answer. `grace_s`
    is the time between SIGTERM and SIGKILL.
    """

    data: Path
    network: Mapping[str, str]
    grace_s: float = GRACE_S

    @property
    def jobs(self) -> Path:
        """The folder with a file for each job."""
        return self.data / "cloudrun" / "jobs"

    @property
    def executions(self) -> Path:
        """The folder with a folder for each execution."""
        return self.data / "cloudrun" / "executions"

    @property
    def logs(self) -> Path:
        """The folder with what the containers said."""
        return self.data / "logs" / "run"

    def folder(self, execution: str) -> Path:
        """Return the folder of an execution, by its name."""
        return self.executions / execution.rpartition("/")[2]

    def log(self, execution: str) -> Path:
        """Return the file that takes what an execution's container says, by the last word of its name."""
        return self.logs / f"{execution}.log"

    @property
    def images(self) -> Images:
        """The images that are known."""
        return Images(self.data / "images.json")


def launch(place: Place, secrets: Secrets, execution: Json) -> None:
    """Start an execution's container.

    Raises:
        NotLaunched: its image or a secret is not there; nothing was started.
    """
    place.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        order = _order(place, secrets, execution)
    except NotLaunched as refused:
        place.log(execution["name"].rpartition("/")[2]).write_text(f"localcloud: {refused}\n")
        raise
    _keep(order)


def _order(place: Place, secrets: Secrets, execution: Json) -> Order:
    name, task = execution["name"].rpartition("/")[2], execution["template"]
    container = task["containers"][0]
    image = place.images.find(container["image"])
    if image is None:
        raise NotLaunched("CONTAINER_MISSING", resources.no_image(container["image"]))
    try:
        declared = resolved(container.get("env", []), execution["name"].split("/")[1], secrets)
    except MissingSecret as error:
        raise NotLaunched("SECRETS_ACCESS_CHECK_FAILED", str(error)) from error
    return Order(
        execution=name,
        data=str(place.data),
        folder=str(place.folder(name)),
        log=str(place.log(name)),
        arguments=[*container.get("command", []), *container.get("args", [])],
        working_folder=container.get("workingDir", image.folder),
        environment={
            **image.variables(),
            **place.network,
            **declared,
            "CLOUD_RUN_JOB": execution["job"].rpartition("/")[2],
            "CLOUD_RUN_EXECUTION": name,
            "CLOUD_RUN_TASK_INDEX": "0",
            "CLOUD_RUN_TASK_COUNT": "1",
        },
        memory_bytes=resources.memory_bytes(container["resources"]["limits"]["memory"]),
        timeout_s=resources.seconds(task["timeout"]),
        attempts=task["maxRetries"] + 1,
        grace_s=place.grace_s,
    )


def _keep(order: Order) -> None:
    """Start an execution's keeper; a thread takes its exit code, so that no zombie stays."""
    with Path(order.log).open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-P", "-m", "localcloud.run.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
    # from here on the execution fails if the keeper dies
    write_outcome(Path(order.folder), Outcome(Identity.of(keeper.pid), time.time()))
    if keeper.stdin is not None:  # always: it was started with a pipe
        with suppress(BrokenPipeError), keeper.stdin as pipe:
            pipe.write(json.dumps(asdict(order)).encode())
    threading.Thread(target=keeper.wait, daemon=True, name=f"reap {order.execution}").start()

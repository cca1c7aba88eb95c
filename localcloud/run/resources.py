"""Jobs and executions as Cloud Run's API shows them.

Source: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs
"""

import datetime as dt
import re
import time
from typing import Any

from localcloud.rest import Refused
from localcloud.run.outcome import CANCELLED, MEMORY, NOT_FOUND, SUCCEEDED, TIMEOUT, Outcome

Json = dict[str, Any]
SETTLE_S = 0.2  # a new job is reconciled for so long; on Cloud Run it takes a second or two
DEFAULT_TIMEOUT = "600s"
DEFAULT_RETRIES = 3
DEFAULT_LIMITS = {"cpu": "1000m", "memory": "512Mi"}
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(r"(\d+)(k|M|G|T|Ki|Mi|Gi|Ti)?")
_ID = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")

# what Cloud Run says of a task that failed, seen in others' logs of failed executions
_MESSAGES = {
    MEMORY: "The configured memory limit was reached.",
    TIMEOUT: "The configured timeout was reached.",
    NOT_FOUND: "Application exec likely failed",
}
_EXITED = "The container exited with an error."
_CONDITION_FAILED, _CONDITION_SUCCEEDED = "CONDITION_FAILED", "CONDITION_SUCCEEDED"
_RECONCILING = "CONDITION_RECONCILING"


def check_id(job: str) -> None:
    """Refuse a name that Cloud Run would refuse."""
    if not _ID.fullmatch(job):
        raise Refused(
            "INVALID_ARGUMENT",
            f"Invalid jobId {job!r}: only lowercase, digits, and hyphens; must begin with letter, and cannot end with "
            "hyphen; must be less than 64 characters.",
        )


def completed(template: Json) -> Json:
    """Return an execution template with Cloud Run's defaults.

    Raises:
        Refused: it cannot be run.
    """
    if not template.get("template"):
        raise Refused("INVALID_ARGUMENT", "job.template.template: is required")
    task = template["template"]
    containers = task.get("containers") or []
    if len(containers) != 1 or not containers[0].get("image"):
        raise Refused("INVALID_ARGUMENT", "job.template.template.containers: expected one with an image")
    if int(template.get("taskCount", 1)) != 1:
        raise Refused(
            "UNIMPLEMENTED",
            f"run.projects.locations.jobs: the field template.taskCount = {template['taskCount']} is not part of the "
            "local Cloud Run",
        )
    container = containers[0]
    limits = {**DEFAULT_LIMITS, **container.get("resources", {}).get("limits", {})}
    memory_bytes(limits["memory"])
    return {
        **template,
        "parallelism": 1,
        "taskCount": 1,
        "template": {
            **task,
            "maxRetries": int(task.get("maxRetries", DEFAULT_RETRIES)),
            "timeout": task.get("timeout", DEFAULT_TIMEOUT),
            "containers": [{**container, "resources": {**container.get("resources", {}), "limits": limits}}],
        },
    }


def memory_bytes(quantity: str) -> int:
    """Read a limit as Kubernetes writes it: 512Mi, 1G."""
    found = _QUANTITY.fullmatch(quantity)
    if not found:
        raise Refused("INVALID_ARGUMENT", f"Invalid value specified for memory: {quantity!r}.")
    return int(found[1]) * _UNITS[found[2] or ""]


def seconds(duration: str) -> float:
    """Read a duration as protobuf's JSON writes it: 600s."""
    return float(duration.removesuffix("s"))


def stamp(seconds_since_1970: float) -> str:
    """Write a time as protobuf's JSON does."""
    return dt.datetime.fromtimestamp(seconds_since_1970, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def job(kept: Json, latest: Json | None, missing_image: str | None) -> Json:
    """Show a job; it is ready when it was reconciled, if its image is there.

    Args:
        kept: what of it is kept, `made` among it, in seconds since 1970.
        latest: its last execution, if it is still there.
        missing_image: the reference of an image that is not known.
    """
    shown = {name: value for name, value in kept.items() if name != "made"}
    settled = time.time() - kept["made"] >= SETTLE_S
    state = _CONDITION_SUCCEEDED if settled else _RECONCILING
    condition: Json = {"type": "Ready", "state": state, "lastTransitionTime": kept["createTime"]}
    if settled and missing_image is not None:
        condition |= {
            "state": _CONDITION_FAILED,
            "reason": "CONTAINER_MISSING",
            "message": no_image(missing_image),
        }
    if latest is not None:
        status = latest["conditions"][0]
        states = {_CONDITION_SUCCEEDED: "EXECUTION_SUCCEEDED", _RECONCILING: "EXECUTION_RUNNING"}
        said = states.get(status["state"], "EXECUTION_FAILED")
        shown["latestCreatedExecution"] = {
            **kept["latestCreatedExecution"],
            "completionStatus": "EXECUTION_CANCELLED" if status.get("executionReason") == "CANCELLED" else said,
            **({"completionTime": latest["completionTime"]} if "completionTime" in latest else {}),
        }
    return {**shown, "reconciling": not settled, "terminalCondition": condition}


def no_image(reference: str) -> str:
    """Say as Cloud Run that there is no such image."""
    return f"Image '{reference}' not found."


def execution(kept: Json, outcome: Outcome | None) -> Json:
    """Show an execution, as far as its container has come."""
    name = kept["name"].rpartition("/")[2]
    if refused := kept.get("refused"):  # it could not be started
        return _ended(
            {key: value for key, value in kept.items() if key != "refused"}, kept["made"], refused, "failedCount"
        )
    shown = dict(kept)
    if outcome is None or outcome.ended is None:
        started = {"startTime": stamp(outcome.started)} if outcome else {}
        condition = {"type": "Completed", "state": _RECONCILING, "lastTransitionTime": kept["createTime"]}
        return _shown({**shown, **started, "runningCount": 1, "reconciling": True, "conditions": [condition]})
    shown["startTime"] = stamp(outcome.started)
    if outcome.attempts > 1:
        shown["retriedCount"] = 1
    if outcome.reason == SUCCEEDED:
        took = outcome.ended - outcome.started
        text = f"Execution completed successfully in {took:.2f}s."
        condition = {"state": _CONDITION_SUCCEEDED, "message": text}
        return _ended(shown, outcome.ended, condition, "succeededCount")
    if outcome.reason == CANCELLED:
        condition = {"state": _CONDITION_FAILED, "message": "Execution cancelled.", "executionReason": "CANCELLED"}
        return _ended(shown, outcome.ended, condition, "cancelledCount")
    said = _MESSAGES.get(outcome.reason, _EXITED)
    code = 0 if outcome.reason in {MEMORY, TIMEOUT} else outcome.exit_code
    condition = {
        "state": _CONDITION_FAILED,
        "message": f"Task {name}-task0 failed with exit code: {code} and message: {said}",
        "executionReason": "NON_ZERO_EXIT_CODE",
    }
    return _ended(shown, outcome.ended, condition, "failedCount")


def _ended(shown: Json, ended: float, condition: Json, counter: str) -> Json:
    whole = {"type": "Completed", "lastTransitionTime": stamp(ended), **condition}
    return _shown({**shown, counter: 1, "completionTime": stamp(ended), "conditions": [whole]})


def _shown(execution: Json) -> Json:
    return {name: value for name, value in execution.items() if name != "made"}


def overridden(task: Json, overrides: Json) -> Json:
    """Return a task template with what one run wants otherwise: variables are merged, arguments replaced."""
    container = task["containers"][0]
    for override in overrides.get("containerOverrides", [])[:1]:
        variables = {each["name"]: each for each in [*container.get("env", []), *override.get("env", [])]}
        container = {**container, **({"env": list(variables.values())} if variables else {})}
        if override.get("clearArgs"):
            container = {name: value for name, value in container.items() if name != "args"}
        if override.get("args"):
            container = {**container, "args": override["args"]}
    return {**task, "containers": [container], "timeout": overrides.get("timeout", task["timeout"])}

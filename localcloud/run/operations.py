"""Long-running operations: what was asked for, and whether it is done.

Source: https://google.aip.dev/151, https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.operations
"""

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.rest import Refused
from localcloud.run.fleet import Fleet
from localcloud.state import read_json, replace_json

Json = dict[str, Any]
JOB, EXECUTION = "Job", "Execution"
_ID = re.compile(r"[0-9a-f-]{36}")
_TYPE = "type.googleapis.com/google.cloud.run.v2."


class Operations:
    """The operations of one data folder."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self._folder = folder
        self._shown: dict[str, Callable[[str], Json]] = {JOB: fleet.job, EXECUTION: fleet.execution}

    def begin(self, parent: str, kind: str, resource: Json) -> Json:
        """Note that a resource was made, is to run or is to be gone, and return the operation.

        Args:
            parent: project and location.
            kind: JOB or EXECUTION.
            resource: as it is shown now; with a deleteTime it is done at once.
        """
        name = f"{parent}/operations/{uuid.uuid4()}"
        kept = {"name": name, "kind": kind, "resource": resource}
        replace_json(self._path(name), kept)
        return self._show(kept)

    def get(self, name: str) -> Json:
        """Return an operation as it is now.

        Raises:
            Refused: there is none.
        """
        path = self._path(name)
        kept = read_json(path)
        if kept is None or kept["name"] != name:
            raise Refused("NOT_FOUND", f"Operation {name} not found.")
        return self._show(kept)

    def _show(self, kept: Json) -> Json:
        kind, resource = kept["kind"], kept["resource"]
        if "deleteTime" not in resource:
            try:
                resource = self._shown[kind](resource["name"])
            except Refused:  # deleted since
                resource = {**resource, "deleteTime": resource["createTime"]}
        said = {"@type": f"{_TYPE}{kind}", **resource}
        shown: Json = {"name": kept["name"], "metadata": said, "done": _done(kind, resource)}
        condition = (resource.get("conditions") or [resource.get("terminalCondition", {})])[0]
        if shown["done"] and condition.get("state") == "CONDITION_FAILED" and "deleteTime" not in resource:
            shown["error"] = {"code": 9, "message": condition.get("message", "")}
        elif shown["done"]:
            shown["response"] = said
        return shown

    def _path(self, name: str) -> Path:
        identity = name.rpartition("/")[2]
        if not _ID.fullmatch(identity):
            raise Refused("NOT_FOUND", f"Operation {name} not found.")
        return self._folder / f"{identity}.json"


def _done(kind: str, resource: Json) -> bool:
    if "deleteTime" in resource:
        return True
    return "completionTime" in resource if kind == EXECUTION else not resource["reconciling"]

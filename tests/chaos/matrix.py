"""Which faults are played at which boundaries: all that can happen there."""

from tests.chaos.boundaries import BOUNDARIES, PREFECT, PUBLISHER, STORAGE, WAREHOUSE, Boundary
from tests.chaos.faults import Fault, Kind
from tests.chaos.scenario import Scenario

ANYWHERE: tuple[Kind, ...] = ("SIGKILL", "SIGTERM", "reset", "stall")
ONCE: tuple[Kind, ...] = ("429 once", "500 once", "503 once")
ALWAYS: tuple[Kind, ...] = ("429 always", "500 always", "503 always")
# a lasting refusal of what only saves work, or is not asked for, is no failure of the run
NOT_LASTING = {"look at the source", "task state reported"}
CHECKSUMS = {"request", "last part"}
TRUNCATED = {"middle of body", "claim", "last part", "finalised", "job sent", "job done", "rows counted", "ledger written"}
PAUSED = {
    "request", "last part", "finalised", "second look", "claim", "superseded object copied",
    "superseded object deleted", "older job waited for", "job sent", "job running", "job done", "rows counted",
    "ledger written",
}  # fmt: skip


def scenarios() -> list[Scenario]:
    """Give the whole matrix, in the chain's order."""
    return [Scenario(boundary, fault) for boundary in BOUNDARIES for fault in _faults(boundary)]


def _faults(boundary: Boundary) -> list[Fault]:
    if boundary.hop == PREFECT and boundary.name == "task state reported":
        return [Fault("SIGKILL", "before"), Fault("SIGKILL", "after"), Fault("SIGTERM", "before"), Fault("reset", "before")]
    inside = boundary.at is not None
    middle = boundary.name == "middle of body"
    found = [Fault(kind, "before") for kind in ANYWHERE]
    if not middle:
        found += [Fault(kind, "after") for kind in ANYWHERE]
    if boundary.name in PAUSED:
        found += [Fault("pause", "before"), Fault("pause", "after")]
    if not inside and not boundary.answers:
        found += [Fault(kind, "before") for kind in ONCE]
        if boundary.name not in NOT_LASTING:
            found += [Fault(kind, "before") for kind in ALWAYS]
    if boundary.name in TRUNCATED:
        found.append(Fault("truncated", "after" if not middle else "before"))
    if boundary.name in CHECKSUMS:
        found.append(Fault("checksum", "after"))
    return found


__all__ = ["PUBLISHER", "STORAGE", "WAREHOUSE", "scenarios"]

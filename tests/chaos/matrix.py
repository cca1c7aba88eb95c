"""Which faults are played at which boundaries: all that can happen there."""

from collections import Counter

from tests.chaos.boundaries import BOUNDARIES, BY_NAME, PREFECT, Boundary
from tests.chaos.faults import Fault, Kind, Phase
from tests.chaos.scenario import Scenario

ANYWHERE: tuple[Kind, ...] = ("SIGKILL", "SIGTERM", "reset", "stall")
ONCE: tuple[Kind, ...] = ("429 once", "500 once", "503 once")
SERVED: tuple[Kind, ...] = ("503 once",)  # the request was served, and its reply says that it was not
ALWAYS: tuple[Kind, ...] = ("429 always", "500 always", "503 always")
# a lasting refusal of what only saves work, or is not asked for, is no failure of the run
PHASES: tuple[Phase, ...] = ("before", "after")
NOT_LASTING = {"look at the source", "task state reported"}
CHECKSUMS = {"request", "last part"}
TRUNCATED = {
    "middle of body",
    "claim",
    "last part",
    "finalised",
    "job sent",
    "job done",
    "rows counted",
    "ledger written",
}
SHORT = {"request"}
TAKEN_BACK = {"claim", "superseded object copied", "job sent", "job done", "ledger written"}
TWINS = {"last part", "claim", "superseded object deleted", "job sent", "job running", "rows counted", "ledger written"}
PAUSED = {
    "request", "last part", "finalised", "second look", "claim", "superseded object copied",
    "superseded object deleted", "older job waited for", "job sent", "job running", "job done", "rows counted",
    "ledger written",
}  # fmt: skip


CLOUD_RESTARTED = {
    "upload part", "last part", "claim", "superseded object copied", "job sent", "job running", "rows counted",
    "ledger written",
}  # fmt: skip
PREFECT_RESTARTED = {"flow run begins", "job sent", "flow run ends"}
CLOCK_OFF = {"claim", "superseded object copied", "job sent", "ledger written"}
PLACED: tuple[tuple[set[str], tuple[Kind, ...]], ...] = (
    (PAUSED, ("overtaken",)),
    (TWINS, ("twin",)),
    (TAKEN_BACK, ("taken back", "killed, taken back")),
    (CLOUD_RESTARTED, ("cloud restarted",)),
    (PREFECT_RESTARTED, ("Prefect restarted",)),
    (CLOCK_OFF, ("clock ahead", "clock behind")),
)
SPOOLED: tuple[Kind, ...] = ("full disk", "truncated", "SIGKILL", "reset")  # of a ZIP, which is put on disk first


def scenarios() -> list[Scenario]:
    """Give the whole matrix, in the chain's order."""
    whole = [Scenario(boundary, fault) for boundary in BOUNDARIES for fault in _faults(boundary)]
    return whole + [Scenario(BY_NAME["middle of body"], Fault(kind, "before"), "zip") for kind in SPOOLED]


def sample() -> list[Scenario]:
    """Give the short version, always the same: every boundary and every kind of fault at least once."""
    left = {boundary.name for boundary in BOUNDARIES}
    kinds: Counter[str] = Counter()
    chosen: list[Scenario] = []
    whole = scenarios()
    for each in sorted(whole, key=lambda each: sum(other.fault.kind == each.fault.kind for other in whole)):
        if kinds[each.fault.kind] == 0 and (each.boundary.name in left or each.restarts or each.form == "zip"):
            kinds[each.fault.kind] += 1
            left.discard(each.boundary.name)
            chosen.append(each)
    for each in whole:
        if each.boundary.name in left and kinds[each.fault.kind] == min(
            kinds[other.fault.kind] for other in whole if other.boundary == each.boundary
        ):
            kinds[each.fault.kind] += 1
            left.discard(each.boundary.name)
            chosen.append(each)
    return chosen


def _faults(boundary: Boundary) -> list[Fault]:
    if boundary.hop == PREFECT and boundary.name == "task state reported":
        return [
            Fault("SIGKILL", "before"),
            Fault("SIGKILL", "after"),
            Fault("SIGTERM", "before"),
            Fault("reset", "before"),
        ]
    inside = boundary.at is not None
    middle = boundary.name == "middle of body"
    found = [Fault(kind, "before") for kind in ANYWHERE]
    if not middle:
        found += [Fault(kind, "after") for kind in ANYWHERE]
    if not inside and not boundary.answers:
        found += [Fault(kind, "before") for kind in ONCE]
        found += [Fault(kind, "after") for kind in SERVED]
        if boundary.name not in NOT_LASTING:
            found += [Fault(kind, "before") for kind in ALWAYS]
    if boundary.name in TRUNCATED:
        found.append(Fault("truncated", "after" if not middle else "before"))
    if boundary.name in SHORT:
        found.append(Fault("short file", "after"))
    if boundary.name in CHECKSUMS:
        found.append(Fault("checksum", "after"))
    for names, kinds in PLACED:
        if boundary.name in names:
            found += [Fault(kind, phase) for kind in kinds for phase in PHASES]
    return found

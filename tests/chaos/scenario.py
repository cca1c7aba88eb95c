"""One scenario: newer content over older, a fault while it lands, a repeat by another process, the judgement."""

import random
import re
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.chaos import content, judge
from tests.chaos.ambush import Ambush, Nothing
from tests.chaos.boundaries import HOPS, PREFECT, PUBLISHER, STORAGE, WAREHOUSE, Boundary
from tests.chaos.content import Content, Form
from tests.chaos.faults import Fault
from tests.chaos.judge import Verdict
from tests.chaos.own_cloud import OwnCloud
from tests.chaos.proxy import Proxy
from tests.chaos.reader import Reader
from tests.chaos.session import HOUR_S, HURRIED, LANDING, SMALL_DISK, Session
from tests.end_to_end.place import Place
from tests.end_to_end.runner import PATIENT_S, Run

INSIDE = ("first byte", "middle of body", "last byte")
RUN_AT_MOST_S = PATIENT_S  # a run that goes on hangs
HURRIED_PREFECT = {
    "PREFECT_API_REQUEST_TIMEOUT": "8",  # s; 60 by default
    "PREFECT_CLIENT_MAX_RETRIES": "2",  # 5 by default, and a minute until it gives up
}
NOT_FIRED = "the fault did not fire"
NOT_STRUCK = "nothing has struck yet"
# Prefect's server answers so by itself when SQLite has too much to do, to the last of six tries, too
NEVER_BEGAN = re.compile(r"Prefect: \S+ answered 503 [\w ]+ to POST /api/flow_runs/,")
GRACE_S = 10  # between SIGTERM and SIGKILL on Cloud Run


@dataclass(frozen=True, slots=True)
class Scenario:
    """A boundary, and a fault before or after it."""

    boundary: Boundary
    fault: Fault
    form: Form = "gzip"

    @property
    def restarts(self) -> bool:
        """Whether it needs a cloud of its own."""
        return self.fault.kind.endswith("restarted")

    @property
    def is_patient(self) -> bool:
        """Whether it waits most of its time."""
        return self.fault.is_lasting or self.fault.kind == "stall"

    @property
    def name(self) -> str:
        return f"{self.boundary.name}, {self.fault.phase}: {self.fault.kind}{' (ZIP)' if self.form == 'zip' else ''}"


@dataclass
class Outcome:
    """What became of a scenario. `by_itself` tells whether the faulted run came through without a repeat."""

    scenario: Scenario
    month: str
    fired: int = 0
    code: int | None = None
    repeat: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    verdict: Verdict | None = None
    text: str = ""
    final: Content | None = None
    lake: tuple[str, int] | None = None  # MD5 and length of what is left there

    @property
    def undecided(self) -> str:
        """Say why it shows nothing, neither that something holds nor that it does not; empty if it shows something."""
        if self.verdict and self.verdict.is_unseen and not self.wrong:
            return "no question of the reader fell into the load"
        if self.wrong and self.wrong[0].startswith(NOT_STRUCK):
            return self.wrong[0]
        if self.wrong and all(NEVER_BEGAN.search(self.text if why == NOT_FIRED else why) for why in self.wrong):
            return "Prefect's server, itself, took no run"
        return ""

    def told(self) -> str:
        """Say what went wrong, with the end of what the run said."""
        lines = [f"FAILED {self.scenario.name} ({self.month})", *(f"  {why}" for why in self.wrong)]
        return "\n".join([*lines, *(f"    | {line}" for line in self.text.splitlines()[-25:])])


@dataclass
class Lane:
    """An environment in which scenarios follow each other, a month each, and where its services are."""

    session: Session
    place: Place
    upstreams: dict[str, str]
    form: Form = "gzip"
    cloud: OwnCloud | None = None

    def __post_init__(self) -> None:
        # of one address over all scenarios: what a publisher said counts for the address that it said it at
        publisher = Proxy(self.session.loop, PUBLISHER, self.upstreams[PUBLISHER], Nothing())
        self.publisher = self.session.stack.enter_context(publisher)

    def land(self, first: str, last: str) -> None:
        """Land the older contents of these months."""
        self.session.land(self.place, self.form, first, last, LANDFALL_PUBLISHER=self.publisher.url)

    def settings(self, urls: dict[str, str]) -> dict[str, str]:
        """Give a run's environment, with these addresses."""
        return {
            **self.session.settings(self.form),
            "LANDFALL_PUBLISHER": urls[PUBLISHER],
            "STORAGE_EMULATOR_HOST": urls[STORAGE],
            "BIGQUERY_EMULATOR_HOST": urls[WAREHOUSE],
            "PREFECT_API_URL": f"{urls[PREFECT]}/api",
        }

    def content(self, month: str, version: str) -> Content:
        """Make a version of a month in this lane's form."""
        return content.make(month, version, self.form)


def play(lane: Lane, scenario: Scenario, month: str) -> Outcome:
    """Play one scenario through; whatever goes wrong is in the outcome."""
    began = time.monotonic()
    outcome = Outcome(scenario, month)
    old = lane.content(month, "A") if scenario.boundary.world == "re-published" else None
    new = lane.content(month, "B")
    with ExitStack() as stack:
        reader = Reader(lane.upstreams[WAREHOUSE], lane.place.dataset, month)
        trap = Ambush(scenario.boundary, scenario.fault, reader, lane.cloud.restart if lane.cloud else None)
        loop = lane.session.loop
        others = [hop for hop in HOPS if hop != PUBLISHER]
        urls = {hop: stack.enter_context(Proxy(loop, hop, lane.upstreams[hop], trap)).url for hop in others}
        urls[PUBLISHER] = lane.publisher.url
        lane.publisher.trap = trap
        stack.callback(setattr, lane.publisher, "trap", Nothing())
        stack.enter_context(reader)
        versions = [old, new]
        _Play(lane, scenario, outcome, trap, lane.settings(urls), new, versions).to_the_end()
        outcome.fired = trap.fired
        outcome.final = versions[-1]
        if not outcome.wrong:
            assert outcome.final
            outcome.verdict = judge.judge(lane.place, outcome.final, reader, versions)
            outcome.wrong += outcome.verdict.wrong
            outcome.wrong += judge.sweep_up(lane.place, month)
            outcome.lake = judge.lake_bytes(lane.place, month).get(month)
    outcome.seconds = time.monotonic() - began
    return outcome


@dataclass
class _Play:
    lane: Lane
    scenario: Scenario
    outcome: Outcome
    trap: Ambush
    settings: dict[str, str]
    _new: Content
    versions: list[Content | None]  # as they are published

    def to_the_end(self) -> None:
        """Run, be struck, repeat."""
        kind = self.scenario.fault.kind
        self.lane.session.serve(self._new)
        run = self._start_struck()
        self.trap.run = run
        if kind in ("overtaken", "taken back", "twin"):
            self._overtake(run, kind)
        else:
            self._end(run)
        self.outcome.code, self.outcome.text = run.code, run.text
        self._account(run)
        if not self.trap.fired:
            self.outcome.wrong.append(NOT_FIRED)
        if self.scenario.fault.is_lasting and run.code != 1:
            self.outcome.wrong.append(
                f"the run ended with {run.code} under a lasting fault, expected it to have failed"
            )
        # once it is finalised, what a landing cannot claim is for a sweep
        if self.scenario.boundary.name in ("request", *INSIDE) and run.code == 1:
            left = judge.unclaimed(self.lane.place, self._new.month)
            self.outcome.wrong += [f"the run failed of its source, and {name} is visible" for name in left]
        if kind == "killed, taken back":
            self._publish("A")
        self.trap.lifted = True
        judge.sweep_now(self.lane.place)  # at the worst of times, and of any age
        repeat = self._start()
        self._wait(repeat, "the repeat")
        if repeat.code != 0:
            self.outcome.wrong.append(f"the repeat ended with {repeat.code}: {repeat.last_line}")
            self.outcome.text += repeat.text
        self.outcome.repeat = repeat.last_line

    def _start(self, plant: str = LANDING, **settings: str) -> Run:
        return self.lane.place.start("parcels", self._new.month, plant=plant, **self.settings, **settings)

    def _start_struck(self) -> Run:
        match self.scenario.fault.kind:
            case "full disk":
                half = str(len(self._new.file) // 2)
                return self.lane.place.start(
                    "parcels", self._new.month, plant=SMALL_DISK, CHAOS_DISK_BYTES=half, **self.settings
                )
            case "clock ahead" | "clock behind" as kind:
                runner = self.lane.session.skewed(HOUR_S if kind == "clock ahead" else -HOUR_S)
                return runner.start(
                    "web_to_bigquery", "parcels", self._new.month, plant=LANDING,
                    **{**self.lane.place.settings, **self.settings},
                )  # fmt: skip
            case kind:
                # what waits for minutes is hurried, and nothing else: on a busy machine it would give up too soon
                if not self.scenario.is_patient:
                    return self._start()
                return self._start(HURRIED, **(HURRIED_PREFECT if self.scenario.boundary.hop == PREFECT else {}))

    def _account(self, run: Run) -> None:
        """Hold what the trap counted against what the run itself shows, where the fault is not the trap's."""
        match self.scenario.fault.kind:
            case "full disk":
                self.trap.fired = int("found no room for a temporary file" in run.text)
            case "clock ahead" | "clock behind" as kind:
                now = time.localtime(time.time() + (HOUR_S if kind == "clock ahead" else -HOUR_S))
                hours = {f"{(now.tm_hour - i) % 24:02d}:" for i in (0, 1) if i == 0 or now.tm_min < 3}
                if run.text[:3] not in hours:
                    self.outcome.wrong.append(f"the run's clock was not off: {run.text[:40]!r}")
            case "checksum" if self.scenario.boundary.hop == STORAGE:
                if sum("uploadType=resumable" in each and " POST " in each for each in self.trap.asked) < 2:
                    self.outcome.wrong.append("the wrong checksum was taken for the right one: nothing was sent again")

    def _end(self, run: Run) -> None:
        """Wait for the run's end; told to end, it has as long as Cloud Run gives it."""
        if self.scenario.fault.kind == "SIGTERM":
            self._until_struck(run)
            try:
                run.wait(GRACE_S)
            except TimeoutError:
                run.kill()
        self._wait(run, "the run")

    def _until_struck(self, run: Run) -> None:
        deadline = time.monotonic() + RUN_AT_MOST_S
        while not self.trap.fired and run.code is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def _wait(self, run: Run, what: str) -> None:
        """Wait for a process' end; one that hangs shows where, and is killed."""
        try:
            run.wait(RUN_AT_MOST_S)
        except TimeoutError:
            run.kill(signal.SIGUSR1)
            time.sleep(1)
            run.kill()
            run.wait()
            self.outcome.wrong.append(f"{what} hung for {RUN_AT_MOST_S} s:\n{run.text}")

    def _publish(self, version: str) -> None:
        """Let the publisher serve something else from now on."""
        newest = self.lane.content(self._new.month, version)
        self.versions.append(newest)
        self.lane.session.serve(newest)

    def _overtake(self, run: Run, kind: str) -> None:
        """While the run stands still, let another land newer content; then let it go on."""
        self._until_struck(run)
        if kind != "twin":
            self._publish("C" if kind == "overtaken" else "A")
        other = self._start()
        self._wait(other, "the process that overtook")
        if other.code != 0:
            self.outcome.wrong.append(f"the process that overtook ended with {other.code}: {other.last_line}")
            self.outcome.text += other.text
        self.lane.session.loop.loop.call_soon_threadsafe(self.trap.release.set)
        self._wait(run, "the process that was overtaken")
        if run.code != 0:
            self.outcome.wrong.append(f"the process that was overtaken ended with {run.code}: {run.last_line}")


def shuffled(scenarios: list[Scenario], seed: int) -> list[Scenario]:
    """Give the scenarios in an order that the seed makes."""
    return random.Random(seed).sample(scenarios, len(scenarios))

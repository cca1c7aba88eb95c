"""Generated schedules: publish, run, kill, race, sweep, drop the table, in any order, against a model of one month.

The model is what the publisher serves, and what the table may hold: after a run that came through exactly that, and at
all times one whole content of those that were published.
"""

# it says on the terminal which schedule it plays

from contextlib import ExitStack
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.chaos import judge
from tests.chaos.ambush import Ambush, Nothing
from tests.chaos.boundaries import BOUNDARIES, HOPS, PREFECT, PUBLISHER
from tests.chaos.content import Content, digest
from tests.chaos.faults import Fault
from tests.chaos.proxy import Proxy
from tests.chaos.reader import Reader
from tests.chaos.scenario import NEVER_BEGAN, RUN_AT_MOST_S, Lane
from tests.chaos.session import LANDING
from tests.end_to_end.runner import Run

STEPS = 8  # of one schedule, at most
KILLED_AT = [boundary.name for boundary in BOUNDARIES if boundary.hop != PREFECT]


def play(lane: Lane, seed: int, schedules: int) -> None:
    """Play that many schedules, which the seed makes; the one that fails is told by its steps.

    Raises:
        AssertionError: something did not hold.
    """
    if not schedules:
        return
    print(f"{schedules} schedules, seed {seed}", flush=True)

    class Machine(Schedule):
        pass

    Machine.lane = lane
    run_state_machine_as_test(
        hypothesis.seed(seed)(Machine),
        settings=settings(
            max_examples=schedules,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # each schedule takes a quarter of a minute: a shorter one is found by hand
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{schedules} schedules kept to the model", flush=True)


class Schedule(RuleBasedStateMachine):
    """One month and whoever lands it."""

    lane: Lane

    @initialize()
    def begin(self) -> None:
        self.month = self.lane.session.months(1)[0]
        self.versions = {name: self.lane.content(self.month, name) for name in "ABC"}
        self.published: list[Content] = []
        self.asked: dict[int, tuple[dict[str, str], tuple[str, ...]]] = {}  # what a run was started with, by its pid
        self.settled: Content | None = None  # what the last run that came through has landed
        self.stands: tuple[Content, Content] | None = None  # what was brought back, and over which that is served
        self._publish("A")

    @rule(version=st.sampled_from("ABC"))
    def publish(self, version: str) -> None:
        self._publish(version)

    @rule()
    def run(self) -> None:
        self._come_through([self._start({})])

    @rule(processes=st.integers(2, 4))
    def race(self, processes: int) -> None:
        self._come_through([self._start({}) for _ in range(processes)])

    @rule(processes=st.integers(2, 3), version=st.sampled_from("ABC"))
    def race_while_the_publisher_changes(self, processes: int, version: str) -> None:
        self._know_what_stands()
        runs = [self._start({}) for _ in range(processes)]
        self._publish(version)
        self._come_through([*runs, self._start({})], settles=False)
        self._come_through([self._start({})])

    @rule(boundary=st.sampled_from(KILLED_AT), phase=st.sampled_from(("before", "after")))
    def kill(self, boundary: str, phase: Any) -> None:
        self._know_what_stands()
        place = next(each for each in BOUNDARIES if each.name == boundary)
        with ExitStack() as stack:
            reader = stack.enter_context(Reader(self._warehouse, self.lane.place.dataset, self.month))
            trap = Ambush(place, Fault("SIGKILL", phase), reader)
            loop = self.lane.session.loop
            urls = {
                hop: stack.enter_context(Proxy(loop, hop, self.lane.upstreams[hop], trap)).url
                for hop in HOPS
                if hop != PUBLISHER
            }
            self.lane.publisher.trap = trap
            stack.callback(setattr, self.lane.publisher, "trap", Nothing())
            trap.run = self._start(self.lane.settings({**urls, PUBLISHER: self.lane.publisher.url}))
            code = trap.run.wait(RUN_AT_MOST_S)
        if _never_began(trap.run):
            return
        assert code == (-9 if trap.fired else 0), trap.run.text
        self.settled = None if trap.fired else self._expected()

    @precondition(lambda self: self.settled is not None)
    @rule(choice=st.integers(0, 99))
    def bring_back(self, choice: int) -> None:
        """Ask for the content of an older claim whose object is still kept."""
        kept = {name.rpartition("/")[2] for name in self.lane.place.objects(f"superseded/parcels/{self.month}/")}
        older = [c for c in self.lane.place.claims(self.month, "parcels") if c["lake_uri"].rpartition("/")[2] in kept]
        if not older:
            return
        wanted = older[choice % len(older)]
        content = next(each for each in self.published if each.sha256 == wanted["source_sha256"])
        self.stands = (content, self._served)
        self._come_through([self._start({}, "--as-of", str(wanted["n"]))])

    @rule()
    def sweep(self) -> None:
        judge.sweep_now(self.lane.place)

    @precondition(lambda self: self.settled is not None)
    @rule()
    def drop_the_table(self) -> None:
        self.lane.place.bigquery.delete_table(f"local.{self.lane.place.dataset}.parcels", not_found_ok=True)
        self.settled = None

    @precondition(lambda self: self.settled is not None)
    @rule()
    def lose_the_object(self) -> None:
        """Delete what lies in the lake, as somebody might by hand: what is loaded stays."""
        for name in self.lane.place.objects(f"lake/parcels/{self.month}/"):
            self.lane.place.storage.bucket(self.lane.place.bucket).blob(name).delete()

    @invariant()
    def the_table_holds_one_whole_content(self) -> None:
        rows = judge.rows(self.lane.place, self.month)
        whole = {digest([]), *(each.digest for each in self.published)}
        assert digest(rows) in whole, f"{len(rows)} rows are no whole content"

    @invariant()
    def the_log_has_no_gap_and_the_ledger_no_claim_twice(self) -> None:
        claims = self.lane.place.claims(self.month, "parcels")
        assert [claim["n"] for claim in claims] == list(range(len(claims)))
        assert judge.twice(self.lane.place, self.month) == {}

    def teardown(self) -> None:
        if hasattr(self, "month"):
            self._come_through([self._start({})])

    @property
    def _warehouse(self) -> str:
        return self.lane.upstreams["warehouse"]

    @property
    def _served(self) -> Content:
        return self.published[-1]

    def _know_what_stands(self) -> None:
        """Let a run notice that the publisher has changed: nobody can tell whether one that is killed does."""
        if self.stands and self.stands[1] != self._served:
            self._come_through([self._start({})])

    def _expected(self) -> Content:
        """What a run leaves in the table: what was brought back stands until the publisher changes."""
        if self.stands and self.stands[1] != self._served:
            self.stands = None
        return self.stands[0] if self.stands else self._served

    def _publish(self, version: str) -> None:
        self.published.append(self.versions[version])
        self.lane.session.serve(self.versions[version])

    def _start(self, addresses: dict[str, str], *options: str) -> Run:
        chosen = addresses or self.lane.settings({**self.lane.upstreams, PUBLISHER: self.lane.publisher.url})
        run = self.lane.place.start("parcels", self.month, *options, plant=LANDING, **chosen)
        self.asked[run.pid] = addresses, options
        return run

    def _ended(self, run: Run) -> Run:
        """Wait for a run's end; one that a busy server of Prefect's did not take is started once more."""
        run.wait(RUN_AT_MOST_S)
        if _never_began(run):
            addresses, options = self.asked[run.pid]
            run = self._start(addresses, *options)
            run.wait(RUN_AT_MOST_S)
        return run

    def _come_through(self, runs: list[Run], *, settles: bool = True) -> None:
        ended = [self._ended(run) for run in runs]
        assert [run.code for run in ended] == [0] * len(runs), "\n".join(run.text for run in ended)
        if settles:
            self.settled = self._expected()
            assert digest(judge.rows(self.lane.place, self.month)) == self.settled.digest
            claims = self.lane.place.claims(self.month, "parcels")
            assert claims[-1]["source_sha256"] == self.settled.sha256
            assert judge.ledger(self.lane.place, claims[-1], self.settled) == []


def _never_began(run: Run) -> bool:
    return run.code == 1 and bool(NEVER_BEGAN.search(run.last_line))

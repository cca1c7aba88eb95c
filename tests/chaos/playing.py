"""Playing scenarios in lanes side by side."""

# it says on the terminal what happens

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.chaos import judge
from tests.chaos.boundaries import PREFECT, PUBLISHER, STORAGE, WAREHOUSE
from tests.chaos.content import Form
from tests.chaos.own_cloud import OwnCloud
from tests.chaos.scenario import NOT_STRUCK, Lane, Outcome, Scenario, play
from tests.chaos.session import NotLanded, Session

AHEAD = 8  # months whose older content is landed in one run, before their scenarios
AT_ONCE, BESIDE = 40, 3  # months that are brought by one run without faults, and such runs side by side

Waiting = queue.SimpleQueue[Scenario]


def play_all(opened: Session, wanted: Sequence[Scenario], lanes: int, *, stop_at_first: bool = False) -> list[Outcome]:
    """Play scenarios in lanes side by side.

    Those that restart a service have one lane with a cloud of its own. Half of the lanes begin with those that wait
    most of their time, the others with those that work: no processor is idle while lines are silent.
    """
    own, working, patient = (queue.SimpleQueue[Scenario]() for _ in range(3))
    for each in wanted:
        (own if each.restarts else patient if each.is_patient else working).put(each)
    outcomes: list[Outcome] = []
    again: set[Scenario] = set()

    def goes_on() -> bool:
        return not (stop_at_first and any(outcome.wrong for outcome in outcomes))

    def on_a_cloud_of_its_own() -> None:
        if not own.empty():
            with OwnCloud() as cloud:
                _play(opened, [own], outcomes, again, goes_on, cloud)
        _play(opened, [working, patient], outcomes, again, goes_on, None)

    def lane(number: int) -> Callable[[], None]:
        order = [patient, working] if number % 2 else [working, patient]
        return lambda: _play(opened, order, outcomes, again, goes_on, None)

    work = [on_a_cloud_of_its_own, *(lane(number) for number in range(1, lanes))]
    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()
    _compare_lakes(opened, outcomes)
    return outcomes


def _compare_lakes(opened: Session, outcomes: list[Outcome]) -> None:
    """Bring the same files without faults, and hold the lakes' objects against each other, byte by byte."""
    for form in {each.scenario.form for each in outcomes}:
        here = [each for each in outcomes if each.scenario.form == form and each.final]
        months = sorted(each.month for each in here)
        honest = opened.place({})
        with ThreadPoolExecutor(BESIDE) as pool:
            for done in [pool.submit(opened.bring, honest, form, run[0], run[-1]) for run in _runs_of(months)]:
                done.result()
        expected = judge.lake_bytes(honest, "")
        for each in here:
            if each.lake is not None and each.lake != expected[each.month]:
                each.wrong.append("the lake's object has other bytes than that of a run without faults")


def _runs_of(months: list[str]) -> list[list[str]]:
    """Group months that follow each other, some at a time."""
    runs: list[list[str]] = []
    for month in months:
        if runs and _number(month) == _number(runs[-1][-1]) + 1 and len(runs[-1]) < AT_ONCE:
            runs[-1].append(month)
        else:
            runs.append([month])
    return runs


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def lane_on(opened: Session, form: Form = "gzip", cloud: OwnCloud | None = None) -> Lane:
    """Make a lane with an environment of its own, on the shared cloud or on another one."""
    environment = {**opened.cloud, **(cloud.environment if cloud else {})}
    upstreams = {
        PUBLISHER: opened.publisher.url,
        STORAGE: environment["STORAGE_EMULATOR_HOST"],
        WAREHOUSE: environment["BIGQUERY_EMULATOR_HOST"],
        PREFECT: environment["PREFECT_API_URL"].removesuffix("/api"),
    }
    led = {name: value for name, value in environment.items() if name.startswith(("PREFECT_", "GCE_"))}
    led |= {"STORAGE_EMULATOR_HOST": upstreams[STORAGE], "BIGQUERY_EMULATOR_HOST": upstreams[WAREHOUSE]}
    return Lane(opened, opened.place(led), upstreams, form, cloud)


@dataclass
class _Ground:
    """The lanes of one thread, and the months whose older contents have landed there."""

    opened: Session
    cloud: OwnCloud | None
    lanes: dict[Form, Lane] = field(default_factory=dict)
    landed: dict[Form, list[str]] = field(default_factory=lambda: {"gzip": [], "zip": []})

    def prepared(self, scenario: Scenario, left: int) -> tuple[Lane, str]:
        """Give a lane and a month that is as the scenario must find it; *left* scenarios follow.

        Raises:
            NotLanded: the older contents did not land, though nothing struck.
        """
        form = scenario.form
        if scenario.boundary.world == "first":
            return lane_on(self.opened, form, self.cloud), self.opened.months(1)[0]
        if form not in self.lanes:
            self.lanes[form] = lane_on(self.opened, form, self.cloud)
        lane, landed = self.lanes[form], self.landed[form]
        if not landed:
            months = self.opened.months(min(AHEAD, left + 1))
            for each in months:
                self.opened.serve(lane.content(each, "A"))
            lane.land(months[0], months[-1])
            landed += months
        return lane, landed.pop()


def _play(
    opened: Session,
    order: Sequence[Waiting],
    outcomes: list[Outcome],
    again: set[Scenario],
    goes_on: Callable[[], bool],
    cloud: OwnCloud | None,
) -> None:
    """Play what waits, one after the other, until nothing does; *again* are those that were played twice."""
    ground = _Ground(opened, cloud)
    while goes_on():
        waiting = next((each for each in order if not each.empty()), None)
        if waiting is None:
            return
        try:
            scenario = waiting.get_nowait()
        except queue.Empty:  # another lane was quicker
            continue
        try:
            lane, month = ground.prepared(scenario, sum(each.qsize() for each in order))
            outcome = play(lane, scenario, month)
        except NotLanded as why:
            outcome = Outcome(scenario, "none", wrong=[f"{NOT_STRUCK}, and already: {why}"])
        if undecided := outcome.undecided:
            if scenario not in again:
                again.add(scenario)  # a busy machine's: a load is a matter of milliseconds, and the reader may miss it
                waiting.put(scenario)
                print(f"     again         {scenario.name}: {undecided}", flush=True)
                continue
            outcome.wrong.append(f"{undecided}, the second time too")
        outcomes.append(outcome)
        if outcome.wrong:
            print(outcome.told(), flush=True)
        word = "FAILED" if outcome.wrong else "ok"
        print(
            f"{len(outcomes):4} {word:6} {outcome.seconds:5.1f} s  {scenario.name}: {outcome.code}; {outcome.repeat}",
            flush=True,
        )

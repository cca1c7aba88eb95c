"""What all scenarios share: the local cloud, flow runs in forks, one publisher, and an environment for each lane."""

import importlib.util
import os
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos import content
from tests.chaos.content import Content, Form
from tests.chaos.proxy import Loop
from tests.end_to_end.place import Place, clients
from tests.end_to_end.runner import Run, Runner
from tests.publisher import Publisher

LANDING, HURRIED, SMALL_DISK = (f"tests.chaos.plants:{name}" for name in ("landing", "hurried", "small_disk"))
HOUR_S = 3600
MONTHS_AT_MOST_S = 180  # eight of them on a machine that does much else


class NotLanded(Exception):
    """A landing without a fault did not come through."""


@dataclass
class Session:
    """One local cloud, and what is started on it once."""

    cloud: Mapping[str, str]
    folder: Path
    runner: Runner
    loop: Loop
    publisher: Publisher
    environment: Mapping[str, str]
    stack: ExitStack
    _skewed: dict[int, Runner] = field(default_factory=dict)
    _months: Iterator[str] = field(default_factory=lambda: _all_months())  # noqa: PLW0108 - it is defined below
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def place(self, settings: Mapping[str, str]) -> Place:
        """Make an environment of its own, where these settings lead.

        Raises:
            NotLanded: its blocks could not be registered.
        """
        made = Place(
            f"x{uuid.uuid4().hex[:8]}",
            _Led(self.runner, settings),
            self.publisher,
            *clients({**self.cloud, **settings}),
        )
        try:
            made.make()
        except (AssertionError, TimeoutError) as why:
            raise NotLanded(f"no environment was made: {why}") from why
        return made

    def months(self, count: int) -> list[str]:
        """Give months that no scenario has had, one after the other."""
        with self._lock:
            return [next(self._months) for _ in range(count)]

    def serve(self, published: Content) -> None:
        """Let the publisher serve this version from now on."""
        self.publisher.serve(published.path, published.file)

    def settings(self, form: Form) -> dict[str, str]:
        """Give what leads a run to the scenarios' contract."""
        return {"CHAOS_CONTRACTS": str(self.folder / form)}

    def skewed(self, seconds: int) -> Runner:
        """Give a runner whose processes' clocks differ from all others' by that much."""
        with self._lock:
            if seconds not in self._skewed:
                logs = self.folder / f"runs{seconds:+}"
                logs.mkdir()
                self._skewed[seconds] = Runner(
                    {
                        **self.environment,
                        "LD_PRELOAD": str(_faketime()),
                        "FAKETIME": f"{seconds:+}s",
                        "DONT_FAKE_MONOTONIC": "1",
                    },
                    logs,
                )
            return self._skewed[seconds]

    def close(self) -> None:
        """Stop the runners."""
        for runner in (self.runner, *self._skewed.values()):
            runner.close()

    def land(self, place: Place, form: Form, first: str, last: str, **settings: str) -> None:
        """Land months without a fault; they must come through."""
        self._come_through(place, form, (first, last), "web_to_bigquery", settings)

    def bring(self, place: Place, form: Form, first: str, last: str) -> None:
        """Bring months to the lake alone."""
        self._come_through(place, form, (first, last), "web_to_gcs", {})

    def _come_through(
        self, place: Place, form: Form, months: tuple[str, str], flow: str, settings: dict[str, str]
    ) -> None:
        run = place.start("parcels", *months, flow=flow, plant=LANDING, **self.settings(form), **settings)
        try:
            code = run.wait(MONTHS_AT_MOST_S)
        except TimeoutError as why:
            raise NotLanded(str(why)) from why
        if code != 0:
            raise NotLanded(next((line for line in run.text.splitlines() if " failed: " in line), run.last_line))


class _Led(Runner):
    """The same runner, whose runs are led elsewhere."""

    def __init__(self, runner: Runner, settings: Mapping[str, str]) -> None:
        self._runner, self._settings = runner, settings

    def start(self, *argv: str, plant: str | None = None, **environment: str) -> Run:
        plant = plant or "tests.chaos.plants:elsewhere"
        return self._runner.start(*argv, plant=plant, **{**self._settings, **environment})

    def close(self) -> None:
        """Leave the runner to those whose it is."""


def _faketime() -> Path:
    found = importlib.util.find_spec("libfaketime")
    assert found
    assert found.origin
    return Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"


def _all_months() -> Iterator[str]:
    for year in range(1901, 2020):
        for month in range(1, 13):
            yield f"{year}-{month:02d}"


@contextmanager
def opened(cloud: Mapping[str, str]) -> Iterator[Session]:
    """Open a session on a local cloud whose environment is given."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landfall-chaos-")))
        for form in content.SUFFIX:
            (folder / form).mkdir()
            (folder / form / "parcels.toml").write_text(content.contract(form))
        logs = folder / "runs"
        logs.mkdir()
        # the runs' code is the one beside this: a mutant's copy, too
        environment: dict[str, Any] = {**os.environ, **cloud, "PYTHONPATH": str(Path(__file__).parents[2])}
        runner = Runner(environment, logs)
        loop = Loop()
        stack.callback(loop.close)
        publisher = stack.enter_context(Publisher())
        made = Session(cloud, folder, runner, loop, publisher, environment, stack)
        stack.callback(made.close)
        yield made

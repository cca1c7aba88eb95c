"""What all scenarios share: the local cloud, flow runs in forks, one publisher, and an environment for each lane."""

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
from tests.chaos.content import Content
from tests.chaos.proxy import Loop
from tests.end_to_end.place import Place, clients
from tests.end_to_end.runner import Runner
from tests.publisher import Publisher

LANDING, HURRIED = "tests.chaos.plants:landing", "tests.chaos.plants:hurried"


@dataclass
class Session:
    """One local cloud, and what is started on it once."""

    cloud: Mapping[str, str]
    folder: Path
    runner: Runner
    loop: Loop
    publisher: Publisher
    _months: Iterator[str] = field(default_factory=lambda: _all_months())
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def place(self, cloud: Mapping[str, str] | None = None) -> Place:
        """Make an environment of its own."""
        made = Place(f"x{uuid.uuid4().hex[:8]}", self.runner, self.publisher, *clients(dict(cloud or self.cloud)))
        made.make()
        return made

    def months(self, count: int) -> list[str]:
        """Give months that no scenario has had, one after the other."""
        with self._lock:
            return [next(self._months) for _ in range(count)]

    def serve(self, published: Content) -> None:
        """Let the publisher serve this version from now on."""
        self.publisher.serve(content.path(published.month), published.file)

    @property
    def settings(self) -> dict[str, str]:
        return {"CHAOS_CONTRACTS": str(self.folder)}

    def land(self, place: Place, *months: str, **settings: str) -> None:
        """Land months without a fault; they must come through."""
        run = place.run("parcels", *months, plant=LANDING, **self.settings, **settings)
        assert run.code == 0, f"{run.code} {run.log}\n{run.text}"


def _all_months() -> Iterator[str]:
    for year in range(2001, 2026):
        for month in range(1, 13):
            yield f"{year}-{month:02d}"


@contextmanager
def opened(cloud: Mapping[str, str]) -> Iterator[Session]:
    """Open a session on a local cloud whose environment is given."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landfall-chaos-")))
        (folder / "parcels.toml").write_text(content.CONTRACT)
        logs = folder / "runs"
        logs.mkdir()
        # the runs' code is the one beside this: a mutant's copy, too
        environment: dict[str, Any] = {**os.environ, **cloud, "PYTHONPATH": str(Path(__file__).parents[2])}
        runner = Runner(environment, logs)
        stack.callback(runner.close)
        loop = Loop()
        stack.callback(loop.close)
        publisher = stack.enter_context(Publisher())
        yield Session(cloud, folder, runner, loop, publisher)

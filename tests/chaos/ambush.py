"""The trap of one scenario: it knows its boundary, strikes there, and keeps account of it."""

import asyncio
import dataclasses
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.boundaries import Boundary, asks_for_job, is_done, is_load
from tests.chaos.faults import Fault
from tests.chaos.proxy import Answered, Asked, Blow
from tests.chaos.reader import Reader
from tests.end_to_end.runner import Run


class Nothing:
    """No trap."""

    def before(self, _asked: Asked) -> Blow | None:
        return None

    def after(self, _asked: Asked, _answered: Answered) -> Blow | None:
        return None


@dataclass
class Ambush:
    """Strikes at `boundary`, once or as long as it is not lifted; `fired` counts.

    Whatever strikes, two things are always so. A reader is at its question when a load job is sent. And the answer to
    a load job that is sent, and to the first question about it, say that it runs: the local BigQuery is done with a
    small job before it answers, Google's is not.
    """

    boundary: Boundary | None
    fault: Fault | None
    reader: Reader
    restart: Callable[[str], None] | None = None
    run: Run | None = None
    lifted: bool = False
    fired: int = 0
    asked: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    _since: bool = False
    _until: bool = False
    _sent: bool = False  # a load job, that nobody has asked about

    def before(self, asked: Asked) -> Blow | None:
        self.asked.append(f"{asked.hop} {asked.method} {asked.path}")
        boundary = self.boundary
        if is_load(asked):
            self.reader.hurry()
        if boundary and not (boundary.at or boundary.answers) and self._strikes("before") and self._meets(asked):
            blow = self._strike(None, None)
            return self._with_reader(blow) if is_load(asked) and blow.then == "pass" else blow
        self._note(asked)
        if is_load(asked):
            self._sent = True
            return Blow(hook=self.reader.at_its_question)
        return None

    def _with_reader(self, blow: Blow) -> Blow:
        """Have the reader at its question when a load job is passed on after all."""
        self._sent = True

        async def hook() -> None:
            if blow.hook:
                await blow.hook()
            await self.reader.at_its_question()

        return dataclasses.replace(blow, hook=hook)

    def after(self, asked: Asked, answered: Answered) -> Blow | None:
        boundary, fault = self.boundary, self.fault
        if boundary and fault and (self._strikes("after") or boundary.at or boundary.answers):
            is_it = self._meets(asked) and (boundary.answers is None or boundary.answers(answered))
            if is_it and (boundary.at is None or answered.status == 200) and not self._pretends(asked, answered):
                self._note(asked)
                if boundary.at is None:
                    return self._strike(answered, None)
                return self._strike(answered, boundary.at(len(answered.body)) + (fault.phase == "after"))
        self._note(asked)
        return self._running(asked, answered)

    def _strikes(self, phase: str) -> bool:
        return self.fault is not None and self.fault.phase == phase

    def _meets(self, asked: Asked) -> bool:
        boundary, fault = self.boundary, self.fault
        assert boundary
        assert fault
        if fault.kind == "full disk":  # the run itself is given one
            return False
        if self.lifted or (self.fired and not fault.is_lasting) or asked.hop != boundary.hop:
            return False
        return (boundary.since is None or self._since) and not self._until and boundary.asks(asked)

    def _note(self, asked: Asked) -> None:
        if self.boundary and self.boundary.since and self.boundary.since(asked):
            self._since = True
        if self.boundary and self.boundary.until and self.boundary.until(asked):
            self._until = True

    def _strike(self, answered: Answered | None, at: int | None) -> Blow:
        assert self.fault
        self.fired += 1
        return self.fault.blow(self, answered, at)

    def _pretends(self, asked: Asked, answered: Answered) -> bool:
        """Tell whether `_running` is about to say that a job runs, which a boundary takes for done."""
        return bool(
            self.boundary and self.boundary.answers and self._sent and asks_for_job(asked) and is_done(answered)
        )

    def _running(self, asked: Asked, answered: Answered) -> Blow | None:
        """Say of a job that is done already that it runs, twice."""
        if not (is_load(asked) or (self._sent and asks_for_job(asked))) or answered.status != 200:
            return None
        if not is_done(answered):
            return None
        self.reader.calm()
        if asks_for_job(asked):
            self._sent = False
        job = json.loads(answered.body)
        job["status"] = {"state": "RUNNING"}
        return Blow("answer", instead=dataclasses.replace(answered, body=json.dumps(job).encode()))

    async def kill(self) -> None:
        (await self._run()).kill()

    async def terminate(self) -> None:
        (await self._run()).kill(signal.SIGTERM)

    async def wait(self) -> None:
        await self.release.wait()

    async def restart_cloud(self) -> None:
        await self._restart("cloud")

    async def restart_prefect(self) -> None:
        await self._restart("prefect")

    async def _restart(self, service: str) -> None:
        assert self.restart
        await asyncio.get_running_loop().run_in_executor(None, self.restart, service)

    async def _run(self) -> Run:
        while self.run is None:  # noqa: ASYNC110 - another thread sets it, perhaps after the run's first request
            await asyncio.sleep(0.005)
        return self.run

"""The process that serves: it asks Prefect for runs that are due, and starts each as a process of its own."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner

from deployments.serving import Served

STOPS = (signal.SIGINT, signal.SIGTERM)


class _Registered(RunnerDeployment):
    """A deployment that is registered already, as Prefect's runner wants to have it: applying it changes nothing."""

    served_id: UUID

    async def aapply(self, *_: Any, **__: Any) -> UUID:
        """Give the id of what is registered."""
        return self.served_id


def serve(served: Iterable[Served], limit: int, ready: Callable[[], None]) -> signal.Signals:
    """Start runs that are due, until a signal says to stop. Runs at work are cancelled then.

    Schedules go on while nobody serves them, as Prefect's runner would not have it: it pauses deployments at its end,
    and nobody could tell that pause from a person's.

    Args:
        served: what to ask for.
        limit: how many runs may be at work at once.
        ready: called when it asks for runs, and a signal ends it cleanly.

    Returns:
        The signal that ended it.
    """
    runner = Runner("landfall serve", limit=limit, pause_on_shutdown=False)
    _keep_signals_here()
    return asyncio.run(_until_stopped(runner, [*served], ready))


async def _until_stopped(runner: Runner, served: list[Served], ready: Callable[[], None]) -> signal.Signals:
    for each in served:
        flow, _, name = each.full_name.partition("/")
        await runner.aadd_deployment(_Registered(name=name, flow_name=flow, served_id=UUID(each.id)))
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[signal.Signals] = loop.create_future()
    serving = asyncio.create_task(runner.start())
    while not runner.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.05)  # it installs a handler of its own first, and has no event for that

    def end(said: signal.Signals) -> None:
        if not stop.done():
            stop.set_result(said)

    for one in STOPS:
        loop.add_signal_handler(one, end, one)
    if runner.started:
        ready()
    either: set[asyncio.Future[Any]] = {serving, stop}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not stop.done():
        await serving  # it ended by itself, with its error
        raise RuntimeError("Prefect's runner ended without a word, expected it to go on")
    if runner.started:
        await runner.astop()
    await serving
    return stop.result()


def _keep_signals_here() -> None:
    """Keep a terminal's Ctrl-C from the runs' processes: it goes to all of a group, and each would call itself crashed.

    They inherit what the main thread blocks; a thread of its own still takes the signal for this process.
    """

    def listen() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        threading.Event().wait()

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=listen, name="signals", daemon=True).start()

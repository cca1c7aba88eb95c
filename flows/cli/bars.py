"""Progress bars of a backfill, on a terminal; elsewhere its log lines say the same."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from flows.backfilled import Ended, Pace
from flows.backfilled import log as told
from flows.etl.plan import Found

WHOLE = "all"


class Bars:
    """A bar for each contract, one for all with the pace; what went wrong stands above them."""

    def __init__(self, console: Console) -> None:
        self._pace, self._elsewhere = Pace([]), ""
        self._failed: Counter[str] = Counter()
        self._bars: dict[str, TaskID] = {}
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Said())
        self._progress = Progress(*columns, console=console)

    def begin(self, work: Sequence[Found]) -> None:
        """Draw the bars; from now on the terminal's log has only what they do not show."""
        self._pace = Pace(work)
        numbers = Counter(found.key[0] for found in work)
        for contract, number in numbers.items():
            self._bars[contract] = self._progress.add_task(contract, total=number, said=self._said_of(contract))
        if len(numbers) > 1:
            self._bars[WHOLE] = self._progress.add_task(WHOLE, total=len(work), said=self._said_of_all)
        elif numbers:
            self._progress.update(self._bars[contract], said=self._said_of_all)
        if work:
            for handler in logging.getLogger().handlers:
                handler.addFilter(self._stands_above)
            self._progress.start()

    def end(self, found: Found, ended: Ended) -> None:
        """Move the contract's bar on, and the one of all."""
        contract = found.key[0]
        self._pace.end(found)
        self._failed[contract] += ended.status == "failed"
        if self._pace.number == len(self._pace.work):
            self._elsewhere = ""
        for name in (contract, WHOLE):
            if name in self._bars:
                self._progress.advance(self._bars[name])

    def wait(self, at_work: int, scheduled: int) -> None:
        """Say how many runs are at work in the pool."""
        self._elsewhere = f"{at_work} at work, {scheduled} scheduled, "

    def stop(self) -> None:
        """Leave the bars as they are; what goes on is said by the log, below them."""
        self._progress.stop()

    def close(self) -> None:
        """Draw them for the last time."""
        self._progress.stop()
        for handler in logging.getLogger().handlers:
            handler.removeFilter(self._stands_above)

    def _said_of(self, contract: str) -> Callable[[], str]:
        return lambda: f"{self._failed[contract]} failed" if self._failed[contract] else ""

    def _said_of_all(self) -> str:
        failed = self._failed.total()
        return self._elsewhere + self._pace.rate + (f", {failed} failed" if failed else "")

    def _stands_above(self, record: logging.LogRecord) -> bool:
        if record.name == told.name and record.levelno >= logging.WARNING:
            self._progress.console.print(Text(record.getMessage()), soft_wrap=True)
        return False


class _Said(ProgressColumn):
    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        said: Callable[[], str] = task.fields["said"]
        return Text(said())

"""What the signals that ask for an end do to a command: they raise, so that every `finally` on the way runs."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.strsignal(number))
        self.number = number

    @property
    def exit_code(self) -> int:
        """Return what a shell reports for it."""
        return 128 + self.number


def raise_interrupted() -> None:
    """Let the signals raise `Interrupted` from now on; `nohup` keeps its meaning."""
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    """Let the signals do something else for the length of a `with`; main thread only."""
    before = [(number, signal.signal(number, handler)) for number in ENDING]
    try:
        yield
    finally:
        for number, earlier in before:
            signal.signal(number, earlier)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)

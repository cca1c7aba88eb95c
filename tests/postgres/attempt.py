"""Landings in processes of their own, to be killed: forks of one that has imported everything."""

import multiprocessing
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from typing import Any

from flows.etl.contract import Contract
from flows.etl.errors import StartOver, Transient
from flows.etl.plan import Order
from flows.etl.postgres.database import Database
from flows.etl.postgres.landing import land
from flows.etl.postgres.plan import plan
from tests.postgres.place import JANUARY

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
TRIES = 40


@dataclass(frozen=True)
class Attempt:
    """What to land, and where; a month of `trips`."""

    address: dict[str, Any]
    agreed: Contract
    publisher: str
    tries: int = 1

    def start(self) -> ForkServerProcess:
        """Land it in a process of its own; its exit code is 0 if it landed or was there, 3 if it met trouble."""
        process = FORKS.Process(target=self, daemon=True)
        process.start()
        return process

    def __call__(self) -> None:
        for _ in range(self.tries):
            try:
                order = Order(self.agreed, [JANUARY], None, None, "run", trusted=(self.publisher,))
                due = plan(Database(self.address, "test"), order).due
                for each in due:
                    land(each)
            except (Transient, StartOver):
                time.sleep(0.02)
            else:
                return
        sys.exit(3)

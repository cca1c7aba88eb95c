"""Comparing while landings are at work: what differs is looked at again, and only what differs twice counts."""

import datetime as dt
from dataclasses import dataclass

from flows.etl.destination import Destination
from flows.etl.plan import Order
from flows.etl.reconcile.divergence import Divergence, compare
from flows.etl.reconcile.facts import Gathered, gather


@dataclass(frozen=True, slots=True)
class Compared:
    """A contract's facts, and where they differ."""

    gathered: Gathered
    divergences: list[Divergence]


def look(destination: Destination, order: Order, older_than: dt.timedelta) -> Compared:
    """Gather and compare; a second time where something differs.

    The five are not asked at one moment: a landing that passes in between looks like a divergence. One that is at work
    for longer than a look takes is one, and is there for anyone to finish.
    """
    gathered = gather(destination, order, older_than)
    divergences = compare(gathered)
    if divergences:
        before = {(each.partition, each.name) for each in divergences}
        gathered = gather(destination, order, older_than)
        divergences = [each for each in compare(gathered) if (each.partition, each.name) in before]
    return Compared(gathered, divergences)

"""From counts to what they mean: which checks hold, and in words why the others do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flows.etl.checks.against import against
from flows.etl.contract import Check, Contract
from flows.etl.contract.checks import Change, NullFraction, OnColumn, RowCount
from flows.etl.partition import Partition


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checks that do not hold, in words, and what there is to say beside them; empty: all hold."""

    stops: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judge(
    contract: Contract, partition: Partition, rows: int, found: Sequence[int], rows_before: int | None
) -> Verdict:
    """Hold what was counted against the checks.

    Args:
        contract: What is expected.
        partition: The file's period.
        rows: How many rows land, or are in the table.
        found: How many of them count against each check.
        rows_before: How many the period before has; None if that is not known.
    """
    stops, warnings, notes = list[str](), list[str](), list[str]()
    for check, number in zip(contract.checks, found, strict=True):
        if isinstance(check, Change) and not rows_before:
            notes.append("check change: nothing to compare with, the period before has not landed")
        elif said := _fault(check, contract, partition, rows, number, rows_before or 0):
            where = f"check {check.check}{f' of {check.column}' if isinstance(check, OnColumn) else ''}"
            (stops if check.on_fail == "stop" else warnings).append(f"{where}: {said}")
    return Verdict(tuple(stops), tuple(warnings), tuple(notes))


def _fault(  # noqa: PLR0913, PLR0917 - what all kinds of checks need
    check: Check, contract: Contract, partition: Partition, rows: int, number: int, before: int
) -> str | None:
    """Say what was found and what was expected; None if the check holds."""
    match check:
        case RowCount():
            if check.min <= rows and (check.max is None or rows <= check.max):
                return None
            wanted = f"at least {check.min}" if check.max is None else f"{check.min} to {check.max}"
            return f"found {rows} rows, expected {wanted}"
        case Change():
            if not _is_over(abs(rows - before), check.max_fraction, before):
                return None
            return (
                f"found {rows} rows, {_percent(abs(rows - before), before)} {'more' if rows > before else 'fewer'} than"
                f" the {before} of the period before, expected a change of at most {_percent(check.max_fraction, 1)}"
            )
        case _:
            allowed = check.max if isinstance(check, NullFraction) else check.max_fraction
            if not _is_over(number, allowed, rows):
                return None
            wanted = f"at most {_percent(allowed, 1)} of them" if allowed else "none"
            what = against(check, contract.columns, partition)
            return f"found {number} of {rows} rows ({_percent(number, rows)}) {what}, expected {wanted}"


def _is_over(number: int, fraction: float, of: int) -> bool:
    """Compare exactly: 0.29 of 100 is 29, and not a little less as in binary."""
    return number > Decimal(str(fraction)) * of


def _percent(number: float, of: int) -> str:
    return f"{100 * number / of:.4g} %"

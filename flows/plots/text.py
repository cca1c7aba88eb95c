"""How partitions stand, in a terminal of 80 columns: a line for each year with a cell for each month.

Where days have cells of their own, a line for each week.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence

from rich.text import Text

from flows.etl.address import printable
from flows.etl.status import STATES, State
from flows.plots.board import Board, Cell, Strip, troubles
from flows.plots.words import lasting, many, moment, size

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LISTED = 20  # reasons below the grid; all are in the JSON

# told apart without colour; the second for terminals that can write ASCII alone
MARKS: dict[State, tuple[str, str]] = {
    "landed": ("●", "#"),
    "quarantined": ("◐", "q"),
    "stale": ("~", "~"),
    "failed": ("✗", "x"),
    "missing": ("·", "."),
}
STYLES: dict[State, str] = {
    "landed": "cyan",
    "quarantined": "yellow",
    "stale": "magenta",
    "failed": "bold red",
    "missing": "bold",
}
LABEL, CELL = 7, 4  # columns
Line = tuple[str, dict[int, Cell]]  # its label, and its cells by column


def draw(board: Board, *, ascii_only: bool = False) -> Text:
    """Draw the grid, what the marks mean, and why something is not landed."""
    lines = [Text(f"{board.environment}, {moment(board.at)}", style="bold")]
    head = ""
    for strip in board.strips:
        lines.append(Text.assemble("\n", (printable(strip.name), "bold"), f"  {strip.each}, {_said(strip)}"))
        if (wanted := _head(strip)) not in ("", head):
            head = wanted
            lines.append(Text(f"{head:{LABEL + 12 * CELL}}{'rows':>6}{'bytes':>8}{'last load':>11}", style="dim"))
        lines += [_line(board, label, cells, ascii_only) for label, cells in _lines(strip)]
    marks = [(f"{MARKS[state][ascii_only]} {state}", STYLES[state]) for state in reversed(STATES)]
    legend = Text("   ").join(Text(*mark) for mark in marks)
    lines += [Text(), legend]
    if any(not cell.is_one for strip in board.strips for cell in strip.cells):
        lines.append(Text("a cell with a number: the worst state of its days or hours, and how many are in it", "dim"))
    return Text("\n").join([*lines, *_reasons(board)])


def _said(strip: Strip) -> str:
    found = strip.counts
    return ", ".join(f"{found[state]} {state}" for state in reversed(STATES) if state in found) or "none published yet"


def _head(strip: Strip) -> str:
    if strip.grain == "none" or not strip.cells:
        return ""
    names: Sequence[str] = MONTHS
    if strip.grain == "year":
        names = [str(each) for each in range(10)]
    elif strip.cells[0].period.grain == "day":
        names = DAYS
    return " " * LABEL + "".join(f"{name:{CELL}}" for name in names)


def _lines(strip: Strip) -> Iterator[Line]:
    """Give a line for each year; for yearly files one for each decade, for days each week, for a snapshot one."""
    for label, group in itertools.groupby(strip.cells, key=lambda cell: _place(cell)[0]):
        yield label, {_place(cell)[1]: cell for cell in group}


def _place(cell: Cell) -> tuple[str, int]:
    start = cell.period.start
    if start is None:
        return "all", 0
    if cell.period.grain == "year":
        decade, column = divmod(start.year, 10)
        return f"{decade}0s", column
    if cell.period.grain == "day":
        monday = start - dt.timedelta(days=start.weekday())
        return f"{monday:%m-%d}", start.weekday()
    return f"{start.year:04d}", start.month - 1


def _line(board: Board, label: str, cells: dict[int, Cell], ascii_only: bool) -> Text:
    line = Text(f" {label:{LABEL - 1}}")
    for column in range(12):
        if cell := cells.get(column):
            mark = MARKS[cell.state][ascii_only] + ("" if cell.is_one else str(cell.counts[cell.state]))
            line.append(f"{mark:{CELL}}", STYLES[cell.state])
        else:
            line.append(" " * CELL)
    held = [each.held for cell in cells.values() for each in cell.standings if each.held]
    if held:
        ago = board.at - max(each.loaded_at for each in held)
        line.append(f"{many(sum(each.warehouse_rows for each in held)):>6}")
        line.append(f"{size(sum(each.source_bytes for each in held)):>8}")
        line.append(f"{lasting(ago.total_seconds()) + ' ago':>11}", "dim")
    line.rstrip()
    return line


def _reasons(board: Board) -> Iterator[Text]:
    found = troubles(board.standings)
    for each in found[:LISTED]:
        where = f"{each.contract} {each.periods}: "
        yield Text.assemble(printable(where), (each.state, STYLES[each.state]), f", {printable(each.why)}")
    if len(found) > LISTED:
        yield Text(f"... and {len(found) - LISTED} more reasons: --json has all")

"""How partitions stand as a picture, drawn by matplotlib: a strip for each contract on one axis of time.

Each strip has a cell for each period (days and hours share theirs, see `board`), the rows of each as bars above, and
what it is in sum to the right. It works without a display, and touches no state of matplotlib's that a notebook might
share.
"""

import datetime as dt
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.typing import RcKeyType

from flows.etl.address import printable
from flows.etl.partition import Partition
from flows.etl.status import STATES, State, counts
from flows.plots.board import Board, Cell, Strip
from flows.plots.palette import BAR, EDGE, FILL, INK, QUIET, RULE
from flows.plots.text import MONTHS
from flows.plots.words import lasting, many, moment, size

# all lengths are inches
DPI = 110  # of a PNG: 5 years of 10 contracts are 1,900 pixels wide
TOP, STRIP, BOTTOM, MARGIN = 1.56, 0.66, 0.44, 0.3
BARS, CELLS = 0.25, 0.22  # heights within a strip
GRID = 10.2  # width that the cells share, as far as they stay between the widths below
NARROWEST, WIDEST = 0.1, 0.4
LETTER = 0.14  # of a step that has room for its name
NAME = 34  # characters of a contract's name; its end is cut
COLUMNS = (
    *(("landed", 1.1), ("rows", 0.6), ("file size", 0.8), ("load time", 0.75)),
    *(("newest period", 1.15), ("last load", 0.9)),
)
MARKS: dict[State, tuple[str | list[tuple[float, float]], str]] = {
    "quarantined": ("o", INK),
    "stale": ([(-1, -1), (1, 1)], "#FFFFFF"),
    "failed": ("x", "#FFFFFF"),
}
WORST_SHARE = 0.5  # of a cell's height at least, for the worst of several states
Point = tuple[float, float]
STYLE: dict[RcKeyType, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],  # matplotlib brings the first; Verdana is as wide
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "landfall",  # the same picture twice is the same file
}


def png(board: Board) -> bytes:
    """Draw a PNG."""
    return _saved(board, "png")


def svg(board: Board) -> str:
    """Draw an SVG element, for a page: each cell is a group `cell-<strip>-<cell>`, both counted from 0."""
    written = _saved(board, "svg").decode()
    return written[written.index("<svg") :]


def _saved(board: Board, form: str) -> bytes:
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type")) if form == "svg" else None
    with mpl.rc_context(STYLE), io.BytesIO() as written:
        figure(board).savefig(written, format=form, dpi=DPI, metadata=nothing)
        return written.getvalue()


def figure(board: Board) -> Figure:
    """Draw it, for a notebook or another format."""
    time = _Time.of(board)
    names = [_cut(printable(strip.name)) for strip in board.strips]
    left = MARGIN + max([1.5, *(0.098 * len(name) for name in names)]) + 0.1
    width = left + time.width + 0.25 + sum(each for _, each in COLUMNS) + MARGIN
    height = TOP + STRIP * max(len(board.strips), 1) + BOTTOM
    drawn = Figure(figsize=(width, height), facecolor="white")
    axes = drawn.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    _write(axes, MARGIN, 0.38, f"Landfall: {board.environment}", 15, weight="bold")
    _write(axes, MARGIN, 0.66, f"{moment(board.at)}, {board.line}", 9, color=QUIET)
    _draw_legend(axes, MARGIN, 0.97, board)
    _draw_axis(axes, left, time, TOP + STRIP * len(board.strips))
    right = left + time.width + 0.25
    for name, edge in _edges(right):
        _write(axes, edge, TOP - 0.1, name, 7.5, color=QUIET, ha="right")
    for index, (name, strip) in enumerate(zip(names, board.strips, strict=True)):
        top = TOP + STRIP * index
        axes.plot([MARGIN, width - MARGIN], [top, top], color=RULE, lw=0.8)
        _write(axes, MARGIN, top + 0.28, name, 9, weight="bold")
        _write(axes, MARGIN, top + 0.46, _below(strip), 7, color=QUIET)
        _draw_cells(axes, (left, top), time, index, strip)
        for (_, edge), text in zip(_edges(right), _sums(board, strip), strict=True):
            _write(axes, edge, top + 0.38, text, 8, ha="right")
        if strip.behind:
            edge = right + sum(each for _, each in COLUMNS[:-1])
            _write(axes, edge, top + 0.54, f"{strip.behind:,} behind", 7, color=FILL["failed"], ha="right")
    foot = (
        "Bars: rows in the table, each contract to its own scale. File size: at the publisher. Load time: from claim to"
        " loaded, median. Behind: published periods after the newest in the table."
    )
    _write(axes, MARGIN, height - 0.16, foot, 7, color=QUIET)
    return drawn


@dataclass(frozen=True, slots=True)
class _Time:
    """The axis, in months or closely in days: from which one on, how many, and how wide one is."""

    is_close: bool
    first: int
    count: int
    step: float

    @classmethod
    def of(cls, board: Board) -> "_Time":
        starts = [cell.period.start for strip in board.strips for cell in strip.cells if cell.period.start]
        ends = [cell.period.next.start for strip in board.strips for cell in strip.cells if cell.period.start]
        if not starts:
            return cls(board.is_close, 0, 0, WIDEST)
        first = min(_index(each, is_close=board.is_close) for each in starts)
        count = max(_index(each, is_close=board.is_close) for each in ends) - first
        return cls(board.is_close, first, count, min(max(GRID / count, NARROWEST), WIDEST))

    @property
    def width(self) -> float:
        return max(self.count * self.step, 2.2)

    def place(self, period: Partition) -> tuple[float, float]:
        """Give where a period begins, and how wide it is; a snapshot stands at the beginning."""
        if period.start is None:
            return 0, WIDEST
        begin, end = (_index(each, is_close=self.is_close) for each in (period.start, period.next.start))
        return (begin - self.first) * self.step, (end - begin) * self.step

    def names(self) -> Iterator[tuple[str, str]]:
        """Name each step: a year and a month's letter, or a month and a day."""
        for index in range(self.first, self.first + self.count):
            if self.is_close:
                day = dt.date.fromordinal(index)
                yield f"{MONTHS[day.month - 1]} {day.year}", str(day.day)
            else:
                yield str(index // 12), MONTHS[index % 12][0]


def _index(moment: dt.datetime | None, *, is_close: bool) -> int:
    """Number a month, or closely a day."""
    if moment is None:
        return 0
    return moment.toordinal() if is_close else moment.year * 12 + moment.month - 1


def _write(axes: Axes, x: float, y: float, text: str, points: float, **how: Any) -> Text:
    """Write a text as it stands: `$` is no formula in a contract's name."""
    return axes.text(x, y, text, fontsize=points, parse_math=False, **{"color": INK, **how})


def _cut(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1] + "…"


def _below(strip: Strip) -> str:
    most = max((cell.rows for cell in strip.cells), default=0)
    return f"{strip.each}, up to {many(most)} rows" if most and strip.grain != "none" else strip.each


def _edges(right: float) -> Iterator[tuple[str, float]]:
    for name, width in COLUMNS:
        right += width
        yield name, right


def _sums(board: Board, strip: Strip) -> tuple[str, ...]:
    """Give a strip's sums, in the order of COLUMNS."""
    found, total = strip.counts, len(strip.standings)
    landed = found.get("landed", 0) + found.get("quarantined", 0)
    if strip.loaded_at is None:
        return (f"{landed:,} of {total:,}", "", "", "", "", "")
    return (
        f"{landed:,} of {total:,}",
        many(strip.rows),
        size(strip.source_bytes),
        lasting(strip.seconds) if strip.seconds is not None else "",
        str(strip.through) if strip.grain != "none" else "",
        f"{lasting((board.at - strip.loaded_at).total_seconds())} ago",
    )


def _draw_legend(axes: Axes, x: float, y: float, board: Board) -> None:
    found = counts(board.standings)
    for state in reversed(STATES):
        _draw_box(axes, (x, y - 0.1), (0.2, 0.17), state)
        text = f"{state} {found.get(state, 0):,}"
        _write(axes, x + 0.28, y + 0.03, text, 8.5)
        x += 0.28 + 0.086 * len(text) + 0.2
    if any(not cell.is_one for strip in board.strips for cell in strip.cells):
        _write(axes, x, y + 0.03, "a cell of several days or hours: the worst on top", 7.5, color=QUIET)


def _draw_axis(axes: Axes, left: float, time: _Time, bottom: float) -> None:
    """Draw a line where each year begins, or closely each month; write its name, and the steps' if they have room."""
    begin = 0
    for name, group in itertools.groupby(time.names(), key=lambda named: named[0]):
        steps = [short for _, short in group]
        x, end = left + begin * time.step, begin + len(steps)
        axes.plot([x, x], [TOP - 0.08, bottom], color="#CBD5E1", lw=0.7, zorder=0)
        if len(steps) * time.step >= 0.1 * len(name) or end == time.count:
            _write(axes, x + 0.03, TOP - 0.26, name, 9, weight="bold")
        for number, short in enumerate(steps):
            if time.step >= LETTER:
                _write(axes, x + (number + 0.5) * time.step, TOP - 0.1, short, 6.5, color=QUIET, ha="center")
        begin = end


def _draw_cells(axes: Axes, corner: Point, time: _Time, index: int, strip: Strip) -> None:
    left, top = corner
    most = max((cell.rows for cell in strip.cells), default=0)
    floor = top + STRIP - 0.08 - CELLS
    for number, cell in enumerate(strip.cells):
        begin, width = time.place(cell.period)
        x = left + begin
        gap = min(width * 0.08, 0.02)
        if cell.rows and strip.grain != "none":
            high = BARS * cell.rows / most
            axes.add_artist(Rectangle((x + gap, floor - 0.02 - high), width - 2 * gap, high, fc=BAR, ec="none"))
        y = floor
        for state, share in _shares(cell):
            _draw_box(axes, (x + gap, y), (width - 2 * gap, CELLS * share), state)
            y += CELLS * share
        whole = Rectangle((x, floor - BARS), width, BARS + CELLS, fc="none", ec="none", zorder=9)
        whole.set_gid(f"cell-{index}-{number}")  # what a page hangs its words on
        axes.add_artist(whole)
        if strip.grain == "none":
            said = _write(axes, x + width + 0.1, floor + 0.14, "one file, replaced as a whole", 7, color=QUIET)
            said.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})  # over the line of a year
    if not strip.cells:
        _write(axes, left, floor + 0.14, "none published yet", 7, color=QUIET)


def _shares(cell: Cell) -> list[tuple[State, float]]:
    """Share a cell's height between its worst state, on top, and the most common of the others."""
    worst, *others = cell.counts
    if not others:
        return [(worst, 1)]
    share = max(cell.counts[worst] / len(cell.standings), WORST_SHARE)
    return [(worst, share), (max(others, key=lambda state: cell.counts[state]), 1 - share)]


def _draw_box(axes: Axes, corner: Point, extent: Point, state: State) -> None:
    (x, y), (width, height) = corner, extent
    dashed = (0, (2, 1.5)) if state == "missing" else "solid"
    thick = 1 if state == "missing" else 0.7
    box = Rectangle(corner, width, height, fc=FILL[state], ec=EDGE[state], lw=thick, linestyle=dashed)
    axes.add_artist(box)
    if state in MARKS:
        marker, color = MARKS[state]
        points = 72 * min(width, height) * (0.3 if marker == "o" else 0.5)
        axes.plot([x + width / 2], [y + height / 2], marker=marker, color=color, ms=points, mew=1.3)

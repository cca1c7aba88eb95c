"""How partitions stand as one HTML file: the picture, what somebody should look at, and every partition in a table.

It asks nobody for anything: no script, no font, no image from elsewhere, and its own policy forbids them.
"""

import re
from collections.abc import Iterable
from html import escape

from flows.etl.address import printable
from flows.etl.status import STATES, Standing
from flows.plots import picture
from flows.plots.board import Board, Cell, Strip, troubles
from flows.plots.palette import EDGE, FILL, INK, QUIET, RULE
from flows.plots.text import MARKS
from flows.plots.words import lasting, moment, size

HEADS = ("period", "state", "why", "rows", "put aside", "file size", "load time", "loaded", "file last modified")
NUMBERS = {"rows", "put aside", "file size", "load time"}
STYLE = f"""
body {{ font: 14px/1.45 Verdana, "DejaVu Sans", sans-serif; color: {INK}; margin: 1.5rem; }}
svg {{ width: 100%; height: auto; min-width: 60rem; }}
svg g[id^="cell-"] path {{ pointer-events: all; }}
.picture {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 12px; margin: .5rem 0 1rem; }}
th, td {{ text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid {RULE}; }}
th {{ color: {QUIET}; font-weight: normal; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
summary {{ cursor: pointer; padding: .2rem 0; }}
.note {{ color: {QUIET}; }}
.state::before {{ content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .45em; }}
""" + "".join(f".{each}::before {{ background: {FILL[each]}; border: 1px solid {EDGE[each]}; }}\n" for each in STATES)


def html(board: Board) -> bytes:
    """Write the page."""
    title = escape(f"Landfall: {board.environment}, {moment(board.at)}")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<div class="picture">
{_picture(board)}
</div>
<p class="note">From ledger, log and tables; the publisher was not asked. Over a cell, its numbers.</p>
{_troubles(board)}
<h2>Every partition</h2>
{"".join(_strip(board, strip) for strip in board.strips)}
</body>
</html>
""".encode()


def _picture(board: Board) -> str:
    """Give the picture, with words over each cell, and a name for those who do not see it."""
    words = {
        f"cell-{row}-{column}": _words(strip, cell)
        for row, strip in enumerate(board.strips)
        for column, cell in enumerate(strip.cells)
    }
    named = picture.svg(board).replace("<svg ", f'<svg role="img" aria-label="{escape(board.line)}" ', 1)
    return re.sub(
        r'<g id="(cell-\d+-\d+)">', lambda found: f"{found[0]}<title>{escape(words[found[1]])}</title>", named
    )


def _words(strip: Strip, cell: Cell) -> str:
    """Say what is known of a cell, one line each."""
    head = f"{printable(strip.name)} {cell.period}"
    if not cell.is_one:
        return "\n".join([head, *(f"{count:,} {state}" for state, count in cell.counts.items()), f"{cell.rows:,} rows"])
    (only,) = cell.standings
    said = [head, f"{only.state}{only.why and ': '}{printable(only.why)}"]
    if held := only.held:
        said += [f"{held.warehouse_rows:,} rows", f"{size(held.source_bytes)} file", f"loaded {moment(held.loaded_at)}"]
        said += [f"in {lasting(held.seconds)}"] if held.seconds is not None else []
    return "\n".join(said)


def _troubles(board: Board) -> str:
    found = troubles(board.standings)
    if not found:
        return "<p>Nothing needs to be looked at.</p>"
    rows = [[each.contract, each.periods, _State(each.state), each.why] for each in found]
    return f"<h2>To look at</h2>\n{_table(('contract', 'periods', 'state', 'why'), rows)}"


def _strip(board: Board, strip: Strip) -> str:
    said = ", ".join(f"{count:,} {state}" for state, count in reversed(strip.counts.items())) or "none published yet"
    last = f", last load {lasting((board.at - strip.loaded_at).total_seconds())} ago" if strip.loaded_at else ""
    summary = f"<b>{escape(printable(strip.name))}</b> {strip.each}: {said}{last}"
    return f"<details><summary>{summary}</summary>\n{_table(HEADS, map(_row, strip.standings))}</details>\n"


class _State(str):
    """A state's name, which gets its colour."""

    __slots__ = ()


def _row(each: Standing) -> list[str]:
    held = each.held
    if held is None:
        return [str(each.partition), _State(each.state), each.why, *[""] * 6]
    put_aside = f"{held.quarantined_rows:,}" if held.quarantined_rows else ""
    took = lasting(held.seconds) if held.seconds is not None else ""
    numbers = [f"{held.warehouse_rows:,}", put_aside, size(held.source_bytes), took]
    when = [moment(held.loaded_at), held.last_modified or ""]
    return [str(each.partition), _State(each.state), each.why, *numbers, *when]


def _table(heads: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    return "".join(
        [
            "<table>\n<tr>",
            *(f"<th{_class(head)}>{head}</th>" for head in heads),
            "</tr>\n",
            *(f"<tr>{''.join(map(_cell, heads, row))}</tr>\n" for row in rows),
            "</table>\n",
        ]
    )


def _class(head: str) -> str:
    return ' class="number"' if head in NUMBERS else ""


def _cell(head: str, text: str) -> str:
    if isinstance(text, _State):
        mark = MARKS[text][0]  # type: ignore[index] # it is one
        return f'<td class="state {text}">{mark} {text}</td>'
    return f"<td{_class(head)}>{escape(printable(text))}</td>"

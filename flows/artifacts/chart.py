"""A bar chart of rows by period as an SVG, drawn by hand: runs have 512 MiB, and no plotting library in their image.

Blue and orange differ for all eyes, and the orange part is hatched besides. Its own white ground makes it legible on
the UI's dark pages too.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from flows.plots.palette import EDGE, FILL, INK, QUIET, RULE
from flows.plots.words import many

WIDTH, HEIGHT = 640, 320  # the UI shows it at some 600 pixels, where its words stay legible
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 76, 40
BARS = 140  # more would be narrower than a few pixels: neighbours share a bar then
LABELS = 6  # below the bars
HEAD = (
    f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}'"
    f" role='img' font-family='system-ui, sans-serif' font-size='13' fill='{INK}'>"
)
HATCH = (
    "<defs><pattern id='hatch' width='6' height='6' patternUnits='userSpaceOnUse' patternTransform='rotate(45)'>"
    f"<rect width='6' height='6' fill='{FILL['stale']}'/><path d='M0 0V6' stroke='#FFFFFF' stroke-width='2'/>"
    "</pattern></defs>"
)
LANDED = f"fill='{FILL['landed']}' stroke='{EDGE['landed']}'"
QUARANTINED = f"fill='url(#hatch)' stroke='{EDGE['stale']}'"


@dataclass(frozen=True, slots=True)
class Bar:
    """The rows of a period, or of several that share a bar."""

    name: str
    landed: int
    quarantined: int


def svg(title: str, bars: Sequence[Bar]) -> str:
    """Draw the chart; its size is the same for one bar and for thousands of periods."""
    shown = _shared(bars)
    top = _round_up(max((bar.landed + bar.quarantined for bar in shown), default=0))
    pitch = (WIDTH - LEFT - RIGHT) / max(len(shown), 1)
    parts = [
        HEAD,
        HATCH,
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#FFFFFF'/>",
        _text((LEFT, 28), title, "font-size='17'"),
        _legend(sum(bar.landed for bar in bars), sum(bar.quarantined for bar in bars)),
        *_scale(top),
        *(_bar(bar, LEFT + index * pitch, pitch, top) for index, bar in enumerate(shown)),
        *_names(shown, pitch),
        "</svg>",
    ]
    return "\n".join(parts)


def data_uri(drawn: str) -> str:
    """Give a drawing as an address that holds it: no server has to keep it, and none is asked for it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


def _shared(bars: Sequence[Bar]) -> list[Bar]:
    """Let neighbours share a bar where there are too many."""
    each = math.ceil(len(bars) / BARS)
    if each <= 1:
        return [*bars]
    groups = [bars[start : start + each] for start in range(0, len(bars), each)]
    return [
        Bar(group[0].name, sum(bar.landed for bar in group), sum(bar.quarantined for bar in group)) for group in groups
    ]


def _round_up(rows: int) -> int:
    """Give the next number whose first digit is 1, 2, 4, 6 or 8, and whose others are 0: four lines divide it."""
    unit = int(f"1{'0' * (len(str(rows)) - 1)}")
    digits = (1, 2, 4, 6, 8, 10)
    return next(digit * unit for digit in digits if digit * unit >= rows)


def _y(rows: float, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rows / top


def _scale(top: int) -> list[str]:
    lines = sorted({round(top * share) for share in (0, 0.25, 0.5, 0.75, 1)})
    return [
        f"<path d='M{LEFT} {_y(rows, top):.1f}H{WIDTH - RIGHT}' stroke='{RULE if rows else QUIET}'/>"
        + _text((LEFT - 8, _y(rows, top) + 4), many(rows), f"text-anchor='end' fill='{QUIET}'")
        for rows in lines
    ]


def _bar(bar: Bar, x: float, pitch: float, top: int) -> str:
    width = min(pitch * 0.8, 72)
    left = x + (pitch - width) / 2
    whole, landed = _y(bar.landed + bar.quarantined, top), _y(bar.landed, top)
    if bar.quarantined:
        whole = min(whole, landed - 3)  # three rows of a million are seen as well
    drawn = _rect((left, landed), (width, _y(0, top) - landed), LANDED)
    drawn += _rect((left, whole), (width, landed - whole), QUARANTINED) if bar.quarantined else ""
    said = f"{bar.name}: {bar.landed:,} landed, {bar.quarantined:,} quarantined"
    return f"<g><title>{escape(said)}</title>{drawn}</g>"


def _names(bars: Sequence[Bar], pitch: float) -> list[str]:
    step = math.ceil(len(bars) / LABELS) or 1
    return [
        _text((LEFT + (index + 0.5) * pitch, HEIGHT - BOTTOM + 20), bar.name, "text-anchor='middle'")
        for index, bar in enumerate(bars)
        if index % step == 0
    ]


def _legend(landed: int, quarantined: int) -> str:
    return (
        _rect((LEFT, 43), (13, 13), LANDED)
        + _text((LEFT + 20, 54), f"{landed:,} rows landed")
        + _rect((LEFT + 220, 43), (13, 13), QUARANTINED)
        + _text((LEFT + 240, 54), f"{quarantined:,} quarantined")
    )


def _rect(at: tuple[float, float], size: tuple[float, float], looks: str) -> str:
    (x, y), (width, height) = at, size
    return f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' {looks} stroke-width='0.5'/>"


def _text(at: tuple[float, float], text: str, looks: str = "") -> str:
    return f"<text x='{at[0]:.1f}' y='{at[1]:.1f}' {looks}>{escape(text)}</text>"

"""Draw what the conversion costs: CPU time as bars, peak memory by rows as lines.

Usage: python -m benchmarks.charts MEASURED FOLDER: the runs as `conversion.py` left them, and where the pictures go.
The colours are Okabe and Ito's, which colour-blind people tell apart; every mark has its name beside it.
"""

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.contestants import CHECKED, COPY, COURSE_ZSTD, FLOOR, NOWHERE, OURS

MONTHS, ROWS = 5, 1_369_765
HIDDEN = (CHECKED, FLOOR, COPY, COURSE_ZSTD)  # among the lines: they lie on others, or hold no rows
BLUE, GREY, BLACK = "#0072B2", "#999999", "#000000"
LINES = ("#D55E00", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#999999")
MARKS = ("s", "D", "^", "v", "P", "X")


def main(measured: Path, folder: Path) -> None:
    """Write both pictures."""
    runs = json.loads(measured.read_text(encoding="utf-8"))
    # texts stay texts, and the same figures make the same file
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "landfall", "font.family": "sans-serif"})
    _save(_cpu(runs), folder / "performance-cpu.svg")
    _save(_memory(runs), folder / "performance-memory.svg")


def _cpu(runs: list[dict[str, Any]]) -> Figure:
    found = {name: _figure(runs, name, MONTHS, "cpu_s") for name in _names(runs) if name != NOWHERE}
    shown = sorted(((seconds, name) for name, seconds in found.items() if seconds is not None), reverse=True)
    figure, axes = _canvas(7.5, 0.4 * len(shown) + 1.1)
    colours = [BLUE if name.startswith("Landfall") else BLACK if name == FLOOR else GREY for _, name in shown]
    bars = axes.barh([name for _, name in shown], [seconds for seconds, _ in shown], color=colours, height=0.65)
    axes.bar_label(bars, fmt="%.1f", padding=4)
    axes.set_xlabel(f"CPU seconds for {MONTHS * ROWS:,} rows, the whole command; less is better")
    axes.margins(x=0.1)
    return figure


def _memory(runs: list[dict[str, Any]]) -> Figure:
    figure, axes = _canvas(7.5, 4.4)
    others = [name for name in _names(runs) if not name.startswith("Landfall,") and name not in HIDDEN]
    styles = iter(zip(LINES, MARKS, strict=True))
    for name in others:
        points = [(scale, peak) for scale in _scales(runs, name) if (peak := _figure(runs, name, scale, "peak_mb"))]
        colour, mark = (BLUE, "o") if name == OURS else next(styles)
        rows = [scale * ROWS / 1e6 for scale, _ in points]
        axes.plot(
            rows, [peak for _, peak in points], color=colour, marker=mark, lw=2.5 if name == OURS else 1.5, label=name
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = [scale * ROWS / 1e6 for scale in sorted({run["scale"] for run in runs})]
    axes.set_xticks(ticks, [f"{tick:.1f}" for tick in ticks])
    axes.set_yticks([100, 200, 500, 1000, 2000, 5000], ["100", "200", "500", "1,000", "2,000", "5,000"])
    axes.minorticks_off()
    axes.grid(axis="y", color="#dddddd", lw=0.8)
    axes.set_xlabel("million rows")
    axes.set_ylabel("peak memory, MB")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes


def _names(runs: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(run["contestant"] for run in runs))


def _scales(runs: list[dict[str, Any]], name: str) -> list[float]:
    return sorted({run["scale"] for run in runs if run["contestant"] == name})


def _figure(runs: list[dict[str, Any]], name: str, scale: float, figure: str) -> float | None:
    found = [run["cost"][figure] for run in runs if run["contestant"] == name and run["scale"] == scale]
    return median(found) if found else None


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

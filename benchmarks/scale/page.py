"""From outcomes to a table of docs/scale.md."""

import datetime as dt
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.scale.simulation import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def write(outcomes: list[Outcome], at_once: int) -> str:
    """Lay the outcomes out, a column for each database."""
    rows: list[tuple[str, Callable[[Outcome], str]]] = [
        ("partitions landed, of", lambda each: f"{each.states['COMPLETED']} of {each.number}"),
        ("rows lost, doubled", lambda each: f"{each.verdict.lost}, {each.verdict.doubled}"),
        ("claims, load jobs", lambda each: f"{each.verdict.claims}, {each.verdict.load_jobs}"),
        ("content, log, ledger and jobs hold", lambda each: "; ".join(each.verdict.wrong) or "yes"),
        (f"runs at work at once, of {at_once}", lambda each: str(each.at_work)),
        ("wall time", lambda each: f"{each.watch.wall_s:.0f} s"),
        ("runs a minute", lambda each: f"{each.number / each.watch.wall_s * 60:.0f}"),
        ("CPU s a run, Prefect's server", lambda each: _a_run(each, "server")),
        ("CPU s a run, its database", lambda each: _a_run(each, "database")),
        ("CPU s a run, the worker", lambda each: _a_run(each, "worker")),
        ("CPU s a run, the runs", lambda each: _a_run(each, "runs")),
        ("CPU s a run, the local cloud and what keeps its containers", lambda each: _a_run(each, "cloud")),
        ("CPU s a run, the backfill's own process", lambda each: f"{each.backfill_cpu_s / each.number:.3f}"),
        ("of a CPU, the server and its database without work", _idle),
        ("peak memory of the server and its database", _memory),
        ("the server's answers, median", lambda each: f"{each.watch.answer_ms(0.5):.0f} ms"),
        ("the server's answers, 95 of 100 within", lambda each: f"{each.watch.answer_ms(0.95):.0f} ms"),
        ("the server's answers, the slowest", lambda each: f"{max(each.watch.answers_s) * 1000:.0f} ms"),
        ("questions without an answer", lambda each: f"{len(each.watch.unanswered)} of {len(each.watch.answers_s)}"),
        ("trouble in the server's log", lambda each: _trouble(each, "server")),
        ("trouble in the worker's and the runs' logs", lambda each: _trouble(each, "worker", "runs")),
        ("ledger INSERTs in the fullest ten seconds", lambda each: str(each.verdict.inserts)),
    ]
    lines = [
        f"| | {' | '.join(each.database for each in outcomes)} |",
        f"|---|{'---:|' * len(outcomes)}",
        *(f"| {what} | {' | '.join(cell(each) for each in outcomes)} |" for what, cell in rows),
    ]
    load = f"{os.getloadavg()[2]:.1f} processes at work in its last quarter of an hour"
    said = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} CPUs, {load}; Prefect {version('prefect')}."
    return "\n".join([*lines, "", said])


def _a_run(outcome: Outcome, what: str) -> str:
    if what not in outcome.watch.spent_s:
        return "in the server"
    spent = outcome.watch.spent_s[what] - outcome.idle[what] * outcome.watch.wall_s
    return f"{max(spent, 0) / outcome.number:.2f}"


def _idle(outcome: Outcome) -> str:
    return f"{sum(outcome.idle.get(name, 0) for name in ('server', 'database')):.1%}"


def _memory(outcome: Outcome) -> str:
    return f"{sum(outcome.watch.peak_mb.get(name, 0) for name in ('server', 'database')):.0f} MB"


def _trouble(outcome: Outcome, *logs: str) -> str:
    found = [f"{count} x {what.strip()}" for log in logs for what, count in outcome.trouble[log].items()]
    return ", ".join(found) or "none"

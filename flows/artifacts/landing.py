"""What a landing leaves: its reconciliation as a table, a summary with links, and a chart of its rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.artifacts import chart, console
from flows.artifacts.artifact import Artifact, Record, code_free, literal, table
from flows.artifacts.chart import Bar
from flows.etl.destination import Destination
from flows.etl.landing_log import Claim

if TYPE_CHECKING:
    from flows.report import Report

COUNTS = ("source_rows", "quarantined_rows", "lake_rows", "warehouse_rows")
SHOWN = ("partition", "status", *COUNTS, "seconds")
LINKED = 100  # partitions in the summary; the table has more


def artifacts(report: "Report", destination: Destination | None) -> list[Artifact]:
    """Give what a landing leaves.

    Args:
        report: what came of it; what failed is in all of them.
        destination: whose objects, table and jobs they are; None where BigQuery has no part in it.
    """
    made = [table(records(report), report.line), _summary(report, destination)]
    return made + ([_chart(report)] if report.done else [])


def records(report: "Report") -> list[Record]:
    """Give a row for each partition, in order: the counts that must add up, or why there are none."""
    return [
        {name.replace("_", " "): row[name] for name in SHOWN}
        | {"remark": row["why"] or "; ".join(row["warnings"]), "job id": row["job_id"]}  # what is long comes last
        for row in report.rows()
    ]


def _summary(report: "Report", destination: Destination | None) -> Artifact:
    lines = [f"## {code_free(report.contract)}", "", f"**{code_free(report.line)}**", ""]
    lines += _list("Failed", [f"**{each}**: {literal(why)}" for each, why in sorted(report.failed.items())])
    warned = [f"**{each}**: {literal('; '.join(said))}" for each, said in sorted(report.warnings.items())]
    lines += _list("Warnings", warned)
    lines += [*_places(report, destination)] if report.done and destination else []
    return Artifact("summary", "markdown", "\n".join(lines), code_free(report.line))


def _list(title: str, items: list[str]) -> list[str]:
    shown = [f"- {item}" for item in items[:LINKED]]
    shown += [f"- and {len(items) - LINKED} more"] if len(items) > LINKED else []
    return [f"### {title}", "", *shown, ""] if items else []


def _places(report: "Report", destination: Destination) -> Iterator[str]:
    """Say where what landed is, with links where Google's console shows it."""
    shown = console.covers(destination)
    name, bucket = literal(destination.table(report.contract)), literal(f"gs://{destination.bucket.name}")
    yield "### Where it is"
    yield ""
    if report.verb == "landed":
        yield f"Table [{name}]({console.of_table(destination, report.contract)})" if shown else f"Table {name}"
        yield ""
    yield f"Bucket {bucket}"
    yield ""
    for done in report.done[-LINKED:]:
        if isinstance(done.claim, Claim):
            job = (done.loaded.job_id if done.loaded else None) or ""
            lake, loaded = literal(done.claim.lake_uri.removeprefix("gs://").partition("/")[2]), literal(job)
            if shown:
                lake = f"[{lake}]({console.of_object(destination, done.claim.lake_uri)})"
                loaded = f"[{loaded}]({console.of_job(destination, job)})"
            by = f" by {loaded}" if job else ""
            # no table: a name that is long would make it wider than the page
            yield f"- **{done.claim.partition}**: {done.claim.lake_rows:,} rows in {lake}{by}"
    yield ""
    if len(report.done) > LINKED:
        yield f"The last {LINKED} partitions of {len(report.done)}; the table of rows has more."
    if not shown:
        yield "Bucket and dataset are not Google's (a local cloud), so that these are names and no links."


def _chart(report: "Report") -> Artifact:
    bars = [
        Bar(str(row["partition"]), row["warehouse_rows"] or row["lake_rows"] or 0, row["quarantined_rows"])
        for row in report.rows()
        if row["status"] == report.verb
    ]
    drawn = chart.svg(f"{report.contract}: rows {report.verb} by this run", bars)
    return Artifact("chart", "image", chart.data_uri(drawn), f"Rows by partition: {code_free(report.contract)}")

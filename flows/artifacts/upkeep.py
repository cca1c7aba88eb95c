"""What a backfill, a reconciliation and a sweep leave: a table with a row for each partition, divergence or object."""

from typing import TYPE_CHECKING

from flows.artifacts.artifact import Artifact, Record, cells, code_free, literal, table

if TYPE_CHECKING:
    from flows.backfilled import Backfilled
    from flows.reconcile import Reconciled
    from flows.sweep import Swept

LISTED = 100  # failures in a summary; the table has more


def of_backfill(report: "Backfilled") -> list[Artifact]:
    """Give a row for each partition, and a summary of what failed."""
    rows: list[Record] = [
        {
            "contract": each.contract,
            "partition": each.partition,
            "status": each.status,
            "source rows": each.source_rows,
            "quarantined rows": each.quarantined_rows,
            "warehouse rows": each.warehouse_rows,
            "source bytes": each.source_bytes,
            "flow run id": each.flow_run_id,
            "remark": each.why or "",
        }
        for each in report.ended
    ]
    lines = ["## backfill", "", f"**{code_free(report.line)}**"]
    if report.failed:
        lines += ["", cells(["contract", "partition", "why it failed"]), cells(["---"] * 3)]
        lines += [
            cells([literal(each.contract), each.partition, literal(each.why or "")]) for each in report.failed[:LISTED]
        ]
        if len(report.failed) > LISTED:
            lines += ["", f"The first {LISTED} of {len(report.failed)}."]
    return [table(rows, report.line), Artifact("summary", "markdown", "\n".join(lines), code_free(report.line))]


def of_reconciliation(report: "Reconciled") -> list[Artifact]:
    """Give a row for each divergence."""
    rows: list[Record] = [
        {
            "contract": each.contract,
            "partition": each.divergence.partition,
            "divergence": each.divergence.name,
            "found": each.divergence.found,
            "mended": each.said,
        }
        for each in report.found
    ]
    return [table(rows, report.line)]


def of_sweep(report: "Swept") -> list[Artifact]:
    """Give a row for each object."""
    rows: list[Record] = [
        {"object": each.item.uri, "bytes": each.size_bytes, "created": f"{each.created:%Y-%m-%d %H:%M:%S}"}
        for each in report.found
    ]
    return [table(rows, report.line)]

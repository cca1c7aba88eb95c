"""A contract's checks: counted over batches as they pass, or by one query on the table, and judged alike."""

from flows.etl.checks.against import Parameter
from flows.etl.checks.counting import Counts, aggregates
from flows.etl.checks.verdict import Verdict, judge

__all__ = ["Counts", "Parameter", "Verdict", "aggregates", "judge"]

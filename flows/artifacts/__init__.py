"""What a run leaves in Prefect's UI: a table, a summary, a chart, and how far it has come.

`landing` and `upkeep` build them from what came of a run, `sending` sends them: it never fails a run, and never holds
one up for long.
"""

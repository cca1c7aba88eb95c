"""A colour for each state, told apart with any colour vision: a test simulates three, and marks say the same.

Lightness falls from missing (white) over quarantined, landed and stale to failed. Blue against orange is the pair that
eyes without red or green cones keep apart best.
"""

from flows.etl.status import State

FILL: dict[State, str] = {
    "landed": "#5AA5DC",
    "quarantined": "#F7DC5A",
    "stale": "#D9770B",
    "failed": "#7F1022",
    "missing": "#FFFFFF",
}
EDGE: dict[State, str] = {
    "landed": "#3F86BB",
    "quarantined": "#B59A1C",
    "stale": "#A85A05",
    "failed": "#5C0B18",
    "missing": "#475569",
}
INK, QUIET, RULE, BAR = "#0F172A", "#64748B", "#E2E8F0", "#94A3B8"

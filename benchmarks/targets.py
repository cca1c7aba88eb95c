"""What must be reached, and what was found: a row each, met or missed and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

BAR = "\\|"  # for a table's cell


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that must lie on one side of a bound; `unit` is written behind both: ` MB`, ` times`, ` s`."""

    what: str
    found: float
    bound: float
    unit: str = ""
    form: str = ".2f"
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure lies where it must."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    @property
    def verdict(self) -> str:
        """Say that it is met, or by how much of the bound it is missed."""
        return "met" if self.met else f"**missed by {abs(self.found - self.bound) / abs(self.bound):.0%}**"

    def __str__(self) -> str:
        return f"{self.what}: found {self._written(self.found)}, expected {self._wanted()}; {self.verdict.strip('*')}"

    @property
    def row(self) -> str:
        """Give its line of the table."""
        return f"| {self.what.replace('|', BAR)} | {self._wanted()} | {self._written(self.found)} | {self.verdict} |"

    def _wanted(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}{self.unit}"

    def _written(self, figure: float) -> str:
        return f"{figure:{self.form}}{self.unit}"


def table(targets: Sequence[Target]) -> str:
    """Lay targets out as a Markdown table."""
    return "\n".join(["| | Target | Found | |", "|---|---:|---:|---|", *(target.row for target in targets)])


def missed(targets: Sequence[Target]) -> list[str]:
    """Say which were missed; empty if all is well."""
    return [str(target) for target in targets if not target.met]

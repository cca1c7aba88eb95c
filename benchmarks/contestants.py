"""Who brings the file from the web to the bucket: Landfall, what one would take instead, and what no one can avoid."""

import shutil
from dataclasses import dataclass

OURS, CHECKED, NOWHERE, PARQUET = (
    "Landfall",
    "Landfall with checks",
    "Landfall, kept nowhere",
    "Landfall, from Parquet",
)
COURSE, COURSE_ZSTD = "the course's flow", "the course's flow with zstd"
DLT, DUCKDB, POLARS = "dlt", "DuckDB", "Polars"
FLOOR, COPY = "curl | gunzip", "curl | gcloud storage cp"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A whole command, with what `Arena` knows in braces; its last line says how the objects that it made begin.

    `largest` is the largest scale that it is asked for, `few` how often at most where files are large.
    """

    name: str
    command: tuple[str, ...]
    form: str = "csv.gz"
    kept: bool = True  # by a storage that keeps what it gets
    converts: bool = True
    largest: int = 5
    few: int = 5


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return ("{python}", "-W", "ignore", "-m", f"benchmarks.{name}", *arguments)


def _ours(contract: str) -> tuple[str, ...]:
    return _module("ours", "{address}", "{contracts}", contract)


ALL = (
    Contestant(OURS, _ours("yellow"), largest=25),
    Contestant(CHECKED, _ours("yellow_checked"), largest=25),
    Contestant(NOWHERE, _ours("yellow"), kept=False),
    Contestant(PARQUET, _ours("yellow_parquet"), form="parquet"),
    Contestant(COURSE, _module("rivals.course", "{address}", "{folder}", "gzip"), few=2),
    Contestant(COURSE_ZSTD, _module("rivals.course", "{address}", "{folder}", "zstd"), few=3),
    Contestant(DLT, ("{dlt}", "{rivals}/dlt_pipeline.py", "{address}", "{folder}", "dlt_{number}")),
    Contestant(DUCKDB, _module("rivals.duckdb_copy", "{address}", "{folder}")),
    Contestant(POLARS, _module("rivals.polars_sink", "{address}", "{folder}")),
    Contestant(FLOOR, ("sh", "-c", "curl -sf {address} | gunzip >/dev/null"), converts=False, largest=25),
    Contestant(
        COPY,
        ("sh", "-c", "curl -sf {address} | gcloud storage cp --quiet --no-user-output-enabled - gs://lake/copy"),
        converts=False,
    ),
)


def present() -> list[Contestant]:
    """Leave out, with a word, what is not installed here."""
    found = [each for each in ALL if each.name != COPY or shutil.which("gcloud")]
    if len(found) < len(ALL):
        print(f"SKIPPED: {COPY}, as there is no gcloud on the PATH")
    return found

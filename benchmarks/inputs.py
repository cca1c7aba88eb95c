"""The files that the conversion is measured with, and the contracts that say what is in them."""

import json
import os
import tomllib
from pathlib import Path

from benchmarks.measure import run

CONTRACT = Path(__file__).parent / "contracts" / "yellow.toml"
SHIPPED = Path(__file__).resolve().parents[1] / "flows" / "contracts" / "yellow_trips.toml"
LETTERS = {"INT64": "i", "FLOAT64": "f", "STRING": "s", "DATETIME": "t"}


def name(scale: float, form: str) -> str:
    """Give a file's name."""
    return f"yellow_{scale:g}x.{form}"


def make(folder: Path, scale: float, form: str) -> None:
    """Make a file, if it is not there from before; in a process of its own, for it takes memory."""
    path = folder / name(scale, form)
    if not path.exists():
        print(f"making {path.name} (once)", flush=True)
        module = "benchmarks.yellow" if form == "csv.gz" else "benchmarks.yellow_parquet"
        run(module, str(path), f"{scale:g}", environment=os.environ)


def columns() -> dict[str, str]:
    """Give the columns and their types, as the contract has them."""
    agreed = tomllib.loads(CONTRACT.read_text(encoding="utf-8"))
    return {column["name"]: column["type"] for column in agreed["columns"]}


def write_contracts(folder: Path) -> None:
    """Write the contract of the file as it is, with the checks that the shipped one has, and of the same in Parquet.

    And `types.json`, the same types for the rivals, whom guessing would cost more.
    """
    plain = CONTRACT.read_text(encoding="utf-8")
    checks = SHIPPED.read_text(encoding="utf-8").partition("\n[quarantine]")
    parquet = plain.replace('format = "csv"\ncompression = "gzip"', 'format = "parquet"').replace("csv.gz", "parquet")
    for contract, text in {
        "yellow": plain,
        "yellow_checked": plain + "".join(checks[1:]),
        "yellow_parquet": parquet,
    }.items():
        (folder / f"{contract}.toml").write_text(text, encoding="utf-8")
    letters = {column: LETTERS[kind] for column, kind in columns().items()}
    (folder / "types.json").write_text(json.dumps(letters), encoding="utf-8")

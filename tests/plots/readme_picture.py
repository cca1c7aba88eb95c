"""`python -m localcloud exec --no-prefect -- python -m tests.plots.readme_picture` writes docs/status.png anew.

Real landings on the local cloud, of the contracts that its publisher serves, with trouble made on purpose: two months
of flights never asked for and two of an older revision, three broken rows, a claim that nobody loads, and an object
that BigQuery refuses over a month that had landed.
"""

import dataclasses
import datetime as dt
import gzip
import os
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from flows import settings
from flows.etl import claims, contract, lake, ledger, load, plan, status
from flows.etl.contract import Contract
from flows.etl.destination import Destination, open_destination
from flows.etl.errors import WarehouseRefused
from flows.etl.lake import Upload
from flows.etl.lake_object import LakeObject
from flows.etl.landing import Landing
from flows.etl.plan import Order
from flows.plots import picture, text
from flows.plots.board import Board
from localcloud.provision import Cloud, provision
from tests.end_to_end.place import clients
from tests.publisher import Publisher

PICTURE = Path(__file__).parents[2] / "docs" / "status.png"
OLDER, BROKEN, REFUSED, CLAIMED, NEVER = {"02", "03"}, {"05"}, {"07"}, {"09"}, {"11", "12"}


def main() -> None:
    """Land, ask, draw."""
    storage, warehouse = clients(dict(os.environ))
    provision(Cloud(os.environ["STORAGE_EMULATOR_HOST"], os.environ["BIGQUERY_EMULATOR_HOST"], "local"), "local")
    destination = open_destination(storage.bucket("landfall-local-lake"), warehouse, "landfall_local", "local")
    with tempfile.TemporaryDirectory() as folder, Publisher() as publisher:
        older, flights = _flights(Path(folder))
        others = [contract.read(settings.CONTRACTS, name) for name in ("airlines", "airports", "planes", "weather")]
        months = {f"{month:02}" for month in range(1, 13)}
        land(destination, older, OLDER)
        land(destination, flights, months - OLDER - BROKEN - CLAIMED - NEVER)
        land(destination, flights, BROKEN, _broken(publisher))
        for landing in landings(destination, flights, CLAIMED):
            claims.claim(landing, lake.bring(landing.bucket, landing.source))
        refuse(destination, flights, _broken(publisher, "07"))
        for each in others:
            land(destination, each)
        now = dt.datetime.now(dt.UTC)
        shown = sorted([*others, flights], key=lambda each: each.name)
        found = status.read(destination, shown, now)
    board = Board.of("local", now, {each.name: (each.partition, found[each.name]) for each in shown})
    PICTURE.write_bytes(picture.png(board))
    Console(width=80).print(text.draw(board), soft_wrap=True)
    print(f"wrote {PICTURE.relative_to(Path.cwd())}: {board.line}")


def _flights(folder: Path) -> tuple[Contract, Contract]:
    """Give the contract with a quarantine, and as it was a revision before."""
    text = (settings.CONTRACTS / "flights.toml").read_text(encoding="utf-8") + "[quarantine]\nmax_rows = 5\n"
    made = []
    for revision, more in ((1, "[drift]\nmissing_column = 'null'\n"), (2, "")):
        changed = text.replace("revision = 1", f"revision = {revision}") + more
        (folder / "flights.toml").write_text(changed, encoding="utf-8")
        made.append(contract.read(folder, "flights"))
    return made[0], made[1]


def landings(
    destination: Destination, agreed: Contract, months: set[str] | None = None, source: str | None = None
) -> Sequence[Landing]:
    """Give what is due of these months of 2013, or of all."""
    served = os.environ["LANDFALL_PUBLISHER"]
    periods = agreed.periods(None, None, dt.datetime.now(dt.UTC))
    chosen = [each for each in periods if months is None or str(each)[5:] in months]
    trusted = tuple(each for each in (served, source) if each)
    return plan.from_web(destination, Order(agreed, chosen, served, source, None, trusted=trusted)).due


def land(destination: Destination, agreed: Contract, months: set[str] | None = None, source: str | None = None) -> None:
    """Land them."""
    for landing in landings(destination, agreed, months, source):
        claims.claim(landing, lake.bring(landing.bucket, landing.source))
        ledger.record(destination, load.finish(landing))


def _broken(publisher: Publisher, month: str = "05") -> str:
    """Serve a month with three rows that do not fit, and give its address."""
    path = f"/flights/flights_2013-{month}.csv.gz"
    with urllib.request.urlopen(f"{os.environ['LANDFALL_PUBLISHER']}{path}") as answer:
        text = gzip.decompress(answer.read())
    publisher.serve(path, gzip.compress(text + b"not a flight\n" * 3))
    return f"{publisher.url}{path}"


def refuse(destination: Destination, agreed: Contract, source: str) -> None:
    """Claim an object that is no Parquet: BigQuery refuses it, and the rows of before stand."""
    (landing,) = landings(destination, agreed, REFUSED, source)
    upload: Upload = lake.bring(landing.bucket, landing.source)
    blob = landing.bucket.blob(f"lake/flights/{landing.partition}/broken.parquet")
    blob.upload_from_string(b"no Parquet", checksum="crc32c")
    broken = LakeObject(f"gs://{blob.bucket.name}/{blob.name}", int(blob.generation), blob.crc32c)
    claims.claim(landing, dataclasses.replace(upload, lake_object=broken))
    try:
        ledger.record(destination, load.finish(landing))
    except WarehouseRefused as error:
        print(error)


if __name__ == "__main__":
    main()

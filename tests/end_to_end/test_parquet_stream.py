"""A Parquet file that is read while it arrives: a kill leaves nothing of it, and the next run lands it whole."""

import io
import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from flows.etl.formats.parquet import SMALL_BYTES
from tests.end_to_end.place import Place
from tests.end_to_end.runner import Run
from tests.proxy import Fault, Proxy, is_middle_part
from tests.publisher import File

ROWS, GROUP_ROWS = 1_500_000, 150_000
NUMBERS = """
    revision = 1
    description = "Numbers without order"
    owner = "data-team"
    source = "{publisher}/numbers.parquet"
    format = "parquet"
    partition = "none"
    columns = [{ name = "place", type = "INT64" }, { name = "number", type = "INT64" }]
"""


def test_a_kill_in_the_middle_of_a_stream_leaves_nothing_and_the_next_run_lands_every_row(
    place: Place, tmp_path: Path, cloud: dict[str, str]
) -> None:
    (tmp_path / "numbers.toml").write_text(NUMBERS)
    numbers = np.random.default_rng(1).integers(1 << 62, size=ROWS)  # too much of chance to be compressed
    sink = io.BytesIO()
    table = pa.table({"place": np.arange(ROWS), "number": numbers})
    pyarrow.parquet.write_table(table, sink, row_group_size=GROUP_ROWS, use_dictionary=False)
    assert sink.tell() > SMALL_BYTES
    place.publisher.files["/numbers.parquet"] = File(sink.getvalue(), ranges=True)

    def start(**settings: str) -> Run:
        plant = "tests.end_to_end.plants:other_contracts"
        return place.start("numbers", "all", plant=plant, OTHER_CONTRACTS=str(tmp_path), **settings)

    before = place.snapshot()
    runs: list[Run] = []

    def kill() -> None:
        runs[0].kill()

    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_middle_part, before=kill))
        runs.append(start(STORAGE_EMULATOR_HOST=proxy.url))
        assert runs[0].wait() == -signal.SIGKILL, runs[0].text
    assert fault.fired == 1
    assert place.snapshot() == before
    whole = [path for method, path in place.publisher.requests if method == "GET"]
    assert len(whole) == 2, "its end, then the whole: it was read while it arrived"

    again = start()
    assert again.wait() == 0, again.text
    assert [claim["lake_rows"] for claim in place.claims("all", "numbers")] == [ROWS]
    total = sum(int(number) for number in numbers) % (1 << 61)
    query = f"SELECT COUNT(DISTINCT place), COUNT(*), MOD(SUM(CAST(number AS NUMERIC)), {1 << 61}) FROM {{numbers}}"
    assert place.ask(query) == [(ROWS, ROWS, total)]

"""Which results of queries are kept: the newest ones, over restarts too."""

from pathlib import Path

import pyarrow as pa
import pytest

from localcloud.bigquery.faults import Fault
from localcloud.bigquery.resources import Column
from localcloud.bigquery.results import KEPT_RESULTS, Results


def keep(results: Results, *numbers: int) -> None:
    for n in numbers:
        column = Column(name="n", type="INTEGER")
        results.store(f"job-{n}", [column], [pa.record_batch({"n": pa.array([n], pa.int64())})])


def test_the_newest_results_are_kept_and_one_that_is_kept_anew_counts_as_new(tmp_path: Path) -> None:
    results = Results(tmp_path)
    keep(results, *range(KEPT_RESULTS), 0, KEPT_RESULTS)
    assert [n for n in range(KEPT_RESULTS + 1) if not results.kept(f"job-{n}")] == [1]
    with pytest.raises(Fault, match="no longer kept"):
        results.page("job-1", 0, 1)
    again = Results(tmp_path)
    keep(again, KEPT_RESULTS + 1)
    gone = [n for n in range(KEPT_RESULTS + 2) if not again.kept(f"job-{n}")]
    # files' times are those of the kernel's ticks: some that were written together are of one age
    assert len(gone) == 2
    assert max(gone) < KEPT_RESULTS // 2
    assert again.page("job-0", 0, 1).table.to_pylist() == [{"n": 0}]
    assert len(list(tmp_path.iterdir())) == KEPT_RESULTS

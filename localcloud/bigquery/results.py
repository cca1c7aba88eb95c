"""What queries selected, kept in files: results are paged from the disk and outlive a restart."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from localcloud.bigquery.cells import arrow_schema, exact
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.parsing import restore
from localcloud.bigquery.resources import Column, Schema

BATCH_ROWS = 50_000
KEPT_RESULTS = 500  # Google keeps them for a day
_COLUMNS = b"columns"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a result, its schema, and how many rows it has in all."""

    table: pa.Table
    schema: Schema
    total_rows: int


class Results:
    """A folder of Arrow files, one for each job that selected rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.part"):
            unfinished.unlink()
        self._order = threading.Lock()
        # the oldest first: to look at all files after each query costs more than many a query
        self._kept = dict.fromkeys(sorted(folder.glob("*.arrow"), key=lambda path: path.stat().st_mtime))

    def store(self, job_id: str, columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> None:
        """Keep a job's rows, a batch at a time; they can be read when all are there."""
        path = self._path(job_id)
        part = path.with_suffix(".part")
        described = json.dumps(Schema(fields=tuple(columns)).to_json()).encode()
        schema = arrow_schema(columns)
        with pa.ipc.new_file(part, schema.with_metadata({_COLUMNS: described})) as writer:
            for batch in batches:
                writer.write_batch(exact(batch, columns))
        part.replace(path)
        self._forget_the_oldest(path)

    def kept(self, job_id: str) -> bool:
        """Say whether a job's rows can be read."""
        return self._path(job_id).exists()

    def page(self, job_id: str, start: int, rows: int) -> Page:
        """Read some of a job's rows.

        Raises:
            Fault: notFound, when they are no longer kept.
        """
        try:
            mapped = pa.memory_map(str(self._path(job_id)))
        except FileNotFoundError as error:
            raise Fault("notFound", f"Not found: the results of job {job_id} are no longer kept") from error
        with mapped, pa.ipc.open_file(mapped) as reader:
            schema = restore(Schema, reader.schema.metadata[_COLUMNS].decode())
            picked, passed = [], 0
            for index in range(reader.num_record_batches):
                batch = reader.get_batch(index)
                inside = batch.slice(max(0, start - passed), max(0, min(rows, start + rows - passed)))
                if passed + batch.num_rows > start and passed < start + rows:
                    picked.append(inside)
                passed += batch.num_rows
            return Page(pa.Table.from_batches(picked, arrow_schema(schema.fields)), schema, passed)

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(job_id.encode()).hexdigest()}.arrow"

    def _forget_the_oldest(self, newest: Path) -> None:
        with self._order:
            self._kept.pop(newest, None)  # a job that ran again after a restart
            self._kept[newest] = None
            while len(self._kept) > KEPT_RESULTS:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                oldest.unlink(missing_ok=True)

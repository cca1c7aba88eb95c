"""What the server says of a job: its state, its error, its numbers.

Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from localcloud.bigquery.configurations import Configuration, JobReference
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.resources import USER, Int64, Resource, Schema


class JobKey(NamedTuple):
    """A job's name: ids are unique within a project."""

    project: str
    id: str

    def __str__(self) -> str:
        return f"{self.project}:{self.id}"


class Error(Resource):
    """Why a job failed."""

    reason: str
    message: str
    location: str = ""

    @classmethod
    def of(cls, fault: Fault) -> Error:
        """Record a refusal."""
        return cls(reason=fault.reason, message=fault.message)


class Status(Resource):
    """How far a job is; a DONE job with an error result failed."""

    state: Literal["PENDING", "RUNNING", "DONE"]
    error_result: Error | None = None
    errors: tuple[Error, ...] | None = None


class LoadStatistics(Resource):
    """What this load read and wrote."""

    input_files: Int64
    input_file_bytes: Int64
    output_rows: Int64
    output_bytes: Int64
    bad_records: Int64 = 0


class DmlStats(Resource):
    """The rows that a statement changed, by kind."""

    inserted_row_count: Int64 | None = None
    updated_row_count: Int64 | None = None
    deleted_row_count: Int64 | None = None

    @property
    def total(self) -> int:
        """All rows that the statement changed."""
        return (self.inserted_row_count or 0) + (self.updated_row_count or 0) + (self.deleted_row_count or 0)


class QueryStatistics(Resource):
    """What this query did."""

    statement_type: str
    total_bytes_processed: Int64 = 0
    total_bytes_billed: Int64 = 0
    cache_hit: bool = False
    num_dml_affected_rows: Int64 | None = None
    dml_stats: DmlStats | None = None
    result_schema: Schema | None = Field(None, alias="schema")


class CopyStatistics(Resource):
    """What this copy wrote."""

    copied_rows: Int64


class ExtractStatistics(Resource):
    """How many files this extract wrote for each pattern."""

    destination_uri_file_counts: tuple[Int64, ...]


class Statistics(Resource):
    """A job's times in milliseconds, and the numbers of its kind."""

    creation_time: Int64 | None = None
    start_time: Int64 | None = None
    end_time: Int64 | None = None
    total_bytes_processed: Int64 | None = None
    load: LoadStatistics | None = None
    query: QueryStatistics | None = None
    copied: CopyStatistics | None = Field(None, alias="copy")
    extract: ExtractStatistics | None = None


class JobRecord(Resource):
    """A job as jobs.get answers it."""

    kind: str = "bigquery#job"
    id: str
    etag: str
    user_email: str = Field(USER, alias="user_email")
    job_reference: JobReference
    configuration: Configuration
    status: Status
    statistics: Statistics

    @property
    def key(self) -> JobKey:
        """The job's name."""
        return JobKey(self.job_reference.project_id or "", self.job_reference.job_id or "")

    @property
    def location(self) -> str:
        """Where the job runs."""
        return self.job_reference.location or ""

    def with_statistics(self, **numbers: object) -> JobRecord:
        """Add to the job's numbers."""
        return self.model_copy(update={"statistics": self.statistics.model_copy(update=numbers)})

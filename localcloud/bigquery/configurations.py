"""What a job is told to do: Google's job resources, as far as this server understands them.

As in `resources`, a field that is not here is answered with 501 and its name.
Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from localcloud.bigquery.resources import (
    Clustering,
    DatasetReference,
    Int64,
    RangePartitioning,
    Resource,
    Schema,
    TableReference,
    TimePartitioning,
    only,
)

CreateDisposition = Literal["CREATE_IF_NEEDED", "CREATE_NEVER"]
WriteDisposition = Literal["WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND", "WRITE_EMPTY"]
SchemaUpdateOptions = tuple[Literal["ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"], ...]


class DestinationTableProperties(Resource):
    """What a load says of a table that it creates."""

    description: str | None = None
    friendly_name: str | None = None
    labels: dict[str, str] | None = None


class ParquetOptions(Resource):
    """How Parquet is read; an enum column is always text here."""

    enable_list_inference: bool = False
    enum_as_string: Annotated[bool, only(True)] | None = None


class Load(Resource):
    """Files into a table."""

    destination_table: TableReference
    source_uris: tuple[str, ...] = ()
    source_format: Annotated[str, only("CSV", "NEWLINE_DELIMITED_JSON", "PARQUET")] = "CSV"
    table_schema: Schema | None = Field(None, alias="schema")
    create_disposition: CreateDisposition = "CREATE_IF_NEEDED"
    write_disposition: WriteDisposition = "WRITE_APPEND"
    schema_update_options: SchemaUpdateOptions = ()
    time_partitioning: TimePartitioning | None = None
    range_partitioning: RangePartitioning | None = None
    clustering: Clustering | None = None
    destination_table_properties: DestinationTableProperties | None = None
    autodetect: bool = False
    ignore_unknown_values: bool = False
    max_bad_records: Annotated[int, only(0)] = 0
    encoding: Annotated[str, only("UTF-8")] = "UTF-8"
    parquet_options: ParquetOptions | None = None
    # of CSV alone
    field_delimiter: str = ","
    quote: str = '"'
    null_marker: str = ""
    skip_leading_rows: int | None = None
    allow_jagged_rows: bool = False
    allow_quoted_newlines: bool = False

    @model_validator(mode="after")
    def _csv_has_no_unknown_values(self) -> Self:
        if self.source_format == "CSV" and self.ignore_unknown_values:
            raise PydanticCustomError("not_implemented", "True for CSV in load.ignoreUnknownValues")
        return self


class QueryParameterType(Resource):
    """A parameter's type."""

    type: str
    array_type: QueryParameterType | None = None
    struct_types: tuple[StructField, ...] | None = None


class StructField(Resource):
    """One field of a struct parameter's type."""

    name: str | None = None
    type: QueryParameterType


def _as_text(value: object) -> object:
    """Take a FLOAT64 as the number that the client sends."""
    return repr(value) if isinstance(value, float) else value


class QueryParameterValue(Resource):
    """A parameter's value; a scalar without value is NULL."""

    value: Annotated[str, BeforeValidator(_as_text)] | None = None
    array_values: tuple[QueryParameterValue, ...] | None = None
    struct_values: dict[str, QueryParameterValue] | None = None


class QueryParameter(Resource):
    """A parameter, positional where it has no name."""

    name: str | None = None
    parameter_type: QueryParameterType
    parameter_value: QueryParameterValue = QueryParameterValue()


class Query(Resource):
    """GoogleSQL, and perhaps a table for what it selects. Legacy SQL, Google's default, must be declined."""

    query: str
    use_legacy_sql: Annotated[bool, only(False)] = True
    destination_table: TableReference | None = None
    create_disposition: CreateDisposition = "CREATE_IF_NEEDED"
    write_disposition: WriteDisposition = "WRITE_EMPTY"
    schema_update_options: SchemaUpdateOptions = ()
    time_partitioning: TimePartitioning | None = None
    range_partitioning: RangePartitioning | None = None
    clustering: Clustering | None = None
    default_dataset: DatasetReference | None = None
    parameter_mode: Literal["NAMED", "POSITIONAL"] | None = None
    query_parameters: tuple[QueryParameter, ...] = ()
    maximum_bytes_billed: Int64 | None = None
    priority: Literal["INTERACTIVE", "BATCH"] = "INTERACTIVE"  # all jobs start at once here
    use_query_cache: bool = True  # there is no cache: every query runs


class Copy(Resource):
    """Tables into a table."""

    destination_table: TableReference
    source_table: TableReference | None = None
    source_tables: tuple[TableReference, ...] = ()
    create_disposition: CreateDisposition = "CREATE_IF_NEEDED"
    write_disposition: WriteDisposition = "WRITE_EMPTY"
    operation_type: Annotated[str, only("COPY", "OPERATION_TYPE_UNSPECIFIED")] = "COPY"

    @property
    def sources(self) -> tuple[TableReference, ...]:
        """All tables that are read."""
        return self.source_tables or ((self.source_table,) if self.source_table else ())


class Extract(Resource):
    """A table into files."""

    source_table: TableReference
    destination_uri: str | None = None
    destination_uris: tuple[str, ...] = ()
    destination_format: Annotated[str, only("CSV", "NEWLINE_DELIMITED_JSON", "PARQUET")] = "CSV"
    compression: Literal["NONE", "GZIP", "SNAPPY", "ZSTD"] = "NONE"
    field_delimiter: str = ","
    print_header: bool = True

    @property
    def uris(self) -> tuple[str, ...]:
        """All patterns that are written."""
        return self.destination_uris or ((self.destination_uri,) if self.destination_uri else ())


class Configuration(Resource):
    """What a job does: exactly one of load, query, copy and extract."""

    job_type: Literal["LOAD", "QUERY", "COPY", "EXTRACT"] | None = None
    load: Load | None = None
    query: Query | None = None
    copying: Copy | None = Field(None, alias="copy")
    extract: Extract | None = None
    dry_run: bool | None = None
    labels: dict[str, str] | None = None


class JobReference(Resource):
    """A job's name."""

    project_id: str | None = None
    job_id: str | None = None
    location: str | None = None


class JobRequest(Resource):
    """The body of jobs.insert."""

    job_reference: JobReference = JobReference()
    configuration: Configuration


class FormatOptions(Resource):
    """How cells are spelled."""

    use_int64_timestamp: bool = False
    timestamp_output_format: Literal["TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED", "FLOAT64", "INT64", "ISO8601_STRING"] = (
        "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED"
    )


class QueryRequest(Resource):
    """The body of jobs.query."""

    query: str
    use_legacy_sql: Annotated[bool, only(False)] = True
    kind: str | None = None
    location: str | None = None
    default_dataset: DatasetReference | None = None
    parameter_mode: Literal["NAMED", "POSITIONAL"] | None = None
    query_parameters: tuple[QueryParameter, ...] = ()
    maximum_bytes_billed: Int64 | None = None
    use_query_cache: bool = True
    labels: dict[str, str] | None = None
    dry_run: bool = False
    max_results: int | None = None
    timeout_ms: int = 10_000
    request_id: str | None = None
    format_options: FormatOptions = FormatOptions()
    # optional leaves it to the server: here each query has its job
    job_creation_mode: Literal["JOB_CREATION_MODE_UNSPECIFIED", "JOB_CREATION_REQUIRED", "JOB_CREATION_OPTIONAL"] = (
        "JOB_CREATION_MODE_UNSPECIFIED"
    )

    def configuration(self) -> Configuration:
        """Word the request as the job that it starts."""
        query = Query(
            query=self.query,
            use_legacy_sql=False,
            default_dataset=self.default_dataset,
            parameter_mode=self.parameter_mode,
            query_parameters=self.query_parameters,
            maximum_bytes_billed=self.maximum_bytes_billed,
            use_query_cache=self.use_query_cache,
        )
        return Configuration(query=query, dry_run=self.dry_run, labels=self.labels)


class InsertAllRow(Resource):
    """One row of tabledata.insertAll."""

    insert_id: str | None = None  # Google's best-effort deduplication is not promised, and not done
    json_: dict[str, object] = Field(alias="json")


class InsertAllRequest(Resource):
    """The body of tabledata.insertAll."""

    rows: tuple[InsertAllRow, ...]
    kind: str | None = None
    ignore_unknown_values: bool = False
    skip_invalid_rows: Annotated[bool, only(False)] = False

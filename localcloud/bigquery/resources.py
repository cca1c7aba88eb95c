"""Google's datasets and tables, as far as this server understands them.

A model is the explicit list of the fields that are understood: every other field, and every value that `only` leaves
out, is answered with 501 and its name (see `parsing`). Names are Google's, in snake case here, in camel case outside.
Source: https://cloud.google.com/bigquery/docs/reference/rest/v2
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from localcloud.bigquery.database import quoted

Int64 = Annotated[int, PlainSerializer(str, when_used="unless-none")]  # as a JSON number it would lose digits
USER = "local@example.com"  # who does everything here
Labels = dict[str, str | None]  # null deletes a label in a patch


def only(*values: object) -> AfterValidator:
    """Understand some of a field's values; the others are not implemented, which is not what Google answers."""

    def check(value: object) -> object:
        if value not in values:
            raise PydanticCustomError("not_implemented", "{value}", {"value": repr(value)})
        return value

    return AfterValidator(check)


class Resource(BaseModel):
    """A piece of JSON whose fields are all known."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_default=True
    )

    def to_json(self, include: set[str] | None = None) -> dict[str, object]:
        """Dump as Google words it: camel case, int64 as strings, no nulls."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, include=include)


class DatasetKey(NamedTuple):
    """A dataset's full name."""

    project: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}"

    @property
    def schema_name(self) -> str:
        """The engine's schema that holds the dataset's tables."""
        return f"{self.project}.{self.dataset}"


class TableKey(NamedTuple):
    """A table's full name, without partition decorator."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.table}"

    @property
    def parent(self) -> DatasetKey:
        """The dataset that holds the table."""
        return DatasetKey(self.project, self.dataset)

    @property
    def sql(self) -> str:
        """The engine's table that holds the rows."""
        return f"{quoted(self.parent.schema_name)}.{quoted(self.table)}"


class DatasetReference(Resource):
    """A dataset's name on the wire; the project defaults to the request's."""

    dataset_id: str
    project_id: str | None = None

    def key(self, project: str) -> DatasetKey:
        """Complete the name with the request's project."""
        return DatasetKey(self.project_id or project, self.dataset_id)


class TableReference(Resource):
    """A table's name on the wire, perhaps with a partition decorator."""

    dataset_id: str
    table_id: str
    project_id: str | None = None

    def key(self, project: str) -> TableKey:
        """Complete the name with the request's project, without the decorator."""
        return TableKey(self.project_id or project, self.dataset_id, self.table_id.partition("$")[0])

    @property
    def partition(self) -> str | None:
        """What stands after the `$`."""
        return self.table_id.partition("$")[2] or None


Kind = Literal[
    "STRING",
    "BYTES",
    "INTEGER",
    "FLOAT",
    "NUMERIC",
    "BOOLEAN",
    "TIMESTAMP",
    "DATE",
    "TIME",
    "DATETIME",
    "JSON",
    "RECORD",
]
STANDARD_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
_LEGACY_NAMES = {standard: legacy for legacy, standard in STANDARD_NAMES.items()} | {"DECIMAL": "NUMERIC"}


def _kind(name: object) -> object:
    """Use Google's legacy names, as its answers do; refuse the types that the engine cannot keep exactly."""
    kind = _LEGACY_NAMES.get(str(name).upper(), str(name).upper())
    if kind in {"BIGNUMERIC", "BIGDECIMAL", "GEOGRAPHY", "INTERVAL", "RANGE"}:
        raise PydanticCustomError("not_implemented", "{value}", {"value": repr(kind)})
    return kind


class Column(Resource):
    """One column of a schema, or one field of a record."""

    name: str
    type: Annotated[Kind, BeforeValidator(_kind)]
    mode: Annotated[Literal["NULLABLE", "REQUIRED", "REPEATED"], BeforeValidator(lambda mode: str(mode).upper())] = (
        "NULLABLE"
    )
    description: str | None = None
    fields: tuple[Column, ...] | None = None

    @property
    def lower(self) -> str:
        """The name as it compares: BigQuery's column names ignore case."""
        return self.name.lower()

    @property
    def standard_type(self) -> str:
        """The type as SQL and INFORMATION_SCHEMA word it."""
        name = STANDARD_NAMES.get(self.type, self.type)
        if self.fields is not None:
            name += "<" + ", ".join(f"{sub.name} {sub.standard_type}" for sub in self.fields) + ">"
        return f"ARRAY<{name}>" if self.mode == "REPEATED" else name


class Schema(Resource):
    """A table's columns, in their order."""

    fields: tuple[Column, ...] = ()


class TimePartitioning(Resource):
    """Partitions by a column's time, or by the time of arrival where no field is named."""

    type: Literal["HOUR", "DAY", "MONTH", "YEAR"] = "DAY"
    field: str | None = None
    expiration_ms: Int64 | None = None
    require_partition_filter: Annotated[bool, only(False)] | None = None


class Range(Resource):
    """From `start` up to `end`, in steps."""

    start: Int64
    end: Int64
    interval: Int64


class RangePartitioning(Resource):
    """Partitions by an integer column."""

    field: str
    range: Range


class Clustering(Resource):
    """The columns that a table is sorted by: kept as told, the engine has no use for them."""

    fields: tuple[str, ...]


class View(Resource):
    """A table made of a query. Google's default dialect is legacy SQL, which is not understood here."""

    query: str
    use_legacy_sql: Annotated[bool, only(False)] = True


class Access(Resource):
    """One entry of who may do what with a dataset: kept as told, nobody is refused here."""

    role: str | None = None
    user_by_email: str | None = None
    group_by_email: str | None = None
    domain: str | None = None
    special_group: str | None = None
    iam_member: str | None = None
    view: TableReference | None = None


# what a dataset grants where its maker says nothing
DEFAULT_ACCESS = (
    Access(role="WRITER", special_group="projectWriters"),
    Access(role="OWNER", special_group="projectOwners"),
    Access(role="OWNER", user_by_email=USER),
    Access(role="READER", special_group="projectReaders"),
)


class Dataset(Resource):
    """A dataset: what a user says of it, and what only the server says."""

    dataset_reference: DatasetReference
    location: str | None = None
    friendly_name: str | None = None
    description: str | None = None
    labels: Labels | None = None
    access: tuple[Access, ...] | None = None
    default_table_expiration_ms: Int64 | None = None
    default_partition_expiration_ms: Int64 | None = None
    kind: str | None = None
    id: str | None = None
    etag: str | None = None
    self_link: str | None = None
    type: str | None = None
    creation_time: Int64 | None = None
    last_modified_time: Int64 | None = None


class Table(Resource):
    """A table or view: what a user says of it, and what only the server says."""

    table_reference: TableReference
    table_schema: Schema | None = Field(None, alias="schema")
    time_partitioning: TimePartitioning | None = None
    range_partitioning: RangePartitioning | None = None
    clustering: Clustering | None = None
    view: View | None = None
    friendly_name: str | None = None
    description: str | None = None
    labels: Labels | None = None
    expiration_time: Int64 | None = None
    require_partition_filter: Annotated[bool, only(False)] | None = None
    kind: str | None = None
    id: str | None = None
    etag: str | None = None
    self_link: str | None = None
    type: Literal["TABLE", "VIEW"] | None = None
    location: str | None = None
    creation_time: Int64 | None = None
    last_modified_time: Int64 | None = None
    num_rows: Int64 | None = None
    num_bytes: Int64 | None = None
    num_long_term_bytes: Int64 | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The schema's columns; none where there is no schema yet."""
        return self.table_schema.fields if self.table_schema else ()


# what a request may repeat from an earlier answer, without effect
DATASET_OUTPUT = frozenset({"kind", "id", "etag", "self_link", "type", "creation_time", "last_modified_time"})
TABLE_OUTPUT = DATASET_OUTPUT | {"location", "num_rows", "num_bytes", "num_long_term_bytes"}

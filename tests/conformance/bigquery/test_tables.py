"""Datasets and tables through their own methods: what they keep, what changes, what expires."""

import datetime as dt
import time
from collections.abc import Callable

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Select
from tests.conformance.promises import BIGQUERY_API, promise, relied_on
from tests.conformance.targets import Target

X = bigquery.SchemaField("x", "INTEGER")
HOUR_MS = 3_600_000
GONE_WITHIN_S = 10  # Google says no more than "will be deleted"
ETAGS = "an update carries the etag that was read, and a changed resource refuses it"
CLIENT = "google/cloud/bigquery/client.py"
CAUGHT = (
    "When you create a table partitioned by ingestion time or time-unit column, you can specify a partition expiration."
)
MANAGING = "https://cloud.google.com/bigquery/docs/managing-partitioned-tables"
PATCH = "the patch method only replaces fields that are provided in the submitted table resource."


def wait_until(holds: Callable[[], bool], seconds: float = GONE_WITHIN_S) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


@promise("A user-friendly description of the dataset.", BIGQUERY_API)
def test_a_dataset_keeps_what_it_is_told(bigquery_client: bigquery.Client, target: Target) -> None:
    given = bigquery.Dataset(f"{bigquery_client.project}.{target.unique('made_')}")
    given.location = "EU"
    given.description = "Made"
    given.labels = {"environment": "local"}
    given.default_table_expiration_ms = HOUR_MS
    bigquery_client.create_dataset(given)
    try:
        made = bigquery_client.get_dataset(given.dataset_id)
        assert (made.location, made.description, made.labels) == ("EU", "Made", {"environment": "local"})
        assert made.default_table_expiration_ms == HOUR_MS
        assert given.dataset_id in [dataset.dataset_id for dataset in bigquery_client.list_datasets()]
    finally:
        bigquery_client.delete_dataset(given)


@promise(
    "whereas the patch method only replaces fields that are provided in the submitted dataset resource.", BIGQUERY_API
)
def test_a_patch_of_a_dataset_changes_what_it_names_and_a_null_label_removes_one(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset
) -> None:
    dataset.description, dataset.labels = "First", {"environment": "local", "old": "yes"}
    dataset = bigquery_client.update_dataset(dataset, ["description", "labels"])
    dataset.labels = {"environment": "prod", "old": None}
    dataset.friendly_name = "Changed"
    bigquery_client.update_dataset(dataset, ["labels", "friendly_name"])
    kept = bigquery_client.get_dataset(dataset.dataset_id)
    assert (kept.description, kept.labels, kept.friendly_name) == ("First", {"environment": "prod"}, "Changed")


@promise("If you patch a dataset, then this field is overwritten by the patched dataset's access field.", BIGQUERY_API)
def test_a_dataset_keeps_its_access_entries_and_a_patch_replaces_them(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset
) -> None:
    def roles() -> set[tuple[str | None, str | None, object]]:
        found = bigquery_client.get_dataset(dataset.dataset_id).access_entries
        return {(entry.role, entry.entity_type, entry.entity_id) for entry in found}

    owners = ("OWNER", "specialGroup", "projectOwners")
    assert {
        owners,
        ("READER", "specialGroup", "projectReaders"),
        ("WRITER", "specialGroup", "projectWriters"),
    } <= roles()
    dataset.access_entries = [
        bigquery.AccessEntry("OWNER", "specialGroup", "projectOwners"),
        bigquery.AccessEntry("READER", "domain", "google.com"),
    ]
    bigquery_client.update_dataset(dataset, ["access_entries"])
    assert roles() == {owners, ("READER", "domain", "google.com")}


@promise(
    "Immediately after deletion, you can create another dataset with the same name.",
    BIGQUERY_API,
)
def test_a_dataset_with_tables_goes_only_when_told_to(bigquery_client: bigquery.Client, target: Target) -> None:
    name = target.unique("made_")
    bigquery_client.create_dataset(name)
    bigquery_client.create_table(bigquery.Table(f"{bigquery_client.project}.{name}.t", [X]))
    with pytest.raises(exceptions.BadRequest, match="in use"):
        bigquery_client.delete_dataset(name)
    bigquery_client.delete_dataset(name, delete_contents=True)
    with pytest.raises(exceptions.NotFound):
        bigquery_client.get_dataset(name)
    bigquery_client.create_dataset(name)
    assert list(bigquery_client.list_tables(name)) == []
    bigquery_client.delete_dataset(name)


@relied_on("a second dataset or table of a name answers 409, which exists_ok catches", CLIENT)
def test_a_second_dataset_or_table_of_a_name_is_a_conflict(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset, table: str
) -> None:
    with pytest.raises(exceptions.Conflict):
        bigquery_client.create_dataset(dataset.dataset_id)
    assert bigquery_client.create_dataset(dataset.dataset_id, exists_ok=True).etag == dataset.etag
    bigquery_client.create_table(bigquery.Table(table, [X]))
    with pytest.raises(exceptions.Conflict):
        bigquery_client.create_table(bigquery.Table(table, [X]))


@relied_on("what is absent answers 404, which not_found_ok catches", CLIENT)
def test_what_is_absent_is_not_found(bigquery_client: bigquery.Client, table: str) -> None:
    absent = "landfall_no_such_dataset_6b1f"
    for ask in (
        lambda: bigquery_client.get_dataset(absent),
        lambda: bigquery_client.delete_dataset(absent),
        lambda: bigquery_client.get_table(table),
        lambda: bigquery_client.delete_table(table),
        lambda: list(bigquery_client.list_tables(absent)),
        lambda: bigquery_client.create_table(bigquery.Table(f"{bigquery_client.project}.{absent}.t", [X])),
    ):
        with pytest.raises(exceptions.NotFound):
            ask()


@promise(PATCH, BIGQUERY_API)
def test_a_patch_of_a_table_changes_what_it_names_and_null_removes(
    bigquery_client: bigquery.Client, table: str
) -> None:
    given = bigquery.Table(table, [X])
    given.description, given.friendly_name, given.labels = "Trips", "All", {"team": "data"}
    made = bigquery_client.create_table(given)
    made.description = None
    bigquery_client.update_table(made, ["description"])
    kept = bigquery_client.get_table(table)
    assert (kept.description, kept.friendly_name, kept.labels, kept.schema) == (None, "All", {"team": "data"}, [X])


@relied_on(ETAGS, CLIENT)
def test_a_change_of_something_that_changed_meanwhile_is_refused(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset, table: str
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [X]))
    mine, theirs = bigquery_client.get_table(table), bigquery_client.get_table(table)
    theirs.description = "theirs"
    bigquery_client.update_table(theirs, ["description"])
    mine.description = "mine"
    with pytest.raises(exceptions.PreconditionFailed):
        bigquery_client.update_table(mine, ["description"])
    assert bigquery_client.get_table(table).description == "theirs"
    again = bigquery_client.get_dataset(dataset.dataset_id)
    again.description = "theirs"
    bigquery_client.update_dataset(again, ["description"])
    dataset.description = "mine"
    with pytest.raises(exceptions.PreconditionFailed):
        bigquery_client.update_dataset(dataset, ["description"])


@promise("Output only. A hash of this resource.", BIGQUERY_API)
def test_a_change_of_rows_or_description_is_a_change_of_the_etag(
    bigquery_client: bigquery.Client, table: str, select: Select
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [X]))
    etags = [bigquery_client.get_table(table).etag, bigquery_client.get_table(table).etag]
    select(f"INSERT INTO `{table}` (x) VALUES (1)")
    changed = bigquery_client.get_table(table)
    etags.append(changed.etag)
    changed.description = "Trips"
    etags.append(bigquery_client.update_table(changed, ["description"]).etag)
    assert etags[0] == etags[1]
    assert len(set(etags)) == 3


@promise("Optional. Describes the schema of this table.", BIGQUERY_API)
def test_a_table_gains_columns_and_loses_or_retypes_none(
    bigquery_client: bigquery.Client, table: str, select: Select
) -> None:
    made = bigquery_client.create_table(bigquery.Table(table, [X]))
    select(f"INSERT INTO `{table}` (x) VALUES (1)")
    made = bigquery_client.get_table(made)
    made.schema = [*made.schema, bigquery.SchemaField("y", "STRING", description="new")]
    made = bigquery_client.update_table(made, ["schema"])
    assert [tuple(row) for row in bigquery_client.list_rows(made)] == [(1, None)]
    assert made.schema[1].description == "new"
    for refused in ([X], [bigquery.SchemaField("x", "STRING"), made.schema[1]]):
        made.schema = refused
        with pytest.raises(exceptions.BadRequest):
            bigquery_client.update_table(made, ["schema"])
    assert [field.name for field in bigquery_client.get_table(table).schema] == ["x", "y"]


@promise(
    "if set, the table is partitioned by this field. The field must be a top-level TIMESTAMP or DATE field.",
    BIGQUERY_API,
)
def test_a_layout_over_a_column_that_is_absent_or_of_another_type_is_refused(
    bigquery_client: bigquery.Client, table: str
) -> None:
    for field in ("at", "x"):
        given = bigquery.Table(table, [X])
        given.time_partitioning = bigquery.TimePartitioning("MONTH", field)
        with pytest.raises(exceptions.BadRequest):
            bigquery_client.create_table(given)


@promise("A token to request the next page of results.", BIGQUERY_API)
def test_tables_are_listed_a_page_at_a_time(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset, table: str
) -> None:
    for name in ("a", "b", "c"):
        bigquery_client.create_table(bigquery.Table(f"{table}_{name}", [X]))
    pages = [[each.table_id for each in page] for page in bigquery_client.list_tables(dataset, page_size=2).pages]
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(pages[0] + pages[1]) == ["trips_a", "trips_b", "trips_c"]


@promise(
    "Once this property is set, all newly-created tables in the dataset will have an expirationTime property set to "
    "the creation time plus the value in this property, and changing the value will only affect new tables, not "
    "existing ones.",
    BIGQUERY_API,
)
def test_a_new_table_expires_after_the_datasets_default(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset, table: str
) -> None:
    before = bigquery_client.create_table(bigquery.Table(f"{table}_before", [X]))
    dataset.default_table_expiration_ms = HOUR_MS
    bigquery_client.update_dataset(dataset, ["default_table_expiration_ms"])
    made = bigquery_client.create_table(bigquery.Table(table, [X]))
    assert made.expires is not None
    assert made.created is not None
    assert abs(made.expires - made.created - dt.timedelta(hours=1)) < dt.timedelta(seconds=1)
    assert bigquery_client.get_table(before).expires is None


@promise(
    "When creating a partitioned table, if `defaultPartitionExpirationMs` is set, the `defaultTableExpirationMs` value "
    "is ignored and the table will not be inherit a table expiration deadline.",
    BIGQUERY_API,
)
def test_the_default_for_partitions_goes_before_the_default_for_tables(
    bigquery_client: bigquery.Client, dataset: bigquery.Dataset, table: str
) -> None:
    dataset.default_table_expiration_ms, dataset.default_partition_expiration_ms = HOUR_MS, 2 * HOUR_MS
    bigquery_client.update_dataset(dataset, ["default_table_expiration_ms", "default_partition_expiration_ms"])
    found = {}
    for name, own_ms in (("default", None), ("own", 5 * HOUR_MS)):
        given = bigquery.Table(f"{table}_{name}", [bigquery.SchemaField("m", "DATE")])
        given.time_partitioning = bigquery.TimePartitioning("DAY", "m", expiration_ms=own_ms)
        made = bigquery_client.create_table(given)
        assert made.time_partitioning is not None
        found[name] = (made.expires, made.time_partitioning.expiration_ms)
    assert found == {"default": (None, 2 * HOUR_MS), "own": (None, 5 * HOUR_MS)}


@promise("Expired tables will be deleted and their storage reclaimed.", BIGQUERY_API)
def test_a_table_past_its_time_is_gone(bigquery_client: bigquery.Client, table: str, select: Select) -> None:
    kept = bigquery.Table(f"{table}_kept", [X])
    kept.expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    bigquery_client.create_table(kept)
    given = bigquery.Table(table, [X])
    given.expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    bigquery_client.create_table(given)

    def is_gone() -> bool:
        try:
            bigquery_client.get_table(table)
        except exceptions.NotFound:
            return True
        return False

    assert wait_until(is_gone)
    with pytest.raises(exceptions.NotFound):
        select(f"SELECT * FROM `{table}`")
    assert bigquery_client.get_table(kept).num_rows == 0


@promise(
    "This setting specifies how long BigQuery keeps the data in each partition. The setting applies to all partitions "
    "in the table, but is calculated independently for each",
    MANAGING,
)
@pytest.mark.parametrize("column", ["DATE", "TIMESTAMP"])
def test_a_partition_past_its_time_is_gone_and_the_others_stay(
    bigquery_client: bigquery.Client, table: str, select: Select, column: str
) -> None:
    given = bigquery.Table(table, [bigquery.SchemaField("at", column), X])
    given.time_partitioning = bigquery.TimePartitioning("DAY", "at", expiration_ms=48 * HOUR_MS)
    bigquery_client.create_table(given)
    now = "CURRENT_DATE()" if column == "DATE" else "CURRENT_TIMESTAMP()"
    select(f"INSERT INTO `{table}` (at, x) VALUES ({column} '2013-01-01', 1), ({now}, 2)")
    assert wait_until(lambda: select(f"SELECT x FROM `{table}`") == [(2,)])
    assert len(bigquery_client.list_partitions(table)) == 1

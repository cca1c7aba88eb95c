"""Datasets and tables through their own methods."""

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

X = bigquery.SchemaField("x", "INTEGER")


def test_a_dataset_keeps_what_it_is_told(client: bigquery.Client) -> None:
    given = bigquery.Dataset("local.made")
    given.location = "EU"
    given.description = "Made"
    given.labels = {"environment": "local", "old": "yes"}
    given.default_table_expiration_ms = 3_600_000
    client.create_dataset(given)
    made = client.get_dataset("made")
    made.labels = {"environment": "prod", "old": None}
    made.friendly_name = "Changed"
    changed = client.update_dataset(made, ["labels", "friendly_name"])
    assert (changed.location, changed.description, changed.labels, changed.friendly_name) == (
        "EU",
        "Made",
        {"environment": "prod"},
        "Changed",
    )
    assert [dataset.dataset_id for dataset in client.list_datasets()] == ["made", "trips"]
    assert client.create_table(bigquery.Table("local.made.t", [X])).expires is not None


def test_a_second_dataset_or_table_of_a_name_is_a_duplicate(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.Conflict):
        client.create_dataset("trips")
    client.create_dataset("trips", exists_ok=True)
    client.create_table(bigquery.Table("local.trips.t", [X]))
    with pytest.raises(exceptions.Conflict):
        client.create_table(bigquery.Table("local.trips.t", [X]))


def test_a_dataset_with_tables_goes_only_when_told_to(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table("local.trips.t", [X]))
    with pytest.raises(exceptions.BadRequest, match="still in use"):
        client.delete_dataset("trips")
    client.delete_dataset("trips", delete_contents=True)
    with pytest.raises(exceptions.NotFound):
        client.get_dataset("trips")


def test_what_is_absent_is_not_found(client: bigquery.Client) -> None:
    for ask in (
        lambda: client.get_dataset("absent"),
        lambda: client.get_table("trips.absent"),
        lambda: client.delete_table("trips.absent"),
        lambda: list(client.list_tables("absent")),
        lambda: client.create_table(bigquery.Table("local.absent.t", [X])),
        lambda: client.get_job("absent"),
    ):
        with pytest.raises(exceptions.NotFound):
            ask()


def test_a_table_gains_columns_and_loses_none(client: bigquery.Client) -> None:
    table = client.create_table(bigquery.Table("local.trips.t", [X]))
    client.insert_rows_json("trips.t", [{"x": 1}])
    table = client.get_table(table)
    table.schema = [*table.schema, bigquery.SchemaField("y", "STRING", description="new")]
    table = client.update_table(table, ["schema"])
    assert [tuple(row) for row in client.list_rows(table)] == [(1, None)]
    assert table.schema[1].description == "new"
    table.schema = [X]
    with pytest.raises(exceptions.BadRequest, match="Field y is missing in new schema"):
        client.update_table(table, ["schema"])


def test_a_change_of_something_that_changed_meanwhile_is_refused(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table("local.trips.t", [X]))
    mine, theirs = client.get_table("trips.t"), client.get_table("trips.t")
    theirs.description = "theirs"
    client.update_table(theirs, ["description"])
    mine.description = "mine"
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_table(mine, ["description"])
    assert client.get_table("trips.t").description == "theirs"


def test_a_description_is_removed_by_null(client: bigquery.Client) -> None:
    table = bigquery.Table("local.trips.t", [X])
    table.description = "Trips"
    table = client.create_table(table)
    table.description = None
    client.update_table(table, ["description"])
    assert client.get_table("trips.t").description is None


def test_a_layout_over_a_column_that_is_not_there_is_refused(client: bigquery.Client) -> None:
    table = bigquery.Table("local.trips.t", [X])
    table.time_partitioning = bigquery.TimePartitioning("MONTH", "at")
    with pytest.raises(exceptions.BadRequest, match="partitioning cannot be found in the schema: at"):
        client.create_table(table)


def test_tables_are_listed_a_page_at_a_time(client: bigquery.Client) -> None:
    for name in ("a", "b", "c"):
        client.create_table(bigquery.Table(f"local.trips.{name}", [X]))
    listed = client.list_tables("trips", page_size=2)
    assert [[table.table_id for table in page] for page in listed.pages] == [["a", "b"], ["c"]]


def test_rows_are_listed_by_column_and_place(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table("local.trips.t", [X, bigquery.SchemaField("y", "STRING")]))
    client.insert_rows_json("trips.t", [{"x": x, "y": str(x)} for x in range(5)])
    chosen = [bigquery.SchemaField("y", "STRING")]
    whole = [tuple(row) for row in client.list_rows("trips.t", selected_fields=chosen)]
    assert sorted(whole) == [("0",), ("1",), ("2",), ("3",), ("4",)]  # in no order that BigQuery promises
    assert [tuple(row) for row in client.list_rows("trips.t", selected_fields=chosen, start_index=3)] == whole[3:]

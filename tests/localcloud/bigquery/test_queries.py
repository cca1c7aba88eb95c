"""GoogleSQL: what queries, changes, definitions and scripts do."""

import datetime as dt
from decimal import Decimal

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.localcloud.bigquery.conftest import Select


@pytest.fixture
def trips(select: Select) -> None:
    select("CREATE TABLE trips.t (m DATE, x INT64, fare NUMERIC) PARTITION BY DATE_TRUNC(m, MONTH) CLUSTER BY x")
    select("INSERT INTO trips.t (m, x, fare) VALUES ('2021-01-01', 1, 1.5), ('2021-01-02', 2, 2), ('2021-02-01', 3, 3)")


@pytest.mark.usefixtures("trips")
def test_a_select_groups_and_keeps_types(select: Select) -> None:
    asked = "SELECT DATE_TRUNC(m, MONTH) AS month, SUM(fare) AS fare, COUNT(*) AS n FROM trips.t GROUP BY 1 ORDER BY 1"
    assert select(asked) == [
        (dt.date(2021, 1, 1), Decimal("3.5"), 2),
        (dt.date(2021, 2, 1), Decimal(3), 1),
    ]


def test_columns_without_a_name_are_called_as_at_google(client: bigquery.Client) -> None:
    rows = client.query("SELECT 1, 'a' AS b, 2 + 3").result()
    assert [field.name for field in rows.schema] == ["f0_", "b", "f1_"]
    assert [tuple(row) for row in rows] == [(1, "a", 5)]


def test_two_columns_of_one_name_are_refused(select: Select) -> None:
    with pytest.raises(exceptions.BadRequest, match=r"Duplicate column names.*: a"):
        select("SELECT 1 AS a, 2 AS A")


def test_positional_parameters_go_by_their_order_in_the_text(select: Select) -> None:
    parameters = [bigquery.ScalarQueryParameter(None, "INT64", value) for value in (1, 2, 3)]
    asked = "WITH w AS (SELECT ? AS a, '?' AS text) SELECT a, ? AS b, text FROM w LIMIT ?"
    assert select(asked, query_parameters=parameters) == [(1, 2, "?")]


def test_a_parameter_that_was_not_given_is_named(select: Select) -> None:
    with pytest.raises(exceptions.BadRequest, match="Query parameter 'month' not found"):
        select("SELECT @month AS m")


@pytest.mark.usefixtures("trips")
@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("INSERT INTO trips.t (x) SELECT x + 10 FROM trips.t", 3),
        ("UPDATE trips.t SET x = 0 WHERE x > 1", 2),
        ("DELETE FROM trips.t WHERE m < '2021-02-01'", 2),
        ("DELETE FROM trips.t WHERE false", 0),
        ("TRUNCATE TABLE trips.t", 3),
    ],
)
def test_a_change_says_how_many_rows_it_changed(client: bigquery.Client, statement: str, changed: int) -> None:
    job = client.query(statement)
    job.result()
    assert job.num_dml_affected_rows == changed


@pytest.mark.usefixtures("trips")
def test_an_update_without_where_is_refused(select: Select) -> None:
    with pytest.raises(exceptions.BadRequest, match="UPDATE must have a WHERE clause"):
        select("UPDATE trips.t SET x = 0")


@pytest.mark.usefixtures("trips")
def test_merge_updates_inserts_and_deletes(client: bigquery.Client, select: Select) -> None:
    job = client.query("""
        MERGE trips.t AS old USING (SELECT DATE '2021-01-01' AS m, 1 AS x, NUMERIC '9' AS fare
                                    UNION ALL SELECT DATE '2021-03-01', 4, NUMERIC '4') AS new
        ON old.x = new.x
        WHEN MATCHED THEN UPDATE SET fare = new.fare
        WHEN NOT MATCHED THEN INSERT ROW
        WHEN NOT MATCHED BY SOURCE AND old.x = 3 THEN DELETE
    """)
    job.result()
    assert job.num_dml_affected_rows == 3
    assert select("SELECT x, fare FROM trips.t ORDER BY x") == [(1, Decimal(9)), (2, Decimal(2)), (4, Decimal(4))]


@pytest.mark.usefixtures("trips")
def test_a_transaction_happens_whole_or_not_at_all(select: Select) -> None:
    change = "DELETE FROM trips.t WHERE true; INSERT INTO trips.t (nope) VALUES (1)"
    with pytest.raises(exceptions.BadRequest):
        select(f"BEGIN TRANSACTION; {change}; COMMIT TRANSACTION")
    assert select("SELECT count(*) AS n FROM trips.t") == [(3,)]
    select("BEGIN TRANSACTION; DELETE FROM trips.t WHERE true; ROLLBACK TRANSACTION")
    assert select("SELECT count(*) AS n FROM trips.t") == [(3,)]
    asked = "BEGIN TRANSACTION; DELETE FROM trips.t WHERE x = 1; COMMIT TRANSACTION; SELECT count(*) AS n FROM trips.t"
    assert select(asked) == [(2,)]


@pytest.mark.usefixtures("trips")
def test_a_script_keeps_what_happened_before_its_failure(select: Select) -> None:
    with pytest.raises(exceptions.NotFound):
        select("DELETE FROM trips.t WHERE x = 1; SELECT * FROM trips.absent; DELETE FROM trips.t WHERE x = 2")
    assert select("SELECT x FROM trips.t ORDER BY x") == [(2,), (3,)]


@pytest.mark.usefixtures("trips")
def test_a_view_is_read_with_the_rows_of_now(client: bigquery.Client, select: Select) -> None:
    select("CREATE VIEW trips.v AS SELECT x FROM trips.t WHERE x > 1")
    select("INSERT INTO trips.t (x) VALUES (7)")
    assert select("SELECT * FROM trips.v ORDER BY x") == [(2,), (3,), (7,)]
    view = client.get_table("trips.v")
    assert (view.table_type, [field.name for field in view.schema]) == ("VIEW", ["x"])


@pytest.mark.usefixtures("trips")
def test_a_view_of_another_is_made_through_the_tables_api(client: bigquery.Client, select: Select) -> None:
    for name, query in (("v", "SELECT x FROM trips.t"), ("w", "SELECT sum(x) AS total FROM trips.v")):
        view = bigquery.Table(f"local.trips.{name}")
        view.view_query = query
        client.create_table(view)
    assert select("SELECT total FROM trips.w") == [(6,)]


@pytest.mark.usefixtures("trips")
def test_a_table_is_created_from_a_query_with_its_clauses(client: bigquery.Client, select: Select) -> None:
    select("""
        CREATE OR REPLACE TABLE trips.made PARTITION BY DATE_TRUNC(m, MONTH) CLUSTER BY x
        OPTIONS (description = 'Made', labels = [('team', 'data')]) AS SELECT * FROM trips.t
    """)
    table = client.get_table("trips.made")
    assert table.time_partitioning is not None
    assert (table.num_rows, table.description, table.labels, table.clustering_fields) == (
        3,
        "Made",
        {"team": "data"},
        ["x"],
    )
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("MONTH", "m")


def test_schemas_and_tables_are_defined_altered_and_dropped(client: bigquery.Client, select: Select) -> None:
    select("CREATE SCHEMA IF NOT EXISTS made OPTIONS (location = 'US', description = 'Made')")
    select("CREATE SCHEMA IF NOT EXISTS made")
    select("CREATE TABLE made.t (x INT64 NOT NULL OPTIONS (description = 'an x'), many ARRAY<STRING>)")
    select("CREATE TABLE IF NOT EXISTS made.t (y INT64)")
    with pytest.raises(exceptions.Conflict):
        select("CREATE TABLE made.t (y INT64)")
    select("ALTER TABLE made.t ADD COLUMN IF NOT EXISTS z FLOAT64")
    assert client.get_table("made.t").schema == [
        bigquery.SchemaField("x", "INTEGER", "REQUIRED", description="an x"),
        bigquery.SchemaField("many", "STRING", "REPEATED"),
        bigquery.SchemaField("z", "FLOAT"),
    ]
    assert client.get_dataset("made").description == "Made"
    with pytest.raises(exceptions.BadRequest):
        select("DROP SCHEMA made")
    select("DROP TABLE made.t; DROP TABLE IF EXISTS made.t; DROP SCHEMA made")
    with pytest.raises(exceptions.NotFound):
        client.get_dataset("made")


@pytest.mark.usefixtures("trips")
def test_information_schema_tells_tables_columns_and_partitions(select: Select) -> None:
    select("CREATE VIEW trips.v AS SELECT 1 AS one")
    of = "FROM trips.INFORMATION_SCHEMA"
    assert select(f"SELECT table_name, table_type {of}.TABLES ORDER BY 1") == [("t", "BASE TABLE"), ("v", "VIEW")]
    columns = "column_name, data_type, is_partitioning_column, clustering_ordinal_position"
    assert select(f"SELECT {columns} {of}.COLUMNS WHERE table_name = 't' ORDER BY ordinal_position") == [
        ("m", "DATE", "YES", None),
        ("x", "INT64", "NO", 1),
        ("fare", "NUMERIC", "NO", None),
    ]
    assert select(f"SELECT partition_id, total_rows {of}.PARTITIONS ORDER BY 1") == [("202101", 2), ("202102", 1)]


@pytest.mark.usefixtures("trips")
def test_a_query_writes_its_rows_to_a_destination(client: bigquery.Client, select: Select) -> None:
    config = {"destination": "local.trips.made", "write_disposition": "WRITE_TRUNCATE"}
    assert select("SELECT x FROM trips.t ORDER BY x", **config) == [(1,), (2,), (3,)]
    assert client.get_table("trips.made").num_rows == 3
    with pytest.raises(exceptions.Conflict):
        select("SELECT 1 AS x", destination="local.trips.made")


@pytest.mark.usefixtures("trips")
def test_a_dry_run_says_the_bytes_and_columns_and_runs_nothing(client: bigquery.Client, select: Select) -> None:
    config = bigquery.QueryJobConfig(dry_run=True)
    job = client.query("SELECT x FROM trips.t", job_config=config)
    assert (job.total_bytes_processed, job.schema) == (96, [bigquery.SchemaField("x", "INTEGER")])
    client.query("DELETE FROM trips.t WHERE true", job_config=config)
    assert select("SELECT count(*) AS n FROM trips.t") == [(3,)]


@pytest.mark.usefixtures("trips")
def test_a_query_above_its_limit_of_bytes_is_refused(select: Select) -> None:
    with pytest.raises(exceptions.GoogleAPICallError, match="exceeded limit for bytes billed: 1"):
        select("SELECT * FROM trips.t", maximum_bytes_billed=1)


def test_results_are_paged(client: bigquery.Client) -> None:
    query = "SELECT n FROM UNNEST(GENERATE_ARRAY(1, 120000)) AS n ORDER BY n"
    rows = client.query(query).result(page_size=50_000)
    assert [page.num_items for page in rows.pages] == [50_000, 50_000, 20_000]
    assert [row.n for row in client.query(query).result(start_index=119_998)] == [119_999, 120_000]


def test_query_and_wait_answers_rows_and_errors(client: bigquery.Client) -> None:
    assert [tuple(row) for row in client.query_and_wait("SELECT 1 AS x")] == [(1,)]
    with pytest.raises(exceptions.NotFound):
        client.query_and_wait("SELECT * FROM trips.absent")


@pytest.mark.usefixtures("trips")
def test_a_copy_keeps_the_layout_and_an_extract_reads_back(client: bigquery.Client, select: Select) -> None:
    client.copy_table("trips.t", "trips.copied").result()
    copied = client.get_table("trips.copied")
    assert (copied.num_rows, copied.clustering_fields, copied.schema) == (3, ["x"], client.get_table("trips.t").schema)
    with pytest.raises(exceptions.Conflict):
        client.copy_table("trips.t", "trips.copied").result()
    config = bigquery.ExtractJobConfig(destination_format="PARQUET", compression="SNAPPY")  # type: ignore[no-untyped-call]
    client.extract_table("trips.t$202101", "gs://lake/out-*.parquet", job_config=config).result()
    load = bigquery.LoadJobConfig(source_format="PARQUET")
    client.load_table_from_uri("gs://lake/out-*.parquet", "trips.back", job_config=load).result()
    assert select("SELECT x FROM trips.back ORDER BY x") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FRM trips.t", exceptions.BadRequest),
        ("SELECT * FROM trips.absent", exceptions.NotFound),
        ("SELECT * FROM absent.t", exceptions.NotFound),
        ("SELECT * FROM t", exceptions.BadRequest),
        ("COMMIT TRANSACTION", exceptions.BadRequest),
        ("DECLARE x INT64; SELECT x", exceptions.MethodNotImplemented),
        ("CREATE TABLE trips.u CLONE trips.t", exceptions.MethodNotImplemented),
        ("CREATE TABLE trips.u (x BIGNUMERIC)", exceptions.MethodNotImplemented),
        ("SELECT * FROM `trips.t_*`", exceptions.MethodNotImplemented),
    ],
)
def test_a_query_that_cannot_run_fails_as_at_google_or_is_not_implemented(
    select: Select, sql: str, reason: type[exceptions.GoogleAPICallError]
) -> None:
    with pytest.raises(reason):
        select(sql)

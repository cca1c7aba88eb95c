"""GoogleSQL: what queries, changes, definitions, scripts and transactions do."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Select
from tests.conformance.bigquery.test_load_formats import VALUES
from tests.conformance.promises import BIGQUERY_API, promise

DOCS = "https://github.com/google/zetasql/blob/master/docs/"
DML, SYNTAX, LEXICAL = DOCS + "data-manipulation-language.md", DOCS + "query-syntax.md", DOCS + "lexical.md"
MERGE = (
    "MERGE `{}` AS old USING (SELECT 1 AS x UNION ALL SELECT 4 UNION ALL SELECT 5) AS new ON old.x = new.x "
    "WHEN MATCHED THEN UPDATE SET fare = 9 WHEN NOT MATCHED THEN INSERT (x) VALUES (x) "
    "WHEN NOT MATCHED BY SOURCE AND old.x = 3 THEN DELETE"
)
TRANSACTIONS = "https://cloud.google.com/bigquery/docs/transactions"


@pytest.fixture
def trips(table: str, select: Select) -> str:
    select(f"CREATE TABLE `{table}` (m DATE, x INT64, fare NUMERIC) PARTITION BY DATE_TRUNC(m, MONTH) CLUSTER BY x")
    rows = "('2021-01-01', 1, 1.5), ('2021-01-02', 2, 2), ('2021-02-01', 3, 3)"
    select(f"INSERT INTO `{table}` (m, x, fare) VALUES {rows}")
    return table


@promise("The schema of the results. Present only when the query completes successfully.", BIGQUERY_API)
def test_a_select_groups_and_keeps_types(bigquery_client: bigquery.Client, trips: str) -> None:
    asked = f"SELECT DATE_TRUNC(m, MONTH) AS m, SUM(fare) AS fare, COUNT(*) AS n FROM `{trips}` GROUP BY 1 ORDER BY 1"
    rows = bigquery_client.query(asked).result()
    assert [field.field_type for field in rows.schema] == ["DATE", "NUMERIC", "INTEGER"]
    assert [tuple(row) for row in rows] == [
        (dt.date(2021, 1, 1), Decimal("3.5"), 2),
        (dt.date(2021, 2, 1), Decimal(3), 1),
    ]


@promise("`NULLS FIRST` is applied by default if the sort order is ascending.", SYNTAX)
def test_nulls_come_first_in_rising_and_last_in_falling_order(select: Select) -> None:
    of = "FROM UNNEST([2, NULL, 1]) AS x ORDER BY x"
    assert select(f"SELECT x {of}") == [(None,), (1,), (2,)]
    assert select(f"SELECT x {of} DESC") == [(2,), (1,), (None,)]


@promise(
    "Expressions with neither an explicit nor implicit alias are anonymous",
    SYNTAX,
)
def test_columns_without_a_name_are_numbered(bigquery_client: bigquery.Client) -> None:
    rows = bigquery_client.query("SELECT 1, 'a' AS b, 2 + 3").result()
    assert [field.name for field in rows.schema] == ["f0_", "b", "f1_"]
    assert [tuple(row) for row in rows] == [(1, "a", 5)]


@promise("Query parameters for GoogleSQL queries.", BIGQUERY_API)
@pytest.mark.parametrize(("kind", "values"), [(kind, values) for kind, _, values in VALUES], ids=[v[0] for v in VALUES])
def test_values_of_every_type_go_in_as_named_parameters(select: Select, kind: str, values: list[Any]) -> None:
    parameters = [
        bigquery.ScalarQueryParameter("one", kind, values[0]),
        bigquery.ScalarQueryParameter("none", kind, None),
        bigquery.ArrayQueryParameter("many", kind, values),
        bigquery.ArrayQueryParameter("empty", kind, []),
    ]
    asked = "SELECT @one AS one, @none AS none, @many AS many, @empty AS empty, @one IN UNNEST(@many) AS inside"
    assert select(asked, query_parameters=parameters) == [(values[0], None, values, [], True)]


@promise("Positional parameters are evaluated by the order in which they are passed in.", LEXICAL)
def test_positional_parameters_go_by_their_order_in_the_text(select: Select) -> None:
    parameters = [bigquery.ScalarQueryParameter(None, "INT64", value) for value in (1, 2, 3)]
    asked = "WITH w AS (SELECT ? AS a, '?' AS text) SELECT a, ? AS b, text FROM w LIMIT ?"
    assert select(asked, query_parameters=parameters) == [(1, 2, "?")]


@promise("A named query parameter is denoted using an [identifier]", LEXICAL)
def test_a_parameter_that_was_not_given_is_named(select: Select) -> None:
    with pytest.raises(exceptions.BadRequest, match="month"):
        select("SELECT @month AS m")


@promise(
    "Specifies the default dataset to use for unqualified table names in the query.",
    BIGQUERY_API,
)
def test_a_bare_name_is_looked_up_in_the_default_dataset(trips: str, select: Select) -> None:
    assert select("SELECT COUNT(*) AS n FROM trips", default_dataset=trips.rpartition(".")[0]) == [(3,)]
    with pytest.raises(exceptions.BadRequest, match="must be qualified with a dataset"):
        select("SELECT COUNT(*) AS n FROM trips")


@promise("Detailed statistics for DML statements INSERT, UPDATE, DELETE, MERGE or TRUNCATE.", BIGQUERY_API)
@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("INSERT INTO `{}` (x) SELECT x + 10 FROM `{}`", (3, 0, 0)),
        ("UPDATE `{}` SET x = 0 WHERE x > 1", (0, 2, 0)),
        ("DELETE FROM `{}` WHERE m < '2021-02-01'", (0, 0, 2)),
        ("DELETE FROM `{}` WHERE false", (0, 0, 0)),
        ("TRUNCATE TABLE `{}`", (0, 0, 3)),
        (
            MERGE,
            (2, 1, 1),
        ),
    ],
    ids=["insert", "update", "delete", "delete-nothing", "truncate", "merge"],
)
def test_a_change_tells_the_rows_of_each_kind(
    bigquery_client: bigquery.Client, trips: str, statement: str, counts: tuple[int, int, int]
) -> None:
    job = bigquery_client.query(statement.format(trips, trips))
    job.result()
    stats = job.dml_stats
    assert stats is not None
    assert (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count) == counts
    assert job.num_dml_affected_rows == sum(counts)


@promise(
    "Each `UPDATE` statement must include the `WHERE` keyword, followed by a condition.",
    DML,
)
@pytest.mark.parametrize("statement", ["UPDATE `{}` SET x = 0", "DELETE FROM `{}`"])
def test_a_change_without_where_is_refused(trips: str, select: Select, statement: str) -> None:
    with pytest.raises(exceptions.BadRequest, match="WHERE"):
        select(statement.format(trips))
    assert select(f"SELECT COUNT(*) AS n FROM `{trips}`") == [(3,)]


@promise("Number of inserted Rows. Populated by DML INSERT and MERGE statements", BIGQUERY_API)
def test_merge_updates_inserts_whole_rows_and_deletes(trips: str, select: Select) -> None:
    select(f"""
        MERGE `{trips}` AS old USING (SELECT DATE '2021-01-01' AS m, 1 AS x, NUMERIC '9' AS fare
                                      UNION ALL SELECT DATE '2021-03-01', 4, NUMERIC '4') AS new
        ON old.x = new.x
        WHEN MATCHED THEN UPDATE SET fare = new.fare
        WHEN NOT MATCHED THEN INSERT ROW
        WHEN NOT MATCHED BY SOURCE AND old.x = 3 THEN DELETE
    """)
    assert select(f"SELECT x, fare FROM `{trips}` ORDER BY x") == [(1, Decimal(9)), (2, Decimal(2)), (4, Decimal(4))]


@promise("This statement atomically commits all changes made inside the transaction.", TRANSACTIONS)
def test_a_transaction_over_two_tables_commits_both(trips: str, select: Select) -> None:
    select(f"CREATE TABLE `{trips}_moved` AS SELECT * FROM `{trips}` WHERE false")
    select(f"""
        BEGIN TRANSACTION;
        INSERT INTO `{trips}_moved` (m, x, fare) SELECT m, x, fare FROM `{trips}` WHERE x = 1;
        DELETE FROM `{trips}` WHERE x = 1;
        COMMIT TRANSACTION
    """)
    assert select(f"SELECT x FROM `{trips}_moved`") == [(1,)]
    assert select(f"SELECT x FROM `{trips}` ORDER BY x") == [(2,), (3,)]


@promise("This statement abandons all changes made inside the transaction.", TRANSACTIONS)
def test_a_transaction_that_is_rolled_back_has_not_happened(trips: str, select: Select) -> None:
    select(f"BEGIN TRANSACTION; DELETE FROM `{trips}` WHERE true; ROLLBACK TRANSACTION")
    assert select(f"SELECT COUNT(*) AS n FROM `{trips}`") == [(3,)]


@promise(
    "The query ends before reaching either of these two statements. In that case, BigQuery automatically rolls back "
    "the transaction.",
    TRANSACTIONS,
)
@pytest.mark.parametrize("end", ["", "; SELECT 1 / 0 AS failed; COMMIT TRANSACTION"], ids=["open", "failed"])
def test_a_transaction_that_is_left_open_or_fails_has_not_happened(trips: str, select: Select, end: str) -> None:
    script = f"BEGIN TRANSACTION; DELETE FROM `{trips}` WHERE true{end}"
    if end:
        with pytest.raises(exceptions.BadRequest):
            select(script)
    else:
        select(script)
    assert select(f"SELECT COUNT(*) AS n FROM `{trips}`") == [(3,)]


@promise("This statement atomically commits all changes made inside the transaction.", TRANSACTIONS)
def test_a_script_that_fails_keeps_what_its_earlier_statements_did(trips: str, select: Select) -> None:
    with pytest.raises(exceptions.GoogleAPICallError):
        select(f"DELETE FROM `{trips}` WHERE x = 1; DELETE FROM `{trips}_absent` WHERE true")
    assert select(f"SELECT x FROM `{trips}` ORDER BY x") == [(2,), (3,)]


@promise(
    "`SCRIPT`: [`SCRIPT`](https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language) "
    "statement.",
    BIGQUERY_API,
)
def test_a_script_answers_its_last_query(bigquery_client: bigquery.Client, trips: str) -> None:
    job = bigquery_client.query(f"DELETE FROM `{trips}` WHERE x = 1; SELECT x FROM `{trips}` ORDER BY x")
    assert [tuple(row) for row in job.result()] == [(2,), (3,)]
    assert job.statement_type == "SCRIPT"


@promise(
    "If set, don't actually run this job. A valid query will return a mostly empty response with some processing "
    "statistics, while an invalid query will return the same error it would if it wasn't a dry run.",
    BIGQUERY_API,
)
def test_a_dry_run_says_bytes_and_columns_and_runs_nothing(
    bigquery_client: bigquery.Client, trips: str, select: Select
) -> None:
    config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
    job = bigquery_client.query(f"SELECT x FROM `{trips}`", job_config=config)
    assert job.schema == [bigquery.SchemaField("x", "INTEGER")]
    assert job.total_bytes_processed > 0
    deletion = bigquery_client.query(f"DELETE FROM `{trips}` WHERE true", job_config=config)
    assert (deletion.state, deletion.statement_type) == ("DONE", "DELETE")
    assert select(f"SELECT COUNT(*) AS n FROM `{trips}`") == [(3,)]
    with pytest.raises(exceptions.BadRequest):
        bigquery_client.query(f"SELECT nope FROM `{trips}`", job_config=config)


@promise(
    "Limits the bytes billed for this job. Queries that will have bytes billed beyond this limit will fail (without "
    "incurring a charge).",
    BIGQUERY_API,
)
def test_a_query_within_its_limit_of_bytes_runs_and_one_above_fails(trips: str, select: Select) -> None:
    assert select(f"SELECT COUNT(x) AS n FROM `{trips}`", maximum_bytes_billed=10**12) == [(3,)]
    with pytest.raises(exceptions.GoogleAPICallError, match="limit for bytes billed"):
        select(f"SELECT * FROM `{trips}`", maximum_bytes_billed=1)


@promise("Describes the table where the query results should be stored.", BIGQUERY_API)
def test_a_query_writes_its_rows_to_a_destination(bigquery_client: bigquery.Client, trips: str, select: Select) -> None:
    made = f"{trips}_made"
    assert select(f"SELECT x FROM `{trips}` ORDER BY x", destination=made) == [(1,), (2,), (3,)]
    assert bigquery_client.get_table(made).num_rows == 3
    with pytest.raises(exceptions.Conflict):
        select("SELECT 1 AS x", destination=made)
    select("SELECT 'text' AS y", destination=made, write_disposition="WRITE_TRUNCATE")
    assert bigquery_client.get_table(made).schema == [bigquery.SchemaField("y", "STRING")]


@promise("Optional. The view definition.", BIGQUERY_API)
def test_a_view_is_read_as_its_query_is(bigquery_client: bigquery.Client, trips: str, select: Select) -> None:
    for name, query in (("v", f"SELECT x FROM `{trips}`"), ("w", f"SELECT SUM(x) AS total FROM `{trips}_v`")):
        view = bigquery.Table(f"{trips}_{name}")
        view.view_query = query
        bigquery_client.create_table(view)
    assert select(f"SELECT total FROM `{trips}_w`") == [(6,)]
    select(f"INSERT INTO `{trips}` (x) VALUES (10)")
    assert select(f"SELECT total FROM `{trips}_w`") == [(16,)]
    assert bigquery_client.get_table(f"{trips}_w").table_type == "VIEW"


@promise("The type of query statement, if valid.", BIGQUERY_API)
def test_tables_and_schemas_are_defined_altered_and_dropped(
    bigquery_client: bigquery.Client, trips: str, select: Select
) -> None:
    select(f"""
        CREATE OR REPLACE TABLE `{trips}_made` PARTITION BY DATE_TRUNC(m, MONTH) CLUSTER BY x
        OPTIONS (description = 'Made', labels = [('team', 'data')]) AS SELECT * FROM `{trips}`
    """)
    made = bigquery_client.get_table(f"{trips}_made")
    assert made.time_partitioning is not None
    assert (made.num_rows, made.description, made.labels) == (3, "Made", {"team": "data"})
    assert (made.time_partitioning.type_, made.time_partitioning.field, made.clustering_fields) == ("MONTH", "m", ["x"])
    select(f"CREATE TABLE `{trips}_t` (x INT64 NOT NULL OPTIONS (description = 'an x'), many ARRAY<STRING>)")
    select(f"CREATE TABLE IF NOT EXISTS `{trips}_t` (y INT64)")
    with pytest.raises(exceptions.Conflict):
        select(f"CREATE TABLE `{trips}_t` (y INT64)")
    select(f"ALTER TABLE `{trips}_t` ADD COLUMN IF NOT EXISTS z FLOAT64")
    assert bigquery_client.get_table(f"{trips}_t").schema == [
        bigquery.SchemaField("x", "INTEGER", "REQUIRED", description="an x"),
        bigquery.SchemaField("many", "STRING", "REPEATED"),
        bigquery.SchemaField("z", "FLOAT"),
    ]
    select(f"DROP TABLE `{trips}_t`; DROP TABLE IF EXISTS `{trips}_t`")
    with pytest.raises(exceptions.NotFound):
        bigquery_client.get_table(f"{trips}_t")


@promise(
    "The INFORMATION_SCHEMA.COLUMNS view contains one row for each column (field) in a table.",
    "https://cloud.google.com/bigquery/docs/information-schema-columns",
)
def test_information_schema_tells_tables_and_columns(trips: str, select: Select) -> None:
    dataset = trips.rpartition(".")[0]
    select(f"CREATE VIEW `{trips}_v` AS SELECT 1 AS one")
    of = f"FROM `{dataset}`.INFORMATION_SCHEMA"
    tables = f"SELECT table_name, table_type {of}.TABLES ORDER BY 1"
    assert select(tables) == [("trips", "BASE TABLE"), ("trips_v", "VIEW")]
    columns = "column_name, ordinal_position, is_nullable, data_type"
    layout = "is_partitioning_column, clustering_ordinal_position"
    asked = f"SELECT {columns}, {layout} {of}.COLUMNS WHERE table_name = 'trips' ORDER BY ordinal_position"
    assert select(asked) == [
        ("m", 1, "YES", "DATE", "YES", None),
        ("x", 2, "YES", "INT64", "NO", 1),
        ("fare", 3, "YES", "NUMERIC", "NO", None),
    ]


@promise("A short error code that summarizes the error.", BIGQUERY_API)
@pytest.mark.parametrize(
    ("sql", "refused", "reason"),
    [
        ("SELECT * FRM `{}`", exceptions.BadRequest, "invalidQuery"),
        ("SELECT nope FROM `{}`", exceptions.BadRequest, "invalidQuery"),
        ("SELECT * FROM `{}_absent`", exceptions.NotFound, "notFound"),
        ("SELECT * FROM landfall_no_such_dataset_6b1f.t", exceptions.NotFound, "notFound"),
        ("SELECT 1 AS a, 2 AS A", exceptions.BadRequest, "invalidQuery"),
        ("INSERT INTO `{}` (x) VALUES ('text')", exceptions.BadRequest, "invalidQuery"),
        ("COMMIT TRANSACTION", exceptions.BadRequest, "invalidQuery"),
    ],
)
def test_a_query_that_cannot_run_says_why(
    bigquery_client: bigquery.Client, trips: str, sql: str, refused: type[exceptions.GoogleAPICallError], reason: str
) -> None:
    with pytest.raises(refused) as failed:
        bigquery_client.query(sql.format(trips), job_retry=None).result()
    assert [error["reason"] for error in failed.value.errors] == [reason]

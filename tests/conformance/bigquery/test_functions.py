"""GoogleSQL's functions and operators, where an engine underneath could answer with another type or value."""

import datetime as dt
from decimal import Decimal

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Select
from tests.conformance.promises import promise

DOCS = "https://github.com/google/zetasql/blob/master/docs/"
DATES, TIMESTAMPS, OPERATORS = DOCS + "date_functions.md", DOCS + "timestamp_functions.md", DOCS + "operators.md"
SAME = "The same data type as the first argument passed into this function."
DATETIME = dt.datetime(2021, 1, 6, 5, 6, 7)
TIMESTAMP = DATETIME.replace(tzinfo=dt.UTC)


@promise(SAME, DATES)
@pytest.mark.parametrize(
    ("value", "wanted", "kind"),
    [
        ("DATE '2021-01-06'", dt.date(2021, 1, 1), "DATE"),
        ("DATETIME '2021-01-06 05:06:07'", dt.datetime(2021, 1, 1), "DATETIME"),
        ("TIMESTAMP '2021-01-06 05:06:07'", dt.datetime(2021, 1, 1, tzinfo=dt.UTC), "TIMESTAMP"),
    ],
)
def test_date_trunc_gives_the_type_that_it_was_given(
    bigquery_client: bigquery.Client, value: str, wanted: dt.date, kind: str
) -> None:
    rows = bigquery_client.query(f"SELECT DATE_TRUNC({value}, MONTH) AS month").result()
    assert ([field.field_type for field in rows.schema], [row.month for row in rows]) == ([kind], [wanted])


@promise("The resulting value is always rounded to the beginning of `granularity`.", DATES)
@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("DAY", dt.date(2021, 1, 6)),
        ("WEEK", dt.date(2021, 1, 3)),  # a Sunday
        ("WEEK(MONDAY)", dt.date(2021, 1, 4)),
        ("WEEK(THURSDAY)", dt.date(2020, 12, 31)),
        ("ISOWEEK", dt.date(2021, 1, 4)),
        ("QUARTER", dt.date(2021, 1, 1)),
        ("YEAR", dt.date(2021, 1, 1)),
        ("ISOYEAR", dt.date(2021, 1, 4)),
    ],
)
def test_date_trunc_begins_where_the_calendar_says(select: Select, part: str, wanted: dt.date) -> None:
    day = "(SELECT DATE '2021-01-06' AS d)"
    asked = f"SELECT DATE_TRUNC(d, {part}) AS d, DATE_TRUNC(DATETIME(d), {part}) AS t FROM {day}"
    assert select(asked) == [(wanted, dt.datetime.combine(wanted, dt.time()))]


@promise(
    "If the resulting month has fewer days than the original date's day, then the resulting date is the last date of "
    "that month.",
    DATES,
)
def test_a_date_plus_or_minus_an_interval_is_a_date(select: Select) -> None:
    asked = """
        SELECT DATE_ADD(d, INTERVAL 1 MONTH) AS a, DATE_SUB(d, INTERVAL n DAY) AS b, DATE_SUB(d, INTERVAL 1 YEAR) AS c
        FROM (SELECT DATE '2021-01-31' AS d, 3 AS n)
    """
    assert select(asked) == [(dt.date(2021, 2, 28), dt.date(2021, 1, 28), dt.date(2020, 1, 31))]


@promise("Returns the value corresponding to the specified date part.", DATES)
@pytest.mark.parametrize(
    ("part", "wanted"),
    [("DAYOFWEEK", 4), ("WEEK", 1), ("ISOWEEK", 1), ("DATE", DATETIME.date()), ("HOUR", 5), ("QUARTER", 1)],
)
def test_extract_counts_as_googles_calendar_does(select: Select, part: str, wanted: object) -> None:
    assert select(f"SELECT EXTRACT({part} FROM DATETIME '2021-01-06 05:06:07') AS x") == [(wanted,)]


@promise(
    "In this example, the result is 0 because only the number of whole specified `HOUR` intervals are included.",
    TIMESTAMPS,
)
def test_a_difference_of_timestamps_counts_whole_intervals(select: Select) -> None:
    asked = "SELECT TIMESTAMP_DIFF('2001-02-01 01:00:00', '2001-02-01 00:00:01', HOUR) AS diff"
    assert select(asked.replace("'2001", "TIMESTAMP '2001")) == [(0,)]


@promise("NOTE: Divide by zero operations return an error.", OPERATORS)
def test_a_division_by_zero_is_an_error_and_safe_divide_is_null(select: Select) -> None:
    with pytest.raises(exceptions.BadRequest, match="division by zero"):
        select("SELECT x / 0 AS y FROM UNNEST([1, 2]) AS x")
    assert select("SELECT SAFE_DIVIDE(1, 0) AS a, 1 / 2 AS b, DIV(7, 2) AS c") == [(None, 0.5, 3)]


@promise("A floating-point literal represents a constant value of the [floating-point data type]", DOCS + "lexical.md")
def test_a_number_with_a_point_is_a_float(bigquery_client: bigquery.Client) -> None:
    rows = bigquery_client.query("SELECT 1.5 AS a, 1e3 AS b, NUMERIC '1.5' AS c, 1 AS d").result()
    assert [field.field_type for field in rows.schema] == ["FLOAT", "FLOAT", "NUMERIC", "INTEGER"]
    assert [tuple(row) for row in rows] == [(1.5, 1000.0, Decimal("1.5"), 1)]


@promise(SAME, DATES)
def test_functions_inside_of_functions_keep_their_types(select: Select) -> None:
    asked = """
        SELECT DATE_TRUNC(DATE_ADD(d, INTERVAL EXTRACT(DAYOFWEEK FROM d) DAY), MONTH) AS a,
               SAFE_DIVIDE(SUM(x / 2.5), COUNT(*)) AS b,
               CURRENT_TIMESTAMP() > TIMESTAMP '2021-01-01' AS `current_timestamp`
        FROM (SELECT DATE '2021-01-30' AS d, 5 AS x) GROUP BY d
    """
    assert select(asked) == [(dt.date(2021, 2, 1), 2.0, True)]


@promise("Converts a `STRING` value to a `TIMESTAMP` value.", TIMESTAMPS)
def test_what_makes_a_timestamp_makes_one_with_a_zone(bigquery_client: bigquery.Client) -> None:
    asked = """
        SELECT PARSE_TIMESTAMP('%F %T', '2021-01-06 05:06:07') AS a, TIMESTAMP_SECONDS(1609909567) AS b,
               TIMESTAMP(DATETIME '2021-01-06 05:06:07') AS c, DATETIME(TIMESTAMP '2021-01-06 05:06:07') AS d
    """
    rows = bigquery_client.query(asked).result()
    assert [field.field_type for field in rows.schema] == ["TIMESTAMP", "TIMESTAMP", "TIMESTAMP", "DATETIME"]
    assert [tuple(row) for row in rows] == [(TIMESTAMP, TIMESTAMP, TIMESTAMP, DATETIME)]


@promise("`FORMAT` formats a data type expression as a string.", DOCS + "string_functions.md")
def test_format_writes_numbers_and_texts(select: Select) -> None:
    assert select("SELECT FORMAT('%s: %d of %05.1f', 'a', 2, 3.5) AS x") == [("a: 2 of 003.5",)]

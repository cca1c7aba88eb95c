import datetime as dt

import pytest

from flows.etl.errors import ContractError
from flows.etl.partition import Grain, Partition, latest_complete


@pytest.mark.parametrize(
    ("grain", "text", "decorator", "column", "value"),
    [
        ("hour", "2021-01-31T07", "2021013107", "file_hour", dt.datetime(2021, 1, 31, 7)),
        ("day", "2021-01-31", "20210131", "file_date", dt.date(2021, 1, 31)),
        ("month", "2021-01", "202101", "file_month", dt.date(2021, 1, 1)),
        ("year", "2021", "2021", "file_year", dt.date(2021, 1, 1)),
        ("none", "all", "", None, None),
    ],
)
def test_a_period_is_written_alike_in_text_decorator_and_column(
    grain: Grain, text: str, decorator: str, column: str | None, value: dt.date | None
) -> None:
    partition = Partition.parse(grain, text)
    assert (str(partition), partition.decorator, partition.column, partition.value) == (text, decorator, column, value)


@pytest.mark.parametrize(
    ("grain", "text"),
    [
        ("month", "2021-13"),
        ("month", "2021-1"),
        ("month", "2021-01-01"),
        ("month", " 2021-01"),
        ("month", "0000-01"),
        ("month", "２０２１-01"),
        ("day", "2021-02-30"),
        ("hour", "2021-01-01T24"),
        ("year", "21"),
        ("none", "2021"),
        ("month", "../../etc"),
    ],
)
def test_what_is_no_period_is_refused_with_an_example(grain: Grain, text: str) -> None:
    with pytest.raises(ContractError, match=r"partition: found .* expected"):
        Partition.parse(grain, text)


@pytest.mark.parametrize(
    ("grain", "first", "last", "count"),
    [
        ("month", "2020-11", "2021-02", 4),
        ("day", "2020-02-28", "2020-03-01", 3),
        ("hour", "2020-12-31T23", "2021-01-01T01", 3),
        ("year", "1999", "2001", 3),
        ("month", "2021-01", "2021-01", 1),
    ],
)
def test_periods_are_counted_up_with_both_ends(grain: Grain, first: str, last: str, count: int) -> None:
    periods = list(Partition.parse(grain, first).through(Partition.parse(grain, last)))
    assert (str(periods[0]), str(periods[-1]), len(periods)) == (first, last, count)
    assert periods == sorted(set(periods))
    assert [str(period) for period in periods] == sorted(str(period) for period in periods)


def test_an_address_is_filled_in() -> None:
    template = "https://example.org/{yyyy}/{mm}/{dd}/f_{yyyy}-{mm}-{dd}T{hh}.gz"
    filled = Partition.parse("hour", "2021-03-04T05").fill(template)
    assert filled == "https://example.org/2021/03/04/f_2021-03-04T05.gz"


@pytest.mark.parametrize(
    ("grain", "latest"), [("hour", "2021-03-01T06"), ("day", "2021-02-28"), ("month", "2021-02"), ("year", "2020")]
)
def test_the_latest_complete_period_is_over(grain: Grain, latest: str) -> None:
    now = dt.datetime(2021, 3, 1, 7, 59, 59, tzinfo=dt.UTC)
    assert str(latest_complete(grain, now)) == latest

"""What cannot land is refused with a clear word, and nothing of it is visible."""

import gzip

import pytest

from tests.end_to_end.place import HEADER, Place
from tests.publisher import File


def test_nothing_of_a_bad_file_is_visible_and_the_word_says_why(place: Place, january: list[str]) -> None:
    whole = gzip.compress("\n".join([HEADER, *january[:2000]]).encode(), mtime=0)
    wrong = [*january[:2000], "2013,1,first," + january[2000].split(",", 3)[3]]
    path = "/flights/flights_2013-{}.csv.gz".format
    place.publisher.files |= {
        path("01"): File(whole[:-100]),  # a truncated gzip, whole as far as HTTP knows
        path("02"): File(whole[:-100], announced=len(whole)),  # the body is shorter than announced
        path("03"): File(gzip.compress("\n".join([HEADER, *wrong]).encode())),
        path("04"): File(b"<html>no such file</html>", status=404),
        path("05"): File(gzip.compress(HEADER.encode())),
        path("06"): File(gzip.compress("\n".join([HEADER.replace("tailnum", "tail"), *january[:3]]).encode())),
    }
    run = place.run("flights", "2013-01", "2013-06")
    assert (run.code, run.last_line) == (1, "6 partitions failed")
    for why in (
        "flights_2013-01.csv.gz: the gzip stream breaks off",
        "flights_2013-02.csv.gz: the body broke off after",
        "flights_2013-03.csv.gz: line 2002, column day: found 'first', expected INT64",
        "flights_2013-04.csv.gz: found 404 Not Found, expected 200",
        "flights_2013-05.csv.gz: found a header and no record",
        "flights_2013-06.csv.gz: found columns that are not those of the contract flights: 'tailnum' is missing",
    ):
        assert why in run.text
    assert run.text.count("nothing was written") >= 6
    assert place.objects("") == []
    assert place.tables() == set()


def test_a_file_that_goes_bad_leaves_what_landed_before(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:100])
    assert place.run("flights", "2013-01").code == 0
    before = (place.objects(""), place.landed())
    place.publish("2013-01", [*january[:100], "not a flight"])
    run = place.run("flights", "2013-01")
    assert run.code == 1
    assert "line 102: found 1 fields, expected 19" in run.text
    assert (place.objects(""), place.landed()) == before


def test_a_converter_that_loses_a_row_fails_the_run(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january)
    run = place.run("flights", "2013-01", plant="tests.end_to_end.plants:drop_a_row")
    assert run.code == 1
    assert "found 2999 rows to write or put aside, expected 3000, which is what its bytes hold" in run.text
    assert place.objects("") == []
    assert place.tables() == set()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nothing"], "contract: found 'nothing', expected one of airlines, airports, fhv_trips, flights, "),
        (["flights", "2013-13"], "flights: partition: found '2013-13', expected YYYY-MM"),
        (["flights", "2014-01"], "flights: found the period 2014-01, expected one from the contract's first_partition"),
        (["flights", "2013-01-01"], "flights: partition: found '2013-01-01', expected YYYY-MM"),
        (
            ["yellow_trips_parquet", "2999-01"],
            "yellow_trips_parquet: found the period 2999-01, which begins after now (",
        ),
        (["flights", "2013-03", "2013-01"], "flights: found 2013-03 to 2013-01, expected the earlier first"),
        (["airlines", "2013-01"], "airlines: partition: found '2013-01', expected 'all'"),
        (["flights", "2013-01", "2013-02", "--source", "http://127.0.0.1/"], "flights: found one source for 2 periods"),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(place: Place, arguments: list[str], why: str) -> None:
    run = place.run(*arguments)
    assert run.code == 1
    assert run.last_line.startswith(why)
    assert run.last_line.endswith("nothing was written")
    assert "Traceback" not in run.text
    assert place.objects("") == []


def test_a_bucket_of_another_environment_is_refused_before_the_first_write(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:5])
    bucket = place.storage.get_bucket(place.bucket)
    bucket.labels = {"environment": "prod"}
    bucket.patch()
    run = place.run("flights", "2013-01")
    assert run.code == 1
    assert f"found the label environment=prod, expected {place.name}" in run.last_line
    assert place.objects("") == []
    assert place.publisher.requests == []


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"LANDFALL_ENVIRONMENT": "elsewhere"}, "expected the blocks of environment elsewhere: register them with"),
        ({"LANDFALL_ENVIRONMENT": "No Name"}, "LANDFALL_ENVIRONMENT: found 'No Name', expected the name of"),
        ({"LANDFALL_PUBLISHER": ""}, "and no publisher is set, expected its address"),
    ],
)
def test_settings_that_do_not_hold_are_refused_in_one_line(place: Place, settings: dict[str, str], why: str) -> None:
    run = place.run("flights", "2013-01", **settings)
    assert run.code == 1
    assert why in run.last_line
    assert run.last_line.endswith("nothing was written")
    assert "Traceback" not in run.text


def test_a_dataset_that_is_absent_is_refused_in_one_line(place: Place) -> None:
    place.bigquery.delete_dataset(place.dataset)
    run = place.run("flights", "2013-01")
    assert run.code == 1
    assert f"Not found: Dataset local:{place.dataset}, expected both; run `make apply`" in run.last_line
    assert "Traceback" not in run.text

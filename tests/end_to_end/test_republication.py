"""A changed file behind the same address is noticed by whatever the publisher tells; an unchanged one costs a HEAD."""

import email.utils
import gzip

import pytest

from flows.etl import contract
from flows.settings import CONTRACTS
from tests.end_to_end.place import HEADER, Place, content
from tests.end_to_end.without_runs import land
from tests.publisher import File

FILE = "/flights/flights_2013-01.csv.gz"
LATER = {"Last-Modified": email.utils.formatdate(1_500_000_000, usegmt=True)}


def serve(place: Place, rows: list[str], silent: tuple[str, ...], headers: dict[str, str]) -> None:
    text = "\n".join([HEADER, *rows, ""]).encode()
    body = gzip.compress(text, compresslevel=0, mtime=0)  # stored: as long as the text, whatever is in it
    place.publisher.files[FILE] = File(body, headers=headers, silent=silent)


@pytest.mark.parametrize(
    ("silent", "headers", "same_length", "unchanged"),
    [
        (("Last-Modified",), {}, True, ["HEAD"]),
        (("ETag",), LATER, True, ["HEAD"]),
        (("ETag",), {}, False, ["HEAD"]),
        # nothing but a length, which is not taken for the content: it is read, and found to be the same
        (("ETag", "Last-Modified"), {}, False, ["HEAD", "GET"]),
        (("ETag", "Last-Modified"), {}, True, ["HEAD", "GET"]),
    ],
    ids=["ETag", "Last-Modified", "length", "content of another length", "content of the same length"],
)
def test_a_changed_file_lands_as_the_next_claim_and_an_unchanged_one_is_left_alone(
    place: Place,
    january: list[str],
    silent: tuple[str, ...],
    headers: dict[str, str],
    same_length: bool,
    unchanged: list[str],
) -> None:
    flights = contract.read(CONTRACTS, "flights")
    old = january[:20]
    new = [*january[:19], january[19].replace("2013,1,1,", "2013,1,9,", 1)] if same_length else january[:21]
    assert (len("".join(old)) == len("".join(new)), old != new) == (same_length, True)

    serve(place, old, silent, {})
    land(place, flights, "2013-01")
    place.publisher.requests.clear()
    land(place, flights, "2013-01")
    assert [method for method, _ in place.publisher.requests] == unchanged
    assert (len(place.claims()), len(place.jobs())) == (1, 1)

    serve(place, new, silent, headers)
    assert land(place, flights, "2013-01")
    assert place.landed() == content(new)
    assert [(claim["n"], claim["kind"]) for claim in place.claims()] == [(0, "landing"), (1, "landing")]
    assert len(place.objects("superseded/")) == 1
    assert place.ask("SELECT n FROM {landings} ORDER BY n") == [(0,), (1,)]

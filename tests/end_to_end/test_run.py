"""`landfall run`: what the flow does by hand."""

import json

from tests.end_to_end.place import Place


def test_it_lands_says_what_the_flow_says_and_exits_as_it_does(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:20])
    place.publish("2013-02", ["broken"])
    run = place.run("run", "flights", "2013-01", flow="landfall")
    assert (run.code, run.last_line) == (0, "1 partition landed: 20 source rows = 20 loaded + 0 quarantined"), run.text
    assert "flights: landed" in run.text
    run = place.run("run", "flights", "2013-01", "2013-02", flow="landfall")
    assert (run.code, run.last_line) == (1, "1 partition failed, 1 up to date")
    run = place.run("run", "flights", "2013-01", "2013-02", "--json", flow="landfall")
    lines = [line for line in run.text.splitlines() if " | " not in line]  # but the log, which is on standard error
    rows = [json.loads(line) for line in lines]
    assert (run.code, [(row["contract"], row["partition"], row["status"]) for row in rows]) == (
        *(1, [("flights", "2013-01", "up to date"), ("flights", "2013-02", "failed")]),
    )
    assert "flights_2013-02.csv.gz" in rows[1]["why"]
    mirror = f"{place.publisher.url}/flights/flights_2013-01.csv.gz?signature=hidden"
    run = place.run("run", "flights", "2013-01", "--source", mirror, flow="landfall")
    assert (run.code, "hidden" in run.text) == (0, False)
    run = place.run("run", "flights", "2013-01", "--as-of", "0", flow="landfall")
    assert run.code == 0
    assert place.landed().total() == 20


def test_what_cannot_begin_exits_with_2_and_why(place: Place) -> None:
    cases = {
        ("fligths",): "contract: found 'fligths', expected one of airlines, ",
        ("flights", "2013-13", "--on", "p"): "flights: partition: found '2013-13', expected YYYY-MM, ",
        ("flights", "2013-01", "--on", "p"): f"web-to-bigquery/any-{place.name}: found no such deployment, ",
        ("flights", "2013-01", "--on", "p", "--source", "https://example.org/f?key=hidden"): (
            "--source: found https://example.org/f?..., expected an address without a query, which may be a secret"
        ),
    }
    for asked, said in cases.items():
        run = place.run("run", *asked, flow="landfall")
        assert (run.code, run.last_line.startswith(said)) == (2, True), run.text
    assert place.publisher.requests == []

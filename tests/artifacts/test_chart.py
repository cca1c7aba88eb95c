"""The chart of a run's rows, as the browser gets it."""

import base64
import re
from xml.etree import ElementTree as ET

from flows.artifacts import chart
from flows.artifacts.chart import Bar

NS = "{http://www.w3.org/2000/svg}"


def drawn(*bars: Bar) -> ET.Element:
    return ET.fromstring(chart.svg("a & b <c>", bars))  # noqa: S314 - we have drawn it ourselves


def bars(svg: ET.Element) -> dict[str, list[float]]:
    """The heights of each bar's parts, by what it says of itself."""
    return {
        str(group.findtext(f"{NS}title")): [float(part.attrib["height"]) for part in group.findall(f"{NS}rect")]
        for group in svg.findall(f"{NS}g")
    }


def words(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.findall(f"{NS}text")]


def test_heights_are_as_the_rows_are_and_a_few_quarantined_ones_are_seen() -> None:
    found = bars(drawn(Bar("2021-01", 1000, 0), Bar("2021-02", 500, 500), Bar("2021-03", 0, 0), Bar("2021-04", 997, 3)))
    (whole,), (half, other), (none,), (nearly, few) = found.values()
    assert [*found][1] == "2021-02: 500 landed, 500 quarantined"
    assert (half * 2, half + other, none) == (whole, whole, 0)
    assert (few, round(whole - nearly, 1)) == (3, 0.6)


def test_the_scale_is_in_round_numbers_that_hold_every_bar() -> None:
    assert words(drawn(Bar("2021-01", 54_777, 0)))[3:8] == ["0", "15k", "30k", "45k", "60k"]
    assert words(drawn(Bar("2021-01", 1, 0)))[3:5] == ["0", "1"]
    assert words(drawn(Bar("2021-01", 0, 0)))[-1] == "2021-01"


def test_thousands_of_periods_share_bars_and_no_row_is_left_out() -> None:
    svg = drawn(*(Bar(f"p{number:04}", 2, 1) for number in range(9100)))
    counts = [re.findall(r"(\d+) landed, (\d+)", said)[0] for said in bars(svg)]
    assert len(counts) == chart.BARS
    assert [sum(int(n) for n in column) for column in zip(*counts, strict=True)] == [18_200, 9_100]
    assert [word for word in words(svg) if word.startswith("p")][:2] == ["p0000", "p1560"]


def test_what_landed_and_what_did_not_differ_in_more_than_colour() -> None:
    group = drawn(Bar("2021-01", 5, 5)).find(f"{NS}g")
    assert group is not None
    landed, quarantined = (part.attrib["fill"] for part in group.findall(f"{NS}rect"))
    assert (landed, quarantined) == ("#5AA5DC", "url(#hatch)")


def test_the_address_holds_the_drawing() -> None:
    svg = chart.svg("t", [Bar("2021-01", 5, 5)])
    kind, _, data = chart.data_uri(svg).partition(",")
    assert (kind, base64.b64decode(data).decode()) == ("data:image/svg+xml;base64", svg)

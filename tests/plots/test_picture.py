"""The picture and the page: what is in them, that they ask nobody for anything, and that eyes can tell states apart."""

import io
import itertools
import re
import struct
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.font_manager as fonts
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from flows.cli.main import app
from flows.etl.partition import Partition
from flows.etl.status import STATES, State
from flows.plots import page, picture
from flows.plots.board import Board
from flows.plots.palette import FILL
from tests.plots.generated import NOW, five_years_of_ten_contracts, seven_weeks, small, standing

ROOT = Path(__file__).parents[2]
ODD = "tri<b>ps</b> $x^2$ & \"'\x1b[2J"


def odd() -> Board:
    found = [standing(ODD, Partition.parse("month", "2024-01"), "stale")]
    return Board.of("<i>dev</i>", NOW, {ODD: ("month", found)})


@pytest.fixture(scope="module")
def ten() -> Board:
    return five_years_of_ten_contracts()


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_png_has_the_size_of_its_figure(ten: Board) -> None:
    written = picture.png(ten)
    width, height = struct.unpack(">II", written[16:24])
    expected = [round(each * picture.DPI) for each in picture.figure(ten).get_size_inches()]
    assert [abs(width - expected[0]) <= 1, abs(height - expected[1]) <= 1] == [True, True]
    assert (1600 < width < 2300, 700 < height < 1000) == (True, True)
    with Image.open(io.BytesIO(written)) as image:
        image.load()
        assert image.size == (width, height)


def test_the_same_board_gives_the_same_picture() -> None:
    assert picture.svg(small()) == picture.svg(small())


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Name the texts that overlap, or leave the figure."""
    figure.canvas.draw()
    texts = [each for each in figure.axes[0].texts if each.get_text()]
    boxes = {each: Text.get_window_extent(each) for each in texts}
    pairs = itertools.combinations(texts, 2)
    found = [(one.get_text(), other.get_text()) for one, other in pairs if Bbox.overlaps(boxes[one], boxes[other])]
    left, bottom, right, top = figure.bbox.extents
    return found + [
        (each.get_text(), "the edge")
        for each, box in boxes.items()
        if box.x0 < left or box.x1 > right or box.y0 < bottom or box.y1 > top
    ]


def long_names() -> Board:
    names = ["a" * 63, "w" * 63, "m_" * 17, "i" * 34]
    return Board.of(
        "a" * 30,
        NOW,
        {name: ("hour", [standing(name, Partition.parse("hour", "2026-11-23T23"), rows=10**12)]) for name in names},
    )


@pytest.mark.parametrize(
    "board",
    [five_years_of_ten_contracts(), small(), seven_weeks(), long_names(), Board.of("dev", NOW, {})],
    ids=["five years of ten contracts", "small", "seven weeks", "long names", "nothing"],
)
def test_no_text_overlaps_another(board: Board) -> None:
    assert overlapping(picture.figure(board)) == []


def test_thirty_years_are_drawn_too() -> None:
    months = Partition.parse("month", "1996-11").through(Partition.parse("month", "2026-10"))
    board = Board.of("dev", NOW, {"trips": ("month", [standing("trips", each) for each in months])})
    width, _ = picture.figure(board).get_size_inches()
    assert width < 45
    assert overlapping(picture.figure(board)) == []


def test_each_cell_is_a_group_with_its_words(ten: Board) -> None:
    text = page.html(ten).decode()
    cells = sum(len(strip.cells) for strip in ten.strips)
    assert len(re.findall(r'<g id="cell-\d+-\d+"><title>', text)) == cells
    small_page = page.html(small()).decode()
    words = "flights 2024-11\nlanded\n1,000 rows\n30 kB file\nloaded 2026-11-21 02:40 UTC\nin 12 s"
    assert f'<g id="cell-2-0"><title>{words}</title>' in small_page
    assert '<g id="cell-2-5"><title>flights 2025-04\nmissing: never claimed</title>' in small_page
    assert '<g id="cell-3-0"><title>sensors 2025-01\n1 missing\n2 landed\n2,000 rows</title>' in small_page


def test_a_page_asks_nobody_for_anything() -> None:
    text = page.html(small()).decode()
    read = Page(text)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert {("http-equiv", "Content-Security-Policy"), ("content", policy)} <= set(read.attributes)
    assert {"script", "img", "link", "iframe", "object", "image", "a", "form", "base"} & set(read.tags) == set()
    loading = ("src", "href", "xlink:href", "srcset", "data", "action")
    assert {value for name, value in read.attributes if name in loading and not str(value).startswith("#")} == set()
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert re.findall(r"@import|url\((?!#)", text) == []
    namespaces = {value for name, value in read.attributes if name.startswith("xmlns")}
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == namespaces


def test_every_partition_is_in_a_page_with_its_numbers() -> None:
    text = page.html(small()).decode()
    assert text.count("<tr><td>") == len(small().standings) + 4  # and what is to be looked at
    assert (
        "<tr><td>2024-12</td>"
        '<td class="state quarantined">◐ quarantined</td><td>3 of 1000 rows put aside</td>'
        '<td class="number">1,000</td><td class="number">3</td><td class="number">30 kB</td>'
        '<td class="number">12 s</td><td>2026-11-21 02:40 UTC</td><td></td></tr>'
    ) in text


def test_a_page_of_what_is_in_order_says_so() -> None:
    found = [standing("trips", Partition.parse("month", "2024-01"))]
    text = page.html(Board.of("dev", NOW, {"trips": ("month", found)})).decode()
    assert "<p>Nothing needs to be looked at.</p>" in text


def test_odd_names_are_shown_and_not_obeyed() -> None:
    read = Page(page.html(odd()).decode())
    shown = ODD.replace("\x1b", "\\x1b")
    assert {"b", "i"} & set(read.tags[read.tags.index("body") : read.tags.index("h2")]) == set()
    assert sum(shown in each for each in read.text) >= 3  # picture, what to look at, summary, words of the cell
    assert [each.get_text() for each in picture.figure(odd()).axes[0].texts if "x^2" in each.get_text()] == [shown]


def linear(color: str) -> NDArray[np.float64]:
    channels = np.array([int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* of linear sRGB, under D65."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(light, 0, 1) / np.array([0.95047, 1, 1.08883])
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# of Machado, Oliveira and Fernandes (2009), severity 1.0
VISION = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


@pytest.mark.parametrize("vision", VISION)
def test_no_eye_takes_one_state_for_another(vision: str) -> None:
    seen = {state: lab(VISION[vision] @ linear(FILL[state])) for state in STATES}
    distances = {
        pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in itertools.combinations(STATES, 2)
    }
    assert {pair: far for pair, far in distances.items() if far < 20} == {}  # 2.3 is just noticeable


def test_marks_repeat_what_colour_says() -> None:
    alike: dict[str, list[State]] = {}
    for state in STATES:
        mark = "dashed outline" if state == "missing" else str(picture.MARKS.get(state, "none"))
        alike.setdefault(mark, []).append(state)
    assert sorted(map(len, alike.values())) == [1, 1, 1, 1, 1]


def test_without_matplotlib_the_command_says_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['matplotlib'] = None; from flows.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", script, "status", "--png", str(tmp_path / "status.png")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr, list(tmp_path.iterdir())) == (
        *(2, ""),
        (
            "status: found no matplotlib, expected it for --html and --png; pip install 'landfall[plots]', nothing was"
            " asked or written\n"
        ),
        [],
    )


def test_a_folder_that_is_not_there_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["status", "--html", str(tmp_path / "none" / "status.html")])
    assert found.exit_code == 2
    assert "found no folder" in re.sub(r"[\s│]+", " ", found.output)
    assert list(tmp_path.iterdir()) == []


def test_the_font_of_the_picture_is_the_one_that_matplotlib_brings() -> None:
    assert Path(fonts.findfont("DejaVu Sans")).name == "DejaVuSans.ttf"

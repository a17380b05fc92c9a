"""What the page draws and says, from numbers alone: footprints where they lie, the throughput, the sentence."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from uploader.core.byte_sizes import format_size
from uploader.journal.stage_history import SPAN, Throughput
from uploader.report.dashboard import Basemap, Preview, views
from uploader.report.dashboard.footprint_map import Map, drawn
from uploader.report.dashboard.map_view import HEIGHT, WIDTH
from uploader.report.dashboard.plot import plotted

pytestmark = pytest.mark.unit


def square(west: float, south: float, size: float = 1.0) -> Preview:
    """A footprint of so many degrees."""
    corners = [(0, 0), (size, 0), (size, size), (0, size), (0, 0)]
    return Preview([[[west + x, south + y] for x, y in corners]])


def corners(found: Map, number: int) -> list[tuple[float, float]]:
    """Of one outline, in units of the drawing."""
    path = next(outline.path for outline in found.outlines if outline.file_id == number)
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def test_footprints_lie_where_they_are() -> None:
    """East is right, north is up, the scale is true in the middle, and the graticule agrees with the outlines."""
    found = drawn({1: square(10, 50), 2: square(12, 51)})
    assert found is not None
    one, two = corners(found, 1), corners(found, 2)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in one + two)
    assert min(x for x, _ in two) > max(x for x, _ in one)
    assert max(y for _, y in two) == pytest.approx(min(y for _, y in one), abs=0.2)
    wide, tall = (
        max(x for x, _ in one) - min(x for x, _ in one),
        max(y for _, y in one) - min(y for _, y in one),
    )
    assert wide / tall == pytest.approx(0.63, abs=0.02)  # the cosine of 51 degrees
    meridian = next(line for line in found.meridians if line.words == "11° E")
    parallel = next(line for line in found.parallels if line.words == "51° N")
    assert meridian.at == pytest.approx(max(x for x, _ in one), abs=0.2)
    assert parallel.at == pytest.approx(min(y for _, y in one), abs=0.2)


def test_what_crosses_the_antimeridian_is_drawn_together() -> None:
    """Fiji is not as wide as the globe."""
    found = drawn({1: square(179, -17, 0.5), 2: square(-179.5, -17, 0.5)})
    assert found is not None
    assert min(x for x, _ in corners(found, 2)) > max(x for x, _ in corners(found, 1))
    assert "179.5° W" in {line.words for line in found.meridians}
    assert all(outline.path and not outline.small for outline in found.outlines)


def test_small_ones_are_dots_and_odd_ones_are_left_out() -> None:
    """A footprint of nonsense is not drawn, and where there is none there is no map."""
    nonsense = Preview([[[float("nan"), 1.0], [2.0, 3.0], [4.0, 5.0]], [[1.0, 2.0]]])
    found = drawn({1: square(0, 0, 0.0001), 2: square(20, 20), 3: nonsense, 4: Preview()})
    assert found is not None
    assert [(outline.file_id, outline.small) for outline in found.outlines] == [(1, True), (2, False)]
    assert drawn({3: nonsense}) is None
    assert drawn({}) is None


BASEMAP = Basemap("https://tiles.example.org/{z}/{x}/{y}.png", "© somebody")


@pytest.mark.parametrize(
    ("west", "south", "size"),
    [(10.0, 50.0, 1.0), (-179.9, -80.0, 359.8), (179.5, -17.0, 1.0), (0.0, 0.0, 1e-6), (-75.0, 84.9, 0.1)],
)
def test_tiles_cover_the_map_and_lie_where_they_are(west: float, south: float, size: float) -> None:
    """A handful of them, sharp and without a gap, and an outline as large as a tile lies on it."""
    found = drawn(
        {1: Preview([[(west, south), (west + size, south), (west, south + min(size, 160))]])}, BASEMAP
    )
    assert found is not None
    assert 1 <= len(found.tiles) <= 20
    assert all(128 <= tile.side <= 256.5 for tile in found.tiles)
    assert len({tile.address for tile in found.tiles}) == len(found.tiles) or size > 90
    covered = {(round(tile.x / tile.side - found.tiles[0].x / tile.side), tile.y) for tile in found.tiles}
    assert len(covered) == len(found.tiles)
    assert min(tile.x for tile in found.tiles) <= 0
    assert max(tile.x + tile.side for tile in found.tiles) >= WIDTH


def test_an_outline_lies_on_its_tile() -> None:
    """Tile 17/70406/42987 is the square between these degrees, as the formula of slippy maps has it."""
    n, x, y = 2**17, 70406, 42987

    def latitude(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / n))))

    ring = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
    found = drawn({1: Preview([[(column / n * 360 - 180, latitude(row)) for column, row in ring]])}, BASEMAP)
    assert found is not None
    deeper = [tile for tile in found.tiles if re.search(rf"/18/{2 * x}/{2 * y}\.png", tile.address)]
    same = [tile for tile in found.tiles if re.search(rf"/17/{x}/{y}\.png", tile.address)]
    tile = (deeper or same)[0]
    assert corners(found, 1)[0] == pytest.approx((tile.x, tile.y), abs=0.1)


def test_nobody_is_asked_for_tiles_unless_told() -> None:
    """Without a basemap there are none, nor where Web Mercator ends; what has to be said of them stands beneath."""
    plain, tiled, polar = (
        drawn({1: square(10, 50)}),
        drawn({1: square(10, 50)}, BASEMAP),
        drawn({1: square(10, 88)}, BASEMAP),
    )
    assert plain is not None
    assert tiled is not None
    assert polar is not None
    assert (len(plain.tiles), plain.attribution) == (0, "")
    assert tiled.attribution == "© somebody"
    assert (len(polar.tiles), polar.attribution) == (0, "")


def test_a_plot_tells_the_same_as_its_words() -> None:
    """The highest step reaches the top, and who does not see it is told the sums and the most at once."""
    stages = {name: [(0, 0)] * 3 for name in ("claimed", "converted", "completed")}
    found = plotted(Throughput(0.0, {**stages, "stored": [(1, 600), (2, 1200), (0, 0)]}, whole=True))
    curve = found.curves[2]
    assert (curve.title, curve.files, curve.size) == ("Uploaded", 3, 1800)
    assert curve.words == f"3 files, {format_size(1800)}, at most {format_size(1200 / SPAN)}/s"
    assert "L48.00 1.0L96.00 1.0" in curve.path
    assert "L0.00 20.5L48.00 20.5" in curve.path
    assert [curve.path for curve in found.curves if curve.stage != "stored"] == ["", "", ""]
    assert len(found.ticks) == 5


def told(**given: Any) -> dict[str, Any]:
    """A status of little."""
    return {
        "pending": 0,
        "completed": 0,
        "rejected": 0,
        "holds": [],
        "last_completed": None,
        "eta": None,
        **given,
    }


HOLD = {"cause": "quota", "files": 2}


@pytest.mark.parametrize(
    ("status", "sentence", "mood"),
    [
        ({}, "Nothing to do yet: drop a raster.", "idle"),
        ({"completed": 3}, "All done. No item was made yet.", "idle"),
        ({"pending": 1}, "1 file under way. No item was made yet.", "busy"),
        ({"rejected": 2}, "All done but 2 rejected files. No item was made yet.", "failing"),
        ({"holds": [HOLD]}, "1 thing held, 2 files wait. No item was made yet.", "held"),
        (
            {"holds": [{**HOLD, "cause": "paused", "files": 1}]},
            "Paused, 1 file waits. No item was made yet.",
            "paused",
        ),
    ],
)
def test_one_sentence_tells_how_it_stands(status: dict[str, Any], sentence: str, mood: str) -> None:
    """The most pressing first, and always when the last item was made."""
    assert views.sentence(told(**status), 0.0) == (sentence, mood)


def test_the_last_success_stands_in_it() -> None:
    """By the machine's clock, with its day where that is not today."""
    text, _ = views.sentence(told(completed=1, last_completed="2026-01-02T03:04:05+00:00"), 0.0)
    assert re.fullmatch(r"All done\. The last item was made at 2026-01-0\d \d\d:\d\d\.", text)

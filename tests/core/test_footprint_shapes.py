"""Footprints as GeoJSON: valid polygons on one side of the antimeridian each, and the box around them."""

from __future__ import annotations

import random
from typing import Any

import pytest
import shapely
import shapely.geometry

from tests.core.test_footprints import box as outline
from tests.core.test_footprints import polar
from uploader.core.footprint_shapes import box, cut, geometry
from uploader.core.footprints import DEGREE, Ring, ring_of

pytestmark = pytest.mark.unit


def ring(*points: tuple[float, float]) -> Ring:
    """A ring of these degrees."""
    return tuple((round(lon * DEGREE), round(lat * DEGREE)) for lon, lat in points)


def shape(found: dict[str, Any] | None) -> shapely.Geometry:
    """What shapely makes of it: valid by RFC 7946."""
    assert found is not None
    made = shapely.geometry.shape(found)
    assert made.is_valid, shapely.is_valid_reason(made)
    assert all(part.exterior.is_ccw for part in getattr(made, "geoms", [made]))
    west, south, east, north = made.bounds
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    return made


def test_a_box_is_a_polygon() -> None:
    """Closed, with the numbers that it was given."""
    found = geometry([ring_of(outline(10, 50, 11, 51))])

    assert found == {
        "type": "Polygon",
        "coordinates": [[[10.0, 51.0], [10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0]]],
    }
    assert geometry([]) is None


def test_what_crosses_the_antimeridian_is_cut() -> None:
    """Into a part on each side; the box has its west end east of its east end."""
    over = ring_of(outline(170, -1, 190, 1))

    made = shape(geometry([over]))

    assert made.equals(shapely.union_all([shapely.box(170, -1, 180, 1), shapely.box(-180, -1, -170, 1)]))
    assert box([over]) == (170.0, -1.0, -170.0, 1.0)


@pytest.mark.parametrize("south", [False, True])
def test_what_holds_a_pole_is_one_polygon(south: bool) -> None:
    """From antimeridian to antimeridian, with the pole in its box."""
    around = ring_of(polar((-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), south=south))

    made = shape(geometry([around]))

    assert made.geom_type == "Polygon"
    assert made.contains(shapely.Point(33, -89 if south else 89))
    assert not made.contains(shapely.Point(33, -70 if south else 70))
    assert box([around])[:3:2] == (-180.0, 180.0)  # type: ignore[index]
    assert box([around])[1 if south else 3] == (-90.0 if south else 90.0)  # type: ignore[index]


def test_a_ring_that_crosses_many_times_is_cut_into_all_its_parts() -> None:
    """As shapely cuts it, for combs of any shape."""
    rng = random.Random(7)
    for _ in range(200):
        teeth = sorted(rng.sample(range(1, 60), 12))
        comb = ring(
            (172, 0), (176, -1), *((rng.choice((174, 178, 182, 186)), lat) for lat in teeth), (172, 61)
        )
        whole = shapely.Polygon([(lon / DEGREE, lat / DEGREE) for lon, lat in comb])
        if not whole.is_valid:
            continue

        made = shape(geometry([comb]))

        west = whole.intersection(shapely.box(0, -90, 180, 90))
        east = shapely.transform(whole.intersection(shapely.box(180, -90, 360, 90)), lambda xy: xy - [360, 0])
        expected = shapely.union_all([west, east])
        assert made.symmetric_difference(expected).area < 1e-6
        assert sum(len(part) for part in cut(comb)) >= len(comb)


def test_a_ring_that_ends_at_the_antimeridian_is_not_cut() -> None:
    """Nothing of it lies on the other side."""
    found = ring_of(outline(170, -1, 180, 1))

    assert cut(found) == [found]
    assert box([found]) == (170.0, -1.0, 180.0, 1.0)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([(10, 0, 11, 1), (12, 2, 13, 3)], (10, 0, 13, 3)),
        ([(170, 0, 175, 1), (-178, 2, -177, 3)], (170, 0, -177, 3)),
        ([(175, 0, 185, 1), (-178, 2, -170, 3)], (175, 0, -170, 3)),
        ([(-100, 0, -90, 1), (100, 0, 110, 1), (-1, 0, 1, 1)], (-100, 0, 110, 1)),
        ([(-180, -90, 180, 90), (10, 0, 11, 1)], (-180, -90, 180, 90)),
    ],
)
def test_the_box_of_several_is_the_smallest(
    boxes: list[tuple[float, float, float, float]], expected: tuple[float, float, float, float]
) -> None:
    """It leaves out the widest gap, wherever that is."""
    assert box([ring_of(outline(*one)) for one in boxes]) == expected


def test_files_in_one_place_are_told_once() -> None:
    """Bands of one scene have one outline; others make parts of a MultiPolygon."""
    here, there = ring_of(outline(10, 50, 11, 51)), ring_of(outline(20, 50, 21, 51))

    assert geometry([here, here])["type"] == "Polygon"  # type: ignore[index]
    assert len(geometry([here, there, here])["coordinates"]) == 2  # type: ignore[index]
    assert box([]) is None

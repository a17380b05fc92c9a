"""Outlines as rings: around poles, over the antimeridian, in few points and few bytes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core.footprints import (
    DEGREE,
    MOST_POINTS,
    TURN,
    OffEarth,
    Place,
    checked,
    known_ring,
    packed,
    ring_of,
    unpacked,
)

pytestmark = pytest.mark.unit

STEPS = 32


def edges(*corners: Place) -> list[Place]:
    """The outline between these corners, as densely as a raster's is sampled."""
    return [
        (a + (c - a) * step / STEPS, b + (d - b) * step / STEPS)
        for (a, b), (c, d) in pairwise((*corners, corners[0]))
        for step in range(STEPS)
    ]


def box(west: float, south: float, east: float, north: float) -> list[Place]:
    """The outline of a box, counter-clockwise."""
    return edges((west, north), (west, south), (east, south), (east, north))


def polar(*corners: Place, south: bool = False) -> list[Place]:
    """The outline of a raster in a plane around a pole, in thousands of kilometres from it, counter-clockwise there.

    Seen from above the north pole, longitudes grow counter-clockwise; seen from above the south pole, clockwise.
    """
    sign = -1.0 if south else 1.0
    return [
        (sign * math.degrees(math.atan2(y, x)), sign * (90.0 - math.hypot(x, y) * 9.0))
        for x, y in edges(*corners)
    ]


def degrees(ring: tuple[tuple[int, int], ...]) -> list[Place]:
    """Its points in degrees."""
    return [(lon / DEGREE, lat / DEGREE) for lon, lat in ring]


@pytest.mark.parametrize(
    ("outline", "corners"),
    [
        (box(10, 50, 11, 51), [(10, 51), (10, 50), (11, 50), (11, 51)]),
        (box(10, 50, 11, 51)[::-1], [(10, 51), (10, 50), (11, 50), (11, 51)]),
        (box(170, -1, 190, 1), [(170, 1), (170, -1), (190, -1), (190, 1)]),
        (box(-190, -1, -175, 1), [(170, 1), (170, -1), (185, -1), (185, 1)]),
        (box(530, -1, 535, 1), [(170, 1), (170, -1), (175, -1), (175, 1)]),
        (box(-180, -90, 180, 90), [(-180, -90), (180, -90), (180, 90), (-180, 90)]),
        (box(0, -90, 360, 90), [(-180, -90), (180, -90), (180, 90), (-180, 90)]),
        (box(-181.25, -91.25, 181.25, 91.25), [(-180, -90), (180, -90), (180, 90), (-180, 90)]),
        (
            [((lon + 180) % 360 - 180, lat) for lon, lat in box(170, -1, 190, 1)],
            [(170, 1), (170, -1), (190, -1), (190, 1)],
        ),
    ],
    ids=["box", "clockwise", "over", "below", "turned", "world", "0-360", "grid", "wrapped"],
)
def test_a_box_has_four_corners(outline: list[Place], corners: list[Place]) -> None:
    """Counter-clockwise, its longitudes running on over the antimeridian, the westernmost between -180 and 180."""
    found = degrees(ring_of(outline))

    assert set(found) == set(corners)
    start = found.index(corners[0])
    assert found[start:] + found[:start] == corners


@pytest.mark.parametrize("south", [False, True])
def test_a_raster_around_a_pole_reaches_it(south: bool) -> None:
    """The ring goes from antimeridian to antimeridian, and back along the pole."""
    corners = [(-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]
    outline = polar(*corners, south=south)

    found = degrees(ring_of(outline))

    pole = -90.0 if south else 90.0
    assert {lon for lon, lat in found if lat == pole} == {-180.0, 180.0}
    assert min(lon for lon, _ in found) == -180.0
    assert max(lon for lon, _ in found) == 180.0
    far = 90.0 - 9.0 * math.sqrt(2)
    assert min(abs(lat) for _, lat in found) == pytest.approx(far, abs=1e-6)
    assert len(found) <= MOST_POINTS


@pytest.mark.parametrize("south", [False, True])
@pytest.mark.parametrize(
    ("corners", "width"),
    [
        ([(0.0, 1.0), (0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], 90.0),
        ([(-1.0, 1.0), (-1.0, 0.0), (1.0, 0.0), (1.0, 1.0)], 180.0),
        ([(-1.0, 1.0), (-1.0, 0.0), (1.03, 0.0), (1.03, 1.0)], 180.0),
    ],
    ids=["corner", "edge", "between two samples"],
)
def test_one_that_touches_a_pole_goes_along_it(corners: list[Place], width: float, south: bool) -> None:
    """Its longitude leaps there, on the side where the raster lies."""
    found = degrees(ring_of(polar(*corners, south=south)))

    at_the_pole = [lon for lon, lat in found if abs(lat) == 90.0]
    assert max(at_the_pole) - min(at_the_pole) == pytest.approx(width)
    assert max(lon for lon, _ in found) - min(lon for lon, _ in found) == pytest.approx(width)


@pytest.mark.parametrize(
    "outline",
    [
        box(10, 50, 11, 95),
        [*box(10, 50, 11, 51), (math.inf, math.inf)],
        [*box(10, 50, 11, 51), (10.5, math.nan)],
        box(0, 0, 500_000, 5),
        box(-300, -10, 300, 10),
    ],
    ids=["north of the pole", "infinite", "no number", "metres", "around more than once"],
)
def test_what_is_not_on_the_earth_is_refused(outline: list[Place]) -> None:
    """Numbers that are no degrees make no footprint."""
    with pytest.raises(OffEarth):
        ring_of(outline)


def test_what_has_no_area_is_refused() -> None:
    """A raster of less than a centimetre, or on a line."""
    with pytest.raises(ValueError, match="no area"):
        ring_of(box(10, 50, 10 + 1e-9, 50 + 1e-9))


def test_curved_edges_take_few_points() -> None:
    """Within the tolerance of what was sampled, and never more than a ring may have."""
    arc = [(10 + t, 50 + 0.02 * math.sin(math.pi * t)) for t in (i / 32 for i in range(32))]
    back = [(11 - t, 49 + 0.02 * math.sin(math.pi * t)) for t in (i / 32 for i in range(32))]

    found = ring_of([*back[::-1], *arc[::-1]])

    assert 8 < len(found) < 30


@given(
    st.lists(
        st.tuples(st.integers(-TURN // 2, TURN // 2 - 1), st.integers(-TURN // 4, TURN // 4)),
        min_size=3,
        max_size=MOST_POINTS,
    )
)
def test_packing_keeps_every_point(points: list[tuple[int, int]]) -> None:
    """Also steps of half the Earth."""
    ring = checked(points)

    assert unpacked(packed(ring)) == ring


def test_a_box_takes_few_bytes() -> None:
    """A tile of ten kilometres."""
    assert len(packed(ring_of(box(9.1234567, 53.1, 9.2, 53.2)))) <= 32


@given(st.binary(max_size=64))
def test_bytes_that_are_no_ring_are_none(data: bytes) -> None:
    """Whatever a damaged journal holds, it is a ring or nothing."""
    ring = known_ring(data)

    assert not ring or checked(ring) == ring
    assert known_ring(None) == ()


@pytest.mark.parametrize(
    "points",
    [
        [],
        [[0, 0], [1, 1]],
        [[n, n % 7] for n in range(MOST_POINTS + 1)],
        [[0, 0], [1, 0], [1, 1.0]],
        [[0, 0], [1, 0], [True, 1]],
        [[0, 0], [1, 0], [1, 1, 1]],
        [[TURN, 0], [TURN + 1, 0], [TURN, 1]],
        [[-TURN // 2, 0], [TURN // 2 + 1, 0], [0, 1]],
        [[0, 0], [1, 0], [0, TURN // 4 + 1]],
        [["0", 0], [1, 0], [0, 1]],
        [None, [1, 0], [0, 1]],
    ],
)
def test_a_ring_from_outside_is_checked(points: list[list[int]]) -> None:
    """Numbers, their number, and their range."""
    with pytest.raises((ValueError, TypeError)):
        checked(points)

"""Areas and overlaps of GeoJSON shapes against boxes, in longitude and latitude. Pure.

Edges are straight in an equal-area projection of the sphere of the Earth's area, which for parcels of some hundred
kilometres is within a thousandth of the ellipsoid: enough for a price that only has to be the same twice.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

_RADIUS_KM = 6371.0072
"""Of the sphere with the area of the WGS 84 ellipsoid."""
_MOST_LONGITUDE, _MOST_LATITUDE = 360.0, 90.0
_DEPTHS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""How many lists stand around a position, by type of geometry."""


def lines(geometry: Mapping[str, Any]) -> list[list[Point]]:
    """Every ring or line of a GeoJSON geometry; a point is a line of one position.

    Raises:
        ValueError: the geometry is not well formed.

    """
    depth = _DEPTHS.get(str(geometry.get("type")))
    if depth is None:
        raise ValueError(f"a GeoJSON geometry of one of the types {', '.join(_DEPTHS)} is wanted")
    try:
        return _lines(geometry["coordinates"], depth)
    except (KeyError, TypeError, IndexError, OverflowError) as error:
        raise ValueError("the coordinates do not fit the type of the geometry") from error


def area_km2(geometry: Mapping[str, Any], box: Box) -> float:
    """Square kilometres of the part of a Polygon or MultiPolygon that lies in the box, without its holes.

    Raises:
        ValueError: the geometry is another one, or not well formed.

    """
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError("a Polygon or MultiPolygon is wanted")
    lines(geometry)
    many = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    total = 0.0
    for polygon in many:
        outer, *holes = [_ring_km2(clipped(_lines(ring, 1)[0], box)) for ring in polygon] or [0.0]
        total += max(0.0, outer - sum(holes))
    return total


def overlaps(geometry: Mapping[str, Any], box: Box) -> bool:
    """Whether any part of the geometry lies in the box; ValueError as `lines`."""
    return any(clipped(line, box) for line in lines(geometry))


def boxes_overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two boxes share a point."""
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def polygon(box: Box) -> dict[str, Any]:
    """The box as a GeoJSON Polygon, counter-clockwise."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def clipped(line: Sequence[Point], box: Box) -> list[Point]:
    """The part of a ring inside the box, after Sutherland and Hodgman (1974); empty: none."""
    west, south, east, north = box
    found = list(line)
    for axis, limit, sign in ((0, west, 1), (0, east, -1), (1, south, 1), (1, north, -1)):
        found = _cut(found, axis, limit, sign)
    return found


def _cut(line: list[Point], axis: int, limit: float, sign: int) -> list[Point]:
    kept: list[Point] = []
    for before, point in zip([*line[-1:], *line[:-1]], line, strict=True):
        was, is_in = (sign * (one[axis] - limit) >= 0 for one in (before, point))
        if was != is_in:
            share = (limit - before[axis]) / (point[axis] - before[axis])
            kept.append(
                (before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1]))
            )
        if is_in:
            kept.append(point)
    return kept


def _ring_km2(ring: Sequence[Point]) -> float:
    flat = [(math.radians(x), math.sin(math.radians(y))) for x, y in ring]
    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*flat, *flat[:1]]))
    return abs(twice) / 2 * _RADIUS_KM**2


def _lines(value: Any, depth: int) -> list[list[Point]]:
    if depth == 0:
        return [[_position(value)]]
    if not isinstance(value, list):
        raise TypeError("a list is wanted")
    if depth == 1:
        return [[_position(one) for one in value]]
    return [line for one in value for line in _lines(one, depth - 1)]


def _position(value: Any) -> Point:
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        raise TypeError("numbers are wanted")
    x, y = float(value[0]), float(value[1])
    if not (abs(x) <= _MOST_LONGITUDE and abs(y) <= _MOST_LATITUDE):
        raise ValueError("a position is not on the Earth")
    return x, y

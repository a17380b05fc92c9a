"""The outline of a raster on the Earth: a ring in the plane of longitude and latitude, and how it is kept.

A ring is a simple polygon, counter-clockwise, without its first point again at the end. Its longitudes run on beyond
180 degrees where it crosses the antimeridian, and one around a pole runs along the pole; `footprint_shapes`
makes GeoJSON of it. Coordinates are whole numbers of 1e-7 degrees, about a centimetre.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

Point = tuple[int, int]
"""Longitude and latitude."""

Ring = tuple[Point, ...]

Place = tuple[float, float]
"""The same in degrees."""

DEGREE = 10_000_000
TURN = 360 * DEGREE
MOST_POINTS = 64
"""Points that a ring has at most."""

_FEWEST_POINTS = 3
_TOLERANCE = 3e-4
"""By how much of its width or height a footprint may pass a raster's curved edge."""

_AT_A_POLE = 90.0 - 1e-7
_HALF_TURN = 180.0 - 1e-6
_LEEWAY = 2.5
"""Degrees by which rasters of the whole Earth reach beyond it, whose pixels lie around the points of a grid."""


class OffEarth(ValueError):
    """A part of an outline is nowhere on the Earth."""


def ring_of(outline: Sequence[Place]) -> Ring:
    """The ring of an outline in degrees, sampled so densely that it turns by less than half a turn from place to place.

    The raster lies to the left of it. Raises OffEarth, and ValueError where it has no area.
    """
    if not all(math.isfinite(lon) and abs(lat) <= 90.0 + _LEEWAY for lon, lat in outline):
        raise OffEarth("the outline leaves the Earth")
    places = _unwrapped([(lon, max(-90.0, min(90.0, lat))) for lon, lat in outline])
    turns = round((places[-1][0] - places[0][0]) / 360.0)
    width = max(lon for lon, _ in places) - min(lon for lon, _ in places)
    if abs(turns) > 1 or width > 360.0 * abs(turns) + 360.0 + 2 * _LEEWAY:
        raise OffEarth("the outline goes around the Earth more than once")
    if turns:
        places = _around_a_pole(places, turns)
    elif width > 360.0 - 1 / DEGREE:
        south, north = min(lat for _, lat in places), max(lat for _, lat in places)
        places = [(-180.0, south), (180.0, south), (180.0, north), (-180.0, north)]
    found = _rounded(_simplified(places))
    if len(found) < _FEWEST_POINTS or not _area(found):
        raise ValueError("the outline has no area")
    return checked(found if _area(found) > 0 else found[::-1])


def checked(points: Sequence[Sequence[int]]) -> Ring:
    """A ring from outside. ValueError, TypeError: it is none."""
    if not _FEWEST_POINTS <= len(points) <= MOST_POINTS:
        raise ValueError("not the points of a ring")
    ring = tuple((lon, lat) for lon, lat in points)
    if any(type(value) is not int for point in ring for value in point):
        raise TypeError("not whole numbers")
    west, east = min(lon for lon, _ in ring), max(lon for lon, _ in ring)
    if not -TURN // 2 <= west < TURN // 2 or east - west > TURN:
        raise ValueError("not a longitude")
    if max(abs(lat) for _, lat in ring) > TURN // 4:
        raise ValueError("not a latitude")
    return ring


def packed(ring: Ring) -> bytes:
    """A ring in few bytes: its first point and the steps from there, each as a signed LEB128 number."""
    steps = [
        b - a
        for one, other in zip(((0, 0), *ring), ring, strict=False)
        for a, b in zip(one, other, strict=True)
    ]
    return b"".join(map(_leb128, steps))


def unpacked(data: bytes) -> Ring:
    """The inverse of `packed`. ValueError: it is none."""
    values = list(_numbers(data))
    points, lon, lat = [], 0, 0
    for east, north in zip(values[::2], values[1::2], strict=True):
        lon, lat = lon + east, lat + north
        points.append((lon, lat))
    return checked(points)


def known_ring(data: bytes | None) -> Ring:
    """A ring as it is kept; empty where there is none, or nothing that makes sense."""
    try:
        return unpacked(bytes(data)) if data else ()
    except ValueError:
        return ()


def _unwrapped(outline: Sequence[Place]) -> list[Place]:
    """The same with longitudes that run on.

    Where it passes a pole in one place, its longitude leaps there: it goes along the pole's latitude, the raster to
    its left. At an edge that lies at the pole as a whole, as in maps of the whole Earth, longitudes say where it goes.
    """
    start = int(_at_a_pole((outline[-1], *outline[:2]))[1])
    turned = [*outline[start:], *outline[: start + 1]]
    passing = _at_a_pole(turned)
    places = [turned[0]]
    for index in range(1, len(turned)):
        (lon, lat), (before, latitude) = turned[index], places[-1]
        step = math.remainder(lon - before, 360.0)
        leap = abs(step) > _HALF_TURN and abs(lat) < _AT_A_POLE and abs(latitude) < _AT_A_POLE
        if leap:
            latitude = math.copysign(90.0, lat)
            places.append((before, latitude))
        elif passing[index]:
            places.append((before, math.copysign(90.0, lat)))
            continue
        if leap or passing[index - 1]:
            step = -((before - lon) % 360.0) if latitude > 0 else (lon - before) % 360.0
            places.append((before + step, latitude))
        places.append((before + step, lat))
    return places


def _at_a_pole(places: Sequence[Place]) -> list[bool]:
    """Which of the places between the first and the last lie at a pole, and none beside them does."""
    at = [abs(lat) >= _AT_A_POLE for _, lat in places]
    return [False, *(one and not (a or b) for a, one, b in zip(at, at[1:], at[2:], strict=False)), False]


def _around_a_pole(places: list[Place], turns: int) -> list[Place]:
    """An unwrapped outline that ends a turn from where it began, as a ring from antimeridian to antimeridian.

    It goes back along the latitude of the pole: eastward with the raster to the left is around the north pole.
    """
    east = [(lon + 180.0) // 360.0 for lon, _ in places]
    index = next(i for i in range(1, len(places)) if east[i] != east[i - 1])
    (lon, lat), (further, latitude) = places[index - 1], places[index]
    line = 360.0 * max(east[index], east[index - 1]) - 180.0
    crossing = lat + (latitude - lat) * (line - lon) / (further - lon)
    turned = [(lon + 360.0 * turns, lat) for lon, lat in places[1:index]]
    end, pole = line + 360.0 * turns, 90.0 * turns
    return [(line, crossing), *places[index:], *turned, (end, crossing), (end, pole), (line, pole)]


def _simplified(places: list[Place]) -> list[Place]:
    """Without the places that lie, nearly, on the way between others: both axes count as far as the raster reaches."""
    wide, high = (max(values) - min(values) or 1.0 for values in zip(*places, strict=True))
    scaled = [(lon / wide, lat / high) for lon, lat in (*places, places[0])]
    tolerance = _TOLERANCE
    while len(kept := _douglas_peucker(scaled, 0, len(places), tolerance)) > MOST_POINTS:
        tolerance *= 2
    if _away(scaled[kept[0]], scaled[kept[-1]], scaled[kept[1]]) <= tolerance:
        kept = kept[1:]  # the first is no corner
    return [places[index] for index in kept]


def _douglas_peucker(places: Sequence[Place], first: int, last: int, tolerance: float) -> list[int]:
    """Which of the places from the first on are kept; the last is left to who goes on from there."""
    farthest, middle = tolerance, first
    for index in range(first + 1, last):
        away = _away(places[index], places[first], places[last])
        if away > farthest:
            farthest, middle = away, index
    if middle == first:
        return [first]
    before = _douglas_peucker(places, first, middle, tolerance)
    return before + _douglas_peucker(places, middle, last, tolerance)


def _away(place: Place, start: Place, end: Place) -> float:
    """How far a place lies from the line between two others, or from the place that both are."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    east, north = place[0] - start[0], place[1] - start[1]
    length = math.hypot(dx, dy)
    return abs(east * dy - north * dx) / length if length else math.hypot(east, north)


def _rounded(places: Sequence[Place]) -> Ring:
    """As whole numbers, the westernmost within -180 and 180 degrees; no point is there twice in a row."""
    points = [(round(lon * DEGREE), round(lat * DEGREE)) for lon, lat in places]
    west = min(lon for lon, _ in points)
    shift = (west + TURN // 2) // TURN * TURN
    shifted = [(lon - shift, lat) for lon, lat in points]
    return tuple(point for index, point in enumerate(shifted) if point != shifted[index - 1])


def _area(ring: Ring) -> int:
    """Twice the area in the plane; more than 0 of a ring that goes counter-clockwise."""
    return sum(x * v - u * y for (x, y), (u, v) in zip(ring, (*ring[1:], ring[0]), strict=True))


def _leb128(value: int) -> bytes:
    found = bytearray()
    while not -64 <= value < 64:  # noqa: PLR2004 - what six bits and a sign hold
        found.append(value & 127 | 128)
        value >>= 7
    return bytes((*found, value & 127))


def _numbers(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            yield value - (1 << shift) if byte & 64 else value
            value = shift = 0
    if shift:
        raise ValueError("a number has no end")

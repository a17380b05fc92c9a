"""Footprints as GeoJSON tells them (RFC 7946): cut where they cross the antimeridian, counter-clockwise, with a box."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from uploader.core.footprints import DEGREE, TURN, Point, Ring

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; what crosses the antimeridian has its west end east of its east end."""

_ANTIMERIDIAN = TURN // 2


def geometry(rings: Iterable[Ring]) -> dict[str, Any] | None:
    """A Polygon or MultiPolygon of all these rings, each of them once; None where there is none."""
    parts = [part for ring in dict.fromkeys(rings) for part in outlines(ring)]
    if not parts:
        return None
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": [parts[0]]}
    return {"type": "MultiPolygon", "coordinates": [[part] for part in parts]}


def outlines(ring: Ring) -> list[list[list[float]]]:
    """Longitudes and latitudes of a ring in degrees, in parts where it crosses the antimeridian."""
    return [_positions(part) for part in cut(ring)]


def box(rings: Sequence[Ring]) -> Box | None:
    """The smallest box around them all; None where there is none."""
    if not rings:
        return None
    latitudes = [lat for ring in rings for _, lat in ring]
    west, east = _arc({(min(lon for lon, _ in ring), max(lon for lon, _ in ring)) for ring in rings})
    if east - west >= TURN:
        west, east = -_ANTIMERIDIAN, _ANTIMERIDIAN
    elif east > _ANTIMERIDIAN:
        east -= TURN
    return west / DEGREE, min(latitudes) / DEGREE, east / DEGREE, max(latitudes) / DEGREE


def _arc(spans: Collection[tuple[int, int]]) -> tuple[int, int]:
    """The shortest arc that holds all these spans of longitudes: it begins where one of them does."""

    def reach(start: int) -> int:
        return max(east if west >= start else east + TURN for west, east in spans)

    start = min((west for west, _ in spans), key=lambda west: reach(west) - west)
    return start, reach(start)


def cut(ring: Ring) -> list[Ring]:
    """The parts of a ring on both sides of the antimeridian, all of them within -180 and 180 degrees.

    Between two crossings of a simple polygon, sorted along the line, every second stretch lies within it.
    """
    chains = _chains(ring)
    if len(chains) == 1:
        return [ring]
    crossings = sorted(lat for chain in chains for _, lat in chain[:1])
    partner = {crossings[i]: crossings[i ^ 1] for i in range(len(crossings))}
    parts = []
    for east in (False, True):
        here = {
            chain[0][1]: chain for chain in chains if any(lon > _ANTIMERIDIAN for lon, _ in chain) is east
        }
        while here:
            _, chain = here.popitem()
            part = list(chain)
            while (following := here.pop(partner[part[-1][1]], None)) is not None:
                part += following
            shift = TURN if east else 0
            parts.append(tuple((lon - shift, lat) for lon, lat in part))
    return [part for part in parts if len({lon for lon, _ in part}) > 1]  # one on the line itself is none


def _chains(ring: Ring) -> list[list[Point]]:
    """The stretches of a ring on one side of the antimeridian each, with the points where they begin and end on it."""
    beyond = [lon > _ANTIMERIDIAN for lon, _ in ring]
    start = next((i for i in range(len(ring)) if beyond[i] and not beyond[i - 1]), None)
    if start is None:
        return [list(ring)]
    chains: list[list[Point]] = []
    for step in range(len(ring)):
        index = (start + step) % len(ring)
        if beyond[index] is not beyond[index - 1]:
            crossing = _crossing(ring[index - 1], ring[index])
            if chains:
                chains[-1].append(crossing)
            chains.append([crossing])
        chains[-1].append(ring[index])
    chains[-1].append(chains[0][0])
    return chains


def _crossing(one: Point, other: Point) -> Point:
    (x, y), (u, v) = one, other
    return _ANTIMERIDIAN, y + (v - y) * (_ANTIMERIDIAN - x) // (u - x)


def _positions(ring: Ring) -> list[list[float]]:
    """A linear ring: its first position is its last."""
    found = [(lon / DEGREE, lat / DEGREE) for lon, lat in (*ring, ring[0])]
    return [list(position) for i, position in enumerate(found) if not i or position != found[i - 1]]

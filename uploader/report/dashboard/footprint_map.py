"""Outlines of rasters on a plain map with a graticule, as the numbers of a drawing. Pure.

The map is equirectangular, true to scale at its middle latitude. Where the outlines cross the antimeridian it is
the other side of the globe that is cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from uploader.report.dashboard.sources import Preview, Ring

WIDTH, HEIGHT = 480.0, 300.0
"""Units of the drawing."""
MARGIN = 0.18
"""Of the extent, left free at each side."""
NARROWEST = 0.002
"""Degrees that a map shows at least."""
SMALLEST = 5.0
"""Units below which an outline is drawn as a dot as well."""
LINES = 4
"""Lines of the graticule in each direction, about."""

_STEPS = (90, 45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002)


@dataclass(frozen=True, slots=True)
class Outline:
    """What is drawn of one file: a path, its middle, and whether it is so small that only a dot shows it."""

    file_id: int
    path: str
    x: float
    y: float
    small: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the graticule, at a place of the drawing, with its words."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Map:
    """The drawing."""

    outlines: Sequence[Outline]
    meridians: Sequence[Line]
    parallels: Sequence[Line]
    words: str
    """The extent, for who does not see it."""


def drawn(previews: Mapping[int, Preview]) -> Map | None:
    """The map of these files; None where nobody knows where any of them lies."""
    rings = {file_id: [*_sound(preview.rings)] for file_id, preview in previews.items()}
    rings = _unwrapped({file_id: found for file_id, found in rings.items() if found})
    if not rings:
        return None
    view = _View.around([point for found in rings.values() for ring in found for point in ring])
    return Map(
        [_outline(file_id, found, view) for file_id, found in rings.items()],
        [Line(round(view.x(at), 1), _degrees(at, "E", "W")) for at in view.lines(view.west, view.east)],
        [Line(round(view.y(at), 1), _degrees(at, "N", "S")) for at in view.lines(view.south, view.north)],
        f"from {_degrees(view.south, 'N', 'S')} {_degrees(view.west, 'E', 'W')} "
        f"to {_degrees(view.north, 'N', 'S')} {_degrees(view.east, 'E', 'W')}",
    )


@dataclass(frozen=True, slots=True)
class _View:
    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, points: Sequence[Sequence[float]]) -> _View:
        """All points with a margin, as wide and high as the drawing is."""
        west, east = min(p[0] for p in points), max(p[0] for p in points)
        south, north = min(p[1] for p in points), max(p[1] for p in points)
        scale = max(math.cos(math.radians((south + north) / 2)), 0.05)
        tall = max((north - south) * (1 + 2 * MARGIN), NARROWEST)
        wide = max((east - west) * (1 + 2 * MARGIN), NARROWEST)
        tall = max(tall, wide * scale * HEIGHT / WIDTH)
        wide = tall * WIDTH / HEIGHT / scale
        x, y = (west + east) / 2, (south + north) / 2
        return cls(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)

    def x(self, longitude: float) -> float:
        """Units from the left."""
        return (longitude - self.west) / (self.east - self.west) * WIDTH

    def y(self, latitude: float) -> float:
        """Units from the top."""
        return (self.north - latitude) / (self.north - self.south) * HEIGHT

    def lines(self, first: float, last: float) -> Iterable[float]:
        """Round degrees in between."""
        step = next((step for step in _STEPS if (last - first) / step >= LINES), _STEPS[-1])
        return [number * step for number in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _sound(rings: Iterable[Ring]) -> Iterable[Ring]:
    """Rings that can be drawn: of numbers, on the globe, of three corners or more."""
    for ring in rings:
        corners = [(float(point[0]), float(point[1])) for point in ring]
        fine = all(math.isfinite(x) and abs(x) <= 360 and abs(y) <= 90 for x, y in corners)  # noqa: PLR2004
        if fine and len(corners) >= 3:  # noqa: PLR2004
            yield corners


def _unwrapped(rings: Mapping[int, Sequence[Ring]]) -> dict[int, list[Ring]]:
    """What lies on both sides of the antimeridian is drawn together."""
    east = [x for found in rings.values() for ring in found for x, _ in ring]
    if not east or max(east) - min(east) <= 180:  # noqa: PLR2004
        return {file_id: [*found] for file_id, found in rings.items()}
    turned = [x + 360 if x < 0 else x for x in east]
    if max(turned) - min(turned) >= max(east) - min(east):
        return {file_id: [*found] for file_id, found in rings.items()}
    return {
        file_id: [[(x + 360 if x < 0 else x, y) for x, y in ring] for ring in found]
        for file_id, found in rings.items()
    }


def _outline(file_id: int, rings: Sequence[Ring], view: _View) -> Outline:
    drawn = [[(view.x(point[0]), view.y(point[1])) for point in ring] for ring in rings]
    path = " ".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z" for ring in drawn)
    xs, ys = [x for ring in drawn for x, _ in ring], [y for ring in drawn for _, y in ring]
    small = max(xs) - min(xs) < SMALLEST and max(ys) - min(ys) < SMALLEST
    return Outline(file_id, path, round((min(xs) + max(xs)) / 2, 1), round((min(ys) + max(ys)) / 2, 1), small)


def _degrees(value: float, positive: str, negative: str) -> str:
    if positive == "E":
        value = (value + 180) % 360 - 180
    number = f"{abs(value):.4f}".rstrip("0").rstrip(".")
    return f"{number}°" if number == "0" else f"{number}° {positive if value > 0 else negative}"

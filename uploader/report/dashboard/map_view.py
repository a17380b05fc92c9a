"""Where a longitude and a latitude lie on the page's small map. Pure.

Both projections here are as wide as degrees of longitude are, and true to scale where the map is looked at: so one view
serves both, and only `northing` differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH, HEIGHT = 480.0, 300.0
"""Units of the drawing."""
MARGIN = 0.18
"""Of the extent, left free at each side."""
NARROWEST = 0.002
"""Degrees that a map shows at least."""
LINES = 4
"""Lines of the graticule in each direction, about."""
MERCATOR_END = 85.05
"""Degrees of latitude behind which Web Mercator has no tiles."""

_STEPS = (90, 45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002)

Points = Sequence[Sequence[float]]
"""Longitude and latitude of each, in degrees."""


class Projection(Protocol):
    """How far north of the equator a latitude is drawn, in the degrees that longitudes are drawn in, and back."""

    def northing(self, latitude: float) -> float:
        """Of a latitude in degrees."""

    def latitude(self, northing: float) -> float:
        """The one that is drawn there."""


@dataclass(frozen=True, slots=True)
class Equirectangular:
    """Parallels at equal distances, true to scale at one latitude, where a degree has `scale` of an equator's."""

    scale: float

    @classmethod
    def at(cls, latitude: float) -> Equirectangular:
        """True to scale there."""
        return cls(max(math.cos(math.radians(latitude)), 0.05))

    def northing(self, latitude: float) -> float:
        """See `Projection`."""
        return latitude / self.scale

    def latitude(self, northing: float) -> float:
        """See `Projection`."""
        return northing * self.scale


class Mercator:
    """Web Mercator (EPSG:3857), in which map tiles are drawn."""

    def northing(self, latitude: float) -> float:
        """See `Projection`. Behind `MERCATOR_END` it is that of the end."""
        latitude = max(-MERCATOR_END, min(MERCATOR_END, latitude))
        return math.degrees(math.asinh(math.tan(math.radians(latitude))))

    def latitude(self, northing: float) -> float:
        """See `Projection`."""
        return math.degrees(math.atan(math.sinh(math.radians(northing))))


@dataclass(frozen=True, slots=True)
class View:
    """A part of the globe as it fills the drawing: its middle, in degrees east and in `northing`, and its scale."""

    projection: Projection
    centre: float
    middle: float
    degrees_a_unit: float

    @classmethod
    def around(cls, points: Points, *, mercator: bool) -> View:
        """All points with a margin, as wide and high as the drawing is."""
        west, east = min(p[0] for p in points), max(p[0] for p in points)
        south, north = min(p[1] for p in points), max(p[1] for p in points)
        plane: Projection = Mercator() if mercator else Equirectangular.at((south + north) / 2)
        bottom, top = plane.northing(south), plane.northing(north)
        wide, tall = (max(extent * (1 + 2 * MARGIN), NARROWEST) for extent in (east - west, top - bottom))
        return cls(plane, (west + east) / 2, (bottom + top) / 2, max(wide / WIDTH, tall / HEIGHT))

    def x(self, longitude: float) -> float:
        """Units from the left."""
        return WIDTH / 2 + (longitude - self.centre) / self.degrees_a_unit

    def y(self, latitude: float) -> float:
        """Units from the top."""
        return HEIGHT / 2 - (self.projection.northing(latitude) - self.middle) / self.degrees_a_unit

    @property
    def longitudes(self) -> tuple[float, float]:
        """Of the left and the right edge."""
        half = WIDTH / 2 * self.degrees_a_unit
        return self.centre - half, self.centre + half

    @property
    def latitudes(self) -> tuple[float, float]:
        """Of the lower and the upper edge."""
        half = HEIGHT / 2 * self.degrees_a_unit
        return self.projection.latitude(self.middle - half), self.projection.latitude(self.middle + half)


def round_degrees(first: float, last: float) -> Iterable[float]:
    """Round degrees in between, for lines of the graticule."""
    step = next((step for step in _STEPS if (last - first) / step >= LINES), _STEPS[-1])
    return [number * step for number in range(math.ceil(first / step), math.floor(last / step) + 1)]

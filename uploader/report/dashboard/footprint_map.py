"""Outlines of rasters on a map with a graticule, as the numbers of a drawing. Pure.

The map is equirectangular, true to scale at its middle latitude, with nothing under the outlines; or in Web Mercator,
on the tiles of a basemap. Near the poles, where those end, there is none. Where the outlines cross the antimeridian it
is the other side of the globe that is cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from uploader.report.dashboard.basemap import Basemap, Tile, tiles
from uploader.report.dashboard.map_view import MERCATOR_END, View, round_degrees
from uploader.report.dashboard.sources import Preview, Ring

SMALLEST = 5.0
"""Units below which an outline is drawn as a dot as well."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is drawn of one file: a path, its middle, and whether it is so small that only a dot shows it."""

    file_id: int
    path: str
    x: float
    y: float
    small: bool


@dataclass(frozen=True, slots=True)
class GraticuleLine:
    """A line of the graticule, at a place of the drawing, with its words."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Map:
    """The drawing."""

    outlines: Sequence[Outline]
    meridians: Sequence[GraticuleLine]
    parallels: Sequence[GraticuleLine]
    words: str
    """The extent, for who does not see it."""
    tiles: Sequence[Tile] = ()
    """Pictures that lie under the outlines."""
    attribution: str = ""
    """What has to be said of them."""


def drawn(previews: Mapping[int, Preview], basemap: Basemap | None = None) -> Map | None:
    """The map of these files; None where nobody knows where any of them lies."""
    rings = {file_id: [*_sound(preview.rings)] for file_id, preview in previews.items()}
    rings = _unwrapped({file_id: found for file_id, found in rings.items() if found})
    if not rings:
        return None
    points = [point for found in rings.values() for ring in found for point in ring]
    if not all(abs(latitude) <= MERCATOR_END for _, latitude in points):
        basemap = None
    view = View.around(points, mercator=basemap is not None)
    (west, east), (south, north) = view.longitudes, view.latitudes
    return Map(
        [_outline(file_id, found, view) for file_id, found in rings.items()],
        [GraticuleLine(round(view.x(at), 1), _degrees(at, "E", "W")) for at in round_degrees(west, east)],
        [GraticuleLine(round(view.y(at), 1), _degrees(at, "N", "S")) for at in round_degrees(south, north)],
        f"from {_degrees(south, 'N', 'S')} {_degrees(west, 'E', 'W')} "
        f"to {_degrees(north, 'N', 'S')} {_degrees(east, 'E', 'W')}",
        [] if basemap is None else [*tiles(view, basemap.template)],
        "" if basemap is None else basemap.attribution,
    )


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


def _outline(file_id: int, rings: Sequence[Ring], view: View) -> Outline:
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

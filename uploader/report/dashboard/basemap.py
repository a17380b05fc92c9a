"""The tiles of other people's maps that lie under an extent, as places of the page's own drawing. Pure.

They are squares of Web Mercator (EPSG:3857), in the scheme of "slippy maps": 2^zoom columns from 180° W eastward and as
many rows from 85.05° N southward.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from uploader.core.tile_template import address
from uploader.report.dashboard.map_view import HEIGHT, WIDTH, View

PIXELS = 256
"""Of a tile, each way. A unit of the drawing is about a pixel: tiles are shown at this size, or down to half of it."""
DEEPEST = 19
"""The largest zoom that is asked for; few servers have more."""


@dataclass(frozen=True, slots=True)
class Basemap:
    """Whose tiles lie under the map, and what has to be said of them."""

    template: str
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture: its address, the left upper corner in units of the drawing, and its side."""

    address: str
    x: float
    y: float
    side: float


def tiles(view: View, template: str) -> Iterator[Tile]:
    """Those that a view in Web Mercator shows at least a part of: 20 at most."""
    zoom = min(DEEPEST, max(0, math.ceil(math.log2(360 / view.degrees_a_unit / PIXELS))))
    across = 2**zoom
    side = 360 / across / view.degrees_a_unit
    left, top = view.x(-180.0), HEIGHT / 2 - (180.0 - view.middle) / view.degrees_a_unit
    for row in range(max(0, math.floor(-top / side)), min(across, math.ceil((HEIGHT - top) / side))):
        for column in range(math.floor(-left / side), math.ceil((WIDTH - left) / side)):
            where = round(left + column * side, 2), round(top + row * side, 2)
            yield Tile(address(template, zoom, column % across, row), *where, round(side, 2))

"""Where a raster lies: its edges, taken to longitude and latitude (WGS 84). Runs in the child, reads no pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.transform import GCPTransformer
from rasterio.warp import transform as transformed

from uploader.convert.quicklook import FootprintOrigin
from uploader.convert.read.facts import Facts
from uploader.core.footprints import OffEarth, Place, Ring, ring_of

_WGS_84 = "EPSG:4326"
"""Not as a reference system yet: PROJ would open its tables in the zygote, whose children close them."""

_STEPS = 32
"""Into how many pieces an edge is cut: most of them are curved in longitude and latitude."""

_INNER = ((0.37, 0.41), (0.63, 0.59), (0.11, 0.83))
"""Places within a raster, as shares of its width and height, one of which tells left from right."""

_ASIDE = 1e-3

Placing = Callable[[Sequence[Place]], list[Place]]
"""Columns and rows, from the raster's corner, to coordinates of its reference system."""


def footprint(facts: Facts) -> tuple[Ring, FootprintOrigin]:
    """The ring of a raster, and from what it is; or none, and why. Raises what PROJ says."""
    if facts.crs and facts.transform:
        return _ring(facts, facts.crs, _by_transform(facts.transform)), FootprintOrigin.TRANSFORM
    if facts.gcps and facts.gcp_crs:
        return _ring(facts, facts.gcp_crs, _by_gcps(facts)), FootprintOrigin.GCPS
    if facts.rpcs:
        return (), FootprintOrigin.RPCS
    return (), FootprintOrigin.NO_PLACE if facts.crs else FootprintOrigin.NO_CRS


def _by_transform(numbers: Sequence[float]) -> Placing:
    x, across, skew, y, turn, down = numbers
    return lambda places: [(x + c * across + r * skew, y + c * turn + r * down) for c, r in places]


def _by_gcps(facts: Facts) -> Placing:
    points = [GroundControlPoint(*point) for point in facts.gcps]  # type: ignore[no-untyped-call]
    transformer = GCPTransformer(points)  # type: ignore[no-untyped-call]

    def placed(places: Sequence[Place]) -> list[Place]:
        columns, rows = zip(*places, strict=True)
        found = transformer.xy(rows, columns, offset="ul")  # type: ignore[no-untyped-call]
        return list(zip(*found, strict=True))

    return placed


def _ring(facts: Facts, crs: str, placed: Placing) -> Ring:
    """Raises ValueError where the outline is nothing on the Earth."""
    inner = [(share * facts.width, other * facts.height) for share, other in _INNER]
    asides = [
        place
        for column, row in inner
        for place in (
            (column, row),
            (column + _ASIDE * facts.width, row),
            (column, row + _ASIDE * facts.height),
        )
    ]
    places = placed([*_edges(facts.width, facts.height), *asides])
    xs, ys = zip(*places, strict=True)
    found = _on_earth(CRS.from_wkt(crs), xs, ys)
    outline, asides = found[: 4 * _STEPS], found[4 * _STEPS :]
    return ring_of(outline if _leftward(asides) else outline[::-1])


def _on_earth(crs: CRS, xs: Sequence[float], ys: Sequence[float]) -> list[Place]:
    """Longitudes and latitudes. Raises OffEarth, or what PROJ says where there is no way from this system."""
    try:
        return list(zip(*transformed(crs, CRS.from_string(_WGS_84), xs, ys), strict=True))
    except Exception as error:
        if type(error).__name__ != "CPLE_AppDefinedError":  # GDAL's errors have no public class in rasterio
            raise
        raise OffEarth("a part of the outline is outside of what the reference system describes") from error


def _edges(width: int, height: int) -> list[Place]:
    """The outline as it is seen counter-clockwise on a map with north above: down the left side first."""
    corners = [(0, 0), (0, height), (width, height), (width, 0), (0, 0)]
    return [
        (a + (c - a) * step / _STEPS, b + (d - b) * step / _STEPS)
        for (a, b), (c, d) in pairwise(corners)
        for step in range(_STEPS)
    ]


def _leftward(asides: Sequence[Place]) -> bool:
    """Whether the raster lies left of its outline also on the Earth: not where its rows run from south to north."""
    turns = 0
    for index in range(0, len(asides), 3):
        (x, y), (across, up), (down_x, down_y) = asides[index : index + 3]
        along, along_up = (across - x + 180.0) % 360.0 - 180.0, up - y
        down, down_up = (down_x - x + 180.0) % 360.0 - 180.0, down_y - y
        turns += 1 if along * down_up - along_up * down < 0 else -1
    return turns > 0

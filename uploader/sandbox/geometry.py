"""Areas and overlaps of GeoJSON shapes against boxes, in longitude and latitude. Pure.

Edges are straight in an equal-area projection of the sphere of the Earth's area, which for parcels of some hundred
kilometres is within a thousandth of the ellipsoid: enough for a price that only has to be the same twice.

Shapely is imported with the first shape: the platform starts without it, and without the numpy that it loads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from shapely.geometry.base import BaseGeometry

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

_RADIUS_KM = 6371.0072
"""Of the sphere with the area of the WGS 84 ellipsoid."""
_MOST_LONGITUDE, _MOST_LATITUDE = 360.0, 90.0
_TYPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def shape_of(geometry: Mapping[str, Any]) -> BaseGeometry:
    """Read a GeoJSON geometry that is not a collection, to be asked below.

    Raises:
        ValueError: the geometry is not well formed (RFC 7946), or not on the Earth.

    """
    import shapely  # noqa: PLC0415  see above

    if geometry.get("type") not in _TYPES:
        raise ValueError(f"a GeoJSON geometry of one of the types {', '.join(_TYPES)} is wanted")
    known = {name: geometry.get(name) for name in ("type", "coordinates")}
    try:
        shape: BaseGeometry = shapely.from_geojson(json.dumps(known, allow_nan=False))
    except (shapely.GEOSException, ValueError, RecursionError) as error:
        raise ValueError("the coordinates do not fit the type of the geometry") from error
    west, south, east, north = shape.bounds  # not numbers where it is empty
    if max(-west, east) > _MOST_LONGITUDE or max(-south, north) > _MOST_LATITUDE:
        raise ValueError("a position is not on the Earth")
    return shape


def area_km2(shape: BaseGeometry, box: Box) -> float:
    """Square kilometres of the part of a Polygon or MultiPolygon that lies in the box, without its holes.

    Of a shape that crosses itself each place counts once. ValueError: the shape is another one.
    """
    import shapely  # noqa: PLC0415  see above

    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        raise ValueError("a Polygon or MultiPolygon is wanted")
    inside = shapely.make_valid(shape).intersection(shapely.box(*box))
    return float(shapely.transform(inside, _equal_area).area) * _RADIUS_KM**2


def overlaps(shape: BaseGeometry, box: Box) -> bool:
    """Whether any part of the shape lies in the box."""
    import shapely  # noqa: PLC0415  see above

    return bool(shapely.intersects(shape, shapely.box(*box)))


def boxes_overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two boxes share a point."""
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def polygon(box: Box) -> dict[str, Any]:
    """The box as a GeoJSON Polygon, counter-clockwise."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _equal_area(positions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Lambert's cylindrical projection of degrees, on a sphere of radius 1."""
    import numpy as np  # noqa: PLC0415  see above

    return np.column_stack((np.radians(positions[:, 0]), np.sin(np.radians(positions[:, 1]))))

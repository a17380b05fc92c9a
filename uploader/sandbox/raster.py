"""The child that opens rasters: paths come in by stdin, what each file tells goes out, one JSON object a line.

Run as a script by `inspector`, apart from the server: a hostile raster can crash or stall this process only.
Only headers are read, with all that could lead to another file or to a network switched off.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import sys
from datetime import UTC, datetime
from typing import Any

MEMORY = 4 << 30
MOST_BANDS = 4096
PATIENCE = 30
"""Seconds for one file, enforced by an alarm: a child that hangs must end even when its parent is gone."""
_NODATA_WORDS = {math.inf: "inf", -math.inf: "-inf"}
_STATISTICS = {
    "STATISTICS_MINIMUM": "minimum",
    "STATISTICS_MAXIMUM": "maximum",
    "STATISTICS_MEAN": "mean",
    "STATISTICS_STDDEV": "stddev",
    "STATISTICS_VALID_PERCENT": "valid_percent",
}


def main() -> None:
    """Serve until stdin ends. stdout is moved away from what libraries may print to."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        signal.alarm(PATIENCE)
        try:
            found = look(**json.loads(line))
        except Exception as error:  # noqa: BLE001  whatever a raster raises, it is not a raster that can be read
            found = {"error": f"{type(error).__name__}: {error}"[:500]}
        signal.alarm(0)
        print(json.dumps(found, allow_nan=False), file=answers, flush=True)


def look(path: str, driver: str) -> dict[str, Any]:
    """The facts of one raster: driver, shape, CRS, transform, bbox and geometry in longitude/latitude, bands.

    Overviews are never asked for: that is where a TIFF could name another file. (`OVERVIEW_LEVEL=NONE` would
    forbid them, but makes GDAL forget the names of the bands.)
    """
    import rasterio  # noqa: PLC0415  the parent, and its tests, do not need it

    with rasterio.open(path, driver=driver) as raster:
        if raster.count > MOST_BANDS:
            raise ValueError(f"{raster.count} bands")
        bbox = bounds(raster)
        return {
            "driver": raster.driver,
            "shape": [raster.height, raster.width],
            "transform": list(raster.transform)[:6] if all(map(math.isfinite, raster.transform)) else None,
            **reference(raster),
            "bbox": bbox,
            "geometry": polygon(bbox) if bbox else None,
            "datetime": acquired(raster.tags().get("TIFFTAG_DATETIME", "")),
            "bands": [band(raster, index) for index in raster.indexes],
        }


def reference(raster: Any) -> dict[str, Any]:
    """`code` such as EPSG:32633, and `wkt` where there is a CRS without one."""
    crs = raster.crs or raster.gcps[1]
    if not crs:
        return {"code": None}
    epsg = crs.to_epsg()
    return {"code": f"EPSG:{epsg}"} if epsg else {"code": None, "wkt": crs.to_wkt()}


def bounds(raster: Any) -> list[float] | None:
    """West, south, east, north in degrees, or None where the raster lies nowhere on Earth."""
    import rasterio.warp  # noqa: PLC0415  as above

    warp: Any = rasterio.warp

    points, points_crs = raster.gcps
    if raster.crs:
        crs, box = raster.crs, raster.bounds
    elif points:
        xs, ys = [point.x for point in points], [point.y for point in points]
        crs, box = points_crs, (min(xs), min(ys), max(xs), max(ys))
    else:
        return None
    with contextlib.suppress(Exception):  # a CRS without a way to Earth raises one of many classes
        west, south, east, north = warp.transform_bounds(crs, "OGC:CRS84", *_upright(box))
        if all(map(math.isfinite, (west, south, east, north))):
            return [west, south, east, north]
    return None


def polygon(box: list[float]) -> dict[str, Any]:
    """The box as GeoJSON; two polygons where it crosses the antimeridian."""
    west, south, east, north = box
    if west <= east:
        return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}
    parts = [[_ring(west, south, 180.0, north)], [_ring(-180.0, south, east, north)]]
    return {"type": "MultiPolygon", "coordinates": parts}


def band(raster: Any, index: int) -> dict[str, Any]:
    """One band; statistics only as embedded in the file, nothing is computed."""
    tags = raster.tags(index)
    statistics = {name: _number(tags[tag]) for tag, name in _STATISTICS.items() if tag in tags}
    description = raster.descriptions[index - 1]
    scale, offset = raster.scales[index - 1], raster.offsets[index - 1]
    return {
        "name": description or f"b{index}",
        "description": description,
        "data_type": {"complex64": "cfloat32", "complex128": "cfloat64"}.get(raster.dtypes[index - 1])
        or raster.dtypes[index - 1],
        "nodata": _nodata(raster.nodatavals[index - 1]),
        "unit": raster.units[index - 1],
        "scale": None if scale == 1 else _number(scale),
        "offset": None if offset == 0 else _number(offset),
        "color": raster.colorinterp[index - 1].name,
        "statistics": {name: value for name, value in statistics.items() if value is not None},
    }


def acquired(text: str) -> str | None:
    """The TIFF's own time as ISO 8601 in UTC, if it is one."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(text.strip(), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).isoformat()
    return None


def _upright(box: Any) -> tuple[float, float, float, float]:
    left, bottom, right, top = box
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _number(value: str | float) -> float | None:
    with contextlib.suppress(ValueError):
        return number if math.isfinite(number := float(value)) else None
    return None


def _nodata(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return _NODATA_WORDS.get(value, "nan")


if __name__ == "__main__":
    main()

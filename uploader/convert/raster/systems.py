"""Whether two texts of WKT name the same reference system."""

from __future__ import annotations

import re

from rasterio.crs import CRS
from rasterio.errors import RasterioError

_AXIS = re.compile(r',AXIS\["[^"]*",\w+\]')
_NO_SYSTEM = re.compile(r'LOCAL_CS\["unnamed",UNIT\["unknown",1\]')
"""What GDAL makes of a TIFF that says where in a pixel its value is, as grids of heights do, and no system."""

_ROOT_CODE = re.compile(r',AUTHORITY\["EPSG","\d+"\](?=\]$)')


def same(before: str, after: str) -> bool:
    """Whether two texts are the same system; of geographic ones whatever order of axes they claim."""
    if before == after or (not before and _NO_SYSTEM.match(after)):
        return True
    if not before or not after:
        return False
    try:
        one, other = CRS.from_wkt(before), CRS.from_wkt(after)
        return bool(one == other or _eastward(one) == _eastward(other))
    except (RasterioError, ValueError):
        return False


def _eastward(system: CRS) -> CRS:
    """A geographic system with longitude first, as rasters have it: an ESRI `.prj` says so, a register the opposite."""
    text = system.to_wkt()
    if not text.startswith("GEOGCS["):
        return system
    bare = _ROOT_CODE.sub("", _AXIS.sub("", text)).removesuffix("]")
    return CRS.from_wkt(f'{bare},AXIS["Longitude",EAST],AXIS["Latitude",NORTH]]')


def named_alike(before: str, after: str, beside: frozenset[str]) -> bool:
    """Whether a difference is GeoTIFF's own doing, so that naming it is enough.

    Either GDAL had to put the whole of it into a file beside the result; or both name the same registered system,
    and differ only in how its definition was spelled in the source.
    """
    if "SRS" in beside:
        return True
    named = [_registered(text) for text in (before, after)]
    return named[0] is not None and named[0] == named[1]


def _registered(text: str) -> tuple[str, str] | None:
    """The code and the projection formula of a system that says it is in a register."""
    if not text:
        return None
    try:
        system = CRS.from_wkt(text)
        code = re.search(r'(?:AUTHORITY|ID)\["EPSG",\s*"?(\d+)"?\]\]$', system.to_wkt())
        return (code.group(1), system.to_proj4()) if code else None
    except (RasterioError, ValueError, AttributeError):
        return None

"""Reference systems for the comparison: what a `.prj` says in any spelling, and whether two systems mean the same."""

from __future__ import annotations

import re
from pathlib import Path

import pyproj
from rasterio.crs import CRS
from rasterio.errors import RasterioError

_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PLACEHOLDER = re.compile(
    r'(LOCAL_CS|ENGCRS)\["(unnamed|unknown|undefined|Geocoding information not available)?"', re.IGNORECASE
)
"""What GDAL, or a program, writes where there is no system."""


_ARC_INFO = re.compile(r"Projection +UTM\s+Zone +(?P<zone>\d+)\s+Datum +WGS84\b", re.IGNORECASE)
"""The one form of ARC/INFO's keywords that the tests use: the northern zones of UTM on WGS 84."""


def unit_of_heights(system: CRS | None) -> str:
    """What the unit of heights is called in a compound or vertical system; empty where it has none."""
    if not system:
        return ""
    known = pyproj.CRS.from_wkt(system.to_wkt())
    parts = [part for part in (known, *known.sub_crs_list) if part.is_vertical and not part.sub_crs_list]
    return str(parts[0].axis_info[0].unit_name) if parts else ""


def is_none(system: CRS | None) -> bool:
    """Whether there is no system, or one that only says so."""
    return not system or _PLACEHOLDER.match(system.to_wkt()) is not None


def beside(source: Path) -> CRS | None:
    """The system in a `.prj`, which GDAL does not read of a TIFF; None where there is none, or it makes no sense."""
    prj = source.with_suffix(".prj")
    if not prj.is_file():
        return None
    text = _decoded(prj.read_bytes()).strip().strip("\0")
    if arc_info := _ARC_INFO.match(text):
        return CRS.from_epsg(32600 + int(arc_info["zone"]))
    try:
        return CRS.from_wkt(text, morph_from_esri_dialect=True) if "[" in text else CRS.from_user_input(text)
    except (RasterioError, ValueError):
        return None


def _decoded(raw: bytes) -> str:
    known = next((name for mark, name in _ENCODINGS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(known)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def same(before: CRS | None, after: CRS | None) -> bool:
    """Whether two systems mean the same; in a TIFF the longitude comes first, whatever a system says."""
    if is_none(before) or is_none(after):
        return is_none(before) and is_none(after)
    assert before is not None
    assert after is not None
    if before == after:
        return True
    if before.is_geographic and after.is_geographic and before.to_proj4() == after.to_proj4():
        return True
    try:
        one, other = pyproj.CRS.from_wkt(before.to_wkt()), pyproj.CRS.from_wkt(after.to_wkt())
    except pyproj.exceptions.CRSError:
        return False
    return one.equals(other, ignore_axis_order=True) or (
        _datum(one) == _datum(other)
        and len(one.sub_crs_list) == len(other.sub_crs_list)
        and _in_proj(before) == _in_proj(after)
    )


def _datum(system: pyproj.CRS) -> str:
    name = system.datum.name if system.datum else ""
    return re.sub(r"^D_|[^a-z0-9]", "", name.lower())


def _in_proj(system: CRS) -> str:
    return str(system.to_proj4())

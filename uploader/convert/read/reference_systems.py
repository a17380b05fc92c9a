"""What a reference system means, so that two spellings of one system are equal and two systems are not.

GDAL writes one system in many ways: a name of a datum as ESRI or EPSG has it, parameters that are zero or missing,
axes in the order of a register. So its parts are compared as numbers and as registered names: datum, ellipsoid, prime
meridian, method and parameters, units, directions. Names of whole systems, codes and the order of axes do not count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

_UNITS = {"metre": 1.0, "degree": math.pi / 180, "unity": 1.0}
"""The units that PROJJSON writes as one word, in metres, radians or one."""

_ACROSS = 2
"""Axes of a system without heights."""

_VERTICAL = ("up", "down")

_ANYWHERE = from_origin(0, 0, 2, 2)  # type: ignore[no-untyped-call]

_RELATIVE, _ABSOLUTE = 1e-10, 1e-11
"""Of metres and radians; the flattening of WGS 84 and of GRS 80 differ by 5e-9."""

_NO_NAME = re.compile(
    r"|unnamed.*|un(?:known|defined|referenced).*|notspecified.*|none|null|nonearthm?|local|arbitrary|"
    r"(?:undefined)?cartesian(?:srs)?|geocodinginformationnotavailable.*|engineeringcrs"
)
"""Names, as `_plain` spells them, that say that there is no name."""

Meaning = tuple[Any, ...]
"""Nested tuples of texts and numbers."""


def same(before: str, after: str) -> bool:
    """Whether two texts of WKT mean the same system, in the order of axes that rasters have: longitude first."""
    if before == after:
        return True
    one, other = _meaning(before), _meaning(after)
    return bool(one) and _alike(one, other)


def is_placeholder(wkt: str) -> bool:
    """Whether a system says nothing: a local one without a name, as GDAL makes up where a file has none."""
    node = _parsed(wkt)
    return (
        node.get("type") == "EngineeringCRS" and _NO_NAME.fullmatch(_plain(node.get("name", ""))) is not None
    )


def height_unit(wkt: str) -> str:
    """The unit's name of the heights in a compound system, which is that of a band that has none; else empty."""
    for component in _parsed(wkt).get("components", ()):
        if component.get("type") == "VerticalCRS":
            unit = component["coordinate_system"]["axis"][0].get("unit", "")
            return str(unit.get("name", "") if isinstance(unit, dict) else unit)
    return ""


def writable(wkt: str) -> str:
    """The system as GDAL writes it into a GeoTIFF so that it is read back as the same; without heights where not with.

    Empty where it has nothing but heights. Most systems are as they are: only those with heights are tried.
    """
    node = _parsed(wkt)
    if node.get("type") == "VerticalCRS":
        return ""
    if not _has_heights(node):
        return wkt
    candidates = (_coded(node), wkt, horizontal(wkt))
    return next((each for each in candidates if each and same(each, _read_back(each))), wkt)


def horizontal(wkt: str) -> str:
    """A system without its heights; empty where nothing is left."""
    node = _parsed(wkt)
    if node.get("type") == "CompoundCRS":
        return str(CRS.from_dict(node["components"][0]).to_wkt())
    if node.get("type") == "VerticalCRS":
        return ""
    return str(CRS.from_dict(_flat(node)).to_wkt()) if _has_heights(node) else wkt


def _has_heights(node: Mapping[str, Any]) -> bool:
    """Not a geocentric one: the third of its axes goes through the pole, and says nothing without the others."""
    axes = node.get("coordinate_system", {}).get("axis", ())
    return "components" in node or any(axis.get("direction") in _VERTICAL for axis in axes[_ACROSS:])


def _flat(node: Mapping[str, Any]) -> dict[str, Any]:
    """A system of three axes with the first two; its code is that of all three."""
    kept = {key: value for key, value in node.items() if key != "id"}
    system = node["coordinate_system"]
    kept["coordinate_system"] = system | {"axis": system["axis"][:_ACROSS]}
    return kept | ({"base_crs": _flat(node["base_crs"])} if "base_crs" in node else {})


def _coded(node: Mapping[str, Any]) -> str:
    """A compound system with the codes of its parts, where they are in a register and mean the same.

    GeoTIFF holds a vertical system by its code: without, GDAL may read the datum back as another.
    """
    if "components" not in node:
        return ""
    parts = []
    for component in node["components"]:
        system = CRS.from_dict(component)
        own, code = str(system.to_wkt()), system.to_authority()
        known = str(CRS.from_authority(*code).to_wkt()) if code else own
        parts.append(known if same(own, known) else own)
    name = str(node["name"]).replace('"', "")
    return f'COMPD_CS["{name}",{",".join(parts)}]'


def _read_back(wkt: str) -> str:
    """What GDAL makes of a system that it has written into a GeoTIFF; empty where it could not."""
    shape = {"driver": "GTiff", "width": 1, "height": 1, "count": 1, "dtype": "uint8"}
    try:
        with MemoryFile(ext=".tif") as memory:  # type: ignore[no-untyped-call]
            with memory.open(crs=CRS.from_wkt(wkt), transform=_ANYWHERE, **shape):
                pass
            alone = memory.read()
        with MemoryFile(alone, ext=".tif") as memory, memory.open() as dataset:  # type: ignore[no-untyped-call]
            return str(dataset.crs.to_wkt()) if dataset.crs else ""
    except (RasterioError, ValueError):
        return ""


@lru_cache(maxsize=16)
def _parsed(wkt: str) -> Mapping[str, Any]:
    """The system as PROJJSON; nothing where there is none, or none that can be read."""
    if not wkt:
        return {}
    try:
        return dict(CRS.from_wkt(wkt).to_dict(projjson=True))
    except (RasterioError, ValueError):
        return {}


def _meaning(wkt: str) -> Meaning:
    node = _parsed(wkt)
    try:
        return _system(node) if node else ()
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return ()


def _system(node: Mapping[str, Any]) -> Meaning:
    kind = node["type"]
    if kind == "CompoundCRS":
        return ("compound", *(_system(each) for each in node["components"]))
    if kind == "BoundCRS":
        return ("bound", _system(node["source_crs"]), _conversion(node["transformation"]))
    if kind == "VerticalCRS":
        return ("vertical", _datum_name(node), _axes(node))
    if kind == "EngineeringCRS":
        return ("local", _plain(node["name"]), _axes(node))
    if kind in ("GeographicCRS", "GeodeticCRS"):
        return ("geographic", _frame(node), _axes(node))
    if "conversion" in node:
        return (kind, _frame(node), _conversion(node["conversion"]), _axes(node))
    raise ValueError(kind)


def _frame(node: Mapping[str, Any]) -> Meaning:
    """Datum, ellipsoid and prime meridian; of a projected system those of its base, whose units mean nothing here."""
    while "base_crs" in node:
        node = node["base_crs"]
    if node["type"] == "BoundCRS":
        return _frame(node["source_crs"])
    datum = node.get("datum") or node["datum_ensemble"]
    meridian = datum.get("prime_meridian", {}).get("longitude", 0.0)
    return (_datum_name(node), *_shape(datum["ellipsoid"]), _value(meridian, "degree"))


def _shape(ellipsoid: Mapping[str, Any]) -> tuple[float, float]:
    """The semi-major axis in metres and the flattening."""
    radius = _value(ellipsoid.get("radius", ellipsoid.get("semi_major_axis")), "metre")
    if "inverse_flattening" in ellipsoid:
        inverse = float(ellipsoid["inverse_flattening"])
        return radius, 1 / inverse if inverse else 0.0
    minor = _value(ellipsoid.get("semi_minor_axis", ellipsoid.get("radius")), "metre")
    return radius, 1 - minor / radius


def _datum_name(node: Mapping[str, Any]) -> str:
    datum = node.get("datum") or node.get("datum_ensemble") or {}
    name = _plain(re.sub(r"^D_|\s+ensemble$", "", str(datum.get("name", ""))))
    return "" if _NO_NAME.fullmatch(name) else name


def _conversion(node: Mapping[str, Any]) -> Meaning:
    """The method, and those of its parameters that are not what a missing one would be."""
    found = {
        _plain(each["name"]): _value(each["value"], each.get("unit", "unity"))
        for each in node.get("parameters", ())
    }
    # It does not matter which of the parallels comes first.
    parallels = sorted(name for name in found if "standardparallel" in name)
    found |= dict(zip(parallels, sorted(found[name] for name in parallels), strict=True))
    told = sorted((name, value) for name, value in found.items() if value != float("scale" in name))
    return (_plain(node["method"]["name"]), *told)


def _axes(node: Mapping[str, Any]) -> Meaning:
    """Direction and unit of each axis in any order; both axes of a polar system point away from the pole."""
    axes = node["coordinate_system"]["axis"]
    ways = [str(axis["direction"]).lower() for axis in axes]
    if len(ways) > 1 and len(set(ways)) == 1:
        ways = ["east", "north"]
    return tuple(
        sorted((way, _value(1.0, axis.get("unit", "unity"))) for way, axis in zip(ways, axes, strict=True))
    )


def _value(value: Any, unit: Any) -> float:
    """A number in metres, radians or one; PROJJSON writes it bare, or as an object with its unit."""
    if isinstance(value, dict):
        return _value(value["value"], value["unit"])
    factor = unit["conversion_factor"] if isinstance(unit, dict) else _UNITS[unit]
    return float(value) * float(factor)


def _plain(name: str) -> str:
    """A name without case, blanks and signs, in which spellings differ."""
    return re.sub(r"[\W_]+", "", name).lower()


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return bool(one == other)


def named_alike(before: str, after: str, beside: Iterable[str]) -> bool:
    """Whether a difference is GeoTIFF's own doing, so that naming it is enough.

    GDAL had to put the whole of it into a file beside the result; or only the heights are lost; or both name the same
    registered system, and differ only in how its definition was spelled in the source.
    """
    if "SRS" in beside or _only_heights_lost(before, after):
        return True
    named = [_registered(text) for text in (before, after)]
    return named[0] is not None and named[0] == named[1]


def _only_heights_lost(before: str, after: str) -> bool:
    left = horizontal(before)
    return left != before and (same(left, after) if left else not after)


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

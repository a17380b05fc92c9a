"""What a `.prj` says, in each of the spellings that programs give it; and what a person declares in its stead.

WKT of any kind, a code such as `EPSG:25832`, a PROJ string, or the keywords of ARC/INFO. GDAL reads each of them, but
not all beside each format, and where a keyword is missing it takes WGS 84; here what is not said is not guessed.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import rasterio
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

TEXT_BYTES = 1 << 20
"""More of a sidecar is not read."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_CODE = re.compile(r"(EPSG|ESRI|OGC|IGNF|IAU_2015)\s*:\s*(\w{1,16}(?:\+\d{1,16})?)", re.IGNORECASE)
_NAMED = (
    re.compile(r"urn:(?:x-)?ogc:def:crs:(\w+):[\w.]*:(\w{1,16})", re.IGNORECASE),
    re.compile(r"https?://www\.opengis\.net/def/crs/(\w+)/[\w.]+/(\w{1,16})", re.IGNORECASE),
    re.compile(r"\+?init=(epsg|esri):(\d{1,16})(?:\s+\+\S+)*", re.IGNORECASE),
)
_PROJ = re.compile(r"\+?\w+=\S+(?:\s+\+?[\w]+(?:=\S+)?)*")
_WKT = re.compile(r"[A-Z][A-Z_]{4,}\d?\s*[\[(]", re.IGNORECASE)

_KEYWORD = re.compile(r"^[ \t]*(\w+)[ \t]+(\S+)", re.MULTILINE)
_GRID = b"ncols 1\nnrows 1\nxllcorner 0\nyllcorner 0\ncellsize 1\n1\n"
_DATUMS = frozenset({"NAD27", "NAD83", "WGS84", "WGS72", "EUR", "ED50", "GDA94"})
_SPHEROIDS = frozenset(
    {
        "INT1909",
        "INTERNATIONAL1909",
        "AIRY",
        "CLARKE1866",
        "CLARKE1880",
        "GRS80",
        "KRASOVSKY",
        "KRASSOVSKY",
        "KRASSOWSKY",
    }
    | {"BESSEL"}
)
"""What GDAL knows of ARC/INFO's names; of others it says nothing, and takes WGS 84."""

_SELF_CONTAINED = frozenset({"GEOGRAPHIC", "UTM", "STATEPLANE", "GREATBRITIAN_GRID"})
_FEWEST_PARAMETERS = 3


def text_of(path: Path) -> str:
    """The text of a sidecar, whatever its encoding: by its byte order mark, else UTF-16, UTF-8 or Latin-1."""
    with path.open("rb") as file:
        data = file.read(TEXT_BYTES)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, "replace")
    if b"\0" in data[:2]:
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def wkt_of(text: str) -> str:
    """The reference system that a text tells, as WKT; empty where it tells none that can be read."""
    bare = text.strip("\0 \t\r\n")
    try:
        system = _system(bare)
        return str(system.to_wkt()) if system else ""
    except (RasterioError, ValueError):
        return ""


def is_keywords(text: str) -> bool:
    """Whether a text is written with the keywords of ARC/INFO."""
    return text.lstrip().lower().startswith("projection")


def _system(text: str) -> CRS | None:
    if _WKT.match(text):
        return CRS.from_wkt(text, morph_from_esri_dialect=True)
    for pattern in (_CODE, *_NAMED):
        named = pattern.fullmatch(text)
        if named:
            return CRS.from_authority(named[1].upper(), named[2].upper())
    if is_keywords(text):
        return _of_keywords(text)
    if "proj=" in text and _PROJ.fullmatch(text) and not re.search(r"[/\\~]|init=|pipeline", text):
        spelled = (part if part.startswith("+") else f"+{part}" for part in text.split())
        return CRS.from_proj4(" ".join(spelled))
    return None


def _of_keywords(text: str) -> CRS | None:
    """As GDAL reads ARC/INFO's keywords beside an ASCII grid; None where it would have to guess a part of it."""
    head, _, parameters = re.split(r"(?im)^\s*(parameters)\b", text + "\nparameters\n")[:3]
    said = {key.upper(): value.upper() for key, value in _KEYWORD.findall(head)}
    kind, datum = said.get("PROJECTION", ""), said.get("DATUM", "NONE")
    known = datum in _DATUMS or (datum in ("", "NONE") and said.get("SPHEROID") in _SPHEROIDS)
    given = len([line for line in parameters.splitlines() if line.strip()])
    complete = (
        said.get("ZONE", "").isdecimal()
        if kind == "UTM"
        else kind in _SELF_CONTAINED or given >= _FEWEST_PARAMETERS
    )
    shifted = any(float(said.get(key) or 0) for key in ("XSHIFT", "YSHIFT"))
    if not known or not complete or shifted:
        return None
    with (
        _memory(text.encode(), "a.prj"),
        _memory(_GRID, "a.asc") as grid,
        rasterio.open(grid.name, driver="AAIGrid") as dataset,
    ):
        system = dataset.crs
    return system if system and (system.is_projected or system.is_geographic) else None


def _memory(content: bytes, name: str) -> MemoryFile:
    """A file that only GDAL sees, beside others made here."""
    return MemoryFile(content, dirname="prj", filename=name)  # type: ignore[no-untyped-call]

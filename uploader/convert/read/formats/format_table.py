"""Which formats are taken, and by which one driver each: a table of first bytes, and nothing is guessed.

Pure. GDAL would ask all its drivers; here the file's first bytes name the driver, and its extension must agree.
Two formats have no first bytes of their own: an ENVI file is told by the header beside it, an SRTM tile by its name
and its size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from uploader.core.errors import RasterRefused, RasterUnreadable

TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
HDF5 = b"\x89HDF\r\n\x1a\n"

HEAD = 512
"""Bytes of a file's start that are looked at."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format: what GDAL calls it, what people do, its extensions (none: any), and how its files begin."""

    driver: str
    title: str
    extensions: tuple[str, ...]
    magics: tuple[bytes, ...]


FORMATS = (
    Format("GTiff", "a TIFF", (), TIFF),
    Format(
        "JP2OpenJPEG",
        "a JPEG 2000",
        ("jp2", "j2k", "j2c", "jpc", "jpx", "jpf"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    ),
    Format("HFA", "an Erdas Imagine file", ("img",), (b"EHFA_HEADER_TAG",)),
    Format("PNG", "a PNG", ("png",), (b"\x89PNG\r\n\x1a\n",)),
    Format("JPEG", "a JPEG", ("jpg", "jpeg"), (b"\xff\xd8\xff",)),
    Format("netCDF", "a netCDF", ("nc", "nc4", "cdf"), (b"CDF\x01", b"CDF\x02", b"CDF\x05", HDF5)),
    Format("HDF5", "an HDF5", ("h5", "hdf5", "hdf", "he5"), (HDF5,)),
    Format("DTED", "a DTED tile", ("dt0", "dt1", "dt2"), (b"UHL1",)),
    Format("AAIGrid", "an ASCII grid", ("asc", "grd"), ()),
    Format("ENVI", "an ENVI file", (), ()),
    Format("SRTMHGT", "an SRTM tile", ("hgt",), ()),
)
"""What is taken. A format is added here; `docs/formats.md` says the same to people."""

CONTAINERS = frozenset({"netCDF", "HDF5"})
"""Drivers of formats that may hold many rasters, or none."""

_TAPE_LABEL = 80
_GRID_KEYS = re.compile(rb"(?:ncols|nrows|[xy]ll(?:corner|center)|d[xy]|cellsize)\s", re.IGNORECASE)
_POSITION = re.compile(r"[NS]\d\d[EW]\d{3}", re.IGNORECASE)
_TILE_BYTES = frozenset({1201 * 1201 * 2, 3601 * 3601 * 2, 1801 * 3601 * 2})

_RASTERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"NITF", "NITF"),
    (b"GRIB", "GRIB"),
    (b"PCIDSK", "PCIDSK"),
    (b"<VRTDataset", "VRT"),
    (b"<MRF_META", "MRF"),
    (b"\x0e\x03\x13\x01", "HDF4"),
    (b"DSBB", "GS7BG"),
    (b"DSAA", "GSAG"),
)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"SQLite format 3", "an SQLite database, such as a GeoPackage"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"LASF", "a LAS point cloud"),
    (b"PAR1", "a Parquet file"),
    (b"fgb", "a FlatGeobuf"),
    (b"PMTiles", "a PMTiles archive"),
    (b"<", "markup, such as an HTML error page"),
    (b"{", "JSON"),
)
_TRANSLATE = "Convert it to GeoTIFF first, for example with gdal_translate."


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a file before anything opens it: its first bytes, its name's parts, its size in bytes."""

    start: bytes
    stem: str
    extension: str
    size: int
    header: bytes = b""
    """The first bytes of a `.hdr` beside it."""


def driver_of(look: Opening) -> str:
    """The one driver that may open the file.

    Raises RasterUnreadable for an empty or blank start (it may be written yet), RasterRefused for what is not taken.
    """
    known = [one for one in FORMATS if _begins(one, look)]
    fitting = next((one for one in known if not one.extensions or look.extension in one.extensions), None)
    if fitting is not None:
        return fitting.driver
    if look.header.startswith(b"ENVI"):
        return "ENVI"
    if look.extension == "hgt" and not known and not _recognized(look.start):
        return _tile(look)
    if not look.start.strip(b"\x00"):
        raise RasterUnreadable("The file is empty, or starts with zeros: nothing was written to it yet.")
    raise _stranger(look, known)


def _begins(known: Format, look: Opening) -> bool:
    if known.driver == "AAIGrid":
        return _GRID_KEYS.match(look.start) is not None
    if known.driver == "DTED":  # tape labels may come before
        starts = (look.start[skipped:] for skipped in (0, _TAPE_LABEL, 2 * _TAPE_LABEL))
        return any(start.startswith(known.magics) for start in starts)
    return bool(known.magics) and look.start.startswith(known.magics)


def _tile(look: Opening) -> str:
    if look.size not in _TILE_BYTES:
        sizes = ", ".join(f"{size:,}" for size in sorted(_TILE_BYTES))
        raise RasterUnreadable(
            f"An SRTM tile has one of the sizes {sizes}; this file has {look.size:,} bytes.", "Copy it again."
        )
    if _POSITION.fullmatch(look.stem):
        return "SRTMHGT"
    raise RasterRefused(
        "Where an SRTM tile lies is told by its name alone, and this name does not.",
        "Name it by its south-western corner, such as N46E008.hgt.",
    )


def _recognized(start: bytes) -> str:
    """What the file begins like, in words; empty where that is like nothing known."""
    return next((name for magic, name in (*_RASTERS, *_OTHERS) if start.lstrip().startswith(magic)), "")


def _stranger(look: Opening, known: list[Format]) -> RasterRefused:
    """Why a file is not taken, and what a person can do about it."""
    by_name = next((one for one in FORMATS if look.extension in one.extensions), FORMATS[0])
    if known:
        pattern = f"*.{known[0].extensions[0]}"
        reason = f"This is not {by_name.title} but {known[0].title}, judging by its first bytes."
        return RasterRefused(
            reason,
            f'Give it a name such as {pattern}; a drop folder takes that where "{pattern}" is in `include`.',
        )
    kind = _recognized(look.start)
    if kind in {name for _, name in _RASTERS}:
        reason = (
            f"This is not {by_name.title} but {kind}, as GDAL calls it, which this program does not take."
        )
        return RasterRefused(reason, _TRANSLATE)
    reason = f"This is not {by_name.title} but {kind or 'something else'}, judging by its first bytes."
    return RasterRefused(reason, "" if kind else _TRANSLATE, as_it_is=True)

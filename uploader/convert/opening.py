"""How a raster from outside is opened: by its magic bytes, with one named driver, and alone.

GDAL would guess the format by asking every driver, and follow names of other files that it finds in metadata,
in `.ovr` and in `.aux.xml`. Here the magic bytes name the driver, `OVERVIEW_LEVEL=NONE` keeps GDAL from looking
for overviews at all, and a mask beside the raster must be a TIFF itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from uploader.core.errors import RasterRefused, RasterUnreadable

Dataset = Any
"""An open rasterio dataset; its classes are made of compiled code without types."""

DRIVERS = ("COG", "GTiff", "MEM", "VRT")
"""All that stays registered in a child: one to read, one to write, and what they are made of."""

_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

FORMATS: tuple[tuple[str, tuple[bytes, ...]], ...] = (("GTiff", _TIFF),)
"""Driver and magic bytes of what is taken. A format is added here and to `DRIVERS`."""

_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"<", "markup, such as an HTML error page"),
    (b"\x89PNG", "a PNG"),
    (b"\xff\xd8\xff", "a JPEG"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x00\x00\x00\x0cjP", "a JPEG 2000"),
    (b"%PDF", "a PDF"),
    (b"\x89HDF", "an HDF5"),
    (b"SQLite", "a SQLite database"),
    (b"EHFA", "an Erdas Imagine file"),
)

THREADS = min(os.cpu_count() or 1, 8)
"""How many threads of GDAL decode or encode one raster."""

_HEAD = 16
_MASK = ".msk"


def head(path: Path) -> bytes:
    """The first bytes of a regular file, never following a link or waiting on a fifo.

    Raises RasterUnreadable when it is none, or empty.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RasterUnreadable(f"The raster cannot be opened: {error.strerror}.") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RasterUnreadable("It is not a regular file.")
        return os.read(handle, _HEAD)
    finally:
        os.close(handle)


def driver_of(start: bytes) -> str:
    """The driver that the magic bytes name.

    Raises RasterUnreadable for an empty or blank start (it may be written yet), RasterRefused for another format.
    """
    for driver, magics in FORMATS:
        if start.startswith(magics):
            return driver
    if not start.strip(b"\x00"):
        raise RasterUnreadable("The file is empty, or starts with zeros: nothing was written to it yet.")
    kind = next((name for magic, name in _STRANGERS if start.lstrip().startswith(magic)), "something else")
    raise RasterRefused(f"This is not a TIFF but {kind}, judging by its first bytes.")


def sidecars(source: Path) -> tuple[str, ...]:
    """Names of the files beside the raster, all of them its own.

    Raises RasterRefused when its mask is no TIFF: GDAL would open it with the driver it likes, and follow what it
    says. Overviews are made anew, so theirs may be anything; nobody looks.
    """
    names = tuple(sorted(path.name for path in source.parent.iterdir() if path.name != source.name))
    for name in names:
        if name.lower().endswith(_MASK) and not head(source.parent / name).startswith(_TIFF):
            raise RasterRefused(f"Its sidecar {name} is not a TIFF.", "Remove it, or replace it.")
    return names


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn whatever GDAL, rasterio and numpy raise on a bad raster into RasterUnreadable.

    GDAL's own errors have no common public class in rasterio, so they are known by what they are not.
    """
    try:
        yield
    except (MemoryError, RasterRefused, RasterUnreadable):
        raise
    except (
        RasterioError,
        ValueError,
        OSError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise RasterUnreadable(f"The raster cannot be {what}: {plain(error)}.") from error
    except Exception as error:
        if not type(error).__name__.startswith("CPLE_"):
            raise
        raise RasterUnreadable(f"The raster cannot be {what}: {plain(error)}.") from error


def plain(error: BaseException) -> str:
    """The innermost message of an error, one line, printable, of bounded length."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:300].rstrip(".")


@contextmanager
def opened(source: Path, driver: str, *, facts_only: bool = False) -> Iterator[Dataset]:
    """The raster, opened for reading with this driver and no other.

    `facts_only` leaves out OVERVIEW_LEVEL=NONE, which hides the names of metadata domains too: then only metadata
    may be asked for, never overviews, masks or pixels.
    """
    options = {} if facts_only else {"OVERVIEW_LEVEL": "NONE", "NUM_THREADS": str(THREADS)}
    with translated("opened"):
        dataset = rasterio.open(source, driver=driver, sharing=False, **options)
    with dataset:
        yield dataset

"""How a raster from outside is opened: by its magic bytes, with one named driver, and alone.

GDAL would guess the format by asking every driver, and follow names of other files that it finds in metadata,
in `.ovr` and in `.aux.xml`. Here the magic bytes name the driver, `OVERVIEW_LEVEL=NONE` keeps GDAL from looking
for overviews at all, and a mask beside the raster must be a TIFF itself.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import rasterio
from rasterio.env import getenv, hasenv
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from uploader.convert.read.formats import ascii_grid, hdf5
from uploader.convert.read.formats.format_table import FORMATS, HDF5, HEAD, TIFF, Opening, driver_of
from uploader.core.capacity import threads
from uploader.core.errors import RasterRefused, RasterUnreadable

Dataset = Any
"""An open rasterio dataset; its classes are made of compiled code without types."""

DRIVERS = (*(known.driver for known in FORMATS), "HDF5Image", "COG", "MEM", "VRT")
"""All that stays registered in a child: those that read, those that write, and what they are made of."""

THREADS = threads(os.cpu_count() or 1)
"""How many threads of GDAL decode, and how many encode, one raster."""

_MASK = ".msk"
_HEADER = ".hdr"
_CAREFUL = {"GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO", "GDAL_ERROR_ON_LIBJPEG_WARNING": "YES"}
"""The quick way to read a PNG takes a damaged one without a word; what libjpeg warns of is data that it made up."""

_NO_CODEC = re.compile(r"missing codec (of code )?(\w+)")
_CODECS = {
    "JXL": "JPEG XL",
    "JP2000": "JPEG 2000",
    "JBIG": "JBIG",
    "LERC": "LERC",
    "ZSTD": "ZSTD",
    "WEBP": "WebP",
}
_PYTHONS_OWN = frozenset(
    {*(TypeError, AttributeError, IndexError, KeyError, OverflowError, ZeroDivisionError), UnicodeDecodeError}
)
"""Errors whose words are about the program, not about the raster."""

_POINTER = re.compile(r"\(?0x[0-9a-f]{6,}[^)\s]*\)? ?")
_ELSEWHERE = ("/etc/passwd", "/proc/1/status")


@contextmanager
def careful() -> Iterator[None]:
    """GDAL as it is to be in this thread, until the outermost block ends."""
    if hasenv() and getenv().items() >= _CAREFUL.items():  # type: ignore[no-untyped-call]
        yield
        return
    with rasterio.Env(**_CAREFUL):  # type: ignore[no-untyped-call]
        yield


def prepare() -> None:
    """Have GDAL as it is to be, for good, in the main thread of this process and of all that are forked from it.

    To enter an environment and to leave it costs as much as to open a small raster.
    """
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    available()
    rasterio.Env(**_CAREFUL).__enter__()  # type: ignore[no-untyped-call]


@cache
def available() -> frozenset[str]:
    """The drivers that GDAL has here. They are registered with the first call, and stay as they are."""
    with rasterio.Env() as env:  # type: ignore[no-untyped-call]
        return frozenset(env.drivers())


def head(path: Path) -> bytes:
    """The first bytes of a regular file, never waiting on a fifo. Raises RasterUnreadable when it is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise RasterUnreadable(f"The file cannot be opened: {error.strerror}.") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RasterUnreadable("It is not a regular file.")
        return os.read(handle, HEAD)
    finally:
        os.close(handle)


def driver_for(source: Path, beside: tuple[str, ...]) -> str:
    """The one driver that may open the raster, and that is there. Raises RasterUnreadable, RasterRefused.

    An HDF5 file can name other files that the library would read as its own, so it is opened only where the kernel
    keeps this process from them.
    """
    start = head(source)
    header = next((name for name in beside if name.lower().endswith(_HEADER)), "")
    look = Opening(
        start,
        source.stem,
        source.suffix[1:].lower(),
        source.stat().st_size,
        head(source.with_name(header)) if header else b"",
    )
    driver = driver_of(look)
    if driver not in available():
        raise RasterRefused(
            f"The GDAL of this installation was built without its driver {driver}.",
            "Convert it to GeoTIFF first.",
        )
    if start.startswith(HDF5):
        _refuse_odd_hdf5(source)
    return driver


def _refuse_odd_hdf5(source: Path) -> None:
    """Raises RasterRefused for what GDAL had better not open."""
    reason = hdf5.too_much(source)
    if reason:
        raise RasterRefused(reason, "Write the raster into a file of its own.", as_it_is=True)
    if hdf5.virtual(source):
        raise RasterRefused(
            "It is an HDF5 file whose pixels lie in other files, which do not come along.",
            "Write them into one file, for example with h5repack or gdal_translate.",
        )
    if _free_to_read():
        raise RasterRefused(
            "An HDF5 file may name other files, and this system cannot keep the converter from reading them.",
            "Use a kernel with Landlock (Linux 5.19 or later), or convert the file to GeoTIFF first.",
        )


def _free_to_read() -> bool:
    """Whether files that are no business of ours can be read."""
    for path in _ELSEWHERE:
        with suppress(OSError):
            os.close(os.open(path, os.O_RDONLY))
            return True
    return False


def sidecars(source: Path, known: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Names of the files beside the raster, all of them its own; where not all are, those that are have to be `known`.

    Raises RasterRefused when its mask is no TIFF: GDAL would open it with the driver it likes, and follow what it
    says. Overviews are made anew, so theirs may be anything; nobody looks.
    """
    found = (path.name for path in source.parent.iterdir()) if known is None else known
    names = tuple(sorted(name for name in found if name != source.name))
    for name in names:
        if name.lower().endswith(_MASK) and not head(source.parent / name).startswith(TIFF):
            kind = name.removeprefix(source.stem)
            raise RasterRefused(f"Its sidecar {kind} is not a TIFF.", "Remove it, or replace it.")
    return names


_MEMORY_WORDS = ("cannot allocate", "out of memory")


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
        SystemError,
    ) as error:
        raise _unreadable(what, error) from error
    except Exception as error:
        if not type(error).__name__.startswith("CPLE_"):
            raise
        raise _unreadable(what, error) from error


def _unreadable(what: str, error: Exception) -> Exception:
    """Say what is wrong with the raster; but that memory ran out is not the raster's fault."""
    text = plain(error)
    if any(words in text.lower() for words in _MEMORY_WORDS):
        return MemoryError(text)
    codec = _NO_CODEC.search(text)
    if codec:
        name = _CODECS.get(codec[2], codec[2]) if not codec[1] else f"method {codec[2]}"
        return RasterRefused(
            f"It is compressed with {name}, which the GDAL of this installation cannot read.",
            "Write it anew where that can be read, for example with gdal_translate -co COMPRESS=DEFLATE.",
            as_it_is=True,
        )
    return RasterUnreadable(
        f"The raster cannot be {what}: {text}.",
        "Copy it again; gdalinfo tells whether the original is sound.",
    )


def plain(error: BaseException) -> str:
    """The innermost message of an error, one line, printable, of bounded length; nothing that only Python says."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if type(error) in _PYTHONS_OWN:
        return "it holds something that is not understood"
    text = _POINTER.sub("", " ".join(str(error).split())) or type(error).__name__
    if isinstance(error, SystemError):  # rasterio found that GDAL failed, but no word of it
        text = "its data are damaged, or end too early"
    return "".join(c if c.isprintable() else "?" for c in text)[:300].rstrip(".")


@contextmanager
def opened(
    source: Path | str,
    driver: str,
    *,
    facts_only: bool = False,
    placeless: bool = False,
    overview: int | None = None,
    threads: int = THREADS,
) -> Iterator[Dataset]:
    """The raster, opened for reading with this driver and no other; or one of its overviews, 0 being the largest.

    What is no file of the disk has a name of GDAL's. So many `threads` decode it. `facts_only` leaves out
    OVERVIEW_LEVEL=NONE, which hides the names of metadata domains too: then only metadata may be asked for, never
    overviews, masks or pixels. `placeless`: nobody will ask where it lies, which takes as long to find out as all else.
    Of overviews only those of a file may be asked for that has nothing beside it, and whose metadata names no other.
    """
    options = {} if facts_only else {"OVERVIEW_LEVEL": "NONE" if overview is None else str(overview)}
    if driver == "GTiff" and placeless:
        options["GEOREF_SOURCES"] = "NONE"
    if driver == "GTiff" and not facts_only and threads > 1:
        options["NUM_THREADS"] = str(threads)
    if driver == "AAIGrid":
        options["DATATYPE"] = ascii_grid.data_type(Path(source))
    with careful():
        with translated("opened"):
            # `rasterio.open` would make an environment of its own for each.
            dataset = DatasetReader(str(source), driver=driver, sharing=False, **options)
        with dataset:
            yield dataset

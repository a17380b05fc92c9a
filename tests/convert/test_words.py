"""What is said of a raster that is not taken: about the raster, with a way out, and no words of Python's."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support.pool import convert
from uploader.convert import Job
from uploader.convert.read.formats.open_raster import plain, translated
from uploader.core.errors import RasterRefused, RasterUnreadable

_COMPRESSION = 259


def compressed(path: Path, method: int) -> None:
    """A TIFF that says it is compressed with this method of TIFF's register."""
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint8", compress="deflate"
    ) as dataset:
        dataset.write(np.ones((1, 64, 64), np.uint8))
    content = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == _COMPRESSION:
            struct.pack_into("<H", content, entry + 8, method)
    path.write_bytes(content)


@pytest.mark.e2e
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "name"), [(50002, "JPEG XL"), (34712, "JPEG 2000"), (34661, "JBIG"), (12345, "method 12345")]
)
async def test_a_missing_codec_is_named(tmp_path: Path, method: int, name: str) -> None:
    """It is refused at once, for looking again does not help; and what to do can be done."""
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    compressed(source, method)
    with pytest.raises(RasterRefused, match=f"compressed with {name}") as refused:
        await convert(Job(source, tmp_path / "out.tif"))

    assert "gdal_translate" in refused.value.way_out
    assert refused.value.as_it_is


@pytest.mark.unit
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error", "/srv/a.tif"),
        AttributeError("'NoneType' object has no attribute 'x'"),
        TypeError("int() argument must be a string"),
        IndexError("tuple index out of range"),
        KeyError("x"),
        UnicodeDecodeError("utf-8", b"\xf6", 0, 1, "invalid start byte"),
        SystemError("returned NULL without setting an exception"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_that_only_python_says(error: Exception) -> None:
    """Neither numbers of errors nor names of types reach a person."""
    said = plain(error)

    assert not any(word in said for word in ("Errno", "NoneType", "codec", "argument", "index", "NULL", "'"))
    with pytest.raises(RasterUnreadable) as unreadable, translated("examined"):
        raise error
    assert unreadable.value.way_out

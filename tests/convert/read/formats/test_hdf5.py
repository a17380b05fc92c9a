"""HDF5 files that name other files as the place of their pixels: nothing of those ends in a COG."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import pytest
import rasterio

from tests.support.canary import Canary
from tests.support.pool import convert
from uploader.convert import Job
from uploader.convert.read.formats.hdf5 import too_much, virtual
from uploader.core.errors import RasterRefused, RasterUnreadable

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_PLACE = b"/" + b"x" * 249
"""The other file, as the first of these names it; both hold one image of 100 x 100 bytes."""

_EXTERNAL = (
    "c-"
    "rgqaB<`1lHy_j0S*oZ76t(ZWbhvf7O<i6Ve$!3nh{EOK<O1sFmXn(oCH){5NbZUx{x4OSCH!eXaHtU1S^E*U>F4>5qP*d27uE6ln"
    "+a#Czw#xW#%TPry`|C4+`yNWMG4s#R%hTKxih2KnheHE}9wWQbwqI8Ie*jE06~9nV293u>;LzgsK7M7y}mU>0Lk_CJxC_%#5&{0+"
    "WG(0Gh@F2P0~}4`4x6r(ZEr0mT2oe*P|?c!b5D0`q7dCI<ijM`W&v"
)
_VIRTUAL = (
    "c-"
    "rgqaB<`1lHy_j0S*oZ76t(ZWbhvf7$ng6P>=wn8KHCslwQFE6K4d=LA5goLd{247ZT*^3R3+a4Z!R%V1dva45MHq0uNWm01zDk<-"
    "=0x2_{r^nYoGSsYvP3gF<^58Q36ZF~ay75Sj@hkOEbQi)IG8lo9G)Mx+$X3Zy}NCT56198e#zFvF5KM70o<3*u=XXUb+^s2I?A2="
    "?=L0p(~|K2%^HO`D@&6bx11?(FZwh*Y4$%FO@<w2D2yBqOy*FT)gAvN0nGg8&l}UjmH}0?AN(<!i(RnAimV(Xbx{qhJ(_f>AIEM!"
    "_f;1*2dTjDk@x3g`s@)txz#"
)


def _written(text: str, path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = zlib.decompress(base64.b85decode(text))
    path.write_bytes(content)
    return content


@pytest.mark.parametrize("suffix", [".h5", ".nc"])
async def test_pixels_of_a_foreign_file_are_not_read(suffix: str, tmp_path: Path) -> None:
    """The library would read any file as an image; the kernel keeps the converting child from it."""
    name = "s" * (len(_PLACE) - len(str(tmp_path)) - 1)
    foreign, source = tmp_path / name, tmp_path / "in" / f"source{suffix}"
    foreign.write_bytes(b"\xc9" * 10_000)
    content = _written(_EXTERNAL, source)
    source.write_bytes(content.replace(_PLACE, str(foreign).encode()))
    canary = Canary(foreign)

    with pytest.raises((RasterUnreadable, RasterRefused)):
        await convert(Job(source, tmp_path / "out.tif"))

    assert not canary.opened()
    with rasterio.open(source, driver="HDF5" if suffix == ".h5" else "netCDF") as dataset:
        assert (dataset.read() == 0xC9).all()  # without precautions the trick works
    canary.close()


async def test_an_image_made_of_other_files_is_refused(tmp_path: Path) -> None:
    """The library shows what is missing as zeros, without a word."""
    source = tmp_path / "in" / "source.h5"
    _written(_VIRTUAL, source)
    assert virtual(source)

    with pytest.raises(RasterRefused, match="lie in other files"):
        await convert(Job(source, tmp_path / "out.tif"))


def _names(length: int, address: int) -> bytes:
    """A heap with one name of so many bytes, to be put at that address."""
    return (
        b"HEAP"
        + bytes(4)
        + struct.pack("<QQQ", length + 9, 1, address + 32)
        + bytes(8)
        + b"n" * length
        + b"\0"
    )


async def test_what_gdal_cannot_take_is_refused(tmp_path: Path) -> None:
    """GDAL walks through tens of thousands of groups for minutes, and crashes on a name that is very long."""
    source = tmp_path / "in" / "source.h5"
    content = _written(_EXTERNAL, source)
    cases = (
        (b"OHDR" * 5001, "more than 5000 objects"),
        (_names(1001, len(content)), "a name of more"),
        (_names(900, len(content))[:32] * 200, "more names than"),
    )
    for more, words in cases:
        source.write_bytes(content + more)
        with pytest.raises(RasterRefused, match=words):
            await convert(Job(source, tmp_path / "out.tif"))


def test_what_gdal_can_take_is_left_to_it(tmp_path: Path) -> None:
    """Some objects and names of a usual length are no burden, nor is a heap that lies nowhere."""
    source = tmp_path / "source.h5"
    content = _written(_EXTERNAL, source)
    nowhere = b"HEAP" + bytes(4) + struct.pack("<QQQ", 1 << 40, 1, (1 << 64) - 1)
    source.write_bytes(content + b"OHDR" * 4000 + _names(999, len(content) + 16_000) + nowhere)

    assert too_much(source) == ""

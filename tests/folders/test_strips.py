"""What is demanded of a TIFF is what libtiff needs: not what is counted beyond, and no less where it is cut off."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import RasterioIOError

from uploader.convert import Converter, Job
from uploader.core.errors import RasterRefused
from uploader.folders import extent

_SIDE = 200
_ENTRY = struct.Struct("<HHI")


def samples(bands: int) -> np.ndarray:
    """Bands, rows, columns of bytes that are nowhere zero."""
    ramp = np.add.outer(np.arange(_SIDE) * 3, np.arange(_SIDE)) % 250
    return np.stack([ramp + 1 + band for band in range(bands)]).astype(np.uint8)


def stored(
    bands: int = 1, *, planar: bool = False, rows: int = 64, declared: int = 0, counted: str = "full"
) -> bytes:
    """An uncompressed TIFF in strips of so many rows; their bytes are counted full, exact, zero or not at all."""
    pixels = samples(bands)
    planes = [plane[None] for plane in pixels] if planar else [pixels]
    strips = [plane[:, row : row + rows] for plane in planes for row in range(0, _SIDE, rows)]
    blocks = [strip.transpose(1, 2, 0).tobytes() for strip in strips]
    full = rows * _SIDE * (1 if planar else bands)
    each = {"full": lambda _: full, "exact": len, "zero": lambda _: 0}
    counts = [] if counted == "missing" else [each[counted](block) for block in blocks]
    tags: list[tuple[int, list[int]]] = [
        (256, [_SIDE]), (257, [_SIDE]), (258, [8] * bands), (259, [1]), (262, [1]), (273, [0] * len(blocks)),
        (277, [bands]), (278, [declared or rows]), *([(279, counts)] if counts else []), (284, [2 if planar else 1]),
        *([(338, [0] * (bands - 1))] if bands > 1 else []),
    ]  # fmt: skip
    values = 8 + 2 + 12 * len(tags) + 4
    start = values + sum(4 * len(numbers) for _, numbers in tags if len(numbers) > 1)
    places = [start + sum(map(len, blocks[:n])) for n in range(len(blocks))]
    table, lists = struct.pack("<H", len(tags)), b""
    for tag, given in tags:
        numbers = places if tag == 273 else given
        content = struct.pack(f"<{len(numbers)}I", *numbers)
        inline = content if len(numbers) == 1 else struct.pack("<I", values + len(lists))
        lists += content if len(numbers) > 1 else b""
        table += _ENTRY.pack(tag, 4, len(numbers)) + inline
    return b"II*\0" + struct.pack("<I", 8) + table + bytes(4) + lists + b"".join(blocks)


VARIANTS = {
    "last-counted-full": {},
    "exact": {"counted": "exact"},
    "planes": {"bands": 3, "planar": True},
    "pixels": {"bands": 3},
    "one-strip-taller-than-the-image": {"rows": 300},
    "one-strip-without-end": {"rows": 200, "declared": 0xFFFFFFFF, "counted": "exact"},
    "one-strip-counted-zero": {"rows": 200, "counted": "zero"},
    "one-strip-not-counted": {"rows": 200, "counted": "missing"},
}


@pytest.mark.unit
@pytest.mark.parametrize("cut", [0, 1, 700, 5000])
@pytest.mark.parametrize("variant", VARIANTS)
def test_whole_is_what_gdal_reads(tmp_path: Path, variant: str, cut: int) -> None:
    """The verdict agrees with GDAL on every layout, whole and cut off."""
    data, path = stored(**VARIANTS[variant]), tmp_path / "a.tif"
    path.write_bytes(data[: len(data) - cut])

    assert extent(str(path)).whole is _read(path, VARIANTS[variant].get("bands", 1))
    assert extent(str(path)).needs == len(data)


def _read(path: Path, bands: int) -> bool:
    try:
        with rasterio.open(path, driver="GTiff") as dataset:
            return bool(np.array_equal(dataset.read(), samples(bands)))
    except RasterioIOError:
        return False


@pytest.mark.e2e
@pytest.mark.anyio
@pytest.mark.parametrize("planar", [False, True])
async def test_strips_without_a_size_are_refused(tmp_path: Path, planar: bool) -> None:
    """GDAL reads many strips that are counted as zero as blank, without a word; their samples would be lost."""
    path = tmp_path / "in" / "source.tif"
    path.parent.mkdir()
    path.write_bytes(stored(3, planar=planar, counted="zero"))
    assert not _read(path, 3)
    async with Converter(1) as converter:
        with pytest.raises(RasterRefused, match="no size"):
            await converter.convert(Job(path, tmp_path / "out.tif"))


@pytest.mark.e2e
@pytest.mark.anyio
@pytest.mark.parametrize("variant", ["last-counted-full", "planes", "one-strip-not-counted"])
async def test_it_is_converted(tmp_path: Path, variant: str) -> None:
    """Threads of GDAL would read as much as is counted; nothing that libtiff reads is refused for that."""
    path = tmp_path / "in" / "source.tif"
    path.parent.mkdir()
    path.write_bytes(stored(**VARIANTS[variant]))
    async with Converter(1) as converter:
        await converter.convert(Job(path, tmp_path / "out.tif"))

    assert _read(tmp_path / "out.tif", VARIANTS[variant].get("bands", 1))

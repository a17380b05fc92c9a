"""Tiled rasters with overviews keep their compressed tiles, byte for byte; whatever is doubtful is made anew."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate

from tests.support import compare
from tests.support.pool import convert
from uploader.convert import Job, Report
from uploader.convert.tiff import ifd

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SIDE = 700


def pixels(bands: int = 1, dtype: str = "uint8") -> np.ndarray:
    """Hills of light with noise on them."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    light = 120 + 60 * np.sin(columns / 80) + 45 * np.cos(rows / 60)
    noise = np.random.default_rng(1).normal(0, 4, (bands, _SIDE, _SIDE))
    return (light + noise).clip(1, 255).astype(dtype)


def tiled(
    path: Path, data: np.ndarray, *, mask: bool = False, factors: tuple[int, ...] = (2, 4), **options: Any
) -> Path:
    """An ordinary tiled GeoTIFF, overviews added afterwards: its directories and tiles are in no good order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5.1e6, 0.5, 0.5)}
    shape = {"count": len(data), "height": _SIDE, "width": _SIDE, "dtype": data.dtype.name}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    with rasterio.Env(
        GDAL_TIFF_INTERNAL_MASK=True, COMPRESS_OVERVIEW=str(options.get("compress", "deflate")).upper()
    ):
        with rasterio.open(path, "w", driver="GTiff", **(shape | layout | place | options)) as dataset:
            dataset.write(data)
            if mask:
                area = np.full((_SIDE, _SIDE), 255, np.uint8)
                area[:200] = 0
                dataset.write_mask(area)
        if factors:
            with rasterio.open(path, "r+") as dataset:
                dataset.build_overviews(factors, Resampling.average)
    return path


async def converted(source: Path, **options: Any) -> tuple[Report, Path]:
    """The report and the COG."""
    target = source.parent.parent / "out.tif"
    return await convert(Job(source, target, **options)), target


def tiles(path: Path) -> list[set[bytes]]:
    """The compressed tiles of each directory, largest first."""
    handle = os.open(path, os.O_RDONLY)
    try:
        head = ifd.read(handle)
        found = []
        for image in head.directories:
            places = zip(
                head.numbers(image, ifd.TILE_OFFSETS), head.numbers(image, ifd.TILE_BYTES), strict=True
            )
            found.append({os.pread(handle, int(length), int(at)) for at, length in places})
    finally:
        os.close(handle)
    return sorted(found, key=len, reverse=True)


@pytest.mark.parametrize(
    ("bands", "options"),
    [
        (1, {"dtype": "uint16", "predictor": 2}),
        (3, {"photometric": "rgb", "compress": "lzw"}),
        (3, {"photometric": "ycbcr", "compress": "jpeg"}),
        (3, {"interleave": "band", "compress": "zstd", "blockxsize": 512, "blockysize": 512}),
        (1, {"dtype": "float32", "compress": "lerc", "BIGTIFF": "YES"}),
        (3, {"compress": "webp", "webp_lossless": True, "ENDIANNESS": "BIG"}),
    ],
    ids=["predictor", "lzw", "jpeg", "planar", "lerc", "webp"],
)
@pytest.mark.parametrize("mask", [False, True], ids=["plain", "masked"])
async def test_tiles_are_moved(tmp_path: Path, bands: int, options: dict[str, Any], mask: bool) -> None:
    """Every compressed tile is in the COG as it was, which is valid, equal to the source, and has exact statistics."""
    data = pixels(bands, options.get("dtype", "uint8"))
    source = tiled(tmp_path / "in" / "source.tif", data, mask=mask, **options)

    report, target = await converted(source)

    assert report.method == "rewrite"
    assert tiles(target) == tiles(source)
    assert cog_validate(target, strict=True) == (True, [], [])
    assert compare.differences(source, target) == []
    assert compare.statistics(source, target, report.bands) == []
    assert target.stat().st_size < source.stat().st_size + (64 << 10)


async def test_cog_without_statistics_is_moved(tmp_path: Path) -> None:
    """A COG that lacks its statistics alone is not compressed anew."""
    plain = tiled(tmp_path / "plain.tif", pixels(), factors=())
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    rasterio.shutil.copy(plain, source, driver="COG", compress="zstd", statistics="no")

    report, target = await converted(source)

    assert report.method == "rewrite"
    assert tiles(target) == tiles(source)
    assert cog_validate(target, strict=True) == (True, [], [])


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"compress": None}, {}),
        ({"compress": "packbits"}, {}),
        ({"blockxsize": 128, "blockysize": 128}, {}),
    ],
    ids=["not compressed", "packbits", "small tiles"],
)
async def test_what_is_made_anew(tmp_path: Path, options: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Without good tiles or compression they are compressed anew."""
    source = tiled(tmp_path / "in" / "source.tif", pixels(), **options)

    report, _ = await converted(source, **wanted)

    assert report.method == "encode"


async def test_overlapping_tiles_are_no_bomb(tmp_path: Path) -> None:
    """A small file whose tiles are all the same bytes is not blown up by copying them again and again."""
    data = np.full((1, _SIDE, _SIDE), 7, np.uint8)
    data[:, :256, :256] = np.random.default_rng(1).integers(0, 256, (256, 256), dtype=np.uint8)
    plain = tiled(tmp_path / "plain.tif", data, factors=())
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    rasterio.shutil.copy(plain, source, driver="COG", compress="deflate", blocksize=256)
    ifd.edit(source, _all_alike)

    report, target = await converted(source)

    assert report.method == "encode"
    assert compare.differences(source, target) == []


def _all_alike(head: ifd.Tiff) -> ifd.Tiff:
    """Every tile of the raster is its first one."""
    first, *others = head.directories
    entries = dict(first.entries)
    for tag in (ifd.TILE_OFFSETS, ifd.TILE_BYTES):
        numbers = head.numbers(first, tag)
        entries[tag] = head.entry(ifd.LONG, np.full_like(numbers, numbers[0]))
    return dataclasses.replace(head, directories=(dataclasses.replace(first, entries=entries), *others))

"""Levels made for a base whose tiles stay: what they hold, and what their directories say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rio_cogeo.cogeo import cog_validate

from tests.support import compare
from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job, Report
from uploader.convert.tiff import ifd

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_HEIGHT, _WIDTH = 601, 730
_WRITERS = [
    ("deflate", "deflate", "rewrite"),
    ("none", "deflate", "encode"),
    ("none", "lzw", "cog_driver"),
]
"""How a source is compressed, what is asked for, and what is done then."""
_WRITTEN = ["tiles stay", "encoded", "written by GDAL"]
_ALIKE = (258, 262, 277, 320, 338, 339, 42113)


def pixels(bands: int = 1, dtype: str = "uint8") -> np.ndarray:
    """Hills of light with noise on them."""
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    light = 120 + 60 * np.sin(columns / 80) + 45 * np.cos(rows / 60)
    noise = np.random.default_rng(1).normal(0, 4, (bands, _HEIGHT, _WIDTH))
    return (light + noise).clip(1, 250).astype(dtype)


def tiled(path: Path, data: np.ndarray, *, mask: bool = False, **options: Any) -> Path:
    """A tiled raster without overviews."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": len(data), "height": _HEIGHT, "width": _WIDTH, "dtype": data.dtype.name}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="GTiff", **(shape | layout | options)) as dataset,
    ):
        if "alpha" in options:
            dataset.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
        dataset.write(data)
        if mask:
            area = np.full((_HEIGHT, _WIDTH), 255, np.uint8)
            area[:200] = 0
            dataset.write_mask(area)
    return path


async def converted(source: Path, **options: Any) -> tuple[Report, Path]:
    """The report and the COG."""
    target = source.parent.parent / "out.tif"
    return await convert(Job(source, target, **options)), target


def head(path: Path) -> ifd.Tiff:
    """The structure of a file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return ifd.read(handle)
    finally:
        os.close(handle)


def level(path: Path, number: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An overview and the mask of its first band."""
    with rasterio.open(path, overview_level=number) as dataset:
        return dataset.read(), dataset.read_masks(1) != 0


def base_tiles(path: Path) -> list[bytes]:
    """The compressed tiles of the raster itself."""
    structure = head(path)
    image = structure.directories[0]
    places = zip(
        structure.numbers(image, ifd.TILE_OFFSETS), structure.numbers(image, ifd.TILE_BYTES), strict=True
    )
    content = path.read_bytes()
    return [content[int(at) : int(at) + int(length)] for at, length in places]


_LAYOUTS: tuple[tuple[int, dict[str, Any]], ...] = (
    (1, {}),
    (3, {"photometric": "rgb", "compress": "lzw", "interleave": "band"}),
    (3, {"photometric": "ycbcr", "compress": "jpeg"}),
    (3, {"compress": "webp", "webp_lossless": True}),
    (1, {"photometric": "miniswhite"}),
    (1, {"dtype": "float32", "nbits": 16, "BIGTIFF": "YES"}),
    (1, {"dtype": "complex64"}),
)
_VALIDITIES: tuple[tuple[int, dict[str, Any]], ...] = (
    (1, {"dtype": "int16", "nodata": 120, "ENDIANNESS": "BIG"}),
    (1, {"dtype": "int64", "nodata": 2**62 + 1}),
    (1, {"dtype": "float64", "nodata": float("nan"), "compress": "zstd"}),
    (4, {"photometric": "rgb", "alpha": "NON-PREMULTIPLIED"}),
    (4, {"photometric": "rgb", "alpha": "PREMULTIPLIED"}),
)


@pytest.mark.parametrize(
    ("bands", "options", "mask"),
    [
        *((*each, mask) for each in _LAYOUTS for mask in (False, True)),
        *((*each, False) for each in _VALIDITIES),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else str(value),
)
async def test_a_tiled_raster_keeps_its_tiles(
    tmp_path: Path, bands: int, options: dict[str, Any], mask: bool
) -> None:
    """Without overviews it becomes a valid COG of the same compressed tiles, whose levels all say the same."""
    source = tiled(
        tmp_path / "in" / "source.tif", pixels(bands, options.get("dtype", "uint8")), mask=mask, **options
    )

    report, target = await converted(source)

    assert (report.method, losses(report)) == ("rewrite", [])
    assert cog_validate(target, strict=True) == (True, [], [])
    assert base_tiles(target) == base_tiles(source)
    assert compare.differences(source, target) == []
    structure = head(target)
    images = [each for each in structure.directories if not structure.number(each, ifd.SUBFILE) & ifd.MASK]
    assert len(images) == 3
    assert len(structure.directories) == 3 * (1 + mask)
    for tag in _ALIKE:
        assert len({structure.numbers(each, tag).tobytes() for each in images}) == 1, tag
    for each in structure.directories:
        assert (structure.numbers(each, ifd.TILE_BYTES) > 0).all()


async def test_levels_are_means(tmp_path: Path) -> None:
    """Every level is the mean of the one above it, weighted by area, also at odd sizes."""
    source = tiled(tmp_path / "in" / "source.tif", pixels(dtype="float32"))
    _, target = await converted(source)
    above = pixels(dtype="float32")[0].astype(np.float64)
    for number in (0, 1):
        found = level(target, number)[0][0]
        wanted = _weights(above.shape[0], found.shape[0]) @ above @ _weights(above.shape[1], found.shape[1]).T
        assert np.abs(found - wanted).max() < 1e-4
        above = found.astype(np.float64)


def _weights(above: int, small: int) -> np.ndarray:
    found = np.zeros((small, above))
    for i in range(small):
        for j in range(above):
            found[i, j] = max(0, min((i + 1) * above, (j + 1) * small) - max(i * above, j * small)) / above
    return found


async def test_padding_repeats_the_last_pixel_and_masks_pad_with_nothing(tmp_path: Path) -> None:
    """What readers of whole tiles see beyond the raster is neither an edge nor valid."""
    source = tiled(tmp_path / "in" / "source.tif", pixels(), mask=True)
    _, target = await converted(source)
    structure = head(target)
    wide = tmp_path / "wide.tif"
    directories = [structure.directories[2], structure.directories[3]]  # the first level and its mask
    size = {ifd.WIDTH: structure.entry(ifd.LONG, [512]), ifd.HEIGHT: structure.entry(ifd.LONG, [512])}
    kinds = (0, ifd.MASK)
    whole = [
        ifd.Directory(dict(each.entries) | size | {ifd.SUBFILE: structure.entry(ifd.LONG, [kind])})
        for each, kind in zip(directories, kinds, strict=True)
    ]
    wide.write_bytes(target.read_bytes())
    ifd.edit(wide, lambda old: ifd.Tiff(old.order, old.big, tuple(whole)))
    with rasterio.open(wide) as dataset:
        data, mask = dataset.read(1), dataset.read_masks(1)

    assert (data[:300, 365:] == data[:300, 364:365]).all()
    assert (data[300:, :365] == data[299:300, :365]).all()
    assert not mask[300:].any()
    assert not mask[:, 365:].any()
    assert mask[200:300, :365].all()


async def test_a_jpeg_does_not_grow_manifold(tmp_path: Path) -> None:
    """Its levels are JPEG as well: all of it stays below two and a half times its size."""
    source = tiled(tmp_path / "in" / "source.tif", pixels(3), photometric="ycbcr", compress="jpeg")
    report, target = await converted(source)

    assert report.method == "rewrite"
    assert target.stat().st_size < 2.5 * source.stat().st_size
    found = level(target)[0].astype(float)
    with rasterio.open(source) as dataset:
        above = dataset.read()[:, :600, :730].astype(float)
    near = above.reshape(3, 300, 2, 365, 2).mean(axis=(2, 4))
    assert np.sqrt(((found - near) ** 2).mean()) < 4


async def test_levels_beside_the_file_are_made_anew_inside(tmp_path: Path) -> None:
    """A `.ovr` is not looked at: the raster's tiles stay, and there is nothing to warn of."""
    source = tiled(tmp_path / "in" / "source.tif", pixels())
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(source, "r+") as dataset:
        dataset.build_overviews([2, 4])
    assert source.with_name("source.tif.ovr").exists()

    report, target = await converted(source)

    assert (report.method, losses(report)) == ("rewrite", [])
    assert base_tiles(target) == base_tiles(source)


@pytest.mark.parametrize(("compress", "wanted", "method"), _WRITERS, ids=_WRITTEN)
async def test_what_is_transparent_lends_no_colour(
    tmp_path: Path, compress: str, wanted: str, method: str
) -> None:
    """At the edge of an orthophoto the colour under the transparent part does not show."""
    data = np.full((4, _HEIGHT, _WIDTH), 200, np.uint8)
    data[3] = 255
    data[:3, :, :301], data[3, :, :301] = 0, 0
    source = tiled(
        tmp_path / "in" / "source.tif", data, photometric="rgb", alpha="NON-PREMULTIPLIED", compress=compress
    )
    report, target = await converted(source, compression=wanted)
    found, valid = level(target)

    assert report.method == method
    assert (found[:3, valid] == 200).all()
    assert set(np.unique(found[3])) > {0, 255}


@pytest.mark.parametrize(("compress", "wanted", "method"), _WRITERS, ids=_WRITTEN)
async def test_premultiplied_colours_are_averaged_as_they_are(
    tmp_path: Path, compress: str, wanted: str, method: str
) -> None:
    """At the edge of what is seen the colour fades with its alpha, for it holds it already."""
    data = np.full((4, _HEIGHT, _WIDTH), 200, np.uint8)
    data[3] = 255
    data[:, :, :301] = 0
    source = tiled(
        tmp_path / "in" / "source.tif", data, photometric="rgb", alpha="PREMULTIPLIED", compress=compress
    )
    report, target = await converted(source, compression=wanted)
    found, _ = level(target)

    assert report.method == method
    assert (found[:3, :, 150] == 100).all()
    assert (found[3, :, 150] == 128).all()


async def test_nodata_beside_premultiplied_alpha_lends_no_colour(tmp_path: Path) -> None:
    """What the nodata value declares is nothing at all, while what is transparent is dark."""
    data = np.full((4, _HEIGHT, _WIDTH), 200, np.uint8)
    data[:, :, :301] = 7
    source = tiled(tmp_path / "in" / "source.tif", data, photometric="rgb", alpha="PREMULTIPLIED", nodata=7)
    report, target = await converted(source)
    found, _ = level(target)

    assert report.method == "rewrite"
    assert (found[:3, :, 150] == 200).all()


@pytest.mark.parametrize(("compress", "wanted", "method"), _WRITERS, ids=_WRITTEN)
@pytest.mark.parametrize("hole", [np.nan, np.inf])
async def test_undeclared_holes_do_not_eat_overviews(
    tmp_path: Path, compress: str, wanted: str, method: str, hole: float
) -> None:
    """Three in a hundred pixels that are no numbers leave every level whole; and nodata is still not declared."""
    data = pixels(dtype="float32")
    data[:, np.random.default_rng(2).random(data.shape[1:]) < 0.03] = hole
    data[:, :90, :100] = hole
    source = tiled(tmp_path / "in" / "source.tif", data, compress=compress)

    report, target = await converted(source, compression=wanted)
    found, _ = level(target)

    assert report.method == method
    assert np.isnan(found[0, :40, :45]).all()
    assert np.isfinite(found[0, 60:]).mean() > 0.999
    with rasterio.open(target) as dataset:
        assert dataset.nodata is None
    assert cog_validate(target, strict=True)[0]
    assert compare.differences(source, target) == []
    assert compare.statistics(source, target, report.bands) == []


@pytest.mark.parametrize("compress", ["deflate", "none"], ids=["tiles stay", "written by GDAL"])
async def test_where_all_is_nodata_no_class_appears(tmp_path: Path, compress: str) -> None:
    """GDAL's mode is zero there, which for nodata of 16 bits is a class."""
    data = (pixels(dtype="int16") // 60).astype(np.int16) + 1
    data[:, :, :300] = -9999
    source = tiled(tmp_path / "in" / "source.tif", data, nodata=-9999, compress=compress)
    report, target = await converted(source)

    assert report.categorical
    assert compare.invented(target) == []
    assert (level(target)[0][0, :, :140] == -9999).all()


@pytest.mark.parametrize("nodata", [-9999, 1e300], ids=["of another type", "beyond the type"])
@pytest.mark.parametrize(("compress", "wanted", "method"), _WRITERS, ids=_WRITTEN)
async def test_a_nodata_value_that_no_sample_can_have(
    tmp_path: Path, compress: str, wanted: str, method: str, nodata: float
) -> None:
    """It is kept, masks nothing, and is no reason to refuse the raster."""
    data = pixels(4, "uint8" if nodata < 0 else "float32")
    source = tiled(
        tmp_path / "in" / "source.tif", data, compress=compress, photometric="rgb", alpha="NON-PREMULTIPLIED"
    )
    text = f"{nodata:g}".encode() + b"\0"  # rasterio would not take it
    _with_tag(source, ifd.NODATA, ifd.Entry(ifd.ASCII, len(text), text))

    report, target = await converted(source, compression=wanted)

    beyond = method == "encode" and nodata > 0  # such a mask goes by nodata and alpha, and is left to GDAL
    assert report.method == ("cog_driver" if beyond else method)
    assert compare.differences(source, target) == []
    with rasterio.open(target) as dataset:
        assert dataset.overviews(1)


def _with_tag(path: Path, tag: int, entry: ifd.Entry) -> None:
    """Append a directory that has one tag more, and point to it."""
    structure, content = head(path), path.read_bytes()
    image = structure.directories[0]
    start = len(content) + len(content) % 2
    moved = ifd.head(
        ifd.Tiff(
            structure.order,
            structure.big,
            (ifd.Directory(dict(image.entries) | {tag: entry}),),
            b"\0" * (start - 8),
        )
    )
    path.write_bytes(moved[:8] + content[8:].ljust(start - 8, b"\0") + moved[start:])

"""The formats besides TIFF: taken by their first bytes, exact to the last pixel, refused with a way out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from tests.support import corpus, formats
from tests.support.compare import differences
from tests.support.warned import losses
from uploader.convert import Converter, Job, Report
from uploader.convert.isolation import landlock
from uploader.core.errors import RasterRefused, RasterUnreadable
from uploader.core.naming import copy_stem

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_NAMES = [name for name in formats.RASTERS if name != "modern.nc" or landlock.abi()]
"""An HDF5 file is only taken where the kernel has Landlock."""

_FROM_PRJ = "crs: None became EPSG:32633"
"""GDAL does not look for a `.prj` beside a PNG or JPEG; the program does."""


def staged(source: Path, folder: Path) -> Path:
    """The group of a raster under the names that staging gives it; gives the raster's."""
    return corpus.stage(source, folder)


async def converted(converter: Converter, source: Path, root: Path, **options: object) -> tuple[Report, Path]:
    """The report and the COG of a raster with its sidecars."""
    copy = staged(source, root / "in")
    return await converter.convert(Job(copy, root / "out.tif", **options)), root / "out.tif"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the module, so that the children can be shared."""
    return "asyncio"


@pytest.fixture(scope="module")
async def converters(anyio_backend: str):
    """A pool for the whole module."""
    async with Converter(1) as converter:
        yield converter


async def test_every_format_is_exact_and_in_its_place(tmp_path: Path, converters: Converter) -> None:
    """Pixels, nodata, masks, colours and georeference of each are those of the source, with nothing lost."""
    for name in _NAMES:
        source = formats.raster(name, tmp_path / name / "from")
        report, cog = await converted(converters, source, tmp_path / name)

        found = differences(source.parent.parent / "in" / f"{copy_stem(name.encode())}{source.suffix}", cog)
        assert [text for text in found if text != _FROM_PRJ] == [], name
        assert losses(report) == [], name
        assert report.categorical == (name == "classes.png"), name
        with rasterio.open(cog) as dataset:
            tile = "tile" in name or "N46" in name
            assert dataset.crs.to_epsg() == (4326 if tile else 32633), name
            corner = dataset.transform * (0, 0)
            assert corner == pytest.approx((8 - 1 / 2400, 47 + 1 / 2400) if tile else (500_000, 5_100_000)), (
                name
            )


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
async def test_an_hdf5_image_is_taken_where_the_converter_is_confined(
    tmp_path: Path, converters: Converter
) -> None:
    """A file with one image and no place on earth."""
    source = formats.raster("modern.nc", tmp_path / "from").rename(tmp_path / "from" / "image.h5")
    _, cog = await converted(converters, source, tmp_path)

    with rasterio.open(cog) as after, rasterio.open(source) as before:
        assert np.array_equal(after.read(1), before.read(1))


@pytest.mark.parametrize("name", [name for name in _NAMES if name != "spill.img"])
async def test_what_ends_too_early_is_never_filled_up(
    name: str, tmp_path: Path, converters: Converter
) -> None:
    """Of some formats GDAL reads what is missing as zeros, without a word: they are measured, and refused as torn."""
    source = formats.raster(name, tmp_path / "from")
    os.truncate(source, source.stat().st_size * 3 // 4)

    with pytest.raises(RasterUnreadable) as told:
        await converted(converters, source, tmp_path)

    assert "source" not in str(told.value)
    assert not (tmp_path / "out.tif").exists()


async def test_the_spilled_pixels_must_be_there(tmp_path: Path, converters: Converter) -> None:
    """An Erdas Imagine file whose `.ige` is missing is unreadable; it may be on its way."""
    source = formats.raster("spill.img", tmp_path / "from")
    source.with_suffix(".ige").unlink()

    with pytest.raises(RasterUnreadable):
        await converted(converters, source, tmp_path)


async def test_several_rasters_in_one_file_are_listed(tmp_path: Path, converters: Converter) -> None:
    """Which of them is meant nobody can know; the reason names them all and what to do."""
    source = formats.many(tmp_path / "many.nc")

    with pytest.raises(RasterRefused, match=r"3 rasters.*Band1.*Band2.*Band3.*gdal_translate") as refused:
        await converted(converters, source, tmp_path)

    assert refused.value.as_it_is


@pytest.mark.parametrize(
    ("made", "name", "words"),
    [
        ("photo.png", "air.tif", r'not a TIFF but a PNG.*"\*\.png" is in `include`'),
        ("photo.jp2", "air.tif", r'JPEG 2000.*"\*\.jp2" is in `include`'),
        ("N46E008.hgt", "alps.hgt", r"told by its name alone.*N46E008\.hgt"),
    ],
)
async def test_a_name_that_says_something_else_is_explained(
    made: str, name: str, words: str, tmp_path: Path, converters: Converter
) -> None:
    """The first bytes decide, but never against the extension; the way out is told."""
    source = formats.raster(made, tmp_path / "from").rename(tmp_path / "from" / name)

    with pytest.raises(RasterRefused, match=words):
        await converted(converters, source, tmp_path)


async def test_a_geographic_projection_file_is_the_system_it_says(
    tmp_path: Path, converters: Converter
) -> None:
    """ESRI puts longitude first, the register latitude: for a raster both are one system."""
    source = formats.raster("whole.asc", tmp_path / "from")
    source.with_suffix(".prj").write_text(
        'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
        'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
    )

    _, cog = await converted(converters, source, tmp_path)

    with rasterio.open(cog) as dataset:
        assert dataset.crs.to_epsg() == 4326


async def test_transparent_colours_are_named(tmp_path: Path, converters: Converter) -> None:
    """A palette keeps its colours but not how transparent they are: a warning, under `strict` a refusal."""
    rows = np.arange(70 * 90).reshape(70, 90) % 9
    chunks = ((b"PLTE", bytes(range(27))), (b"tRNS", bytes([0, 128, 255])))
    source = formats.png(tmp_path / "a.png", rows, *chunks)

    report, cog = await converted(converters, source, tmp_path / "1")

    assert losses(report) == ["colour_alpha_lost"]
    with rasterio.open(cog) as dataset:
        assert dataset.colormap(1)[1] == (3, 4, 5, 255)
        assert np.array_equal(dataset.read(1), rows)
    with pytest.raises(RasterRefused, match="transparent"):
        await converted(converters, source, tmp_path / "2", strict=True)


async def test_single_bits_stay_gray(tmp_path: Path, converters: Converter) -> None:
    """A TIFF of single bits gets a palette of black and white, which a PNG of them has not: so it has whole bytes."""
    rows = np.arange(70 * 90).reshape(70, 90) // 7 % 2
    source = tmp_path / "a.png"
    plain = formats.png(tmp_path / ".a.png", rows, kind=0)
    rasterio.shutil.copy(plain, source, driver="PNG", NBITS="1")

    report, cog = await converted(converters, source, tmp_path)

    assert losses(report) == []
    with rasterio.open(cog) as dataset:
        assert dataset.colorinterp[0].name == "gray"
        assert np.array_equal(dataset.read(1), rows)


async def test_one_colour_that_is_nothing_is_nodata(tmp_path: Path, converters: Converter) -> None:
    """A palette with a single transparent entry has a nodata value, which the COG has too."""
    rows = np.arange(70 * 90).reshape(70, 90) % 9
    source = formats.png(
        tmp_path / "a.png", rows, (b"PLTE", bytes(range(27))), (b"tRNS", bytes([255, 255, 0]))
    )

    report, cog = await converted(converters, source, tmp_path)

    assert losses(report) == []
    with rasterio.open(cog) as dataset:
        assert dataset.nodata == 2


async def test_a_damaged_png_is_not_read_past_its_damage(tmp_path: Path, converters: Converter) -> None:
    """GDAL's quick way to read a PNG does not look at its checksums; the slow one does."""
    source = formats.raster("photo.png", tmp_path / "from")
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 0x20
    source.write_bytes(content)

    with pytest.raises(RasterUnreadable):
        await converted(converters, source, tmp_path)


async def test_digits_of_an_ascii_grid_survive(tmp_path: Path, converters: Converter) -> None:
    """Numbers that float32 cannot hold are read as float64, and the COG has them."""
    source = tmp_path / "a.asc"
    source.write_text("ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 500000.123\n3 4\n")

    _, cog = await converted(converters, source, tmp_path)

    with rasterio.open(cog) as dataset:
        assert dataset.read(1).tolist() == [[1.0, 500000.123], [3.0, 4.0]]


async def test_what_an_envi_header_says_besides_is_kept_or_named(
    tmp_path: Path, converters: Converter
) -> None:
    """The sensor is no fact of GeoTIFF's own; shape, place and bands are, and need no word."""
    source = formats.raster("photo.dat", tmp_path / "from")
    header = source.with_suffix(".hdr")
    header.write_text(header.read_text() + "sensor type = HyMap\n")

    report, cog = await converted(converters, source, tmp_path)

    with rasterio.open(cog) as dataset:
        kept = dataset.tags(ns="ENVI").get("sensor_type") == "HyMap"
    assert kept or losses(report) == ["domain_lost"]

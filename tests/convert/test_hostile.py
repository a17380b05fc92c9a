"""What a raster from outside may try through the names of other files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support import rasters
from tests.support.canary import Canary
from uploader.convert import Converter, Job
from uploader.core.errors import RasterRefused

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SECRET = 201


def _vrt(canary: Path) -> str:
    return (
        '<VRTDataset rasterXSize="300" rasterYSize="300"><VRTRasterBand dataType="Byte" band="1">'
        f"<SimpleSource><SourceFilename>{canary}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )


def _tagged(source: Path, **overviews: str) -> None:
    with rasterio.open(source, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", **overviews)


def _inside(source: Path, canary: Path) -> None:
    """Internal metadata names a foreign raster as the overviews."""
    _tagged(source, OVERVIEW_FILE=str(canary))


def _inside_vrt(source: Path, canary: Path) -> None:
    """Internal metadata holds a whole VRT text."""
    _tagged(source, OVERVIEW_FILE=_vrt(canary))


def _aux(source: Path, canary: Path) -> None:
    """The `.aux.xml` names a foreign raster as the overviews."""
    source.with_name(source.name + ".aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS">'
        f'<MDI key="OVERVIEW_FILE">{canary}</MDI></Metadata></PAMDataset>'
    )


def _ovr(source: Path, canary: Path) -> None:
    """The `.ovr` is a VRT that reads a foreign raster."""
    source.with_name(source.name + ".ovr").write_text(_vrt(canary))


def _mask_overviews(source: Path, canary: Path) -> None:
    """The `.msk` is a TIFF, but its own metadata names a foreign raster."""
    mask = source.with_name(source.name + ".msk")
    with rasterio.open(mask, "w", driver="GTiff", width=600, height=600, count=1, dtype="uint8") as dataset:
        dataset.write(np.full((1, 600, 600), 255, np.uint8))
        dataset.update_tags(INTERNAL_MASK_FLAGS_1="2")
    _tagged(mask, OVERVIEW_FILE=str(canary))


@pytest.mark.parametrize(
    "trick", [_inside, _inside_vrt, _aux, _ovr, _mask_overviews], ids=lambda f: f.__name__
)
async def test_no_other_file_is_opened(trick, tmp_path: Path) -> None:
    """A raster that names another file is converted without that file ever being opened."""
    foreign = tmp_path / "foreign.tif"
    with rasterio.open(
        foreign, "w", driver="GTiff", width=300, height=300, count=1, dtype="uint8"
    ) as dataset:
        dataset.write(np.full((1, 300, 300), _SECRET, np.uint8))
    source = rasters.make("rgb_striped", tmp_path / "in" / "source.tif", size=600)
    trick(source, foreign)
    canary = Canary(foreign)

    async with Converter(1) as converter:
        await converter.convert(Job(source, tmp_path / "out.tif"))

    assert not canary.opened()
    with rasterio.open(source) as dataset:  # without precautions the trick works
        dataset.overviews(1)
        dataset.read_masks(1, out_shape=(60, 60))
    assert canary.opened()
    canary.close()


async def test_mask_of_another_format_is_refused(tmp_path: Path) -> None:
    """A `.msk` that is no TIFF would be opened by whatever driver likes it, so the raster is refused."""
    source = rasters.make("rgb_striped", tmp_path / "in" / "source.tif", size=100)
    source.with_name("source.tif.msk").write_text(_vrt(source))

    async with Converter(1) as converter:
        with pytest.raises(RasterRefused, match="msk"):
            await converter.convert(Job(source, tmp_path / "out.tif"))


async def test_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link in the working folder is no raster."""
    elsewhere = rasters.make("rgb_striped", tmp_path / "elsewhere.tif", size=100)
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    source.symlink_to(elsewhere)

    async with Converter(1) as converter:
        with pytest.raises(Exception, match="cannot be opened"):
            await converter.convert(Job(source, tmp_path / "out.tif"))


async def test_vrt_named_as_tif_is_refused(tmp_path: Path) -> None:
    """A VRT under the name of a TIFF is not opened at all."""
    elsewhere = rasters.make("rgb_striped", tmp_path / "elsewhere.tif", size=100)
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    source.write_text(_vrt(elsewhere))
    canary = Canary(elsewhere)

    async with Converter(1) as converter:
        with pytest.raises(RasterRefused, match="not a TIFF"):
            await converter.convert(Job(source, tmp_path / "out.tif"))

    assert not canary.opened()
    canary.close()
    shutil.rmtree(source.parent)

"""What rasters of other projects showed: small oddities, each made here anew, that must come out exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support import compare
from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SIDE = 90
_SHAPE = {"driver": "GTiff", "width": _SIDE, "height": _SIDE, "count": 1}
_SLOPE = np.add.outer(np.arange(_SIDE), np.arange(_SIDE)) / 8


def half_where_white_is_zero(folder: Path) -> Path:
    """GDAL makes up a palette of 65536 greys for it."""
    path = folder / "source.tif"
    with rasterio.open(path, "w", dtype="float32", nbits=16, photometric="miniswhite", **_SHAPE) as dataset:
        dataset.write(_SLOPE.astype(np.float32), 1)
    return path


def half_with_nodata_between_its_numbers(folder: Path) -> Path:
    """0.1 is no half float, and of float32 GDAL reads it with the digits of that type."""
    path = folder / "source.tif"
    with rasterio.open(path, "w", dtype="float32", nbits=16, nodata=0.1, **_SHAPE) as dataset:
        dataset.write(_SLOPE.astype(np.float32), 1)
    return path


def grid_of_points_that_lies_nowhere(folder: Path) -> Path:
    """Its values are at points, which a TIFF can say; GDAL reads that as a system without name and unit."""
    path = folder / "source.asc"
    rows = "\n".join(" ".join(f"{value:.3f}" for value in row) for row in _SLOPE)
    head = f"ncols {_SIDE}\nnrows {_SIDE}\nxllcenter 1535380\nyllcenter 5083260\ncellsize 10\nNODATA_value -9999\n"
    path.write_text(head + rows + "\n")
    return path


def five_bands_of_twelve_bits(folder: Path) -> Path:
    """GDAL 3.12 unpacks such samples wrongly where it lays the bands of a COG apart."""
    path = folder / "source.tif"
    with rasterio.open(path, "w", dtype="uint16", nbits=12, **(_SHAPE | {"count": 5})) as dataset:
        dataset.write(np.stack([_SLOPE * 100 + band for band in range(5)]).astype(np.uint16))
    return path


@pytest.mark.parametrize(
    "made",
    [
        half_where_white_is_zero,
        half_with_nodata_between_its_numbers,
        grid_of_points_that_lies_nowhere,
        five_bands_of_twelve_bits,
    ],
    ids=lambda made: made.__name__,
)
async def test_an_oddity_is_exact(tmp_path: Path, made) -> None:
    """It becomes a COG that differs in nothing, and nothing is warned of."""
    folder = tmp_path / "in"
    folder.mkdir()
    source = made(folder)
    report = await convert(Job(source, tmp_path / "out.tif"))

    assert losses(report) == []
    assert compare.differences(source, tmp_path / "out.tif") == []

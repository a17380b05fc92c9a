"""Tests of the raster that a live check sends."""

from __future__ import annotations

import pytest
import rasterio
from rasterio.io import MemoryFile

from uploader.core.tiny_raster import SIDE, tiny_raster

pytestmark = pytest.mark.unit


def test_it_is_a_raster_with_a_place() -> None:
    """As GDAL reads it."""
    with MemoryFile(tiny_raster(7)) as file, file.open() as raster:
        assert (raster.shape, raster.dtypes, raster.crs.to_epsg()) == ((SIDE, SIDE), ("uint8",), 4326)
        assert raster.transform == rasterio.transform.from_origin(0, 0, 0.0001, 0.0001)
        assert raster.read(1)[0, :3].tolist() == [7, 8, 9]


def test_each_is_another() -> None:
    """Or a platform that knows contents again could take two for one."""
    assert len({tiny_raster(seed) for seed in range(4)}) == 4

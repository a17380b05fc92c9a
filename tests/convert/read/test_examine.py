"""What is read of a raster that is examined, where files beside it tell more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin

from uploader.convert.read.examine import examine

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def test_nodata_that_stands_in_a_file_of_imagine_is_seen(tmp_path: Path) -> None:
    """GDAL reads an `.aux` of Erdas Imagine together with the place; the nodata value in it counts all the same."""
    shape = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint8"}
    told, folder = tmp_path / "told.tif", tmp_path / "in"
    folder.mkdir()
    with rasterio.open(told, "w", nodata=7, transform=from_origin(0, 8, 1, 1), **shape) as dataset:
        dataset.write(np.ones((1, 8, 8), np.uint8))
    with rasterio.open(folder / "source.tif", "w", **shape) as dataset:
        dataset.write(np.ones((1, 8, 8), np.uint8))
    rasterio.shutil.copy(told, folder / "source.aux", driver="HFA", AUX="YES", DEPENDENT_FILE="source.tif")
    (band,) = examine(folder / "source.tif").bands

    assert (band.mask, band.nodata) == (8, 7.0)

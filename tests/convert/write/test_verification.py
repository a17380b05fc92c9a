"""What a raster that cannot be kept exact is told to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import rasterio.shutil

from tests.support.rasters import make
from uploader.convert import Job
from uploader.convert.read.examine import examine
from uploader.convert.write.verification import verify
from uploader.core.errors import RasterRefused

PIXELS = "pixels near column 0, row 0"


@pytest.mark.parametrize(
    ("pixels", "crs", "editing", "rewriting"),
    [(PIXELS, 32633, False, True), ("", 32632, True, False), (PIXELS, 32632, True, True)],
    ids=["pixels", "a fact", "both"],
)
def test_the_way_out_is_of_what_differs(
    tmp_path: Path, pixels: str, crs: int, *, editing: bool, rewriting: bool
) -> None:
    """No edit of metadata mends pixels that are read otherwise; where a fact has changed, it does."""
    make("dem_nodata", tmp_path / "a.tif", size=64)
    rasterio.shutil.copy(tmp_path / "a.tif", tmp_path / "cog.tif", driver="COG")
    with rasterio.open(tmp_path / "a.tif", "r+") as dataset:
        dataset.crs = rasterio.CRS.from_epsg(crs)
    with rasterio.open(tmp_path / "cog.tif") as dataset:
        assert (dataset.crs.to_epsg() == crs) is not editing
    job = Job(tmp_path / "a.tif", tmp_path / "out.tif")

    with pytest.raises(RasterRefused) as refused:
        verify(job, examine(job.source), tmp_path / "cog.tif", frozenset(), pixels)

    assert ("gdal_edit" in refused.value.way_out) is editing
    assert ("COMPRESS=DEFLATE" in refused.value.way_out) is rewriting

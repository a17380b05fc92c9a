"""Heads read where rasters lie: the child sees a raster's own files, and nothing else of the folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np
import pytest
import rasterio

from uploader.convert import Converter, Job
from uploader.convert.isolation import landlock
from uploader.convert.job import Forecast
from uploader.core.errors import LocalError, RasterRefused, RasterUnreadable

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not landlock.abi(), reason="this kernel cannot keep a process from files"),
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]

NOWHERE = Path("/nonexistent/result.tif")


def looked(*asked: tuple[Job, list[str]]) -> list[Forecast | LocalError]:
    """What one converter says of each job, with the names of the files that are the raster's own."""

    async def each() -> list[Forecast | LocalError]:
        found: list[Forecast | LocalError] = []
        async with Converter(1) as converter:
            for job, beside in asked:
                try:
                    found.append(await converter.look_ahead(job, beside))
                except LocalError as error:
                    found.append(error)
        return found

    return anyio.run(each)


def test_only_the_rasters_own_files_are_read_and_refusals_are_those_of_a_conversion(tmp_path: Path) -> None:
    """Notes that are not named might as well not be there; limits, damage and links are told as ever."""
    source, notes = tmp_path / "a.tif", "a.tif.aux.xml"
    with rasterio.open(source, "w", driver="GTiff", width=32, height=32, count=4, dtype="uint8") as raster:
        raster.write(np.ones((4, 32, 32), np.uint8))
    system = rasterio.crs.CRS.from_epsg(32633).to_wkt().replace('"', "&quot;")
    (tmp_path / notes).write_text(f"<PAMDataset><SRS>{system}</SRS></PAMDataset>")
    (tmp_path / "b.tif").write_bytes(b"II*\0" + b"x" * 100)
    (tmp_path / "c.tif").symlink_to("a.tif")
    job = Job(source=source, target=NOWHERE, on_missing_crs="reject", name="a.tif", min_free_bytes=0)

    with_it, without, limited, damaged, link = looked(
        (job, [notes]),
        (job, []),
        (replace(job, max_bands=2), [notes]),
        (replace(job, source=tmp_path / "b.tif"), []),
        (replace(job, source=tmp_path / "c.tif"), []),
    )

    assert isinstance(with_it, Forecast)
    assert with_it.method == "encode"
    assert isinstance(without, RasterRefused)
    assert "no reference system" in without.reason
    assert isinstance(limited, RasterRefused)
    assert isinstance(damaged, RasterUnreadable)
    assert isinstance(link, RasterUnreadable)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", notes, "b.tif", "c.tif"]

"""How often a raster is read before it is sent as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from uploader.convert import Job
from uploader.convert.read.examine import examine
from uploader.convert.read.formats.open_raster import opened
from uploader.convert.write import inspection

pytestmark = pytest.mark.e2e

_GATHER = inspection.gather


@pytest.mark.parametrize(("verify", "sampled"), [("full", False), ("sample", True)])
def test_an_image_is_read_once_before_it_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: Any, sampled: bool
) -> None:
    """Statistics and overviews are judged by the same pixels, be they all or a part."""
    plain, source = tmp_path / "plain.tif", tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    rows, columns = np.mgrid[0:1100, 0:1100]
    pixels = (rows // 9 + columns // 7).astype(np.uint8)
    shape = {"width": 1100, "height": 1100, "count": 3, "dtype": "uint8", "photometric": "rgb"}
    with rasterio.open(plain, "w", driver="GTiff", **shape) as dataset:
        dataset.write(np.stack([pixels] * 3))
    rasterio.shutil.copy(plain, source, driver="COG", OVERVIEW_RESAMPLING="AVERAGE", STATISTICS="YES")
    passes = []

    def noted(*given: Any) -> None:
        passes.append(1)
        _GATHER(*given)

    monkeypatch.setattr(inspection, "gather", noted)
    facts = examine(source)
    with opened(source, facts.driver) as dataset:
        job = Job(source, tmp_path / "out.tif", verify=verify)
        candidate = inspection.claims_to_be_done(job, facts)
        found = inspection.inspect(job, dataset, facts, candidate=candidate)

    assert candidate
    assert (found.passes, found.sampled, passes) == (True, sampled, [1])

"""The judge finds what GDAL shows otherwise: pixels, place, kind of pixel, mask values, nodata, metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from tests.judge import meaning
from tests.judge.findings import verdict
from tests.support.tiffwriter import Picture, shorts, write

pytestmark = pytest.mark.unit

_RIGHT: dict[str, Any] = {
    "pixels": 7, "crs": CRS.from_epsg(25833), "transform": from_origin(4e5, 5e6, 2, 2), "nodata": 0.0,
    "tags": {"AREA_OR_POINT": "Area", "ORBIT": "17"}, "band": {"GAIN": "2"}, "scale": 0.5, "unit": "K", "name": "heat",
}  # fmt: skip

_CHANGES = {
    "pixels": 8,
    "crs": CRS.from_epsg(25832),
    "transform": from_origin(4e5, 5e6 + 1e-4, 2, 2),
    "nodata": 1.0,
    "tags": {"AREA_OR_POINT": "Point", "ORBIT": "17"},
    "scale": 0.25,
    "unit": "C",
    "name": "cold",
}


def _raster(path: Path, **changes: Any) -> Path:
    facts = _RIGHT | changes
    profile = {key: facts[key] for key in ("crs", "transform", "nodata") if facts[key] is not None}
    size = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="GTiff", **size, **profile) as dataset,
    ):
        dataset.write(np.full((1, 64, 64), facts["pixels"], np.uint8))
        dataset.update_tags(**facts["tags"])
        dataset.update_tags(1, **facts["band"])
        dataset.scales, dataset.units, dataset.descriptions = (
            (facts["scale"],),
            (facts["unit"],),
            (facts["name"],),
        )
    return path


def _verdict(folder: Path, source: dict[str, Any], result: dict[str, Any]) -> str:
    pair = _raster(folder / "source.tif", **source), _raster(folder / "result.tif", **result)
    return verdict(meaning.compared(*pair), []).title


def test_a_copy_is_exact(tmp_path: Path) -> None:
    """The judge finds nothing where nothing is."""
    assert _verdict(tmp_path, {}, {}) == "exact"


@pytest.mark.parametrize("what", _CHANGES)
def test_a_planted_change_is_found(what: str, tmp_path: Path) -> None:
    """One fact is another, and that is all."""
    assert _verdict(tmp_path, {}, {what: _CHANGES[what]}) in ("wrong", "silent")


@pytest.mark.parametrize("gone", [{"tags": {"AREA_OR_POINT": "Area"}}, {"band": {}}])
def test_a_metadata_item_that_is_gone_is_a_loss(gone: dict[str, Any], tmp_path: Path) -> None:
    """Of the raster or of a band."""
    assert _verdict(tmp_path, {}, gone) == "silent"


def test_a_soft_mask_counts_value_by_value(tmp_path: Path) -> None:
    """What is half valid is not valid."""
    ramp = np.linspace(0, 255, 64 * 64).reshape(64, 64, 1).astype(np.uint8)
    masks = (ramp, np.maximum(ramp, 1), (ramp > 0) * np.uint8(255))
    pixels, of_mask = np.full((64, 64, 1), 7, np.uint8), {254: shorts(4), 262: shorts(4)}
    soft, other, hard = (
        write(tmp_path / f"{at}.tif", [Picture(pixels), Picture(mask, of_mask)])
        for at, mask in enumerate(masks)
    )

    assert verdict(meaning.compared(soft, soft), []).title == "exact"
    assert [verdict(meaning.compared(soft, each), []).title for each in (other, hard)] == ["wrong", "wrong"]
    assert [meaning.has_soft_mask(each) for each in (soft, other, hard)] == [True, True, False]

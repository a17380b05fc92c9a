"""Masks that are seen in the samples, against those that GDAL tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from uploader.convert.read.block_reader import read
from uploader.convert.read.examine import examine
from uploader.convert.read.formats.open_raster import opened
from uploader.convert.read.windows import rows_of_tiles
from uploader.convert.write.row_masks import asked, with_masks

pytestmark = pytest.mark.unit

_SIDE = 90


@pytest.mark.parametrize(
    ("dtype", "nodata", "alpha", "by_gdal"),
    [
        ("uint8", 0, False, False),
        ("int16", -9999, False, False),
        ("uint16", 0, False, False),
        ("float32", -9999, False, True),
        ("float32", np.nan, False, True),
        ("uint8", None, True, False),
        ("uint16", None, True, True),
    ],
)
def test_masks_are_those_of_gdal(
    tmp_path: Path, dtype: str, nodata: float | None, alpha: bool, by_gdal: bool
) -> None:
    """Of every band, for nodata and for alpha, which may be as little as 1."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 3, (2, _SIDE, _SIDE)).astype(dtype)
    if nodata is not None:
        pixels[:, random.random((_SIDE, _SIDE)) < 0.3] = nodata
    path = tmp_path / "a.tif"
    shape = {"width": _SIDE, "height": _SIDE, "count": 2, "dtype": dtype, "nodata": nodata}
    with rasterio.open(path, "w", **shape, **({"alpha": "non-premultiplied"} if alpha else {})) as dataset:
        dataset.write(pixels)
    facts = examine(path)
    with opened(path, "GTiff") as dataset:
        (piece,) = rows_of_tiles(facts, 512)
        rows = with_masks(read(dataset, facts, piece, asked(facts)), facts)
        wanted = {n: dataset.read_masks(n) != 0 for n in (1, 2) if not (alpha and n == 2)}

    assert bool(asked(facts)) == by_gdal
    assert rows.masks.keys() == wanted.keys()
    assert all(np.array_equal(rows.masks[n], mask) for n, mask in wanted.items())

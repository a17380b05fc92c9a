"""How much is read to learn whether a raster may hold classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from uploader.convert.read import measure
from uploader.convert.read.examine import examine

pytestmark = pytest.mark.e2e

_SIDE = 1500


class _Counting:
    """A dataset that counts the pixels that are asked of it."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.pixels = 0

    def read(self, bands: Any, *, window: Any) -> Any:
        """As the dataset reads."""
        found = self._dataset.read(bands, window=window)
        self.pixels += found.size
        return found


@pytest.mark.parametrize(("values", "expected"), [(5, True), (250, False)])
def test_a_few_places_tell_whether_a_raster_may_hold_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: int, expected: bool
) -> None:
    """They are spread over it, and together a small part of it: what may hold classes is read in full anyway."""
    monkeypatch.setattr(measure, "_PEEK_BYTES", 1 << 16)
    pixels = np.random.default_rng(0).integers(0, values, (_SIDE, _SIDE), dtype=np.uint8)
    path = tmp_path / "classes.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=_SIDE, height=_SIDE, count=1, dtype="uint8", blockysize=4
    ) as made:
        made.write(pixels, 1)

    with rasterio.open(path) as dataset:
        counting = _Counting(dataset)
        found = measure.may_be_classes(counting, examine(path))

    assert found is expected
    assert 0 < counting.pixels < pixels.size / 4

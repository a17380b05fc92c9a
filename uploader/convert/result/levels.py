"""Whether the overviews that a raster brings along can be believed: decodable, and of its own values.

Overviews of an edited raster may be those of the old one, and of classes somebody may have made averages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from uploader.convert.formats.opening import Dataset, translated
from uploader.convert.job import BandStatistics
from uploader.convert.raster.statistics import Measured
from uploader.core.errors import ConversionFailed

_ROWS_BYTES = 16 << 20
_SLACK = 1e-6


def require_sound(result: Path, measured: Measured, *, categorical: bool) -> None:
    """Every valid sample of every overview lies between the extremes of its band; of classes, is one.

    `result` is a file of ours alone in its folder. Raises ConversionFailed where that is not so, RasterUnreadable
    where an overview does not decode.
    """
    if not _sound(result, measured, categorical=categorical):
        raise ConversionFailed("Its overviews are not its own.")


def _sound(result: Path, measured: Measured, *, categorical: bool) -> bool:
    if categorical and measured.values is None:
        return False
    with translated("read in its overviews"):
        with rasterio.open(result, driver="GTiff", sharing=False) as dataset:
            levels = len(dataset.overviews(1))
        for level in range(levels):
            with rasterio.open(result, driver="GTiff", sharing=False, overview_level=level) as dataset:
                if not all(_within(samples, n, measured, categorical) for n, samples in _samples(dataset)):
                    return False
    return True


def _samples(dataset: Dataset) -> Iterator[tuple[int, Any]]:
    """The valid, finite samples of each band, some rows at a time; complex ones by their real part."""
    tall = dataset.block_shapes[0][0]
    step = max(tall, _ROWS_BYTES // (16 * dataset.width) // tall * tall)
    for row in range(0, dataset.height, step):
        window = (row, min(row + step, dataset.height)), (0, dataset.width)
        for index in dataset.indexes:
            samples = dataset.read(index, window=window)[dataset.read_masks(index, window=window) != 0]
            yield index - 1, samples[np.isfinite(samples)].real


def _within(samples: Any, band: int, measured: Measured, categorical: bool) -> bool:  # noqa: FBT001 - inner
    if not samples.size:
        return True
    if categorical and measured.values is not None:
        return measured.values.issuperset(np.unique(samples).tolist())
    return _between(samples.min().item(), samples.max().item(), measured.bands[band])


def _between(low: float, high: float, band: BandStatistics) -> bool:
    if band.min is None or band.max is None:
        return False
    slack = _SLACK * max(abs(band.min), abs(band.max)) if isinstance(low, float) else 0
    return band.min - slack <= low and high <= band.max + slack

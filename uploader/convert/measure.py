"""One pass over the pixels of a raster: statistics and distinct values, with what is masked left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.facts import ALL_VALID, NODATA, PER_DATASET, BandFacts, Facts
from uploader.convert.opening import Dataset, translated
from uploader.convert.statistics import Classes, Measured, Moments
from uploader.convert.windows import Piece, pieces

Validity = NDArray[np.bool_] | None
"""True where a pixel counts; None: everywhere."""


def measure(dataset: Dataset, facts: Facts, *, classes: bool) -> Measured:
    """Read everything once. Raises RasterUnreadable where a block is missing or damaged."""
    moments = [Moments() for _ in facts.bands]
    data = next((band.index for band in facts.bands if band.interpretation != "alpha"), 1)
    distinct = Classes()
    with translated("read to its end"):
        for piece in pieces(facts):
            samples = dataset.read(list(piece.bands), window=piece.place)
            masks = _Masks(dataset, piece)
            for index, band in zip(piece.bands, samples, strict=True):
                valid = masks.of(facts.bands[index - 1], band)
                counted = band.reshape(-1) if valid is None else band[valid]
                moments[index - 1].add(counted)
                if classes and index == data:
                    distinct.add(counted)
    return Measured(
        bands=tuple(moment.result(facts.pixels) for moment in moments),
        distinct=distinct.distinct if classes else None,
        counted=moments[data - 1].count,
    )


class _Masks:
    """Which pixels of one piece count; a mask that all bands share is read once."""

    def __init__(self, dataset: Dataset, piece: Piece) -> None:
        self._dataset = dataset
        self._piece = piece
        self._shared: NDArray[np.bool_] | None = None

    def of(self, band: BandFacts, samples: NDArray[Any]) -> Validity:
        """For one band, whose samples were read already."""
        if band.mask & ALL_VALID:
            return None
        if band.mask & PER_DATASET:
            if self._shared is None:
                self._shared = self._read(band.index)
            return self._shared
        if band.mask & NODATA and band.nodata is not None:
            if np.isnan(band.nodata):
                return None  # not finite: does not count anyway
            if _whole(band.nodata, samples.dtype):
                valid: NDArray[np.bool_] = samples != samples.dtype.type(int(band.nodata))
                return valid
        return self._read(band.index)

    def _read(self, index: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self._dataset.read_masks(index, window=self._piece.place) != 0
        return mask


def _whole(value: float, dtype: np.dtype[Any]) -> bool:
    """Whether an integer type can hold the value exactly; of floats GDAL decides what is equal."""
    if dtype.kind not in "iu" or not float(value).is_integer():
        return False
    bounds = np.iinfo(dtype)
    return bounds.min <= int(value) <= bounds.max

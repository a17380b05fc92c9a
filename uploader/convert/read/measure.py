"""What the pixels of a raster say: statistics and distinct values, with what is masked left out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from uploader.convert.read.block_reader import Block, Mask, blocks, read
from uploader.convert.read.facts import ALL_VALID, NODATA, PER_DATASET, BandFacts, Facts
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.convert.read.nodata_border import Collar, says_all_valid
from uploader.convert.read.pass_progress import LOOKING, counted
from uploader.convert.read.statistics import Classes, Counts, Moments, PixelStatistics, Totals, few
from uploader.convert.read.windows import Piece, pieces

_PEEKS = 6
_PEEK_BYTES = 4 << 20
"""How many places are looked at before all of a raster is read for its classes, and how much at each."""

_FLOAT_DIGITS = 1 << 53


class Watcher(Protocol):
    """Somebody who looks at blocks that are read for another purpose."""

    masked: frozenset[int]
    """The bands whose masks it needs."""
    margin: int
    """How many pixels around each block it needs."""
    failed: bool
    """It has seen enough, and nobody need go on."""

    def see(self, block: Block) -> None:
        """Look at one block."""


def measure(dataset: Dataset, facts: Facts, *, classes: bool) -> PixelStatistics:
    """Read everything once. Raises RasterUnreadable where a block is missing or damaged."""
    gauge = Gauge(facts, classes=classes)
    gather(dataset, facts, gauge, pieces(facts))
    return gauge.result()


def gather(
    dataset: Dataset,
    facts: Facts,
    gauge: Gauge,
    wanted: Iterable[Piece],
    watch: Watcher | None = None,
    *,
    share: float = LOOKING,
) -> None:
    """Show pieces to a gauge, and to a watcher, until that has failed. Raises RasterUnreadable.

    `share`: what this pass takes of all that is left of the conversion.
    """
    masked = gauge.masked | (watch.masked if watch else frozenset())
    margin = watch.margin if watch else 0
    with (
        translated("read to its end"),
        closing(blocks(dataset, facts, wanted, masked, margin=margin)) as found,
    ):
        for block in counted(found, facts.samples, share):
            gauge.add(block)
            if watch:
                watch.see(block)
                if watch.failed:
                    return


def may_be_classes(dataset: Dataset, facts: Facts) -> bool:
    """Whether a few pieces leave it open that the only data band holds classes: then all of it must be read.

    Of each piece a block in the middle comes first, which is enough for most images and measurements.
    """
    everything = list(pieces(facts, _PEEK_BYTES))
    step = max(1, len(everything) // _PEEKS)
    gauge = Gauge(facts, classes=True, border=False)
    with translated("read"):
        for piece in everything[::step][:_PEEKS]:
            for part in (_middle(piece, facts), piece):
                gauge.add(read(dataset, facts, part, gauge.masked))
                if gauge.distinct() is None:
                    return False
    return True


def _middle(piece: Piece, facts: Facts) -> Piece:
    """One block of it."""
    rows, columns = facts.bands[0].block
    column, row = piece.width // 2 // columns * columns, piece.height // 2 // rows * rows
    return Piece(
        piece.column + column,
        piece.row + row,
        min(columns, piece.width - column),
        min(rows, piece.height - row),
        piece.bands,
    )


class Gauge:
    """Takes in blocks of one raster, each once, in any order. `masked` are the bands whose masks it needs.

    Without `border` nobody asks what reaches in from there.
    """

    def __init__(self, facts: Facts, *, classes: bool, border: bool = True) -> None:
        self._facts = facts
        self._data = next((band.index for band in facts.bands if band.interpretation != "alpha"), 1)
        self._bands = [_reduction(band, values=classes and band.index == self._data) for band in facts.bands]
        self._classes = Classes() if classes else None
        named = facts.palette or facts.categories
        self._collar = Collar(facts) if border and says_all_valid(facts) and not named else None
        self.masked = frozenset(band.index for band in facts.bands if _needs_mask(band))

    def add(self, block: Block) -> None:
        """Take in one piece."""
        if self._collar:
            self._collar.add(block)
        for index, samples in zip(block.piece.bands, block.samples, strict=True):
            gauge = self._bands[index - 1]
            valid = self._valid(index, samples, block.masks.get(index))
            counted = samples.reshape(-1) if valid is None or valid.all() else samples[valid]
            gauge.add(counted)
            if self._classes is not None and index == self._data and not isinstance(gauge, Counts):
                self._classes.add(counted)

    def _valid(self, index: int, samples: NDArray[Any], mask: Mask | None) -> Mask | None:
        """Which samples count; None: all, or what does not count is taken out at the end."""
        band = self._facts.bands[index - 1]
        if mask is not None or not band.mask & NODATA or band.nodata is None or np.isnan(band.nodata):
            return mask
        if isinstance(self._bands[index - 1], Counts):
            return None
        valid: Mask = samples != samples.dtype.type(int(band.nodata))
        return valid

    def result(self) -> PixelStatistics:
        """What was seen so far, as if it were all."""
        values = self.distinct()
        return PixelStatistics(
            bands=tuple(gauge.result(self._facts.pixels) for gauge in self._bands),
            distinct=None if values is None else len(values),
            counted=self._bands[self._data - 1].count,
            values=values,
            holes=any(map(_holes, self._facts.bands, self._bands)),
            suspect=self._collar.result() if self._collar else None,
        )

    def distinct(self) -> frozenset[int] | None:
        """The values of the only data band so far; None: too many to be classes, or nobody asked."""
        self._forget_nodata()
        if self._classes is None:
            return None
        data = self._bands[self._data - 1]
        return few(data.values()) if isinstance(data, Counts) else self._classes.values

    def _forget_nodata(self) -> None:
        for band, gauge in zip(self._facts.bands, self._bands, strict=True):
            implied = band.mask & NODATA and band.nodata is not None and band.index not in self.masked
            if isinstance(gauge, Counts) and implied:
                gauge.forget(int(band.nodata or 0))


def _reduction(band: BandFacts, *, values: bool) -> Counts | Totals | Moments:
    """What a band is reduced to. Each value is counted where the values are wanted, or nodata is among them."""
    if not _countable(band):
        return Moments()
    return Counts(np.dtype(band.dtype)) if values or band.mask & NODATA else Totals()


def _holes(band: BandFacts, gauge: Counts | Totals | Moments) -> bool:
    if not isinstance(gauge, Moments):
        return False
    declared = band.nodata is not None and math.isnan(band.nodata)
    return gauge.infinities > 0 or (gauge.nans > 0 and not declared)


def _countable(band: BandFacts) -> bool:
    return "int" in band.dtype and "complex" not in band.dtype and Counts.fits(np.dtype(band.dtype))


def _needs_mask(band: BandFacts) -> bool:
    """Whether only GDAL can tell which samples count: of whole numbers it is plain which are nodata."""
    if band.mask & ALL_VALID:
        return False
    if band.mask & NODATA and band.nodata is not None and not band.mask & PER_DATASET:
        return not np.isnan(band.nodata) and not _whole(band.nodata, band.dtype)
    return True


def _whole(value: float, dtype: str) -> bool:
    """Whether an integer type can hold the value exactly; of floats GDAL decides what is equal.

    So it does of values beyond the digits of the float in which rasterio tells them.
    """
    if (
        "int" not in dtype
        or "complex" in dtype
        or not float(value).is_integer()
        or abs(value) >= _FLOAT_DIGITS
    ):
        return False
    bounds = np.iinfo(dtype)
    return bounds.min <= int(value) <= bounds.max

"""Which pixels of the level above a pixel of an overview covers. Pure, and in whole numbers.

A level is stretched over the one above it: pixel i of `level` pixels covers the stretch from i * above / level to
(i + 1) * above / level, whose ends may lie within a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Take = slice | NDArray[np.int64]
"""One pixel of each footprint: what an array is indexed with along an axis."""


def sizes(width: int, height: int, tile: int) -> list[tuple[int, int]]:
    """Width and height of all levels below a raster, as GDAL's COG driver has them: halved, rounded down.

    The last one fits into a tile.
    """
    found = []
    while max(width, height) > tile:
        width, height = max(1, width // 2), max(1, height // 2)
        found.append((width, height))
    return found


@dataclass(frozen=True, slots=True)
class Axis:
    """The rows, or the columns, of two levels: how many there are of each."""

    above: int
    level: int

    @property
    def ratio(self) -> float:
        """How many pixels above one pixel covers."""
        return self.above / self.level

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """What the pixels from `first` to before `stop` cover at least in part; the second end is excluded, too."""
        return first * self.above // self.level, -(-stop * self.above // self.level)

    def within(self, first: int, stop: int) -> tuple[int, int]:
        """The pixels of the level that begin in a stretch above: consecutive stretches share none and lose none."""
        return -(-first * self.level // self.above), -(-stop * self.level // self.above)

    def cover(self, first: int, stop: int) -> Cover:
        """The footprints of some pixels, in an array that begins where their `span` does."""
        return Cover(self, first, stop)


@dataclass(frozen=True)
class Cover:
    """The footprints of pixels `first` to before `stop` along one axis, all made as long as the longest."""

    axis: Axis
    first: int
    stop: int

    @cached_property
    def ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each footprint begins and ends, counted from the beginning of the span."""
        pixels = np.arange(self.first, self.stop, dtype=np.int64)
        origin = self.axis.span(self.first, self.stop)[0]
        begin = pixels * self.axis.above // self.axis.level - origin
        end = -(-(pixels + 1) * self.axis.above // self.axis.level) - origin
        return begin, end

    @cached_property
    def taps(self) -> list[Take]:
        """The k-th pixel of each footprint, for every k; a short footprint repeats its last one."""
        begin, end = self.ends
        if self.regular and begin.size:
            longest = 2 if self.halves else 3
            return [slice(k, k + 2 * begin.size - 1, 2) for k in range(longest)]
        longest = int((end - begin).max()) if begin.size else 0
        return [np.minimum(begin + k, end - 1) for k in range(longest)]

    @cached_property
    def weights(self) -> list[NDArray[np.float64]]:
        """How much of the k-th pixel belongs to each footprint: whole numbers, `total` for all of a footprint."""
        begin, end = self.ends
        common = math.gcd(self.axis.above, self.axis.level)
        above, level = self.axis.above // common, self.axis.level // common
        pixels = np.arange(self.first, self.stop, dtype=np.int64)
        origin = self.axis.span(self.first, self.stop)[0]
        found = []
        for k in range(len(self.taps)):
            at = begin + k + origin
            part = np.minimum((pixels + 1) * above, (at + 1) * level) - np.maximum(pixels * above, at * level)
            found.append(np.where(begin + k < end, part, 0).astype(np.float64))
        return found

    @property
    def total(self) -> int:
        """The sum of the weights of one footprint."""
        return self.axis.above // math.gcd(self.axis.above, self.axis.level)

    @property
    def halves(self) -> bool:
        """Whether every pixel covers just two."""
        return self.axis.above == 2 * self.axis.level

    @property
    def regular(self) -> bool:
        """Whether every pixel covers two, or two and a part of the next, beginning with every other one."""
        return self.axis.above - 2 * self.axis.level in (0, 1)

    @cached_property
    def middles(self) -> NDArray[np.int64]:
        """The pixel at the middle of each footprint."""
        pixels = np.arange(self.first, self.stop, dtype=np.int64)
        origin = self.axis.span(self.first, self.stop)[0]
        middle = (2 * pixels + 1) * self.axis.above // (2 * self.axis.level)
        return np.asarray(middle - origin, np.int64)


@dataclass(frozen=True, slots=True)
class Footprints:
    """The footprints of a rectangle of pixels."""

    rows: Cover
    columns: Cover

    def taps(self, samples: NDArray[Any]) -> list[NDArray[Any]]:
        """Each pixel of the footprints as an array of the size of the level; `samples` are (rows, columns) above."""
        return [samples[rows][:, columns] for rows in self.rows.taps for columns in self.columns.taps]

    def weights(self) -> list[NDArray[np.float64]]:
        """The share of each of these taps in its footprint, 0 to 1."""
        whole = self.rows.total * self.columns.total
        return [
            np.multiply.outer(rows, columns) / whole
            for rows in self.rows.weights
            for columns in self.columns.weights
        ]

    def present(self) -> list[NDArray[np.bool_]]:
        """Which of these taps belong to their footprint: a short one repeats its last."""
        return [
            np.logical_and.outer(rows > 0, columns > 0)
            for rows in self.rows.weights
            for columns in self.columns.weights
        ]

    def reduced(self, samples: NDArray[Any], function: np.ufunc) -> NDArray[Any]:
        """Fold the footprints with a function for which order and repetition do not matter: least, most, any, all."""
        across = _folded([samples[:, take] for take in self.columns.taps], function)
        return _folded([across[take] for take in self.rows.taps], function)

    def summed(self, samples: NDArray[Any]) -> NDArray[Any]:
        """The sum over each footprint, weighted in whole numbers; see `whole`. In the type of the samples."""
        down = summed_along(samples, self.rows, 0, samples.dtype)
        return summed_along(down, self.columns, 1, samples.dtype)

    @property
    def halves(self) -> bool:
        """Whether all of them are two by two."""
        return self.rows.halves and self.columns.halves

    @property
    def whole(self) -> float:
        """What `summed` makes of ones."""
        return float(self.rows.total * self.columns.total)


def _folded(parts: list[NDArray[Any]], function: np.ufunc) -> NDArray[Any]:
    found = parts[0]
    for part in parts[1:]:
        found = function(found, part)
    return found


def summed_along(samples: NDArray[Any], cover: Cover, axis: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The weighted sums over rows (axis 0) or columns (1) alone, in this type."""
    takes = [(slice(None), take) if axis else (take, slice(None)) for take in cover.taps]
    if cover.halves:
        return np.asarray(np.add(samples[takes[0]], samples[takes[1]], dtype=dtype))
    found = None
    for take, weight in zip(takes, cover.weights, strict=True):
        factor = weight.astype(dtype)
        part: NDArray[Any] = np.multiply(samples[take], factor if axis else factor[:, None], dtype=dtype)
        found = part if found is None else np.add(found, part, out=found)
    assert found is not None
    return found

"""Exact statistics of bands, gathered window by window; and how few distinct values a band has.

Each window is reduced in float64 around its own mean (corrected two-pass), and the reductions are merged as Chan,
Golub and LeVeque do ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979), so that a
large mean does not eat the digits of a small variance. The sum is compensated (Neumaier). Pure: numpy arrays in,
numbers out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.job import BandStatistics
from uploader.convert.read.nodata_border import Suspect

Samples = NDArray[Any]
"""One dimension, of whatever type the band has."""

MAX_CLASSES = 32
"""More distinct values than this, and a band is not taken for classes, unless they are sets of flags."""

MAX_VALUES = 64
"""More distinct values than this, and nobody asks which they are."""

_CHUNK = 1 << 15
"""Samples reduced at once: 256 KiB as float64 stay in the processor's cache, and in memory that is at hand."""

_COUNTED = 1 << 18
"""Samples counted at once: each time all values are gone through."""

_SPREAD = 1 << 16
_LARGEST = 2**63 - 1
_PROBE = 61


class Counts:
    """How often each value of a type of one or two bytes was seen: from that everything follows, without rounding."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._signed = dtype.kind == "i"
        self._size = 1 << 8 * dtype.itemsize
        self._seen: NDArray[np.int64] = np.zeros(self._size, np.int64)

    @staticmethod
    def fits(dtype: np.dtype[Any]) -> bool:
        """Whether there are few enough values to count each."""
        return dtype.kind in "iu" and dtype.itemsize <= 2  # noqa: PLR2004 - bytes

    def add(self, samples: Samples) -> None:
        """Take in valid samples."""
        bits = np.ascontiguousarray(samples).view(f"u{samples.dtype.itemsize}")
        if self._size == 1 << 8:
            even = bits.size // 2 * 2
            self._add_pairs(bits[:even].view(np.uint16))
            bits = bits[even:]
        for start in range(0, bits.size, _COUNTED):
            self._seen += np.bincount(bits[start : start + _COUNTED], minlength=self._size)

    def _add_pairs(self, pairs: Samples) -> None:
        """Two bytes at a time, which takes half the steps."""
        for start in range(0, pairs.size, _COUNTED):
            both = np.bincount(pairs[start : start + _COUNTED], minlength=1 << 16).reshape(1 << 8, 1 << 8)
            self._seen += both.sum(axis=0) + both.sum(axis=1)

    def forget(self, value: int) -> None:
        """Take out all samples of one value: nodata need not be sorted out before."""
        self._seen[value % self._size] = 0

    @property
    def count(self) -> int:
        """How many samples."""
        return int(self._seen.sum())

    def values(self) -> NDArray[np.int64]:
        """The values that were seen, in no order."""
        bits = np.flatnonzero(self._seen)
        return np.where(bits >= self._size // 2, bits - self._size, bits) if self._signed else bits

    def result(self, pixels: int) -> BandStatistics:
        """The statistics, where the band has so many pixels in all; each is the true value, rounded once."""
        count = self.count
        if not count:
            return BandStatistics(None, None, None, None, 0.0)
        values, often = self.values(), self._seen[self._seen > 0]
        total = _sum_of_products(values, often, self._size * count)
        squares = _sum_of_products(values * values, often, self._size**2 * count)
        return _exact(count, (int(values.min()), int(values.max())), (total, squares), pixels)


class Totals:
    """Extremes, sum and sum of squares of the same types, as exact as `Counts` and made in half the time.

    Only for samples all of which count, and whose values nobody wants to know.
    """

    def __init__(self) -> None:
        self.count = 0
        self._low: int | None = None
        self._high: int | None = None
        self._total = 0
        self._squares = 0

    def add(self, samples: Samples) -> None:
        """Take in valid samples. Of a chunk each sum is a whole number that float64 holds: less than 2**53."""
        if not samples.size:
            return
        low, high = int(samples.min()), int(samples.max())
        self._low = low if self._low is None else min(self._low, low)
        self._high = high if self._high is None else max(self._high, high)
        self.count += samples.size
        for start in range(0, samples.size, _CHUNK):
            work = samples[start : start + _CHUNK].astype(np.float64)
            self._total += int(work.sum())
            self._squares += int(work.dot(work))

    def result(self, pixels: int) -> BandStatistics:
        """As that of `Counts`."""
        if self._low is None or self._high is None:
            return BandStatistics(None, None, None, None, 0.0)
        return _exact(self.count, (self._low, self._high), (self._total, self._squares), pixels)


def _exact(count: int, extremes: tuple[int, int], sums: tuple[int, int], pixels: int) -> BandStatistics:
    """The statistics of so many whole numbers; the exact `sums` are those of the numbers and of their squares."""
    total, squares = sums
    deviation = _root(squares * count - total * total) / count
    return BandStatistics(*extremes, total / count, deviation, 100.0 * count / pixels)


def _sum_of_products(values: NDArray[np.int64], often: NDArray[np.int64], bound: int) -> int:
    """The sum of all products, exactly; it is less than `bound`."""
    if bound <= _LARGEST:
        return int(values @ often)
    return sum(value * count for value, count in zip(values.tolist(), often.tolist(), strict=True))


def _root(value: int) -> float:
    """The square root of a whole number beyond the reach of float64, to its last digit."""
    spare = max(0, 128 - value.bit_length()) // 2 * 2
    return math.ldexp(math.isqrt(value << spare), -(spare // 2))


class Moments:
    """Count, extremes, mean and variance of all samples added so far; NaN and infinities are counted apart.

    Everything is reckoned from an origin among the samples, so that digits are spent on differences.
    """

    def __init__(self) -> None:
        self.count = 0
        self._low: float = math.inf
        self._high: float = -math.inf
        self._origin = 0.0
        self._mean = 0.0
        self._squares = 0.0
        self._sum = 0.0
        self._lost = 0.0
        self.nans = 0
        self.infinities = 0

    def add(self, samples: Samples) -> None:
        """Take in valid samples, in chunks. Complex ones count with their real part."""
        values = samples.real if samples.dtype.kind == "c" else samples
        for start in range(0, values.size, _CHUNK):
            self._reduce(values[start : start + _CHUNK])

    def _reduce(self, chunk: Samples) -> None:
        with np.errstate(all="ignore"):
            work = chunk.astype(np.float64)
            total = float(work.sum())
            if not math.isfinite(total):
                self.nans += int(np.isnan(chunk).sum())
                self.infinities += int(np.isinf(chunk).sum())
                chunk = chunk[np.isfinite(chunk)]
                work = chunk.astype(np.float64)
            if chunk.size == 0:
                return
            if self.count == 0:
                self._origin = float(chunk[0])
            work -= self._origin
            total = float(work.sum())
            work -= total / chunk.size
            squares = float(work.dot(work)) - float(work.sum()) ** 2 / chunk.size
        # `item` keeps 64-bit integers exact, which float64 would not.
        self._low = min(self._low, chunk.min().item())
        self._high = max(self._high, chunk.max().item())
        self._merge(chunk.size, total, squares)

    def _merge(self, count: int, total: float, squares: float) -> None:
        together = self.count + count
        delta = total / count - self._mean
        self._squares += squares + delta * delta * (self.count * count / together)
        raised = self._sum + total
        bigger, smaller = (self._sum, total) if abs(self._sum) >= abs(total) else (total, self._sum)
        self._lost += (bigger - raised) + smaller
        self._sum = raised
        self.count = together
        self._mean = (self._sum + self._lost) / together

    def result(self, pixels: int) -> BandStatistics:
        """The statistics, where the band has so many pixels in all."""
        percent = 100.0 * self.count / pixels if pixels else 0.0
        if self.count == 0:
            return BandStatistics(None, None, None, None, 0.0)
        deviation = math.sqrt(max(0.0, self._squares) / self.count)
        mean = self._origin + self._mean
        return BandStatistics(self._low, self._high, _finite(mean), _finite(deviation), percent)


class Classes:
    """The distinct values of a band of whole numbers, as long as they are few; of floats, non-finite ones aside."""

    def __init__(self) -> None:
        self._values: set[int] | None = set()

    @property
    def distinct(self) -> int | None:
        """How many there are; None: too many to be classes."""
        return None if self._values is None else len(self._values)

    @property
    def values(self) -> frozenset[int] | None:
        """The values; None: too many to be classes."""
        return None if self._values is None else frozenset(self._values)

    def add(self, samples: Samples) -> None:
        """Take in valid samples; cheap as soon as there are too many values."""
        for start in range(0, samples.size, _CHUNK):
            if self._values is None:
                return
            found = _whole_values(samples[start : start + _CHUNK])
            together = None if found is None else self._values | found
            self._values = together if together is not None and len(together) <= MAX_VALUES else None


def few(values: NDArray[np.int64]) -> frozenset[int] | None:
    """The distinct values if they are few enough for classes or sets of flags, else None."""
    return frozenset(values.tolist()) if values.size <= MAX_VALUES else None


@dataclass(frozen=True, slots=True)
class PixelStatistics:
    """What the pixels say: statistics per band, and the distinct values of the only data band, if few."""

    bands: tuple[BandStatistics, ...]
    distinct: int | None
    """None: too many, or not whole numbers."""
    counted: int
    """Valid pixels of that band."""
    values: frozenset[int] | None = None
    """These distinct values themselves."""
    holes: bool = False
    """Some samples are NaN or infinite although no nodata value says so."""
    suspect: Suspect | None = None
    """A value at the border that may be meant as nodata."""


def _whole_values(chunk: Samples) -> set[int] | None:
    """The distinct values; None where they are too many, or not all whole numbers. Some are looked at first."""
    if chunk.dtype.kind == "f":
        chunk = chunk[np.isfinite(chunk)].astype(np.float64)
    probe = chunk[::_PROBE]
    if len(np.unique(probe)) > MAX_VALUES or not (_whole(probe) and _whole(chunk)):
        return None
    return set(_distinct(chunk)) if chunk.size else set()


def _whole(samples: Samples) -> bool:
    return samples.dtype.kind != "f" or bool((samples == np.rint(samples)).all())


def _distinct(chunk: Samples) -> list[int]:
    low, high = int(chunk.min()), int(chunk.max())
    if high - low >= _SPREAD:
        return [int(value) for value in np.unique(chunk)]
    plain = low == 0 and chunk.dtype.kind == "u"
    shifted = chunk if plain else _from_zero(chunk, low)
    start = 0 if plain else low
    return [int(value) + start for value in np.flatnonzero(np.bincount(shifted))]


def _from_zero(chunk: Samples, low: int) -> NDArray[np.int64]:
    """Floats are shifted as such: they are close to each other, but may be beyond any integer type."""
    if chunk.dtype.kind == "f":
        return (chunk - low).astype(np.int64)
    return chunk.astype(np.int64) - low


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

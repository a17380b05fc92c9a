"""The pixels of one overview out of those above it: the mean, the most frequent, or the nearest.

Only valid pixels enter; a pixel is valid if any under it is. Straight alpha weights the colours under it. NaN and
infinities that no nodata value declares are left out, and a pixel over nothing else is NaN. Pure: arrays in, arrays
out, one band at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uploader.convert.pyramid.means import plain_mean, quarters
from uploader.convert.pyramid.nodata_values import masked, resembles_nodata
from uploader.convert.pyramid.pixel_coverage import Footprints

Method = Literal["mean", "mode", "nearest"]
Mask = NDArray[np.bool_]

_SMALL = 2
"""Bytes of whole numbers of which four are added up as they are."""

_WIDE = 8
_NEAR = 1e-3
"""Values that differ by more than this share of nodata resemble it in no type."""


@dataclass(frozen=True, slots=True)
class Downsampling:
    """How the levels of a band are made.

    `nodata` is the declared value. `bits` are those of a sample in the file where they are fewer than the type's,
    else 0; floats of 16 are half floats.
    """

    method: Method
    nodata: float | None = None
    bits: int = 0


def shrink(
    above: NDArray[Any],
    valid: Mask | None,
    footprints: Footprints,
    recipe: Downsampling,
    alpha: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """One band of a level, in the type of the band above; what is invalid holds nodata, or 0.

    `valid` (None: all) and the straight `alpha` (None: there is none) have the shape of `above`.
    """
    if valid is not None and not valid.any():
        size = len(footprints.rows.ends[0]), len(footprints.columns.ends[0])
        return np.full(size, _hole(recipe, above.dtype))
    if valid is not None and valid.all():
        valid = None
    counted = _counted(above, valid)
    with np.errstate(all="ignore"):
        if recipe.method == "mean":
            values = _mean(above, counted, footprints, alpha)
        else:
            values = (_mode if recipe.method == "mode" else _nearest)(above, counted, footprints)
    values = _narrowed(values, recipe)
    if counted is not None and above.dtype.kind in "fc":
        values = np.where(shrink_mask(counted, footprints), values, above.dtype.type(np.nan))
    values = _beside_nodata(values, recipe)
    if valid is None:
        return values
    return np.asarray(np.where(shrink_mask(valid, footprints), values, _hole(recipe, values.dtype)))


def shrink_mask(valid: Mask, footprints: Footprints) -> Mask:
    """Which pixels of a level are valid: those with a valid pixel under them."""
    if valid.all():
        return np.ones((len(footprints.rows.ends[0]), len(footprints.columns.ends[0])), np.bool_)
    return np.asarray(footprints.reduced(valid, np.logical_or), np.bool_)


def visible(alpha: NDArray[Any], level: NDArray[Any], footprints: Footprints) -> NDArray[Any]:
    """The alpha of a level, at least 1 where something under it is to be seen, be it ever so little."""
    if alpha.dtype.kind not in "iu" or level.all():
        return level
    hidden = (level == 0) & shrink_mask(alpha > 0, footprints)
    return np.asarray(np.where(hidden, level.dtype.type(1), level))


def _counted(above: NDArray[Any], valid: Mask | None) -> Mask | None:
    """Which pixels enter; None: all."""
    if above.dtype.kind not in "fc":
        return valid
    finite: Mask = np.isfinite(above)
    counted = finite if valid is None else finite & valid
    return None if bool(counted.all()) else counted


def _mean(
    above: NDArray[Any], counted: Mask | None, footprints: Footprints, alpha: NDArray[Any] | None = None
) -> NDArray[Any]:
    """The mean, rounded to the type of the samples. Of 64-bit integers differences are averaged, which are exact."""
    if above.dtype.kind == "c":
        real, imaginary = (_mean(part, counted, footprints) for part in (above.real, above.imag))
        return np.asarray(real + 1j * imaginary).astype(above.dtype)
    if counted is None and alpha is None:
        found = _mean_of_all(above, footprints)
        if found is not None:
            return found
    wide = above.dtype.kind in "iu" and above.dtype.itemsize == _WIDE
    origin = above.min() if wide else above.dtype.type(0)
    work = (above - origin).view(np.uint64) if wide else above
    values = work.astype(np.float64)
    mean = _plain(values, counted, footprints)
    if alpha is not None:
        mean = _weighted(values, counted, footprints, alpha, mean)
    if above.dtype.kind == "f":
        return mean.astype(above.dtype)
    if wide:
        back = np.minimum(_rounded(mean), np.nextafter(2.0**64, 0)).astype(np.uint64)
        return np.asarray(back + np.asarray(origin).view(np.uint64)).view(above.dtype)
    return _rounded(mean).astype(above.dtype)


def _mean_of_all(above: NDArray[Any], footprints: Footprints) -> NDArray[Any] | None:
    """The mean where all pixels count; None where that takes the long way."""
    if above.dtype.kind == "u" and above.dtype.itemsize <= _SMALL and footprints.halves:
        return quarters(above)
    mean = plain_mean(above, footprints)
    if mean is None or above.dtype.kind == "f":
        return None if mean is None else mean.astype(above.dtype)
    if above.dtype.kind == "u":
        mean += 0.5  # what is not negative is rounded by cutting off
        return mean.astype(above.dtype)
    return _rounded(mean).astype(above.dtype)


def _plain(values: NDArray[Any], counted: Mask | None, footprints: Footprints) -> NDArray[Any]:
    kept = values if counted is None else np.where(counted, values, 0)
    whole = footprints.whole if counted is None else footprints.summed(counted.astype(values.dtype))
    mean = footprints.summed(kept) / whole
    if np.isinf(mean).any():  # the sum is beyond the type, the mean is not
        mean = footprints.summed(kept / footprints.whole) / (whole / footprints.whole)
    return np.asarray(mean)


def _weighted(
    values: NDArray[Any],
    counted: Mask | None,
    footprints: Footprints,
    alpha: NDArray[Any],
    plain: NDArray[Any],
) -> NDArray[Any]:
    """The mean weighted by alpha; the plain one where all of it is transparent."""
    weights = alpha.astype(np.float64) if counted is None else np.where(counted, alpha, 0).astype(np.float64)
    total = footprints.summed(weights)
    kept = values if counted is None else np.where(counted, values, 0)
    return np.asarray(np.where(total > 0, footprints.summed(kept * weights) / total, plain))


def _mode(above: NDArray[Any], counted: Mask | None, footprints: Footprints) -> NDArray[Any]:
    """The most frequent value among all pixels that a footprint touches, as GDAL counts; the first of several.

    Most footprints hold one value alone, and only the others are counted out.
    """
    values = footprints.taps(above)
    if counted is None and footprints.halves:
        return _mode_of_four(values)
    best = values[0].copy()
    mixed = np.zeros(best.shape, np.bool_)
    for value in values[1:]:
        mixed |= value != best
    if counted is not None:
        mixed |= ~footprints.reduced(counted, np.logical_and)
    places = np.flatnonzero(mixed)
    present = [there.reshape(-1)[places] for there in footprints.present()]
    if counted is not None:
        present = [
            there & ok.reshape(-1)[places]
            for there, ok in zip(present, footprints.taps(counted), strict=True)
        ]
    best.reshape(-1)[places] = _most_frequent([value.reshape(-1)[places] for value in values], present)
    return best


def _mode_of_four(taps: list[NDArray[Any]]) -> NDArray[Any]:
    """The same of four that all count: the first, unless it stands alone and two others are alike."""
    first, second, third, fourth = map(np.ascontiguousarray, taps)  # several times as fast to compare
    alone = (first != second) & (first != third) & (first != fourth)
    best = first.copy()
    np.copyto(best, third, where=alone & (third == fourth))
    np.copyto(best, second, where=alone & ((second == third) | (second == fourth)))
    return best


def _most_frequent(values: list[NDArray[Any]], present: list[Mask]) -> NDArray[Any]:
    often = [there.astype(np.uint8) for there in present]
    for (n, value), (m, other) in combinations(enumerate(values), 2):
        alike = ((value == other) & present[n] & present[m]).view(np.uint8)
        often[n] += alike
        often[m] += alike
    best, most = values[0], often[0]
    for value, number in zip(values[1:], often[1:], strict=True):
        better = number > most
        best, most = np.where(better, value, best), np.maximum(most, number)
    return best


def _nearest(above: NDArray[Any], counted: Mask | None, footprints: Footprints) -> NDArray[Any]:
    """The pixel in the middle, or if that does not count, the first that does."""
    place = footprints.rows.middles, footprints.columns.middles
    best = above[place[0]][:, place[1]]
    if counted is None:
        return best
    known = counted[place[0]][:, place[1]]
    for value, there in zip(footprints.taps(above), footprints.taps(counted), strict=True):
        best, known = np.where(~known & there, value, best), known | there
    return best


def _rounded(mean: NDArray[Any]) -> NDArray[Any]:
    """Halves away from zero."""
    return np.asarray(np.copysign(np.floor(np.abs(mean) + 0.5), mean))


def _narrowed(values: NDArray[Any], recipe: Downsampling) -> NDArray[Any]:
    """As the file holds them: half floats have fewer digits than the type in which they are read."""
    if values.dtype == np.float32 and recipe.bits == 16:  # noqa: PLR2004 - bits
        return values.astype(np.float16).astype(np.float32)
    return values


def _hole(recipe: Downsampling, dtype: np.dtype[Any]) -> Any:
    """What an invalid pixel holds."""
    nodata = None if recipe.nodata is None else masked(recipe.nodata, dtype)
    return dtype.type(0) if nodata is None else nodata


def _beside_nodata(values: NDArray[Any], recipe: Downsampling) -> NDArray[Any]:
    """Values that would be taken for nodata move to the next one that would not."""
    if recipe.nodata is None or math.isnan(recipe.nodata) or values.dtype.kind == "c":
        return values
    if not _reach(values, recipe.nodata):
        return values
    wrong = resembles_nodata(values, recipe.nodata)
    return np.asarray(np.where(wrong, _neighbour(values.dtype, recipe), values)) if wrong.any() else values


def _reach(values: NDArray[Any], nodata: float) -> bool:
    """Whether the values come near nodata at all. Of NaN among them nobody knows."""
    value = masked(nodata, values.dtype)
    if value is None or not values.size:
        return False
    low, high, near = float(values.min()), float(values.max()), abs(float(value)) * _NEAR
    return not (float(value) + near < low or float(value) - near > high)


def _neighbour(dtype: np.dtype[Any], recipe: Downsampling) -> Any:
    """The next value above nodata that is not taken for it; below it, where nothing is above."""
    assert recipe.nodata is not None
    nodata = masked(recipe.nodata, dtype)
    if dtype.kind in "iu":
        most = (1 << recipe.bits) - 1 if recipe.bits else np.iinfo(dtype).max
        return nodata - 1 if nodata >= most else nodata + 1
    half = recipe.bits == 16  # noqa: PLR2004 - bits
    start = np.float16(nodata) if half else nodata
    for towards in (np.inf, -np.inf):
        value = start
        while np.isfinite(value) and bool(resembles_nodata(np.asarray(value, dtype), recipe.nodata)):
            value = np.nextafter(value, value.dtype.type(towards))
        if np.isfinite(value):
            return dtype.type(value)
    return nodata

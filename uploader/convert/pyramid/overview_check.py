"""Whether an overview shows the level above it: the one place for the rules. Pure: arrays in, failed blocks out.

For a pixel, F is what it covers above, and N is F widened by three of its own pixels. Its value must lie among those
of N, with a margin; on average it must not be farther from the mean of F than the pixels of F are; and where N is
all valid, or all invalid, so must it be. Of classes it must be one of N, and mostly one of those next to it.
Overviews of any resampling pass; blank ones, and those of another or an older raster, do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.pyramid.means import plain_mean, quarters
from uploader.convert.pyramid.neighbourhood import Blocks, Core, Mask, occurs, widened
from uploader.convert.pyramid.pixel_coverage import Footprints

REACH = 8
"""How many pixels around those that are judged must be at hand; fewer at the edges of the level."""

_NEAR = 3
_OVERSHOOT = 0.3
_SPREAD = 2.0
_LOSSY = ("JPEG", "WEBP")
"""Compressions of pictures that may change what a sample is."""
_LOSSY_STEP = 32.0
_FAILING = 0.01
_ENOUGH = 32
"""How many pixels of a block must be there before their mean says something: of a few, each may be the odd one."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is tolerated beyond the values around: `step` at least, and of floats a share of their size, `relative`.

    `blurred`: a lossy picture, where pixels near masked ones hold something of what was under the mask. `validity`:
    alpha, which need not be near its mean: how an edge is smoothed is free.
    """

    classes: bool = False
    step: float = 1.0
    relative: float = 0.0
    blurred: bool = False
    validity: bool = False


@dataclass(frozen=True, slots=True)
class Plane:
    """One band of one level: `valid` (None: all), `opaque` (None: all), of the shape of the samples.

    `holes` are samples that are no numbers although no mask says so; they must not be valid (None: there are none).
    """

    samples: NDArray[Any]
    valid: Mask | None = None
    opaque: Mask | None = None
    holes: Mask | None = None


def rule_for(
    dtype: str,
    *,
    bits: int = 0,
    classes: bool = False,
    alpha: bool = False,
    compressions: Iterable[str] = (),
    error: float = 0.0,
) -> Tolerance:
    """The rule for a band. `compressions` are those that may change pixels, `error` is what a LERC declares.

    One step of floats is a few units of their last digit, and so it is of integers that are averaged as floats.
    """
    whole = "int" in dtype
    digits = 0.0
    if dtype == "float16" or (bits == 16 and not whole):  # noqa: PLR2004 - half floats, however they are read
        digits = float(np.finfo(np.float16).eps)
    elif not whole or dtype.endswith("int64"):
        digits = float(np.finfo(np.float32 if dtype in ("float32", "complex64") else np.float64).eps)
    lossy = any(name in each.upper() for name in _LOSSY for each in compressions)
    step = max(float(whole), error)
    return Tolerance(classes and not alpha, _LOSSY_STEP if lossy else step, 2 * digits, lossy, alpha)


def failed_blocks(above: Plane, level: Plane, footprints: Footprints, core: Core, rule: Tolerance) -> Mask:
    """Which blocks of `core`, in rows and columns, do not show what is above them.

    `above` holds exactly what the footprints of the level's pixels cover.
    """
    if level.samples.dtype.kind == "c":
        real, imaginary = (
            failed_blocks(_part(above, part), _part(level, part), footprints, core, rule)
            for part in ("real", "imag")
        )
        return real | imaginary
    with np.errstate(all="ignore"):
        trial = _Trial(above, level, footprints, Blocks(core), rule)
        return trial.blocks.none() if _plainly_means(above, level, footprints, rule) else trial.failed()


def _plainly_means(above: Plane, level: Plane, footprints: Footprints, rule: Tolerance) -> bool:
    """Whether all is valid, and every value within a step of the mean of what it covers: then no rule can fail.

    A mean lies among the values around, and is no farther from itself than a step. So it is with nearly every honest
    overview of quantities, and asked in a few passes.
    """
    if rule.classes or not (_whole(above) and _whole(level)):
        return False
    if footprints.halves and above.samples.dtype in (np.uint8, np.uint16):
        rounded: bool = np.array_equal(quarters(above.samples), level.samples)
        if rounded:
            return True
    mean = plain_mean(above.samples, footprints)
    if mean is None:
        return False
    slack = rule.step + rule.relative * np.abs(mean)
    return bool((np.abs(level.samples - mean) <= slack).all())


def _whole(plane: Plane) -> bool:
    return plane.holes is None and (plane.valid is None or bool(plane.valid.all()))


def _part(plane: Plane, name: str) -> Plane:
    return replace(plane, samples=getattr(plane.samples, name))


@dataclass(frozen=True, slots=True)
class _Trial:
    """Two levels, and what is asked of them."""

    above: Plane
    level: Plane
    footprints: Footprints
    blocks: Blocks
    rule: Tolerance

    def failed(self) -> Mask:
        shape = self.level.samples.shape
        everything = np.ones(shape, np.bool_)
        shown = everything if self.level.valid is None else self.level.valid
        some, every = everything, everything
        if self.above.valid is not None and not self.above.valid.all():
            some = self.footprints.reduced(self.above.valid, np.logical_or)
            every = self.footprints.reduced(self.above.valid, np.logical_and)
        near = widened(some, np.logical_or, _NEAR)
        invented = ~shown & widened(every, np.logical_and, _NEAR) | shown & ~near | self._eaten(some)
        compared = shown & near
        if self.rule.blurred:
            compared &= ~widened(~(shown & every), np.logical_or, REACH)
        if self.above.opaque is not None:
            compared &= self.footprints.reduced(self.above.opaque, np.logical_and)
        failed = self.blocks.at_least(_FAILING, invented, everything)
        return failed | (self._strange if self.rule.classes else self._odd)(compared, compared & every)

    def _eaten(self, some: Mask) -> Mask:
        """Where a pixel is no number although most of those under it are: nobody declared that they spread."""
        if self.level.holes is None:
            return np.zeros_like(some)
        if self.above.valid is None:
            return self.level.holes
        share = self.footprints.summed(self.above.valid.astype(np.float64)) / self.footprints.whole
        return np.asarray(self.level.holes & (share > 0.5))  # noqa: PLR2004 - most

    def _odd(self, compared: Mask, whole: Mask) -> Mask:
        """Of quantities: values beyond those around, or on average far from those under them."""
        kind = np.float32 if self.level.samples.dtype.itemsize <= 2 else np.float64  # noqa: PLR2004 - bytes
        value, under = self.level.samples.astype(kind), self.above.samples.astype(kind)
        beyond = compared & ~self._among(value, under)
        failed = self.blocks.at_least(_FAILING, beyond, compared)
        return failed if self.rule.validity else failed | self._far(value, under, whole)

    def _among(self, value: NDArray[Any], under: NDArray[Any]) -> Mask:
        """Which values lie among those around. Nobody looks around where all lie among those just under them."""
        low, high = (
            self.footprints.reduced(self._without_invalid(under, out), function)
            for out, function in ((np.inf, np.minimum), (-np.inf, np.maximum))
        )
        inside: Mask = (value >= low) & (value <= high)
        if inside.all():
            return inside
        low, high = widened(low, np.minimum, _NEAR), widened(high, np.maximum, _NEAR)
        slack = _OVERSHOOT * (high - low) + self.rule.step
        slack += self.rule.relative * np.maximum(np.abs(low), np.abs(high))
        return np.asarray((value >= low - slack) & (value <= high + slack))

    def _far(self, value: NDArray[Any], under: NDArray[Any], whole: Mask) -> Mask:
        """Whether values are farther from the mean than what is under them: roots of mean squares.

        Nobody asks how far that is where the values are within a step of the mean. What is touched at an end counts
        in full: whoever takes the first pixel, or the nearest, may have taken that one.
        """
        mean = self.footprints.summed(self._without_invalid(under, 0)) / value.dtype.type(
            self.footprints.whole
        )
        away = np.maximum(np.abs(value - mean) - self.rule.relative * np.abs(mean), 0)
        count = self.blocks.sums(whole)
        many = np.maximum(count, 1)
        distance = np.sqrt(self.blocks.sums(np.where(whole, np.square(away, dtype=np.float64), 0)) / many)
        if (distance <= self.rule.step).all():
            return np.zeros(distance.shape, np.bool_)
        spread, touched = np.zeros(mean.shape, np.float64), np.zeros(mean.shape, np.float64)
        for tap, share in zip(self.footprints.taps(under), self.footprints.weights(), strict=True):
            spread += np.where(share > 0, np.square(tap - mean), 0)
            touched += share > 0
        spread /= touched
        deviation = np.sqrt(self.blocks.sums(np.where(whole, spread, 0)) / many)
        return np.asarray(~(distance <= _SPREAD * deviation + self.rule.step) & (count >= _ENOUGH))

    def _without_invalid(self, under: NDArray[Any], instead: float) -> NDArray[Any]:
        return (
            under
            if self.above.valid is None
            else np.where(self.above.valid, under, under.dtype.type(instead))
        )

    def _strange(self, compared: Mask, whole: Mask) -> Mask:
        """Of classes: values that do not occur around, or too often not close by. Most occur just under the pixel."""
        above, values = self.above, self.level.samples
        close = np.zeros(compared.shape, np.bool_)
        taps = self.footprints.taps(above.samples)
        known = [None] * len(taps) if above.valid is None else self.footprints.taps(above.valid)
        for tap, valid in zip(taps, known, strict=True):
            close |= tap == values if valid is None else (tap == values) & valid
        close |= occurs(above.samples, above.valid, values, compared & ~close, self.footprints, by=1)
        around = close | occurs(
            above.samples, above.valid, values, compared & ~close, self.footprints, by=_NEAR
        )
        return self.blocks.at_least(_FAILING, compared & ~around, compared) | self.blocks.more_than(
            _FAILING, whole & ~close, whole
        )

"""The overviews of a result against the level above each: made ones by their values, kept ones by whether they show it.

The pixels are read through GDAL, the arithmetic is `areas`' own. A level that the source had, pixel for pixel, is one
that was kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags

from tests.judge import showing
from tests.judge.areas import Cover, among_modes, has_weight, mean, paired, rounded, shares, whole
from tests.judge.findings import Finding, fault

Array = np.ndarray
_GIANT = 40_000_000
_GIANT_OF_CLASSES = 8_000_000
"""Samples beyond which the arithmetic would take too long; that of modes takes longer."""

_FLOAT_STEP = 4e-7
_HALF_STEP = 1e-3
_HUGE = 1e37
"""Beyond it a float32 sum may overflow, and GDAL's arithmetic is let pass."""


@dataclass(frozen=True)
class Level:
    """One level: its samples by band (bands, rows, columns), and where they are valid; alpha apart (None: none)."""

    samples: Array
    valid: Array
    alpha: int | None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.samples.shape[1:]

    @property
    def partial(self) -> Array:
        """Where a pixel is neither opaque nor transparent."""
        if self.alpha is None:
            return np.zeros(self.size, bool)
        alpha = self.samples[self.alpha]
        full = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else alpha.max(initial=0)
        return (alpha != 0) & (alpha != full)

    def unmasked(self, band: int) -> Array:
        """Where a transparent pixel counts as valid, as GDAL has it of more than four bands."""
        if self.alpha in (None, band):
            return np.zeros(self.size, bool)
        return (self.samples[self.alpha] == 0) & self.valid[band]


def levels(path: Path, most: int = _GIANT) -> list[Level]:
    """The base and its overviews; empty for a giant."""
    with rasterio.open(path, sharing=False) as dataset:
        if dataset.width * dataset.height * dataset.count > most:
            return []
        count = len(dataset.overviews(1))
        found = [_level(dataset)]
    for number in range(count):
        with rasterio.open(path, sharing=False, overview_level=number) as dataset:
            found.append(_level(dataset))
    return found


def _level(dataset: Any) -> Level:
    samples = dataset.read()
    nodata = any(MaskFlags.nodata in flags for flags in dataset.mask_flag_enums)
    valid = np.array([dataset.read_masks(i) != 0 for i in dataset.indexes])
    if nodata and dataset.nodata is not None and samples.dtype.itemsize == 8 and samples.dtype.kind in "iu":
        valid = samples != np.array(dataset.nodata).astype(samples.dtype)
    interpretations = list(dataset.colorinterp)
    alpha = interpretations.index(ColorInterp.alpha) if ColorInterp.alpha in interpretations else None
    if alpha is not None:
        valid[alpha] = True
    return Level(samples, valid, alpha)


def checked(
    source: Path, result: Path, *, classes: bool, premultiplied: bool, lossy: bool, by_gdal: bool
) -> Iterator[Finding]:
    """Each overview that is not what it should be.

    `classes`: the mode is wanted. `by_gdal`: GDAL's arithmetic is let pass where it is known to differ.
    """
    found = levels(result, _GIANT_OF_CLASSES if classes else _GIANT)
    if len(found) < 2:
        return
    bits, nodata, dtype = _kind(result)
    half = found[0].samples.dtype == np.float16 or (bits == 16 and found[0].samples.dtype == np.float32)
    odd = by_gdal and not classes and bits not in (0, 1)
    whole_numbers = "int" in dtype
    digits = _HALF_STEP if half else _FLOAT_STEP
    rule = Wanted(
        classes or bits == 1, premultiplied, nodata, by_gdal, digits, odd=odd, whole_numbers=whole_numbers
    )
    kept = _came_along(source, found[1:])
    for number, (above, below) in enumerate(pairwise(found)):
        cover = Cover(above.size, below.size)
        if any(
            few not in (many // 2, -(-many // 2)) for many, few in zip(above.size, below.size, strict=True)
        ):
            yield fault(f"overview {number} is of {below.size}, the level above it of {above.size}")
        elif kept[number] or lossy:  # of what loses something the values are near at best
            yield from _shown(number, above, below, cover, classes=rule.classes, lossy=lossy)
        else:
            for band in range(len(below.samples)):
                yield from (
                    fault(f"overview {number}, band {band + 1}: {text}") for text in rule(above, below, band)
                )


def _kind(path: Path) -> tuple[int, float | None, str]:
    """Bits of a sample where they are fewer than the type's (else 0), nodata, type as GDAL calls it."""
    with rasterio.open(path, sharing=False) as dataset:
        return int(dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 0)), dataset.nodata, dataset.dtypes[0]


def _came_along(source: Path, found: list[Level]) -> list[bool]:
    """Which of the levels are the source's own."""
    own = levels(source)[1:]
    return [
        any(o.samples.dtype == f.samples.dtype and _bits(o.samples) == _bits(f.samples) for o in own)
        for f in found
    ]


def _bits(samples: Array) -> tuple[tuple[int, ...], bytes]:
    return samples.shape, np.ascontiguousarray(samples).tobytes()


@dataclass(frozen=True)
class Wanted:
    """What overviews that were made must be."""

    classes: bool
    premultiplied: bool
    nodata: float | None
    by_gdal: bool
    digits: float = _FLOAT_STEP
    """One step, as a part of the largest value."""
    odd: bool = False
    """GDAL makes the means of such samples, and takes masks two by two."""
    whole_numbers: bool = False
    """The values are whole numbers, also the halves of complex ones."""

    def __call__(self, above: Level, below: Level, band: int) -> Iterator[str]:
        """What is wrong with one band of one level, in a few words."""
        values, found = above.samples[band], below.samples[band]
        if values.dtype.itemsize == 8 and values.dtype.kind in "iu":
            return
        cover, known = Cover(above.size, below.size), above.valid[band]
        if values.dtype.kind in "fc":
            known = known & np.isfinite(values)
        there = cover.total(known.astype(float)) > 0
        demanded = there
        if self.odd:
            demanded = Cover(above.size, below.size, paired, paired).total(known.astype(float)) > 0
        seen = below.valid[band] & (np.isfinite(found) if found.dtype.kind in "fc" else True)
        yield from _many(demanded & ~seen, "pixels are invalid over valid ones")
        yield from _many(~there & seen, "pixels are valid over invalid ones")
        both = there & seen
        if self.classes:
            off = both & ~among_modes(found, values, known, cover)
            if band == above.alpha:  # which is no class: its mean is as good
                off = self._off(off & ~self._excused(above, band, known, cover), above, below, band, known)
            yield from _many(off, "pixels are not the mode")
        else:
            off = both & ~self._excused(above, band, known, cover)
            yield from _many(self._off(off, above, below, band, known), "pixels are not the mean")

    def _excused(self, above: Level, band: int, known: Array, cover: Cover) -> Array:
        """Where GDAL's arithmetic is let pass, and where a colour has only transparent pixels under it."""
        excused = np.zeros(cover.below, bool)
        if self.by_gdal:
            excused |= cover.total((above.partial | above.unmasked(band)).astype(float)) > 0
            excused |= _overflowing(above.samples[band], known, cover)
        return excused | ~has_weight(self._weights(above, band, known), cover)

    def _weights(self, above: Level, band: int, known: Array) -> Array:
        if self.premultiplied and above.alpha is not None:  # as they are: what is transparent is dark already
            values = above.samples[band]
            return (np.isfinite(values) & (values != self.nodata)).astype(float)
        weights = known.astype(float)
        if above.alpha in (None, band):
            return weights
        return weights * np.nan_to_num(above.samples[above.alpha], posinf=0, neginf=0)

    def _off(self, off: Array, above: Level, below: Level, band: int, known: Array) -> Array:
        """Which of these pixels are not the mean, by none of the ways to take it."""
        values, found = above.samples[band], below.samples[band]
        cover = Cover(above.size, below.size)
        step = 1.0 if self.whole_numbers else self.digits * _reach(values, known, cover)
        for weights, each in self._ways(above, band, known, cover):
            wanted, weighted = mean(values, weights, each)
            near = np.zeros(cover.below, bool)
            if self.nodata is not None:
                near |= np.abs(wanted - self.nodata) <= np.maximum(step, _FLOAT_STEP * abs(self.nodata))
            with np.errstate(all="ignore"):
                near |= np.abs(found.astype(wanted.dtype) - wanted) <= step * (1 + 1e-9)
            off = off & ~(near & weighted)
            if not off.any():
                break
        return off

    def _ways(self, above: Level, band: int, known: Array, cover: Cover) -> Iterator[tuple[Array, Cover]]:
        """By area. GDAL takes two pixels at an edge for halves, and leaves what is transparent out of alpha itself."""
        weights, ways = self._weights(above, band, known), [(shares, shares)]
        if self.by_gdal:
            ways += [(shares, whole), (whole, shares), (whole, whole)]
            ways += [(rounded, rounded)] if above.samples.dtype.kind == "c" else []
        covers = [Cover(cover.above, cover.below, *way) for way in ways]
        yield from ((weights, each) for each in covers)
        if self.by_gdal and band == above.alpha:
            yield from ((weights * (above.samples[band] != 0), each) for each in covers)


def _reach(values: Array, known: Array, cover: Cover) -> Array:
    """The largest of what each pixel covers."""
    return cover.extreme(np.where(known, np.abs(values), 0).astype(float), np.maximum)


def _overflowing(values: Array, known: Array, cover: Cover) -> Array:
    if values.dtype != np.float32:
        return np.zeros(cover.below, bool)
    return _reach(values, known, cover) > _HUGE


def _many(wrong: Array, text: str) -> Iterator[str]:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        yield f"{int(wrong.sum())} {text}, the first at row {row}, column {column}"


def _shown(
    number: int, above: Level, below: Level, cover: Cover, *, classes: bool, lossy: bool
) -> Iterator[Finding]:
    for band in range(len(below.samples)):
        opaque = cover.total(above.partial.astype(float)) == 0
        text = showing.fails(
            (above.samples[band], above.valid[band]),
            (below.samples[band], below.valid[band]),
            opaque if band != above.alpha else np.ones(below.size, bool),
            classes=classes,
            lossy=lossy,
        )
        if text:
            yield fault(
                f"overview {number}, band {band + 1}, came along and does not show the raster: {text}"
            )

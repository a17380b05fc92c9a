"""Whether a level that came with a raster shows the level above it: by surroundings, by blocks, and by validity."""

from __future__ import annotations

import itertools
import math

import numpy as np

from tests.judge.areas import WIDER, Cover, mean, widened

Array = np.ndarray
Masked = tuple[Array, Array]
"""Samples, and where they are valid."""

_BLOCK = 64
_SHARE = 0.01
_ROOM = 0.3
_LOSSY_STEP = 32.0
_LEVEL = 2.0


def fails(above: Masked, below: Masked, opaque: Array, *, classes: bool, lossy: bool) -> str:
    """The first block that does not show what is above it, and why; empty when all do.

    `opaque` is where no partial alpha lies under a pixel. Classes must occur in the surroundings, other values lie
    between their extremes, and the blocks follow their means.
    """
    values, known = above[0], above[1] & _finite(above[0])
    found, seen = below[0], below[1] & _finite(below[0])
    if np.iscomplexobj(values):
        values, found = values.real, found.real
    cover = Cover(values.shape, found.shape)
    full = cover.extreme(known, np.minimum)
    some = cover.extreme(known, np.maximum)
    wrong_valid = (~seen & widened(full, np.minimum)) | (seen & ~widened(some, np.maximum))
    step = _step(values, lossy=lossy)
    if classes:
        strange = seen & ~_occurs(found, values, known, cover, WIDER)
        strange |= full & seen & opaque & ~_occurs(found, values, known, cover, 1)
        off = None
    else:
        strange = seen & opaque & _outside(found, values, known, cover, step)
        off = full & seen & opaque
    drift = None if off is None else _Drift((values, known), found, cover, off, step)
    for rows, columns in _blocks(found.shape):
        block = np.s_[rows, columns]
        size = found[block].size
        if strange[block].sum() > _SHARE * size:
            return f"{int(strange[block].sum())} values of the block at {rows.start}, {columns.start} are not around"
        if wrong_valid[block].sum() > _SHARE * size:
            return f"validity in the block at {rows.start}, {columns.start}"
        if drift and drift.of(block):
            return f"the values of the block at {rows.start}, {columns.start} are not those above"
    return ""


def _finite(values: Array) -> Array:
    return np.isfinite(values) if values.dtype.kind in "fc" else np.ones(values.shape, bool)


def _step(values: Array, *, lossy: bool) -> float:
    if lossy:
        return _LOSSY_STEP
    return 1.0 if values.dtype.kind in "iu" else 1e-6 * float(np.abs(values[_finite(values)]).max(initial=0))


def _outside(found: Array, values: Array, known: Array, cover: Cover, step: float) -> Array:
    wide = values.astype(float)
    low = widened(cover.extreme(np.where(known, wide, np.inf), np.minimum), np.minimum)
    high = widened(cover.extreme(np.where(known, wide, -np.inf), np.maximum), np.maximum)
    with np.errstate(invalid="ignore"):
        room = _ROOM * (high - low) + step
        return (found < low - room) | (found > high + room)


def _occurs(found: Array, values: Array, known: Array, cover: Cover, by: int) -> Array:
    """Where a value is among those around the pixel, so many of its own pixels away."""
    there = np.zeros(found.shape, bool)
    for rows, columns in itertools.product(
        *(_around(*pair, by) for pair in zip(values.shape, found.shape, strict=True))
    ):
        at = np.ix_(rows, columns)
        there |= (values[at] == found) & known[at]
    return there


def _around(above: int, below: int, by: int) -> list[Array]:
    """Along one axis: what each pixel covers and what is around it, one pixel of the level above at a time."""
    ratio = above / below
    first = np.floor(np.arange(below) * ratio).astype(int)
    offsets = range(-math.ceil(by * ratio), math.ceil((by + 1) * ratio) + 1)
    return [np.clip(first + offset, 0, above - 1) for offset in offsets]


class _Drift:
    """How far the pixels of a block are from the means of what they cover."""

    def __init__(self, above: Masked, found: Array, cover: Cover, where: Array, step: float) -> None:
        values, known = above
        wide = values.astype(float)
        middle, _ = mean(wide, known.astype(float), cover)
        square, _ = mean(np.where(known, wide, 0) ** 2, known.astype(float), cover)
        self.scatter = np.sqrt(np.maximum(square - middle**2, 0))
        self.away = np.where(where, found.astype(float) - middle, 0)
        self.where, self.step = where, step

    def of(self, block: tuple[slice, slice]) -> bool:
        """Whether they are further away than the scatter of what is covered explains."""
        chosen = self.where[block]
        return bool(_rms(self.away[block][chosen]) > _LEVEL * _rms(self.scatter[block][chosen]) + self.step)


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def _blocks(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    return [
        (slice(r, r + _BLOCK), slice(c, c + _BLOCK))
        for r in range(0, shape[0], _BLOCK)
        for c in range(0, shape[1], _BLOCK)
    ]

"""What lies around each pixel of a level, and sums over its blocks. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.pyramid.pixel_coverage import Cover, Footprints

Mask = NDArray[np.bool_]

Core = tuple[slice, slice]
"""Which rows and columns of the level are judged; the others are there for their neighbours."""

BLOCK = 64
"""Rows and columns of the blocks that pass or fail as a whole."""

_SLIVER = BLOCK // 2
_GATHERED = 1 << 22


def widened(values: NDArray[Any], function: np.ufunc, by: int) -> NDArray[Any]:
    """Fold a square around each value, `by` on each side; beyond the ends the last one is repeated."""
    values = np.pad(values, by, mode="edge")
    return _slid(_slid(values, function, 2 * by + 1).T, function, 2 * by + 1).T


def _slid(values: NDArray[Any], function: np.ufunc, length: int) -> NDArray[Any]:
    """Fold each so many rows, by doubling."""
    size = 1
    while 2 * size <= length:
        values, size = function(values[:-size], values[size:]), 2 * size
    rest = length - size
    return np.asarray(function(values[:-rest], values[rest:]) if rest else values)


def occurs(
    above: NDArray[Any],
    valid: Mask | None,
    values: NDArray[Any],
    wanted: Mask,
    footprints: Footprints,
    *,
    by: int,
) -> Mask:
    """Which of the wanted pixels have their value in their footprint, widened by so many pixels of their own."""
    found = np.zeros(wanted.shape, np.bool_)
    rows, columns = np.nonzero(wanted)
    down, across = (_windows(cover, by) for cover in (footprints.rows, footprints.columns))
    step = max(1, _GATHERED // (down.shape[1] * across.shape[1]))
    for start in range(0, rows.size, step):
        row, column = rows[start : start + step], columns[start : start + step]
        place = down[row][:, :, None], across[column][:, None, :]
        same = above[place] == values[row, column][:, None, None]
        if valid is not None:
            same &= valid[place]
        found[row, column] = same.any(axis=(1, 2))
    return found


def _windows(cover: Cover, by: int) -> NDArray[np.int64]:
    """For each pixel the indexes above of its footprint, widened; short ones repeat their last."""
    begin, end = cover.ends
    pixels = np.arange(begin.size)
    first, last = begin[np.maximum(pixels - by, 0)], end[np.minimum(pixels + by, begin.size - 1)] - 1
    longest = int((last - first).max()) + 1 if first.size else 1
    return np.asarray(np.minimum(first[:, None] + np.arange(longest), last[:, None]), np.int64)


class Blocks:
    """Sums over the blocks of the core. What remains at its ends goes to the block before, unless it is large."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._starts = [_starts(part.stop - part.start) for part in core]

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum of each block."""
        part = values[self._core]
        part = part.astype(np.int64) if part.dtype == np.bool_ else part
        across = np.add.reduceat(part, self._starts[1], axis=1)
        return np.asarray(np.add.reduceat(across, self._starts[0], axis=0))

    def none(self) -> Mask:
        """No block fails."""
        return np.zeros((len(self._starts[0]), len(self._starts[1])), np.bool_)

    def at_least(self, share: float, failing: Mask, among: Mask) -> Mask:
        """In which blocks at least this share fails, and one."""
        bad = self.sums(failing)
        return np.asarray((bad > 0) & (bad >= share * self.sums(among)))

    def more_than(self, share: float, failing: Mask, among: Mask) -> Mask:
        """In which blocks more than this share fails."""
        return np.asarray(self.sums(failing) > share * self.sums(among))


def _starts(length: int) -> list[int]:
    starts = list(range(0, length, BLOCK))
    return starts[:-1] if len(starts) > 1 and length - starts[-1] < _SLIVER else starts

"""What a pixel of an overview covers in the level above it, and what it should then be: plain arithmetic over arrays.

Arrays are (rows, columns). A pixel covers `above / below` pixels in each direction, with a share of those at its edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_NOTHING = 1e-9
WIDER = 3
"""Pixels of its own by which a pixel's surroundings are wider than what it covers."""


def shares(above: int, below: int) -> tuple[Array, Array]:
    """For each of `below` pixels in a row: which of `above` pixels it covers, and how much of each."""
    ratio = above / below
    start = np.arange(below) * ratio
    at = np.floor(start + _NOTHING).astype(int)[:, None] + np.arange(math.ceil(ratio) + 1)
    covered = np.minimum(at + 1, (start + ratio)[:, None]) - np.maximum(at, start[:, None])
    covered = np.where((at < above) & (covered > _NOTHING), covered, 0.0)
    return np.minimum(at, above - 1), covered


def whole(above: int, below: int) -> tuple[Array, Array]:
    """The same where each pixel that is touched counts as much as another."""
    at, covered = shares(above, below)
    return at, (covered > 1e-8).astype(float)


def rounded(above: int, below: int) -> tuple[Array, Array]:
    """The same in whole pixels, from the edge that is nearest to the next one."""
    edges = np.floor(np.arange(below + 1) * (above / below) + 0.5).astype(int)
    at = edges[:-1, None] + np.arange(math.ceil(above / below) + 1)
    return np.minimum(at, above - 1), (at < edges[1:, None]).astype(float)


def paired(above: int, below: int) -> tuple[Array, Array]:
    """The same two by two from the first one, whatever is left over at the end: so GDAL covers masks."""
    at = 2 * np.arange(below)[:, None] + np.arange(2)
    return np.minimum(at, above - 1), (at < above).astype(float)


Along = Callable[[int, int], tuple[Array, Array]]
"""Which pixels of the level above each pixel covers along one axis, and how much of each."""


@dataclass(frozen=True)
class Cover:
    """How a level of `below` (rows, columns) covers one of `above`."""

    above: tuple[int, int]
    below: tuple[int, int]
    down: Along = shares
    across: Along = shares

    def total(self, values: Array) -> Array:
        """The sum of what each pixel covers, weighted by area."""
        rows = _summed(
            values, *self.down(self.above[0], self.below[0]), axis=0
        )  # half of all goes soonest by rows
        return _summed(rows, *self.across(self.above[1], self.below[1]), axis=1)

    def extreme(self, values: Array, pick: Callable[[Array, Array], Array]) -> Array:
        """The least or the largest of what each pixel covers."""
        rows, row_shares = self.down(self.above[0], self.below[0])
        columns, column_shares = self.across(self.above[1], self.below[1])
        across = _folded(values.T, columns, column_shares, pick).T
        return _folded(across, rows, row_shares, pick)

    def members(self, values: Array) -> list[tuple[Array, Array]]:
        """All that each pixel covers: arrays like the level below, each with the area (0: none) of its pixels."""
        rows, row_shares = self.down(self.above[0], self.below[0])
        columns, column_shares = self.across(self.above[1], self.below[1])
        return [
            (values[np.ix_(rows[:, i], columns[:, j])], np.outer(row_shares[:, i], column_shares[:, j]))
            for i in range(rows.shape[1])
            for j in range(columns.shape[1])
        ]


def _summed(values: Array, at: Array, parts: Array, axis: int) -> Array:
    """The sum along one axis of the pixels at these places, each with its share."""
    along = parts if axis else parts[:, None]
    touched = [k for k in range(at.shape[1]) if parts[:, k].any()]
    return sum(np.take(values, at[:, k], axis) * along[..., k] for k in touched)


def _folded(values: Array, at: Array, weights: Array, pick: Callable[[Array, Array], Array]) -> Array:
    found = values[at[:, 0]]
    for k in range(1, at.shape[1]):
        found = np.where((weights[:, k] > 0)[:, None], pick(found, values[at[:, k]]), found)
    return found


def has_weight(weights: Array, cover: Cover) -> Array:
    """Where a pixel covers anything of weight."""
    return cover.total(weights.astype(np.float64)) > _NOTHING


def mean(values: Array, weights: Array, cover: Cover) -> tuple[Array, Array]:
    """The weighted mean of what each pixel covers, and where there is any weight; 0 where there is none."""
    total = cover.total(weights.astype(np.float64))
    there = total > _NOTHING
    kind = np.complex128 if np.iscomplexobj(values) else np.float64
    wide = np.where(weights > 0, values, 0).astype(kind)
    return np.where(there, cover.total(wide * weights) / np.where(there, total, 1), 0), there


def among_modes(found: Array, values: Array, valid: Array, cover: Cover) -> Array:
    """Where a pixel is one of the most frequent of the valid values that it covers.

    At fractional edges either the areas count, or each pixel that is touched as much as another, which is GDAL's way.
    """
    touched = Cover(cover.above, cover.below, whole, whole)
    return _among_modes(found, values, valid, cover) | _among_modes(found, values, valid, touched)


def _among_modes(found: Array, values: Array, valid: Array, cover: Cover) -> Array:
    members, areas = zip(*cover.members(values), strict=True)
    valids = [known for known, _ in cover.members(valid)]
    many = np.array([area * known for area, known in zip(areas, valids, strict=True)])
    stack = np.array(members)
    best = np.max(
        [
            np.where(one > 0, (many * (stack == each)).sum(0), 0)
            for each, one in zip(stack, many, strict=True)
        ],
        0,
    )
    return (many * (stack == found)).sum(0) >= best - _NOTHING


def widened(values: Array, pick: Callable[[Array, Array], Array], by: int = WIDER) -> Array:
    """The extreme of each pixel's surroundings."""
    padded = np.pad(values, by, mode="edge")
    height, width = values.shape
    found = values
    for row in range(2 * by + 1):
        for column in range(2 * by + 1):
            found = pick(found, padded[row : row + height, column : column + width])
    return found

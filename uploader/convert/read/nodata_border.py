"""How much of a raster is one value that reaches in from its border: so looks a nodata value that nobody declared.

Counted are samples of one value in a row or column that begins at the border. Pure: numpy arrays in, numbers out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import ALL_VALID, Facts

_LEAST_SHARE = 0.01
_EDGE_SHARE = 0.1
_VALUES = 2
"""Values that are followed inwards in one piece: the most frequent at its border, each at least a tenth of it."""
_STRETCH = 32
"""Columns of a row that are followed at first; then twice as many, and so on."""

Samples = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value, as people write it, and its share of all samples, 0 to 1."""

    value: str
    share: float


def says_all_valid(facts: Facts) -> bool:
    """Whether no nodata value, mask or alpha of the raster says that some samples do not count."""
    return all(band.mask & ALL_VALID and band.interpretation != "alpha" for band in facts.bands)


class Collar:
    """Takes in blocks of one raster, each once, in any order."""

    def __init__(self, facts: Facts) -> None:
        self._width, self._height = facts.width, facts.height
        self._samples = facts.pixels * facts.count
        self._counts: Counter[str] = Counter()
        self._edges: Counter[str] = Counter()
        self._edge = 0

    def add(self, block: Block) -> None:
        """Take in one piece."""
        piece = block.piece
        sides = (
            piece.column == 0,
            piece.column + piece.width == self._width,
            piece.row == 0,
            piece.row + piece.height == self._height,
        )
        if any(sides):
            for samples in block.samples:
                edge = _edge(samples, sides)
                self._edge += edge.size
                for value, often in _frequent(edge):
                    self._edges[_text(value)] += often
                    self._counts[_text(value)] += _reaching_in(samples, value, sides)

    def result(self) -> Suspect | None:
        """The value with the most such samples, if they are a hundredth of all, and it is a tenth of the border."""
        value, count = next(iter(self._counts.most_common(1)), ("", 0))
        share = count / self._samples
        enough = count and share >= _LEAST_SHARE and self._edges[value] >= _EDGE_SHARE * self._edge
        return Suspect(value, share) if enough else None


def _edge(samples: Samples, sides: tuple[bool, ...]) -> Samples:
    """The border of the raster within a piece."""
    lines = (samples[:, 0], samples[:, -1], samples[0], samples[-1])
    return np.concatenate([line for line, there in zip(lines, sides, strict=True) if there])


def _frequent(edge: Samples) -> list[tuple[Any, int]]:
    """The values that are most of a border, and how often each is there."""
    values, counts = np.unique(edge, return_counts=True)
    order = np.argsort(counts)[::-1][:_VALUES]
    return [(values[n], int(counts[n])) for n in order if counts[n] >= _EDGE_SHARE * edge.size]


def _reaching_in(samples: Samples, value: Any, sides: tuple[bool, ...]) -> int:
    """How many samples have the value, and so have all between them and a side of the raster."""
    alike = np.isnan(samples) if value != value else samples == value  # noqa: PLR0124 - NaN
    reached = np.zeros(alike.shape, np.bool_)
    left, right, top, bottom = sides
    for there, turn in ((left, 1), (right, -1)):
        if there:
            _along_rows(alike[:, ::turn], reached[:, ::turn])
    for there, turn in ((top, 1), (bottom, -1)):
        if there:
            _along_columns(alike[::turn], reached[::turn])
    return int(np.count_nonzero(reached))


def _along_rows(alike: Samples, reached: Samples) -> None:
    """Mark the samples of each row up to the first that is unlike; few rows go on for long."""
    rows = np.flatnonzero(alike[:, 0])
    column, stretch = 0, _STRETCH
    while rows.size and column < alike.shape[1]:
        columns = slice(column, column + stretch)
        still = np.logical_and.accumulate(alike[rows, columns], axis=1)
        reached[rows, columns] |= still
        rows = rows[still[:, -1]]
        column, stretch = column + stretch, 2 * stretch


def _along_columns(alike: Samples, reached: Samples) -> None:
    still = alike[0].copy()
    for row, marks in zip(alike, reached, strict=True):
        still &= row
        if not still.any():
            return
        np.logical_or(marks, still, out=marks)


def _text(value: Any) -> str:
    return f"{value:g}" if value.dtype.kind == "f" else str(value)

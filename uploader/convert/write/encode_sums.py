"""The sums of a raster and its levels, row of tiles by row of tiles, taken where they come to be."""

from __future__ import annotations

from collections.abc import Sequence

from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import ITEM_BYTES, Facts
from uploader.convert.read.pixel_sums import PixelSums

_Sums = tuple[int, ...]


class Sums:
    """Remembers the sums of rows, and tells whether rows that are read later are the same."""

    def __init__(self, levels: Sequence[Facts], wanted: Pyramid) -> None:
        base = levels[0]
        sample = max(ITEM_BYTES[dtype] for dtype in base.dtypes)
        self._masked = wanted.masked
        self._sums = PixelSums(sample * base.width, wanted.tile, base.count + 1)
        self._known: dict[tuple[int, int], _Sums] = {}

    def add(self, number: int, rows: Block) -> None:
        """Rows of the raster (0), or of a level."""
        self._known[number, rows.piece.row] = self._of(rows)

    def same(self, number: int, rows: Block) -> bool:
        """Whether rows are those that were added for this place."""
        return self._known.get((number, rows.piece.row)) == self._of(rows)

    def _of(self, rows: Block) -> _Sums:
        found = self._sums.of_all(rows.samples)
        return (*found, *self._sums.of([rows.masks[1]], [len(found)])) if self._masked else found

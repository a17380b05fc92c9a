"""What a raster and its levels hold, row of tiles by row of tiles, remembered where it comes to be.

Of a small raster the pixels themselves are kept, and compared bit by bit; of others their sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.read.block_reader import Block
from uploader.convert.read.executors import small
from uploader.convert.read.facts import ITEM_BYTES, Facts
from uploader.convert.read.pixel_sums import PixelSums
from uploader.convert.write.pixel_comparison import same_bits

_Sums = tuple[int, ...]


class PixelMemory(Protocol):
    """Remembers rows, and tells whether rows that are read later are the same."""

    def add(self, number: int, rows: Block) -> None:
        """Rows of the raster (0), or of a level."""

    def same(self, number: int, rows: Block) -> bool:
        """Whether rows are those that were added for this place."""


def memory(levels: Sequence[Facts], wanted: Pyramid) -> PixelMemory:
    """The memory of a raster and its levels, the first of `levels`."""
    return KeptPixels(masked=wanted.masked) if small(levels[0].raw_bytes) else KeptSums(levels, wanted)


class KeptPixels:
    """Keeps the rows themselves: quicker than to sum them up, and a few megabytes."""

    def __init__(self, *, masked: bool) -> None:
        self._masked = masked
        self._known: dict[tuple[int, int], Block] = {}

    def add(self, number: int, rows: Block) -> None:
        """See PixelMemory. Whoever would change them afterwards is stopped."""
        rows.samples.flags.writeable = False
        if self._masked:
            rows.masks[1].flags.writeable = False
        self._known[number, rows.piece.row] = rows

    def same(self, number: int, rows: Block) -> bool:
        """See PixelMemory."""
        known = self._known.get((number, rows.piece.row))
        if known is None or not same_bits(known.samples, rows.samples):
            return False
        return not self._masked or same_bits(known.masks[1], rows.masks[1])


class KeptSums:
    """Keeps a few numbers for each row of tiles."""

    def __init__(self, levels: Sequence[Facts], wanted: Pyramid) -> None:
        base = levels[0]
        sample = max(ITEM_BYTES[dtype] for dtype in base.dtypes)
        self._masked = wanted.masked
        self._sums = PixelSums(sample * base.width, wanted.tile, base.count + 1)
        self._known: dict[tuple[int, int], _Sums] = {}

    def add(self, number: int, rows: Block) -> None:
        """See PixelMemory."""
        self._known[number, rows.piece.row] = self._of(rows)

    def same(self, number: int, rows: Block) -> bool:
        """See PixelMemory."""
        return self._known.get((number, rows.piece.row)) == self._of(rows)

    def _of(self, rows: Block) -> _Sums:
        found = self._sums.of_all(rows.samples)
        return (*found, *self._sums.of([rows.masks[1]], [len(found)])) if self._masked else found

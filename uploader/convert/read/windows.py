"""In which pieces a raster is read: along its own blocks, so that each is decoded once, and bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uploader.convert.read.facts import ITEM_BYTES, Facts

WINDOW_BYTES = 32 << 20
_TILE = 512
_SAMPLED = 16
_CELLS = 8
_RIMS = 4
"""A block that is narrower than so many rims keeps them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bands (counted from 1) of a rectangle of pixels."""

    column: int
    row: int
    width: int
    height: int
    bands: tuple[int, ...]

    @property
    def place(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The rectangle as rasterio takes it: ((row, row), (column, column)), ends excluded."""
        return (self.row, self.row + self.height), (self.column, self.column + self.width)

    def widened(self, by: int, facts: Facts) -> Piece:
        """The piece with so many pixels more on each side, as far as the raster goes."""
        row, column = max(0, self.row - by), max(0, self.column - by)
        height = min(facts.height, self.row + self.height + by) - row
        width = min(facts.width, self.column + self.width + by) - column
        return Piece(column, row, width, height, self.bands)

    def within(self, wide: Piece) -> tuple[slice, slice]:
        """Where the piece lies in an array of a wider one: rows and columns."""
        row, column = self.row - wide.row, self.column - wide.column
        return slice(row, row + self.height), slice(column, column + self.width)


def pieces(facts: Facts, budget: int = WINDOW_BYTES) -> Iterator[Piece]:
    """Cover the raster once. No piece holds more than `budget` bytes, unless a single block does.

    Pieces are whole blocks of the source, and where that costs nothing whole tiles of the COG.
    """
    for bands in _groups(facts, budget):
        sample = sum(ITEM_BYTES[facts.bands[index - 1].dtype] for index in bands)
        width, height = _shape(facts, sample, budget)
        for row in range(0, facts.height, height):
            for column in range(0, facts.width, width):
                yield Piece(
                    column, row, min(width, facts.width - column), min(height, facts.height - row), bands
                )


def rows_of_tiles(facts: Facts, tile: int) -> list[Piece]:
    """Cover a raster, or one of its levels, once, in whole rows of tiles with all bands, from the top down."""
    bands = tuple(band.index for band in facts.bands)
    return [
        Piece(0, row, facts.width, min(tile, facts.height - row), bands)
        for row in range(0, facts.height, tile)
    ]


def sampled(everything: Sequence[Piece]) -> list[Piece]:
    """The first, the last, and some evenly spread in between."""
    if len(everything) <= _SAMPLED:
        return list(everything)
    step = (len(everything) - 1) / (_SAMPLED - 1)
    return [everything[round(number * step)] for number in range(_SAMPLED)]


def scattered(facts: Facts, rim: int = 0) -> list[Piece]:
    """One block in the middle of each cell of a grid of eight by eight; of a small raster all of them.

    Where not all blocks are there, each goes without a rim of so many pixels: then a piece with that much around it
    is one block, and no other is decoded.
    """
    rows, columns = facts.bands[0].block
    tops, lefts = _spread(facts.height, rows, rim), _spread(facts.width, columns, rim)
    return [
        Piece(left, top, right - left, bottom - top, bands)
        for bands in _groups(facts, 0)
        for top, bottom in tops
        for left, right in lefts
    ]


def _spread(length: int, block: int, rim: int) -> list[tuple[int, int]]:
    """Where the blocks in the middle of eight equal parts begin and end."""
    count = -(-length // block)
    if count <= _CELLS:
        return [(block * n, min(block * (n + 1), length)) for n in range(count)]
    rim = rim if block > _RIMS * rim else 0
    starts = [block * ((2 * cell + 1) * count // (2 * _CELLS)) for cell in range(_CELLS)]
    return [(at + rim if at else 0, at + block - rim if at + block < length else length) for at in starts]


def _groups(facts: Facts, budget: int) -> Iterator[tuple[int, ...]]:
    """Which bands are read together: all that share blocks and a type; else one by one."""
    together = tuple(band.index for band in facts.bands)
    if len(set(facts.dtypes)) == 1 and (facts.pixel_interleaved or facts.raw_bytes <= budget):
        yield together
    else:
        yield from ((index,) for index in together)


def _shape(facts: Facts, sample: int, budget: int) -> tuple[int, int]:
    """Width and height of a piece, for so many bytes per pixel."""
    rows, columns = facts.bands[0].block
    rows, columns = min(rows, facts.height), min(columns, facts.width)
    rows = _multiple(rows, _TILE) if _multiple(rows, _TILE) * columns * sample <= budget else rows
    columns = _multiple(columns, _TILE) if rows * _multiple(columns, _TILE) * sample <= budget else columns
    across = max(1, budget // (rows * columns * sample))
    width = min(facts.width, columns * across)
    down = max(1, budget // (rows * width * sample)) if width == facts.width else 1
    return width, min(facts.height, rows * down)


def _multiple(value: int, of: int) -> int:
    """The smallest multiple of a block that is at least a tile: 512 for 4, 16 or 256; the block if it is larger."""
    return value if value >= of else value * -(-of // value)

"""All levels of a raster out of its rows, as they come: each row is looked at once, and soon forgotten.

A level needs the rows above it in order; of these it keeps those alone that the next of its pixels covers, too. What
comes out are whole rows of tiles. Pure: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.pyramid.overview_writer import Pyramid, shrunk
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints, sizes
from uploader.convert.read.block_reader import Block, Mask
from uploader.convert.read.facts import Facts
from uploader.convert.read.windows import Piece

_COLUMNS = 256
"""Columns of a level that are made at once: what is above them stays in the processor's cache."""

_MIXED_COLUMNS = 32
"""The same where only some pixels count."""


class LevelStream:
    """Takes in the rows of a raster from the first to the last; gives rows of tiles of its levels."""

    def __init__(self, wanted: Pyramid) -> None:
        facts = [wanted.facts]
        for width, height in sizes(wanted.facts.width, wanted.facts.height, wanted.tile):
            facts.append(replace(wanted.facts, width=width, height=height))
        self._levels = [_Level(above, level, wanted) for above, level in pairwise(facts)]

    def add(self, rows: Block) -> Iterator[tuple[int, Block]]:
        """Rows of tiles that are whole by now, with the number of their level, the largest being 0.

        A block holds all bands and the masks of all bands that are not wholly valid.
        """
        yield from self._added(0, rows)

    def _added(self, number: int, rows: Block) -> Iterator[tuple[int, Block]]:
        if number < len(self._levels):
            for made in self._levels[number].add(rows):
                yield number, made
                yield from self._added(number + 1, made)


class _Level:
    """One level: the rows above that its next pixels need, and the row of tiles that is being filled."""

    def __init__(self, above: Facts, level: Facts, wanted: Pyramid) -> None:
        self._facts, self._wanted = level, wanted
        self._rows, self._columns = Axis(above.height, level.height), Axis(above.width, level.width)
        self._kept: Block | None = None
        self._next = 0
        self._filling: list[Block] = []

    def add(self, rows: Block) -> Iterator[Block]:
        """Rows of tiles that are whole by now."""
        above = _joined([self._kept, rows] if self._kept else [rows])
        end = above.piece.row + above.piece.height
        stop = end * self._facts.height // self._rows.above
        while self._next < stop:
            last = min(stop, (self._next // self._wanted.tile + 1) * self._wanted.tile)
            self._filling.append(self._made(above, self._next, last))
            self._next = last
            if last % self._wanted.tile == 0 or last == self._facts.height:
                yield _joined(self._filling)
                self._filling = []
        first = self._rows.span(stop, stop + 1)[0]
        self._kept = _copied(above, first) if first < end else None

    def _made(self, above: Block, first: int, stop: int) -> Block:
        """These rows of the level."""
        whole = Piece(0, first, self._facts.width, stop - first, above.piece.bands)
        samples = np.empty((len(whole.bands), whole.height, whole.width), above.samples.dtype)
        masks = self._empty(above, samples.shape[1:])
        down = self._rows.cover(first, stop)
        top, bottom = self._rows.span(first, stop)
        rows = above.part(replace(above.piece, row=top, height=bottom - top))
        for column, end, part in self._parts(rows):
            made, valid = shrunk(part, Footprints(down, self._columns.cover(column, end)), self._wanted)
            samples[:, :, column:end] = made
            for index, mask in valid.items():
                masks[index][:, column:end] = mask
        return Block(whole, samples, masks)

    def _parts(self, rows: Block) -> Iterator[tuple[int, int, Block]]:
        """Stretches of columns of the level, and what is above them.

        They are short where something counts and something does not, which takes many passes over the pixels.
        """
        for column in range(0, self._facts.width, _COLUMNS):
            end = min(column + _COLUMNS, self._facts.width)
            step = _MIXED_COLUMNS if self._mixed(self._under(rows, column, end)) else _COLUMNS
            for start in range(column, end, step):
                stop = min(start + step, end)
                yield start, stop, self._under(rows, start, stop)

    def _under(self, rows: Block, column: int, end: int) -> Block:
        left, right = self._columns.span(column, end)
        return rows.part(replace(rows.piece, column=left, width=right - left))

    def _mixed(self, part: Block) -> bool:
        """Whether some of its pixels count, or count more, and others do not."""
        alpha = self._wanted.alpha
        if alpha in part.piece.bands:
            shown = part.samples[part.piece.bands.index(alpha)]
            return bool(shown.min() != shown.max())
        known = {id(mask): mask for mask in part.masks.values()}
        return any(bool(mask.any()) and not mask.all() for mask in known.values())

    def _empty(self, above: Block, shape: tuple[int, ...]) -> dict[int, Mask]:
        if self._wanted.one_mask:
            return dict.fromkeys(above.masks, np.empty(shape, np.bool_))
        return {index: np.empty(shape, np.bool_) for index in above.masks}


def _joined(blocks: list[Block]) -> Block:
    """Blocks that lie one below the other, as one."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0].piece
    height = sum(block.piece.height for block in blocks)
    masks = _by_mask(blocks[0], lambda index: np.concatenate([block.masks[index] for block in blocks]))
    samples: NDArray[Any] = np.concatenate([block.samples for block in blocks], axis=1)
    return Block(replace(first, height=height), samples, masks)


def _copied(block: Block, first: int) -> Block:
    """Its rows from this one on, for themselves: a part of it would keep all of it in memory."""
    piece = block.piece
    below = replace(piece, row=first, height=piece.row + piece.height - first)
    rows = slice(first - piece.row, None)
    masks = _by_mask(block, lambda index: block.masks[index][rows].copy())
    return Block(below, block.samples[:, rows].copy(), masks)


def _by_mask(block: Block, make: Callable[[int], Mask]) -> dict[int, Mask]:
    """What is made of each mask, once where bands share it."""
    made: dict[int, Mask] = {}
    for index, mask in block.masks.items():
        if id(mask) not in made:
            made[id(mask)] = make(index)
    return {index: made[id(mask)] for index, mask in block.masks.items()}

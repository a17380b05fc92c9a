"""What is remembered of rows until they are read back: the pixels of a small raster, the sums of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import PER_DATASET, BandFacts, Facts
from uploader.convert.read.windows import Piece
from uploader.convert.write.pixel_memory import memory

_SIDE = 40
_PLACE = Piece(0, 0, _SIDE, _SIDE, (1, 2))


def remembered() -> tuple[Block, Facts]:
    """Rows of noise with a mask, and the raster that they are."""
    random = np.random.default_rng(2)
    samples = random.integers(0, 255, (2, _SIDE, _SIDE), dtype=np.uint8)
    mask = random.integers(0, 2, (_SIDE, _SIDE)).astype(np.bool_)
    bands = tuple(BandFacts(n, "uint8", (_SIDE, _SIDE), "gray", PER_DATASET) for n in _PLACE.bands)
    return Block(_PLACE, samples, {1: mask, 2: mask}), Facts("GTiff", _SIDE, _SIDE, 0, bands)


@pytest.mark.unit
@pytest.mark.usefixtures("either_size")
def test_only_the_same_rows_are_the_same() -> None:
    """Not those with another pixel or another bit of the mask, nor those of another level or place."""
    rows, facts = remembered()
    pixel, bit = rows.samples.copy(), rows.masks[1].copy()
    pixel[1, -1, -1] ^= 1
    bit[0, 0] ^= True
    held = memory([facts], Pyramid(facts, _SIDE, "mean", {}))
    copy = replace(rows, samples=rows.samples.copy(), masks={1: rows.masks[1].copy()})

    held.add(0, rows)

    assert held.same(0, copy)
    assert not held.same(0, replace(copy, samples=pixel))
    assert not held.same(0, replace(copy, masks={1: bit}))
    assert not held.same(1, copy)
    assert not held.same(0, replace(copy, piece=replace(_PLACE, row=_SIDE)))


@pytest.mark.unit
def test_rows_that_are_kept_cannot_be_changed() -> None:
    """Whoever would write to them, and so to what they are compared with, gets an error."""
    rows, facts = remembered()

    memory([facts], Pyramid(facts, _SIDE, "mean", {})).add(0, rows)

    for kept in (rows.samples, rows.masks[1]):
        with pytest.raises(ValueError, match="read-only"):
            kept[..., 0] = 0

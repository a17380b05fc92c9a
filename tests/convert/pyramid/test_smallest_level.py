"""The smallest level is kept as it comes, row of tiles by row of tiles, in the bands that are shown."""

from __future__ import annotations

import numpy as np
import pytest

from uploader.convert.pyramid.smallest_level import SmallestLevel
from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, PER_DATASET, BandFacts
from uploader.convert.read.windows import Piece

pytestmark = pytest.mark.unit


def bands(*names: str, mask: int = ALL_VALID) -> list[BandFacts]:
    """Bands of bytes; an alpha band is valid itself."""
    return [
        BandFacts(n, "uint8", (512, 512), name, ALL_VALID if name == "alpha" else mask)
        for n, name in enumerate(names, 1)
    ]


def rows(samples: np.ndarray, first: int, stop: int, mask: np.ndarray | None = None) -> Block:
    """These rows of a raster."""
    count, _, width = samples.shape
    piece = Piece(0, first, width, stop - first, tuple(range(1, count + 1)))
    masks = {} if mask is None else dict.fromkeys(piece.bands, mask[first:stop])
    return Block(piece, samples[:, first:stop], masks)


def test_colours_are_picked_by_their_names_and_alpha_is_opacity() -> None:
    """Wherever these bands lie; in as many pieces as they come."""
    samples = np.random.default_rng(1).integers(0, 256, (5, 30, 20), np.uint8)
    seen = SmallestLevel(bands("nir", "blue", "green", "red", "alpha", mask=PER_DATASET | ALPHA), 600)
    for first in range(0, 30, 10):
        seen.add(rows(samples, first, first + 10))

    level = seen.level()
    assert level is not None
    assert np.array_equal(level.samples, samples[[3, 2, 1]])
    assert np.array_equal(level.opacity, samples[4])


def test_what_is_masked_has_no_opacity() -> None:
    """Nodata, too, of which the mask tells."""
    samples = np.zeros((1, 10, 10), np.uint8)
    mask = np.eye(10, dtype=bool)
    seen = SmallestLevel(bands("gray", mask=NODATA), 100)
    seen.add(rows(samples, 0, 10, mask))

    level = seen.level()
    assert level is not None
    assert np.array_equal(level.opacity, mask * 255)


def test_a_large_level_is_not_kept() -> None:
    """It would take memory for nothing; nor is there a level of no rows."""
    large = SmallestLevel(bands("gray"), 600 * 600)
    large.add(rows(np.zeros((1, 10, 600), np.uint8), 0, 10))

    assert large.level() is None
    assert SmallestLevel(bands("gray"), 100).level() is None

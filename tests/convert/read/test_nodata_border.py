"""How much of a raster is one value in from its border, against a plain loop over every row and column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts
from uploader.convert.read.nodata_border import Collar, Suspect, _reaching_in
from uploader.convert.read.windows import Piece

pytestmark = pytest.mark.unit


def plainly(pixels: np.ndarray, sides: tuple[bool, ...]) -> int:
    """The same, sample by sample."""
    seen = set()
    height, width = pixels.shape
    lines = [[(r, c) for c in range(width)] for r in range(height)] if sides[0] else []
    lines += [[(r, c) for c in reversed(range(width))] for r in range(height)] if sides[1] else []
    lines += [[(r, c) for r in range(height)] for c in range(width)] if sides[2] else []
    lines += [[(r, c) for r in reversed(range(height))] for c in range(width)] if sides[3] else []
    for line in lines:
        for place in line:
            if pixels[place] != 0:
                break
            seen.add(place)
    return len(seen)


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.booleans()] * 4),
)
def test_runs_from_the_border_are_counted(
    height: int, width: int, seed: int, sides: tuple[bool, ...]
) -> None:
    """Whatever the pattern and the sides, and NaN like any value."""
    pixels = (np.random.default_rng(seed).random((height, width)) < 0.4).astype(np.float32)
    holes = np.where(pixels == 0, np.nan, pixels).astype(np.float32)

    assert _reaching_in(pixels, np.float32(0), sides) == plainly(pixels, sides)
    assert _reaching_in(holes, np.float32(np.nan), sides) == plainly(pixels, sides)


def suspect(pixels: np.ndarray, cut: int) -> Suspect | None:
    """What is suspect of one band, in two pieces of so many rows above and the rest below."""
    height, width = pixels.shape
    band = BandFacts(1, pixels.dtype.name, (16, 16), "gray", ALL_VALID)
    collar = Collar(Facts(driver="GTiff", width=width, height=height, file_bytes=1, bands=(band,)))
    for first, last in ((0, cut), (cut, height)):
        collar.add(Block(Piece(0, first, width, last - first, (1,)), pixels[None, first:last], {}))
    return collar.result()


@pytest.mark.parametrize("cut", [20, 100, 180])
def test_pieces_add_up(cut: int) -> None:
    """A collar is seen in pieces as in one."""
    pixels = np.random.default_rng(2).integers(1, 200, (200, 150)).astype(np.uint8)
    pixels[:, :6] = 0

    assert suspect(pixels, cut) == Suspect("0", 6 / 150)
    pixels[:, :6] = 7
    assert suspect(pixels[:, 5:], cut) is None


def test_what_is_little_of_the_border_is_no_collar() -> None:
    """A road from side to side may be more than a hundredth of a picture."""
    pixels = np.random.default_rng(2).integers(1, 200, (200, 150)).astype(np.uint8)
    pixels[90:110] = 0

    assert suspect(pixels, 100) is None

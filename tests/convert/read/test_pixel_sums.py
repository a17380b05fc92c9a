"""Sums of pixels: what is alike has the same, and whatever is moved or changed has another."""

from __future__ import annotations

import numpy as np
import pytest

from uploader.convert.read.pixel_sums import PixelSums

pytestmark = pytest.mark.unit

_ROWS, _COLUMNS = 40, 61


def made(dtype: str = "uint8", bands: int = 3) -> np.ndarray:
    """Noise."""
    return np.random.default_rng(3).integers(0, 120, (bands, _ROWS, _COLUMNS)).astype(dtype)


def sums_of(*arrays: np.ndarray) -> list[tuple[int, ...]]:
    """The sums of arrays by the same weights."""
    of = PixelSums(arrays[0].itemsize * _COLUMNS, _ROWS, len(arrays[0]))
    return [of.of_all(each) for each in arrays]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_the_same_pixels_have_the_same_sums(dtype: str) -> None:
    """Also where they lie elsewhere in memory."""
    pixels = made(dtype)
    wide = np.zeros((3, _ROWS, _COLUMNS + 9), dtype)
    wide[:, :, 4 : 4 + _COLUMNS] = pixels

    first, second, third = sums_of(pixels, pixels.copy(), wide[:, :, 4 : 4 + _COLUMNS])

    assert first == second == third


@pytest.mark.parametrize(
    "change",
    [
        lambda a: np.roll(a, 1, axis=2),
        lambda a: np.roll(a, 4, axis=2),
        lambda a: np.roll(a, 1, axis=1),
        lambda a: np.roll(a, 1, axis=0),
        lambda a: a[:, ::-1],
        lambda a: a[:, :, ::-1],
        lambda a: a[:, :-1],
    ],
    ids=["a column", "a word", "a row", "bands", "rows", "columns", "one row less"],
)
def test_pixels_elsewhere_have_other_sums(change) -> None:
    """A shift, an exchange, or a row that is missing changes the sum of every band."""
    pixels = made()
    before, after = sums_of(pixels, change(pixels))

    assert all(old != new for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("column", [0, 17, _COLUMNS - 1])
@pytest.mark.parametrize("bit", [0, 7])
def test_every_bit_counts(column: int, bit: int) -> None:
    """One bit of one sample, in a word or in what is left behind the last, changes the sum of its band alone."""
    pixels = made()
    other = pixels.copy()
    other[1, 20, column] ^= 1 << bit
    before, after = sums_of(pixels, other)

    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_numbers_that_are_equal_are_told_apart_by_their_bits() -> None:
    """Minus zero is not zero, and NaN is NaN."""
    zeros = np.zeros((1, _ROWS, _COLUMNS), np.float32)
    minus, holes = zeros.copy(), np.full_like(zeros, np.nan)
    minus[0, 0, 0] = -0.0
    first, second, third, fourth = sums_of(zeros, minus, holes, holes.copy())

    assert first != second
    assert third == fourth


def test_an_exchange_of_two_tiles_that_differ_in_the_highest_bit_is_seen() -> None:
    """Products whose low bits alone are kept would lose it."""
    pixels = made()
    pixels[:, :16, :32] = 0
    pixels[:, 3, 3] = 128
    other = pixels.copy()
    other[:, :16, :16], other[:, :16, 16:32] = pixels[:, :16, 16:32], pixels[:, :16, :16]
    before, after = sums_of(pixels, other)

    assert all(old != new for old, new in zip(before, after, strict=True))

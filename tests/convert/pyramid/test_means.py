"""The short ways to a mean against the mean as it is defined, in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from uploader.convert.pyramid.downsample import Downsampling, shrink
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints

pytestmark = pytest.mark.unit

_INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32"]


def defined(above: np.ndarray, height: int, width: int) -> np.ndarray:
    """Each pixel of a level as the area-weighted mean of what it covers."""
    rows, columns = (_shares(*each) for each in ((above.shape[0], height), (above.shape[1], width)))
    exact = above.astype(object)
    return np.array(
        [
            [
                sum(exact[r, c] * down * across for r, down in row for c, across in column)
                for column in columns
            ]
            for row in rows
        ]
    )


def _shares(above: int, level: int) -> list[list[tuple[int, Fraction]]]:
    """For each pixel of an axis: which pixels above it covers, and their shares in it."""
    found = []
    for pixel in range(level):
        start, stop = Fraction(pixel * above, level), Fraction((pixel + 1) * above, level)
        parts = [(at, min(stop, at + 1) - max(start, at)) for at in range(above)]
        found.append([(at, share / (stop - start)) for at, share in parts if share > 0])
    return found


def _whole(mean: Fraction) -> int:
    """Halves away from zero."""
    size = int(abs(mean) + Fraction(1, 2))
    return size if mean >= 0 else -size


def level_of(above: np.ndarray, height: int, width: int) -> np.ndarray:
    """The level that is made."""
    cover = [Axis(*each) for each in ((above.shape[0], height), (above.shape[1], width))]
    footprints = Footprints(cover[0].cover(0, height), cover[1].cover(0, width))
    return shrink(above, None, footprints, Downsampling("mean"))


@pytest.mark.parametrize("dtype", _INTEGERS)
@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 24), (16, 25), (17, 25), (1, 9), (3, 1)])
def test_whole_numbers_are_rounded_once(dtype: str, height: int, width: int) -> None:
    """Of even and odd sides, over the whole range of the type."""
    bounds = np.iinfo(dtype)
    above = np.random.default_rng(height).integers(
        bounds.min, bounds.max, (height, width), dtype, endpoint=True
    )
    size = max(1, height // 2), max(1, width // 2)
    wanted = np.vectorize(_whole)(defined(above, *size))

    assert np.array_equal(level_of(above, *size), wanted.astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 25)])
def test_floats_are_as_near_as_their_type_allows(dtype: str, height: int, width: int) -> None:
    """The mean of finite floats."""
    above = np.random.default_rng(5).normal(1e4, 300, (height, width)).astype(dtype)
    exact = np.vectorize(Fraction)(above.astype(float))
    wanted = defined(exact, height // 2, width // 2).astype(float)

    np.testing.assert_allclose(level_of(above, height // 2, width // 2), wanted, rtol=4 * np.finfo(dtype).eps)

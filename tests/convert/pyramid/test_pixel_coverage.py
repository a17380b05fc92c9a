"""Which pixels an overview's pixel covers, against footprints added up by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from uploader.convert.pyramid.pixel_coverage import Axis, Footprints, sizes

pytestmark = pytest.mark.unit


def test_levels_are_halved_until_one_fits_a_tile() -> None:
    """Odd sizes are rounded down, as GDAL's COG driver does, and nothing becomes less than one."""
    assert sizes(701, 1403, 256) == [(350, 701), (175, 350), (87, 175)]
    assert sizes(3, 2000, 512) == [(1, 1000), (1, 500)]
    assert sizes(512, 512, 512) == []


@pytest.mark.parametrize(("above", "level"), [(10, 5), (11, 5), (7, 3), (3, 1), (9, 2), (701, 351), (1, 1)])
def test_weights_are_shares_of_a_footprint(above: int, level: int) -> None:
    """Each pixel above counts by how much of it lies in the footprint, and all of them make a whole."""
    cover = Axis(above, level).cover(0, level)
    found = np.zeros((level, above))
    for take, weight in zip(cover.taps, cover.weights, strict=True):
        where = np.arange(above)[take]
        np.add.at(found, (np.arange(level), where), weight / cover.total)
    wanted = np.zeros((level, above))
    for i in range(level):
        for j in range(above):
            begin = max(Fraction(i * above, level), Fraction(j))
            end = min(Fraction((i + 1) * above, level), Fraction(j + 1))
            wanted[i, j] = max(0, (end - begin) * Fraction(level, above))

    assert np.allclose(found, wanted, atol=1e-15)


@pytest.mark.parametrize(("above", "level"), [(1001, 500), (700, 350), (701, 351), (999, 250)])
def test_pieces_lose_no_pixel_and_see_none_twice(above: int, level: int) -> None:
    """The pixels that begin in consecutive stretches above are all of the level, each once."""
    axis = Axis(above, level)
    cuts = [*range(0, above, 64), above]
    seen = [n for a, b in pairwise(cuts) for n in range(*axis.within(a, b))]

    assert seen == list(range(level))


def test_a_part_is_a_part_of_the_whole() -> None:
    """What is reduced piece by piece is what is reduced at once."""
    samples = np.random.default_rng(1).integers(0, 99, (101, 77)).astype(np.float64)
    rows, columns = Axis(101, 50), Axis(77, 38)
    whole = Footprints(rows.cover(0, 50), columns.cover(0, 38)).summed(samples)
    (top, bottom), (left, right) = rows.span(13, 29), columns.span(7, 30)
    part = Footprints(rows.cover(13, 29), columns.cover(7, 30)).summed(samples[top:bottom, left:right])

    assert np.array_equal(part, whole[13:29, 7:30])

"""Affine transforms are kept bit for bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core.affine_transforms import bounds, packed, unpacked

pytestmark = pytest.mark.unit

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_all_six_numbers_come_back(numbers: tuple[float, float, float, float, float, float]) -> None:
    """Whatever they are."""
    assert unpacked(packed(numbers)) == numbers


def test_a_raster_with_north_above_takes_less() -> None:
    """It has no rotation to tell of; nothing else is a transform."""
    assert len(packed((10.0, 0.0, 500000.0, 0.0, -10.0, 5900000.0))) == 32
    assert unpacked(None) is None
    assert unpacked(b"x" * 31) is None
    with pytest.raises(ValueError, match="not finite"):
        packed((1.0, 0.0, float("inf"), 0.0, 1.0, 0.0))


def test_bounds_hold_all_corners() -> None:
    """Also of a raster that is turned."""
    assert bounds((10.0, 0.0, 500.0, 0.0, -10.0, 900.0), 4, 5) == (500.0, 860.0, 550.0, 900.0)
    assert bounds((0.0, 2.0, 0.0, 3.0, 0.0, 0.0), 4, 5) == (0.0, 0.0, 8.0, 15.0)

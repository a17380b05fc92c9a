"""Moments and classes against slow, plain arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from uploader.convert.statistics import Classes, Moments, embedded, to_tags

pytestmark = pytest.mark.unit


def exact(values) -> tuple[float, float]:
    """Mean and population deviation in rational numbers, without any rounding before the end."""
    numbers = [Fraction(value) for value in values]
    mean = sum(numbers) / len(numbers)
    return float(mean), math.sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers))


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8),
        np.random.default_rng(2).integers(-(2**15), 2**15, 5000).astype(np.int16),
        (np.random.default_rng(3).random(5000) + 1e9),
        np.random.default_rng(4).normal(0, 1e-8, 5000).astype(np.float32) + np.float32(1000),
        np.full(777, 0.1),
    ],
    ids=["bytes", "shorts", "far from zero", "tiny spread", "constant"],
)
def test_moments_are_exact(values: np.ndarray) -> None:
    """Twelve digits of mean and deviation are right, also in unequal parts and far from zero."""
    moments = Moments()
    for part in np.split(values, [1, 10, 600]):
        moments.add(part)
    found, (mean, deviation) = moments.result(values.size), exact(values.tolist())

    assert (found.min, found.max) == (values.min(), values.max())
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.std == pytest.approx(deviation, rel=1e-12, abs=1e-15)


def test_not_a_number_does_not_count() -> None:
    """NaN and infinities are left out of everything, and of the percentage."""
    moments = Moments()
    moments.add(np.array([1.0, np.nan, np.inf, 3.0]))
    found = moments.result(4)

    assert (found.min, found.max, found.mean, found.std, found.valid_percent) == (1.0, 3.0, 2.0, 1.0, 50.0)


def test_nothing_valid_has_no_statistics() -> None:
    """A band without one valid pixel has no extremes to embed, only a percentage of zero."""
    found = Moments().result(100)

    assert to_tags(found) == {"STATISTICS_VALID_PERCENT": "0"}


def test_large_integers_keep_every_digit() -> None:
    """Extremes beyond 2**53 are the integers themselves."""
    moments = Moments()
    moments.add(np.array([2**53 + 1, 2**62 + 1]))

    assert to_tags(moments.result(2))["STATISTICS_MINIMUM"] == str(2**53 + 1)


@pytest.mark.parametrize(
    ("values", "distinct"),
    [([], 0), ([5, 5, 5], 1), ([0, 255], 2), (range(-16, 16), 32), (range(33), None), ([0, 2**40], 2)],
)
def test_classes_count_up_to_a_few(values, distinct) -> None:
    """Up to 32 distinct values are counted, whatever their size; more are too many."""
    classes = Classes()
    classes.add(np.array(list(values), dtype=np.int64))

    assert classes.distinct == distinct


def test_classes_are_counted_together() -> None:
    """Parts that are few each may be too many together."""
    classes = Classes()
    classes.add(np.arange(20, dtype=np.uint8))
    classes.add(np.arange(20, 40, dtype=np.uint8))

    assert classes.distinct is None


def test_embedded_statistics_are_believed_only_if_true() -> None:
    """Items written by ourselves are recognised; one changed, approximate or missing item is not."""
    moments = Moments()
    moments.add(np.random.default_rng(5).random(1000) * 100)
    statistics = moments.result(1200)
    tags = to_tags(statistics)

    assert embedded(tags, statistics)
    assert embedded(tags | {"STATISTICS_VALID_PERCENT": "83.33"}, statistics)
    for key in tags:
        assert not embedded(tags | {key: "17"}, statistics), key
    assert not embedded(tags | {"STATISTICS_APPROXIMATE": "YES"}, statistics)
    assert not embedded({}, statistics)

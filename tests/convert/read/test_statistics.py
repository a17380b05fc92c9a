"""Moments and classes against slow, plain arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import rasterio

from uploader.convert.job import BandStatistics
from uploader.convert.read.examine import examine
from uploader.convert.read.measure import measure
from uploader.convert.read.statistics import Classes, Counts, Moments, Totals
from uploader.convert.read.statistics_tags import embedded, to_tags

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


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_counts_are_exact(dtype: str) -> None:
    """Of small types every digit is right, over the whole range, in odd parts, and nodata is left out."""
    bounds = np.iinfo(dtype)
    values = np.random.default_rng(6).integers(bounds.min, bounds.max, 5001, dtype=dtype, endpoint=True)
    counts = Counts(values.dtype)
    for part in np.split(values, [1, 10, 601]):
        counts.add(part)
    counts.forget(int(values[0]))
    kept = [int(value) for value in values if value != values[0]]
    found, (mean, deviation) = counts.result(values.size), exact(kept)

    assert (found.min, found.max, found.mean) == (min(kept), max(kept), mean)
    assert found.std == pytest.approx(deviation, rel=1e-15)
    assert found.valid_percent == 100 * len(kept) / values.size
    assert counts.count == len(kept)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("value", [None, "min", "max"])
def test_totals_are_what_counts_are(dtype: str, value: str | None) -> None:
    """Digit by digit, over the whole range and of nothing but the farthest value, in parts of more than one chunk."""
    bounds = np.iinfo(dtype)
    values = np.random.default_rng(6).integers(bounds.min, bounds.max, 100_003, dtype=dtype, endpoint=True)
    if value:
        values[:] = getattr(bounds, value)
    counts, totals = Counts(values.dtype), Totals()
    for part in np.split(values, [0, 1, 10, 601]):
        counts.add(part)
        totals.add(part)

    assert totals.result(200_006) == counts.result(200_006)


def test_totals_of_nothing_have_no_statistics() -> None:
    """As of any other band without one valid pixel."""
    assert Totals().result(7) == Counts(np.dtype("uint8")).result(7)


def test_nodata_of_all_bands_together(tmp_path: Path) -> None:
    """With NODATA_VALUES a pixel is invalid only where every band has its value: one zero alone counts."""
    path = tmp_path / "source.tif"
    pixels = np.full((3, 4, 4), 7, np.uint8)
    pixels[:, 0] = pixels[0, 1] = 0
    shape = {"width": 4, "height": 4, "count": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", nodata=0, **shape) as dataset:
        dataset.write(pixels)
        dataset.update_tags(NODATA_VALUES="0 0 0")
    facts = examine(path)

    with rasterio.open(path) as dataset:
        found = measure(dataset, facts, classes=False).bands

    assert [band.min for band in found] == [0, 7, 7]
    assert [band.valid_percent for band in found] == [75.0, 75.0, 75.0]


def test_counting_nothing_has_no_statistics() -> None:
    """A band of small integers without one valid pixel is as empty as any other; one value has no deviation."""
    empty, same = Counts(np.dtype("uint8")), Counts(np.dtype("int16"))
    same.add(np.full(7, -3, np.int16))

    assert to_tags(empty.result(100)) == {"STATISTICS_VALID_PERCENT": "0"}
    assert (same.result(7).mean, same.result(7).std) == (-3.0, 0.0)
    assert same.values().tolist() == [-3]


def test_counts_beyond_64_bits_are_exact() -> None:
    """Sums that no 64 bits can hold are as exact as small ones: of a raster of a million megapixels, say."""
    counts = Counts(np.dtype("uint16"))
    counts._seen[[1, 65535]] = 1 << 40  # more than can be counted here
    found = counts.result(1 << 41)

    assert (found.mean, found.std) == (32768.0, 32767.0)
    assert found.valid_percent == 100.0


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
    [([], 0), ([5, 5, 5], 1), ([0, 255], 2), (range(-32, 32), 64), (range(65), None), ([0, 2**40], 2)],
)
def test_classes_count_up_to_a_few(values, distinct) -> None:
    """Up to 64 distinct values are counted, whatever their size; more are too many."""
    classes = Classes()
    classes.add(np.array(list(values), dtype=np.int64))

    assert classes.distinct == distinct


@pytest.mark.parametrize(
    ("values", "distinct"),
    [
        ([1.0, 2.0, -0.0], 3),
        ([0.0, 1.0, np.nan, np.inf], 2),
        ([np.nan], 0),
        ([1.0, 1.5], None),
        ([-3.4028234663852886e38, 0.0], 2),
        ([3.4028234663852886e38], 1),
        (np.arange(65.0), None),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_numbers_among_floats_are_counted(values, distinct, dtype: str) -> None:
    """Floats are classes if they are few and whole; what is no number is nobody's class."""
    classes = Classes()
    classes.add(np.array(values, dtype=dtype))

    assert classes.distinct == distinct


def test_one_fraction_among_many_is_found() -> None:
    """A single value that is not whole, wherever it hides, makes a quantity."""
    classes, samples = Classes(), np.ones(1000, np.float32)
    samples[777] = 0.25
    classes.add(samples)

    assert classes.distinct is None


def test_classes_are_counted_together() -> None:
    """Parts that are few each may be too many together."""
    classes = Classes()
    classes.add(np.arange(40, dtype=np.uint8))
    classes.add(np.arange(40, 80, dtype=np.uint8))

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


def test_statistics_of_percentages_are_believed_only_if_true() -> None:
    """A band up to 100 is compared as closely as any other; only how much is valid was rounded by GDAL."""
    statistics = BandStatistics(0.0, 100.0, 41.123456, 12.5, 83.333333)
    tags = to_tags(statistics)

    assert embedded(tags | {"STATISTICS_VALID_PERCENT": "83.33"}, statistics)
    assert not embedded(tags | {"STATISTICS_MEAN": "41.12"}, statistics)

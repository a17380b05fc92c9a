"""One band of a level out of the one above: by hand where it is small, against GDAL where it is large."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from uploader.convert.pyramid.downsample import Downsampling, shrink
from uploader.convert.pyramid.nodata_values import resembles_nodata
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints

pytestmark = pytest.mark.unit

_MEAN, _MODE, _NEAREST = Downsampling("mean"), Downsampling("mode"), Downsampling("nearest")


def footprints(above: tuple[int, ...], level: tuple[int, ...]) -> Footprints:
    """Those of a whole level."""
    return Footprints(
        Axis(above[0], level[0]).cover(0, level[0]), Axis(above[1], level[1]).cover(0, level[1])
    )


def halved(
    samples: Any, dtype: str, recipe: Downsampling = _MEAN, valid: Any = None, alpha: Any = None
) -> np.ndarray:
    """A small array, half as large."""
    above = np.array(samples, dtype)
    level = max(1, above.shape[0] // 2), max(1, above.shape[1] // 2)
    mask = None if valid is None else np.array(valid, bool)
    weights = None if alpha is None else np.array(alpha)
    return shrink(above, mask, footprints(above.shape, level), recipe, weights)


@pytest.mark.parametrize(
    ("dtype", "samples", "expected"),
    [
        ("uint8", [[1, 2], [2, 1]], 2),
        ("int16", [[-1, -2], [-2, -1]], -2),
        ("int8", [[-128, -128], [-128, -127]], -128),
        ("uint16", [[65535, 65535], [65535, 65534]], 65535),
        ("int64", [[2**62, 2**62 + 2], [2**62 + 1, 2**62 + 1]], 2**62 + 1),
        ("uint64", [[2**64 - 1, 2**64 - 1], [2**64 - 3, 2**64 - 3]], 2**64 - 2),
        ("float64", [[1.7e308, 1.7e308], [1.7e308, 1.7e308]], 1.7e308),
        ("float32", [[0.5, 1.0], [1.5, 2.0]], 1.25),
    ],
)
def test_halves_go_away_from_zero_and_nothing_overflows(dtype: str, samples: Any, expected: float) -> None:
    """The mean of four is the nearest value of the type, in every type."""
    assert halved(samples, dtype)[0, 0] == np.dtype(dtype).type(expected)
    assert halved(samples, dtype).dtype == dtype


def test_odd_edges_count_in_part() -> None:
    """Three pixels become one that holds a third of each; five become two that share the middle one."""
    assert halved([[1.0, 2.0, 6.0]], "float64")[0, 0] == 3.0
    assert halved([[1.0, 2.0, 4.0, 8.0, 16.0]], "float64").tolist() == [[5 / 2.5, 26 / 2.5]]


def test_invalid_pixels_do_not_count() -> None:
    """A pixel is the mean of the valid ones under it, and valid if there is one; else it holds nodata."""
    found = halved(
        [[7, 0, 0, 0], [0, 0, 0, 0]], "uint8", Downsampling("mean", nodata=0), [[1, 0, 0, 0], [0, 0, 0, 0]]
    )

    assert found.tolist() == [[7, 0]]


def test_undeclared_holes_do_not_spread() -> None:
    """NaN and infinities are left out; where there is nothing else, the pixel is NaN."""
    nan, inf = math.nan, math.inf
    found = halved([[nan, 1, nan, inf], [3, inf, -inf, nan]], "float32")

    assert found[0, 0] == 2
    assert np.isnan(found[0, 1])


def test_declared_and_undeclared_holes_together() -> None:
    """NaN beside a declared nodata value is valid for GDAL, and stays NaN where there is nothing else to show."""
    valid = [[0, 1, 0, 0], [0, 0, 0, 0]]
    found = halved(
        [[-9, math.nan, -9, -9], [-9, -9, -9, -9]], "float32", Downsampling("mean", nodata=-9), valid
    )

    assert np.isnan(found[0, 0])
    assert found[0, 1] == -9


@pytest.mark.parametrize(
    ("dtype", "nodata", "samples", "expected"),
    [
        ("uint8", 5, [[4, 6], [4, 6]], 6),
        ("uint8", 255, [[255, 255], [255, 255]], 254),
        ("uint8", 5.9, [[4, 6], [4, 6]], 6),
        ("int16", -9999.5, [[-9998, -10000], [-9998, -10000]], -9998),
        ("uint8", -0.5, [[0, 0], [0, 0]], 0),
        ("float64", 0.0, [[-1, 1], [-1, 1]], 5e-324),
    ],
)
def test_a_mean_that_looks_like_nodata_moves(
    dtype: str, nodata: float, samples: Any, expected: float
) -> None:
    """The next value that GDAL would not mask is taken, else the pixel would be lost."""
    assert halved(samples, dtype, Downsampling("mean", nodata), np.ones((2, 2)))[0, 0] == expected


def test_what_covers_only_nodata_holds_what_gdal_masks() -> None:
    """Of whole numbers that is the value without its fraction."""
    found = halved([[-9999, -9999], [-9999, -9999]], "int16", Downsampling("mean", -9999.5), np.zeros((2, 2)))

    assert found[0, 0] == -9999


def test_floats_move_beyond_what_gdal_takes_for_nodata() -> None:
    """GDAL masks the neighbours of a float, too."""
    found = halved(
        [[-9998, -10000], [-9998, -10000]], "float32", Downsampling("mean", -9999.0), np.ones((2, 2))
    )

    assert not resembles_nodata(found, -9999.0).any()
    assert abs(found[0, 0] + 9999) < 0.02
    assert resembles_nodata(np.nextafter(np.float32([-9999]), np.float32(0)), -9999.0).all()


def test_alpha_weights_the_colours() -> None:
    """What is transparent lends nothing of its colour; where all is, there is nothing to lend."""
    alpha = [[255, 0, 51, 0], [0, 0, 0, 0]]
    colour = [[200, 9, 100, 9], [9, 9, 9, 9]]

    assert halved(colour, "uint8", alpha=alpha, valid=np.array(alpha) > 0).tolist() == [[200, 100]]
    assert halved([[0, 100], [0, 100]], "uint8", alpha=[[255, 51], [255, 51]]).tolist() == [[17]]


def test_the_most_frequent_class_wins() -> None:
    """Of classes nothing new appears, and what is invalid has no vote."""
    assert halved([[3, 7], [7, 1]], "uint8", _MODE).tolist() == [[7]]
    assert halved([[7, 7], [7, 1]], "uint8", Downsampling("mode", 7), [[0, 0], [0, 1]]).tolist() == [[1]]
    assert halved([[2.5, 2.5], [2.5, math.nan]], "float32", _MODE).tolist() == [[2.5]]


def test_the_nearest_valid_pixel_is_taken() -> None:
    """The one in the middle, or else any that is valid."""
    assert halved([[1, 2], [3, 4]], "int64", _NEAREST).tolist() == [[4]]
    assert halved([[1, 2], [3, 4]], "int64", _NEAREST, [[1, 0], [0, 0]]).tolist() == [[1]]


def test_half_floats_keep_to_their_digits() -> None:
    """A half float that is read as float32 is rounded to a half float."""
    found = halved(
        [[1.0, 1.0009765625], [1.0009765625, 1.0009765625]], "float32", Downsampling("mean", bits=16)
    )

    assert found[0, 0] == np.float16(found[0, 0])


@pytest.mark.parametrize("side", [600, 601, 603])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("nodata", [None, 0])
def test_the_mean_is_that_of_gdal(tmp_path: Path, side: int, dtype: str, nodata: int | None) -> None:
    """Within one step, at even and odd sizes, with and without nodata; and what is valid is the same."""
    samples = np.random.default_rng(side).integers(1, 200, (side, side + 1)).astype(dtype)
    if nodata is not None:
        samples[np.random.default_rng(1).random(samples.shape) < 0.3] = 0
    level = _of_gdal(tmp_path, samples, "AVERAGE", nodata)
    valid = None if nodata is None else samples != 0
    found = shrink(samples, valid, footprints(samples.shape, level.shape), Downsampling("mean", nodata))

    assert np.abs(found.astype(np.float64) - level).max() <= (1 if "int" in dtype else 1e-4)
    assert nodata is None or np.array_equal(found == 0, level == 0)


@pytest.mark.parametrize("side", [600, 601])
def test_the_mode_is_one_of_those_that_gdal_could_take(tmp_path: Path, side: int) -> None:
    """As frequent as GDAL's among all pixels that the footprint touches."""
    samples = np.random.default_rng(side).integers(1, 5, (side, side)).astype(np.uint8)
    level = _of_gdal(tmp_path, samples, "MODE", None)
    area = footprints(samples.shape, level.shape)
    found = shrink(samples, None, area, _MODE)
    present = [weight > 0 for weight in area.weights()]
    often = [
        sum(
            ((tap == chosen) & there).astype(int)
            for tap, there in zip(area.taps(samples), present, strict=True)
        )
        for chosen in (found, level)
    ]

    assert np.array_equal(*often)


@pytest.mark.parametrize("shape", [(60, 60), (61, 60), (61, 61)])
def test_the_mode_does_not_depend_on_how_it_is_counted(shape: tuple[int, int]) -> None:
    """Of several that are as frequent it is the same, whether or not something elsewhere is invalid."""
    samples = np.random.default_rng(3).integers(1, 5, shape).astype(np.uint8)
    valid = np.ones(shape, np.bool_)
    valid[-1, -1] = False
    area = footprints(shape, (30, 30))
    whole, holed = (shrink(samples, mask, area, _MODE) for mask in (None, valid))

    assert np.array_equal(whole[:-1, :-1], holed[:-1, :-1])


def _of_gdal(folder: Path, samples: np.ndarray, method: str, nodata: int | None) -> np.ndarray:
    """The first level of GDAL's COG driver."""
    shape = {"width": samples.shape[1], "height": samples.shape[0], "count": 1, "dtype": samples.dtype}
    with rasterio.open(folder / "plain.tif", "w", driver="GTiff", nodata=nodata, **shape) as dataset:
        dataset.write(samples, 1)
    rasterio.shutil.copy(
        folder / "plain.tif", folder / "cog.tif", driver="COG", blocksize=256, overview_resampling=method
    )
    with rasterio.open(folder / "cog.tif", overview_level=0) as dataset:
        return dataset.read(1)

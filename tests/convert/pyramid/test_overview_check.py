"""The rules by which an overview is believed, each with what just passes and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from uploader.convert.pyramid import overview_check
from uploader.convert.pyramid.downsample import Downsampling, shrink, shrink_mask
from uploader.convert.pyramid.overview_check import Plane, Tolerance, failed_blocks, rule_for
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints

pytestmark = pytest.mark.unit

_SIDE = 256
_BYTES = rule_for("uint8", classes=False)
_CLASSES = rule_for("uint8", classes=True)


def hills(dtype: str = "uint8") -> np.ndarray:
    """Light that rises and falls, with some noise on it."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    light = 120 + 60 * np.sin(columns / 20) + 45 * np.cos(rows / 15)
    return (light + np.random.default_rng(1).normal(0, 2, light.shape)).clip(1, 250).astype(dtype)


def area() -> Footprints:
    """A level of half the size."""
    axis = Axis(_SIDE, _SIDE // 2)
    return Footprints(axis.cover(0, _SIDE // 2), axis.cover(0, _SIDE // 2))


def failed(above: Plane, level: Plane, rule: Tolerance = _BYTES) -> np.ndarray:
    """The blocks of a whole level that fail."""
    core = slice(0, _SIDE // 2)
    return failed_blocks(above, level, area(), (core, core), rule)


def mean(above: np.ndarray, valid: Any = None, nodata: Any = None) -> np.ndarray:
    """An honest level."""
    return shrink(above, valid, area(), Downsampling("mean", nodata))


def test_an_honest_level_passes_in_every_type() -> None:
    """The mean of whole numbers and of floats, and the nearest."""
    for dtype in ("uint8", "int16", "uint32", "float32", "float64", "int64", "complex64"):
        above = hills(dtype)
        rule = rule_for(dtype, classes=False)
        assert not failed(Plane(above), Plane(mean(above)), rule).any()
        assert not failed(Plane(above), Plane(above[::2, ::2]), rule).any()


@pytest.mark.parametrize("value", [0, 130, 255])
def test_a_blank_level_fails_everywhere(value: int) -> None:
    """Also where its one value occurs in the raster."""
    assert failed(Plane(hills()), Plane(np.full((_SIDE // 2, _SIDE // 2), value, np.uint8))).all()


def test_a_corner_of_another_time_fails_there_alone() -> None:
    """What was painted over after the overviews were made is found in its block, and nowhere else."""
    above = hills()
    level = mean(above)
    above[:40, :40] = 7

    assert failed(Plane(above), Plane(level)).tolist() == [[True, False], [False, False]]


def test_a_shifted_level_fails() -> None:
    """By three pixels, which leaves every value among those around."""
    assert failed(Plane(hills()), Plane(np.roll(mean(hills()), 3, axis=1))).any()


def test_one_pixel_in_a_hundred_fails_a_block() -> None:
    """Up to that a block passes: who resampled may have had his reasons."""
    above, shown = Plane(hills()), np.ones((_SIDE // 2, _SIDE // 2), bool)
    shown[:40, 0] = False
    few = failed(above, Plane(mean(hills()), shown.copy()))
    shown[:41, 0] = False
    more = failed(above, Plane(mean(hills()), shown))

    assert not few.any()
    assert more.tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize(("side", "fails"), [(5, False), (6, True)])
def test_of_a_few_pixels_their_distance_says_nothing(side: int, fails: bool) -> None:
    """Where a mask leaves a corner, one pixel that was taken from beside its place is no other raster; many are."""
    above = np.add.outer(10 * np.arange(_SIDE), np.zeros(_SIDE)).clip(0, 250).astype(np.uint8)
    valid = np.zeros(above.shape, bool)
    valid[: 2 * side, : 2 * side] = True
    level = np.roll(mean(above), -1, axis=0)

    assert failed(Plane(above, valid), Plane(level, shrink_mask(valid, area()))).any() == fails


def test_overshooting_filters_pass() -> None:
    """A value may lie beyond those around by three tenths of their range, and no further."""
    above = np.zeros((_SIDE, _SIDE), np.float32)
    above[:, 63:] = 100
    level = mean(above)
    level[:, 30], level[:, 32] = -12, 112

    assert not failed(Plane(above), Plane(level), rule_for("float32", classes=False)).any()
    level[:, 30] = -40
    assert failed(Plane(above), Plane(level), rule_for("float32", classes=False)).any()


def test_jpeg_may_be_off_by_more() -> None:
    """Thirty-two steps, which is too much for what is kept exact; and nothing is asked near masked pixels."""
    above = np.full((_SIDE, _SIDE), 100, np.uint8)
    off = np.full((_SIDE // 2, _SIDE // 2), 131, np.uint8)
    jpeg = rule_for("uint8", classes=False, compressions=["YCbCr JPEG"])

    assert not failed(Plane(above), Plane(off), jpeg).any()
    assert failed(Plane(above), Plane(off)).all()
    assert failed(Plane(above), Plane(off + np.uint8(3)), jpeg).all()

    valid = np.ones(above.shape, bool)
    valid[:, :128] = False
    level = np.full_like(off, 100)
    level[:, 64:72] = 0
    masked = Plane(level, shrink_mask(valid, area()))
    assert not failed(Plane(above, valid), masked, jpeg).any()
    assert failed(Plane(above, valid), masked).any()


def test_a_lossy_compression_may_be_off_by_what_it_declares() -> None:
    """LERC names its largest error."""
    above = np.full((_SIDE, _SIDE), 100, np.float32)
    level = Plane(np.full((_SIDE // 2, _SIDE // 2), 100.4, np.float32))

    assert not failed(Plane(above), level, rule_for("float32", classes=False, error=0.5)).any()
    assert failed(Plane(above), level, rule_for("float32", classes=False)).all()


def test_validity_is_free_only_where_it_varies() -> None:
    """A pixel is wrongly invalid amid valid ones, and wrongly valid amid invalid ones."""
    above, valid = hills(), np.ones((_SIDE, _SIDE), bool)
    valid[:, :128] = False
    shown = shrink_mask(valid, area())
    level = mean(above, valid, 0)
    edge, hole, island = shown.copy(), shown.copy(), shown.copy()
    edge[:, 64:66] = False
    hole[10:20, 90:100] = False
    island[10:20, 20:30] = True

    assert not failed(Plane(above, valid), Plane(level, shown)).any()
    assert not failed(Plane(above, valid), Plane(level, edge)).any()
    assert failed(Plane(above, valid), Plane(level, hole)).tolist() == [[False, True], [False, False]]
    assert failed(Plane(above, valid), Plane(level, island)).tolist() == [[True, False], [False, False]]


def test_a_scattered_mask_may_be_all_valid_below() -> None:
    """One valid pixel under it is enough for some, and most are needed by others."""
    above = hills()
    valid = np.random.default_rng(2).random(above.shape) < 0.6
    everything = np.ones((_SIDE // 2, _SIDE // 2), bool)
    half = area().summed(valid.astype(float)) >= 2

    for shown in (everything, half):
        assert not failed(Plane(above, valid), Plane(mean(above), shown)).any()


def test_undeclared_holes_must_not_spread() -> None:
    """Of a few NaN that nobody declared an average makes many; those are not what the raster shows."""
    above = hills("float32")
    holes = np.random.default_rng(2).random(above.shape) < 0.03
    above[holes] = np.nan
    rule = rule_for("float32", classes=False)
    eaten = above.reshape(_SIDE // 2, 2, _SIDE // 2, 2).mean(axis=(1, 3))
    kept = mean(above)

    def plane(samples: np.ndarray) -> Plane:
        return Plane(samples, np.isfinite(samples), holes=np.isnan(samples))

    assert not failed(plane(above), plane(kept), rule).any()
    assert failed(plane(above), plane(eaten), rule).all()


def test_colours_under_partial_alpha_are_free() -> None:
    """Whoever did not weight by alpha made other colours at the edge; where all is opaque there is no excuse."""
    above, opaque = hills(), np.ones((_SIDE, _SIDE), bool)
    opaque[:, :128] = False
    level = mean(above)
    level[:, :64] = 0

    assert not failed(Plane(above, None, opaque), Plane(level)).any()
    level[:, 64:100] = 0
    assert failed(Plane(above, None, opaque), Plane(level)).any()


def test_a_class_occurs_around_and_mostly_close_by() -> None:
    """The most frequent, the nearest and one beside it pass; averages, and other places' classes, do not."""
    above = (hills() // 50 * 10).astype(np.uint8)
    mode = shrink(above, None, area(), Downsampling("mode"))

    assert not failed(Plane(above), Plane(mode), _CLASSES).any()
    assert not failed(Plane(above), Plane(above[1::2, 1::2]), _CLASSES).any()
    assert not failed(Plane(above), Plane(np.roll(mode, 1, axis=0)[:, :]), _CLASSES)[1:].any()
    assert failed(Plane(above), Plane(mean(above)), _CLASSES).any()
    assert failed(Plane(above), Plane(np.roll(mode, 20, axis=1)), _CLASSES).any()
    assert failed(Plane(above), Plane(np.full_like(mode, 20)), _CLASSES).any()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("size", [256, 257, 259])
@pytest.mark.parametrize("wrong", ["", "noise", "shift", "spot", "hole"])
def test_the_quick_way_says_what_the_long_one_says(
    monkeypatch: pytest.MonkeyPatch, dtype: str, size: int, wrong: str
) -> None:
    """Whatever is said to be the plain mean passes by the rules themselves; an honest mean is said to be that."""
    rows, columns = np.mgrid[0:size, 0:size]
    above = (120 + 60 * np.sin(columns / 20) + 45 * np.cos(rows / 15)).astype(dtype)
    axis = Axis(size, size // 2)
    footprints = Footprints(axis.cover(0, size // 2), axis.cover(0, size // 2))
    level = shrink(above, None, footprints, Downsampling("mean"))
    valid = None
    if wrong == "noise":
        level = (level + np.random.default_rng(3).integers(0, 9, level.shape)).astype(dtype)
    elif wrong == "shift":
        level = np.roll(level, 3, axis=1)
    elif wrong == "spot":
        level[70:90, 5:20] = 1
    elif wrong == "hole":
        valid = np.ones(level.shape, bool)
        valid[70:90, 5:20] = False
    core, rule = (slice(0, size // 2), slice(0, size // 2)), rule_for(dtype)
    planes = Plane(above), Plane(level, valid)

    assert overview_check._plainly_means(*planes, footprints, rule) is (wrong == "")
    quick = failed_blocks(*planes, footprints, core, rule)
    monkeypatch.setattr(overview_check, "_plainly_means", lambda *_: False)
    assert np.array_equal(quick, failed_blocks(*planes, footprints, core, rule))
    assert wrong or not quick.any()

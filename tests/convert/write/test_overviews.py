"""Overviews that came along: honest ones stay, wrong ones are made anew, whatever the file is otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling

from tests import overviews as command
from tests.support import compare, pyramids
from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job, Report

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SIDE = 1100


def hills(dtype: str = "uint16", side: int = _SIDE) -> np.ndarray:
    """Light that rises and falls, with a little noise on it."""
    rows, columns = np.mgrid[0:side, 0:side]
    light = 1200 + 600 * np.sin(columns / 80) + 450 * np.cos(rows / 60)
    return (light + np.random.default_rng(1).normal(0, 9, light.shape)).astype(dtype)


def tiled(path: Path, before: np.ndarray, after: np.ndarray | None = None, **options: Any) -> Path:
    """A raster whose overviews were made of what it held before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": 1, "height": len(before), "width": len(before), "dtype": before.dtype.name}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "crs": "EPSG:32633"}
    with rasterio.open(path, "w", driver="GTiff", **(shape | layout | options)) as dataset:
        dataset.write(before, 1)
    with rasterio.Env(COMPRESS_OVERVIEW="DEFLATE"), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    if after is not None:
        with rasterio.open(path, "r+") as dataset:
            dataset.write(after, 1)
    return path


def cog(path: Path, before: np.ndarray, after: np.ndarray | None = None) -> Path:
    """A valid COG with true statistics, whose overviews were made of what it held before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = before if after is None else after
    plain = tiled(path.with_name("plain.tif"), before, after)
    with rasterio.open(plain, "r+") as dataset:
        exact = data.astype(np.float64)
        values = {"MINIMUM": exact.min(), "MAXIMUM": exact.max(), "MEAN": exact.mean(), "STDDEV": exact.std()}
        dataset.update_tags(1, **{f"STATISTICS_{key}": repr(float(value)) for key, value in values.items()})
    rasterio.shutil.copy(
        plain, path, driver="COG", blocksize=256, compress="deflate", overviews="FORCE_USE_EXISTING"
    )
    plain.unlink()
    return path


async def converted(source: Path, **options: Any) -> tuple[Report, Path]:
    """The report and what is sent."""
    target = source.parent.parent / "out.tif"
    return await convert(Job(source, target, **options)), target


def codes(report: Report) -> list[str]:
    """What the report warns of."""
    return [warning.code for warning in report.warnings]


def shows(target: Path, data: np.ndarray) -> bool:
    """Whether the smallest overview looks like the raster."""
    with rasterio.open(target) as dataset:
        last = len(dataset.overviews(1)) - 1
    with rasterio.open(target, overview_level=last) as dataset:
        small = dataset.read(1).astype(float)
    rows, columns = (
        np.linspace(0, side, count, endpoint=False).astype(int)
        for side, count in zip(data.shape, small.shape, strict=True)
    )
    step = data.shape[0] // small.shape[0]
    near = np.mean([data[rows + y][:, columns + x] for y in range(step) for x in range(step)], axis=0)
    return float(np.abs(small - near).mean()) < 0.05 * float(np.ptp(data))


def _painted(data: np.ndarray) -> np.ndarray:
    found = data.copy()
    found[: _SIDE // 2, : _SIDE // 2] = 420
    return found


def _half(data: np.ndarray) -> np.ndarray:
    found = data.copy()
    found[_SIDE // 2 :] = 0
    return found


_BEFORE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "blank": np.zeros_like,
    "half-made": _half,
    "edited": _painted,
    "turned around": lambda data: data[::-1, ::-1].copy(),
    "brighter": lambda data: data + data.dtype.type(200),
}
"""What the overviews show instead of the raster."""


@pytest.mark.parametrize("fault", _BEFORE)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
async def test_wrong_overviews_are_made_anew(tmp_path: Path, fault: str, dtype: str) -> None:
    """The raster's tiles stay, the report says what happened, and the new ones show the raster."""
    data = hills(dtype)
    source = tiled(tmp_path / "in" / "source.tif", _BEFORE[fault](data), data)
    report, target = await converted(source)

    assert (report.method, codes(report)) == ("rewrite", ["overviews_remade"])
    assert compare.differences(source, target) == []
    assert compare.statistics(source, target, report.bands) == []
    assert shows(target, data)


async def test_honest_overviews_stay(tmp_path: Path) -> None:
    """Nothing is made, and nothing is said."""
    source = tiled(tmp_path / "in" / "source.tif", hills())
    report, target = await converted(source)

    assert (report.method, codes(report)) == ("rewrite", [])
    for number in range(3):
        with (
            rasterio.open(source, overview_level=number) as before,
            rasterio.open(target, overview_level=number) as after,
        ):
            assert np.array_equal(before.read(), after.read())


def _webp(path: Path, before: np.ndarray, after: np.ndarray, **options: Any) -> Path:
    """A picture in WebP whose overviews, in WebP too, were made of what it held before."""
    path.parent.mkdir(parents=True)
    shape = {"count": 3, "height": _SIDE, "width": _SIDE, "dtype": "uint8", "photometric": "rgb"}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "webp", "crs": "EPSG:32633"}
    with rasterio.open(path, "w", driver="GTiff", **(shape | layout | options)) as dataset:
        dataset.write(before)
    levels = {f"{name.upper()}_OVERVIEW": str(value) for name, value in options.items()}
    with rasterio.Env(COMPRESS_OVERVIEW="WEBP", **levels), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    with rasterio.open(path, "r+") as dataset:
        if after is not before:
            dataset.write(after)
    return path


@pytest.mark.parametrize("options", [{"webp_level": 50}, {"webp_level": 90}, {"webp_lossless": "YES"}])
@pytest.mark.parametrize("wrong", [False, True])
async def test_overviews_in_webp_are_believed_as_those_in_jpeg(
    tmp_path: Path, options: dict[str, Any], wrong: bool
) -> None:
    """Lossy ones differ from means by more than a step, and stay all the same; those of another picture do not."""
    light = (hills() // 10).clip(0, 255).astype(np.uint8)
    data = np.stack([light, light.T, light[::-1]])
    before = np.ascontiguousarray(data[:, ::-1, ::-1]) if wrong else data
    report, _ = await converted(_webp(tmp_path / "in" / "source.tif", before, data, **options))

    assert (report.method, codes(report)) == ("rewrite", ["overviews_remade"] if wrong else [])


@pytest.mark.parametrize("base", [{"compress": "deflate"}, {"compress": "webp", "webp_lossless": "YES"}])
@pytest.mark.parametrize("how", ["jpeg", "webp"])
async def test_lossy_overviews_of_an_exact_picture_are_believed(
    tmp_path: Path, base: dict[str, str], how: str
) -> None:
    """Levels have a compression of their own, by which they may differ: people save room there."""
    light = (hills() // 10).clip(0, 255).astype(np.uint8)
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    shape = {"count": 3, "height": _SIDE, "width": _SIDE, "dtype": "uint8", "photometric": "rgb"}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "crs": "EPSG:32633"}
    with rasterio.open(source, "w", driver="GTiff", **(shape | layout | base)) as dataset:
        dataset.write(np.stack([light, light.T, light[::-1]]))
    lossy = {"WEBP_LEVEL_OVERVIEW": "50", "WEBP_LOSSLESS_OVERVIEW": "NO", "JPEG_QUALITY_OVERVIEW": "50"}
    with rasterio.Env(COMPRESS_OVERVIEW=how.upper(), **lossy), rasterio.open(source, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    report, _ = await converted(source)

    assert codes(report) == []


async def test_wrong_overviews_are_no_reason_to_refuse(tmp_path: Path) -> None:
    """Also where nothing may be lost: they are not what the raster holds."""
    source = tiled(tmp_path / "in" / "source.tif", np.zeros_like(hills()), hills())
    report, _ = await converted(source, strict=True)

    assert codes(report) == ["overviews_remade"]


@pytest.mark.parametrize("verify", ["full", "sample", "off"])
async def test_a_cog_passes_only_with_overviews_that_show_it(tmp_path: Path, verify: str) -> None:
    """However little is looked at, blank ones are found; and only a part looked at is told as such."""
    data = hills()
    good, _ = await converted(cog(tmp_path / "good" / "in" / "source.tif", data), verify=verify)
    blank, target = await converted(
        cog(tmp_path / "bad" / "in" / "source.tif", np.zeros_like(data), data), verify=verify
    )

    assert (good.method, good.sampled, codes(good)) == ("passthrough", verify != "full", [])
    assert (blank.method, blank.sampled, codes(blank)) == ("rewrite", False, ["overviews_remade"])
    assert shows(target, data)


@pytest.mark.parametrize("told", [{"STATISTICS_MAXIMUM": "1500"}, {"STATISTICS_APPROXIMATE": "YES"}])
async def test_statistics_that_cannot_be_true_are_not_taken(tmp_path: Path, told: dict[str, str]) -> None:
    """A part of the raster is enough to see a value beyond them; an estimate is none."""
    source = cog(tmp_path / "in" / "source.tif", hills())
    with rasterio.open(source, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
        dataset.update_tags(1, **told)
    report, target = await converted(source, verify="sample")

    assert report.method != "passthrough"
    assert not report.sampled
    assert compare.statistics(source, target, report.bands) == []


async def test_averaged_classes_are_made_anew(tmp_path: Path) -> None:
    """Overviews with classes that the raster does not have are not kept."""
    source = tiled(tmp_path / "in" / "source.tif", (hills() // 600 * 50).astype(np.uint8))
    report, target = await converted(source)

    assert (report.method, losses(report)) == ("rewrite", ["overviews_remade"])
    assert report.categorical
    assert compare.invented(target) == []


@pytest.mark.parametrize("factors", [(), (2,), (4,)], ids=["none", "too few", "gaps"])
async def test_missing_levels_are_made(tmp_path: Path, factors: tuple[int, ...]) -> None:
    """Where the levels are no pyramid there is nothing to judge, and nothing to say."""
    data = hills()
    plain = tiled(tmp_path / "plain.tif", data)
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    rasterio.shutil.copy(plain, source, driver="GTiff", copy_src_overviews=False, **layout)
    if factors:
        with rasterio.open(source, "r+") as dataset:
            dataset.build_overviews(factors, Resampling.average)
    report, target = await converted(source)

    assert (report.method, codes(report)) == ("rewrite", [])
    with rasterio.open(target) as dataset:
        assert dataset.overviews(1) == [2, 4, 8]
    assert shows(target, data)


@pytest.mark.unit
def test_wrong_pyramids_are_found_and_honest_ones_are_not() -> None:
    """A short form of `python -m tests.overviews`: one in five of its kinds and faults."""
    wrong = command.judge(pyramids.wrong(80, 3)[::4])
    honest = command.judge(pyramids.honest(120, 3)[::6])

    assert [case.name for case, passes in wrong.items() if passes] == []
    assert len([case.name for case, passes in honest.items() if not passes]) <= 1


@pytest.mark.parametrize("dtype", ["int16", "int64"])
async def test_a_mean_that_is_the_nodata_value_stays_valid(tmp_path: Path, dtype: str) -> None:
    """Also where GDAL writes: it rounds a mean of -1.25 after it has seen that it is not the nodata value."""
    data = np.zeros((_SIDE, _SIDE), dtype)
    data[::2, ::2], data[1::2, ::2] = -2, -3
    data[:40, :40] = -1
    source = tmp_path / "in" / "depths.tif"
    source.parent.mkdir()
    shape = {"count": 1, "height": _SIDE, "width": _SIDE, "dtype": dtype, "nodata": -1, "crs": "EPSG:32633"}
    with rasterio.open(source, "w", driver="GTiff", **shape) as dataset:
        dataset.write(data, 1)

    report, target = await converted(source, compression="zstd", categorical="no")
    with rasterio.open(target, overview_level=0) as dataset:
        invalid = dataset.read_masks(1) == 0

    assert report.method == "cog_driver"
    assert np.argwhere(invalid).max() == 19
    assert invalid.sum() == 400

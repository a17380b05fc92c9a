"""The judge believes honest overviews, of whichever method, and finds those that do not show their raster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling

from tests.judge import overviews, showing
from tests.judge.areas import Cover, mean, shares
from tests.support.heads.base import samples
from tests.support.heads.layouts import WRONGS

pytestmark = pytest.mark.unit

_SIZES = ((1100, 900), (613, 551))


def _written(folder: Path, pixels: np.ndarray, method: Resampling | None, **profile: object) -> Path:
    """A raster of (rows, columns) with overviews by GDAL."""
    path = folder / "raster.tif"
    rows, columns = pixels.shape
    options = {
        "driver": "GTiff",
        "width": columns,
        "height": rows,
        "count": 1,
        "dtype": pixels.dtype.name,
        "tiled": True,
    }
    with rasterio.open(path, "w", **options, **profile) as dataset:
        dataset.write(pixels, 1)
    if method is not None:
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews([2, 4], method)
    return path


def _hills(kind: str, size: tuple[int, int]) -> np.ndarray:
    return samples(np.random.default_rng(5), 1, kind, size=size)[:, :, 0]


def _judged(folder: Path, result: Path, *, classes: bool = False) -> list[str]:
    """Against a source that has no overviews, so that they count as made."""
    with rasterio.open(result) as dataset:
        (folder / "plain").mkdir()
        source = _written(folder / "plain", dataset.read(1), None)
    found = overviews.checked(source, result, classes=classes, premultiplied=False, lossy=False, by_gdal=True)
    return [each.text for each in found]


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "u4", "f4", "f8", "c8"])
def test_the_means_of_gdal_are_means(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Also at odd edges."""
    pixels = _hills("f4", size).astype(kind) if kind == "c8" else _hills(kind, size)
    assert _judged(tmp_path, _written(tmp_path, pixels, Resampling.average)) == []


@pytest.mark.parametrize("size", _SIZES)
def test_the_modes_of_gdal_are_modes(size: tuple[int, int], tmp_path: Path) -> None:
    """Of classes any of the most frequent values will do."""
    pixels = _hills("u1", size) // 30
    assert _judged(tmp_path, _written(tmp_path, pixels, Resampling.mode), classes=True) == []


@pytest.mark.parametrize("nodata", [0, 200])
def test_the_means_of_gdal_leave_nodata_out(nodata: int, tmp_path: Path) -> None:
    """A pixel is valid if any pixel under it is."""
    pixels = _hills("u1", _SIZES[0])
    pixels[100:300, 200:500][::3] = nodata
    assert _judged(tmp_path, _written(tmp_path, pixels, Resampling.average, nodata=nodata)) == []


@pytest.mark.parametrize("method", [Resampling.nearest, Resampling.cubic, Resampling.gauss])
def test_another_method_makes_no_means(method: Resampling, tmp_path: Path) -> None:
    """The judge knows one from the other."""
    assert _judged(tmp_path, _written(tmp_path, _hills("u1", _SIZES[0]), method)) != []


def test_nan_that_spreads_is_found(tmp_path: Path) -> None:
    """GDAL's mean over a NaN that no nodata value declares is NaN."""
    pixels = _hills("f4", _SIZES[0])
    pixels[50, 60] = np.nan
    assert any(
        "invalid over valid" in text
        for text in _judged(tmp_path, _written(tmp_path, pixels, Resampling.average))
    )


def test_the_shares_of_an_odd_edge() -> None:
    """Three pixels under two: one and a half each."""
    at, covered = shares(3, 2)
    assert [
        [(int(i), float(share)) for i, share in zip(*row, strict=True) if share]
        for row in zip(at, covered, strict=True)
    ] == [
        [(0, 1.0), (1, 0.5)],
        [(1, 0.5), (2, 1.0)],
    ]


def test_a_weighted_mean_by_hand() -> None:
    """What has no weight does not enter it, and what is all without weight has none."""
    values, weights = np.array([[1.0, 3.0, 9.0, 9.0]]), np.array([[1.0, 0.0, 0.0, 0.0]])
    found, there = mean(values, weights, Cover((1, 4), (1, 2)))
    assert found.tolist() == [[1.0, 0.0]]
    assert there.tolist() == [[True, False]]


_HONEST = (
    Resampling.average, Resampling.nearest, Resampling.bilinear, Resampling.cubic, Resampling.lanczos, Resampling.gauss,
)  # fmt: skip


def _shown(above: np.ndarray, below: np.ndarray, *, classes: bool = False) -> str:
    valid = [np.ones(each.shape, bool) for each in (above, below)]
    return showing.fails((above, valid[0]), (below, valid[1]), valid[1], classes=classes, lossy=False)


@pytest.mark.parametrize("kind", ["u1", "f4"])
@pytest.mark.parametrize("method", _HONEST)
def test_honest_overviews_show_their_raster(method: Resampling, kind: str, tmp_path: Path) -> None:
    """By whichever method they were made."""
    path = _written(tmp_path, _hills(kind, _SIZES[0]), method)
    levels = overviews.levels(path)
    assert _shown(levels[0].samples[0], levels[1].samples[0]) == ""


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("wrong", WRONGS)
def test_wrong_overviews_do_not(wrong: str, kind: str, tmp_path: Path) -> None:
    """Blank, half-made, shifted, of another raster."""
    make: Callable[[np.ndarray], np.ndarray] = WRONGS[wrong]
    levels = overviews.levels(_written(tmp_path, _hills(kind, _SIZES[0]), Resampling.average))
    assert _shown(levels[0].samples[0], make(levels[1].samples[0])) != ""


def test_classes_that_are_made_up_do_not(tmp_path: Path) -> None:
    """The mean of two classes is a third."""
    classes = _hills("u1", _SIZES[0]) // 30 * 30
    shown = {
        method: _shown(
            *(level.samples[0] for level in overviews.levels(_written(tmp_path, classes, method))[:2]),
            classes=True,
        )
        for method in (Resampling.mode, Resampling.average)
    }
    assert shown[Resampling.mode] == ""
    assert shown[Resampling.average] != ""


def test_a_stale_corner_is_found(tmp_path: Path) -> None:
    """A raster of which a part was changed after its overviews were made."""
    levels = overviews.levels(_written(tmp_path, _hills("u1", _SIZES[0]), Resampling.average))
    above = levels[0].samples[0].copy()
    above[-130:, -130:] = 7
    assert _shown(above, levels[1].samples[0]) != ""


def _with_alpha(folder: Path, boundary: int) -> Path:
    """Gray and alpha, transparent above a row, with overviews by GDAL."""
    path = folder / "alpha.tif"
    profile = {"driver": "GTiff", "width": 530, "height": 600, "count": 2, "dtype": "uint8", "alpha": "YES"}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(_hills("u1", (600, 530)), 1)
        dataset.write(np.where(np.arange(600)[:, None] < boundary, 0, 255).repeat(530, 1).astype("u1"), 2)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2], Resampling.average)
    return path


@pytest.mark.parametrize(
    ("boundary", "by_gdal", "right"), [(200, True, True), (201, True, True), (201, False, False)]
)
def test_alpha_is_a_plain_mean_where_gdal_did_not_make_it(
    boundary: int, *, by_gdal: bool, right: bool, tmp_path: Path
) -> None:
    """GDAL leaves transparent pixels out of it, which is let pass where it made the levels."""
    path = _with_alpha(tmp_path, boundary)
    source = _written(tmp_path, np.zeros((600, 530), np.uint8), None)
    found = list(
        overviews.checked(source, path, classes=False, premultiplied=False, lossy=False, by_gdal=by_gdal)
    )
    assert (found == []) == right


def test_transparency_that_turns_opaque_is_found(tmp_path: Path) -> None:
    """What is transparent stays so."""
    path = _with_alpha(tmp_path, 200)
    with rasterio.open(path, "r+", overview_level=0) as dataset:
        dataset.write(np.full((300, 265), 255, np.uint8), 2)
    source = _written(tmp_path, np.zeros((600, 530), np.uint8), None)
    found = list(
        overviews.checked(source, path, classes=False, premultiplied=False, lossy=False, by_gdal=True)
    )
    assert found != []

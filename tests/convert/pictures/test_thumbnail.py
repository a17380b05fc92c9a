"""Small pictures: what they show of each kind of raster, and how little is read and written for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.shutil import copy

from uploader.convert.job import BandStatistics
from uploader.convert.pictures import thumbnail
from uploader.convert.pictures.thumbnail import of_file, of_level
from uploader.convert.pyramid.smallest_level import SmallLevel
from uploader.convert.quicklook import SIDE, THUMBNAIL_BYTES, is_thumbnail
from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts

pytestmark = pytest.mark.unit

RGB = ("red", "green", "blue")


def facts(dtype: str, names: Sequence[str], *, width: int = 400, height: int = 300, **more: Any) -> Facts:
    """A raster with these bands."""
    bands = tuple(BandFacts(n, dtype, (512, 512), name, ALL_VALID, **more) for n, name in enumerate(names, 1))
    return Facts("GTiff", width, height, 1, bands)


def level(samples: Any, opacity: Any = None) -> SmallLevel:
    """A level of these samples, all of it there unless told."""
    array = np.asarray(samples)
    full = np.full(array.shape[1:], 255, np.uint8)
    return SmallLevel(array, full if opacity is None else np.asarray(opacity, np.uint8))


def statistics(samples: Any) -> list[BandStatistics]:
    """Those of each band."""
    return [
        BandStatistics(*(float(value) for value in (b.min(), b.max(), b.mean(), b.std())), 100.0)
        for b in samples
    ]


def decoded(png: bytes) -> np.ndarray:
    """The channels of a PNG that GDAL reads, and that the parent takes."""
    assert is_thumbnail(png)
    with MemoryFile(png) as file, file.open(driver="PNG") as dataset:
        found: np.ndarray = dataset.read()
    return found


def shown(
    seen: SmallLevel, raster: Facts, bands: list[BandStatistics], *, nearest: bool = False
) -> np.ndarray:
    """The picture of a level."""
    return decoded(thumbnail.draw(of_level(seen, nearest=nearest), raster, bands))


def test_colours_of_eight_bits_are_shown_as_they_are() -> None:
    """Without a stretch, and without opacity where all is there."""
    samples = np.random.default_rng(1).integers(0, 255, (3, 20, 30), np.uint8)

    assert np.array_equal(shown(level(samples), facts("uint8", RGB), statistics(samples)), samples)


def test_one_band_is_stretched_by_its_statistics() -> None:
    """Two standard deviations around the mean, as far as there are values."""
    samples = np.linspace(-500.0, 500.0, 600, dtype=np.float32).reshape(1, 20, 30)

    found = shown(level(samples), facts("float32", ["gray"]), statistics(samples))

    assert found.shape == (1, 20, 30)
    assert (found.min(), found.max()) == (0, 255)
    assert np.all(np.diff(found.ravel().astype(int)) >= 0)
    assert abs(int(found[0, 10, 0]) - 127) <= 1


def test_a_band_of_one_value_is_gray() -> None:
    """There is nothing to stretch."""
    samples = np.full((1, 4, 4), 7, np.uint16)

    assert set(shown(level(samples), facts("uint16", ["gray"]), statistics(samples)).ravel()) == {127}


def test_a_palette_gives_its_colours() -> None:
    """An index without one, and one that is transparent, show nothing."""
    raster = facts(
        "uint8", ["palette"], colours=((0, (0, 0, 0, 0)), (1, (10, 20, 30, 255)), (2, (200, 100, 0, 255)))
    )
    samples = np.array([[[0, 1], [2, 9]]], np.uint8)

    found = shown(level(samples), raster, statistics(samples), nearest=True)

    assert found[:, 0, 1].tolist() == [10, 20, 30, 255]
    assert found[:, 1, 0].tolist() == [200, 100, 0, 255]
    assert found[3, 0, 0] == found[3, 1, 1] == 0


def test_what_is_not_there_is_transparent() -> None:
    """By mask, nodata or alpha; what is no number, too."""
    samples = np.array([[[1.0, 2.0], [np.nan, np.inf]]], np.float32)
    told = [BandStatistics(1.0, 2.0, 1.5, 0.5, 50.0)]

    found = shown(level(samples, [[0, 128], [255, 255]]), facts("float32", ["gray"]), told)

    assert found[1].tolist() == [[0, 128], [0, 0]]


def test_nothing_at_all_is_a_picture_of_nothing() -> None:
    """A raster without a valid pixel has no statistics."""
    told = [BandStatistics(None, None, None, None, 0.0)]

    found = shown(level(np.zeros((1, 9, 9), np.int16), np.zeros((9, 9))), facts("int16", ["gray"]), told)

    assert not found[1].any()


@pytest.mark.parametrize("shape", [(500, 375), (257, 512), (1, 400), (300, 1)])
def test_a_level_is_reduced_to_the_side(shape: tuple[int, int]) -> None:
    """By means of squares; what is left over at the far edges counts."""
    samples = np.full((3, *shape), 90, np.uint8)

    found = shown(level(samples), facts("uint8", RGB), statistics(samples))

    assert found.shape[1:] == tuple(-(-length // 2) for length in shape)
    assert set(found.ravel()) == {90}


def test_means_are_means() -> None:
    """Of whole numbers and of floats."""
    samples = np.random.default_rng(2).integers(0, 60_000, (1, 510, 300)).astype(np.uint16)
    for kind in (np.uint16, np.float64):
        reduced = of_level(level(samples.astype(kind)), nearest=False)(SIDE).samples
        expected = samples.reshape(1, 255, 2, 150, 2).mean(axis=(2, 4))
        assert np.abs(reduced - expected).max() <= 1


def test_classes_are_never_mixed() -> None:
    """A mean of two classes would be a third."""
    samples = np.random.default_rng(3).choice(np.array([1, 200], np.uint8), (1, 500, 500))

    assert set(of_level(level(samples), nearest=True)(SIDE).samples.ravel()) == {1, 200}


def test_a_picture_with_too_many_bytes_is_drawn_smaller() -> None:
    """Noise cannot be compressed."""
    noise = np.random.default_rng(4).integers(0, 256, (3, 256, 256), np.uint8)

    png = thumbnail.draw(of_level(level(noise), nearest=False), facts("uint8", RGB), statistics(noise))

    assert len(png) <= THUMBNAIL_BYTES
    assert 100 <= max(decoded(png).shape) < SIDE


def cog(path: Path, samples: np.ndarray, **profile: Any) -> Path:
    """A COG of these samples."""
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(
        plain, "w", driver="GTiff", count=len(samples), height=samples.shape[1], width=samples.shape[2],
        dtype=samples.dtype.name, **profile,
    ) as dataset:  # fmt: skip
        dataset.write(samples)
    copy(plain, path, driver="COG", blocksize=256, compress="deflate")
    return path


def test_a_file_is_read_in_its_smallest_overview_that_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And shows what its level would, nodata being transparent."""
    rows, columns = np.mgrid[0:1500, 0:2000]
    samples = ((rows + columns) // 20)[None].astype(np.uint8)
    samples[:, :300] = 255
    path = cog(tmp_path / "a.tif", samples, nodata=255)
    raster = facts("uint8", ["gray"], width=2000, height=1500)
    monkeypatch.setattr(thumbnail, "_DECODED", 500 * 375)

    with of_file(path, raster, nearest=False) as source:
        found = decoded(thumbnail.draw(source, raster, statistics(samples[:, 300:])))

    assert found.shape == (2, 192, 256)
    assert not found[1, :37].any()
    assert found[1, 40:].all()
    assert found[0, 60, 10] < found[0, 100, 100] < found[0, 180, 250]


def test_a_file_without_overviews_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its picture is done without."""
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", count=1, height=600, width=600, dtype="uint8") as dataset:
        dataset.write(np.zeros((1, 600, 600), np.uint8))
    monkeypatch.setattr(thumbnail, "_DECODED", 600 * 600 - 1)

    with (
        pytest.raises(ValueError, match="too large"),
        of_file(path, facts("uint8", ["gray"], width=600, height=600), nearest=False),
    ):
        pass

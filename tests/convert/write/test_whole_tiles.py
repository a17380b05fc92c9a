"""A COG shown as if its images ended with their last tiles: the same pixels, and the sizes of the file itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.io import DatasetReader
from rasterio.windows import Window

from uploader.convert.tiff import ifd
from uploader.convert.write.whole_tiles import whole_tiles

_HEIGHT, _WIDTH, _TILE = 1000, 300, 256


@pytest.fixture
def cog(tmp_path: Path) -> Path:
    """A COG with a mask and two levels, whose tiles reach beyond it."""
    return _cog(tmp_path, _HEIGHT)


def _cog(folder: Path, height: int) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (3, height, _WIDTH), dtype=np.uint8)
    shape = {"width": _WIDTH, "height": height, "count": 3, "dtype": "uint8"}
    options = {"BLOCKSIZE": _TILE, "COMPRESS": "DEFLATE"}
    path = folder / "a folder" / "cog.tif"
    path.parent.mkdir()
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="COG", **shape, **options) as dataset,
    ):
        dataset.write(pixels)
        dataset.write_mask((pixels[0] > 99).astype(np.uint8) * 255)
    return path


@pytest.mark.parametrize("level", ["NONE", "0"])
def test_it_holds_the_pixels_and_the_mask_of_the_file(cog: Path, tmp_path: Path, level: str) -> None:
    """Of the raster and of a level, which are as high as their tiles."""
    view = whole_tiles(cog, tmp_path, kept=0)

    with (
        DatasetReader(str(cog), driver="GTiff", OVERVIEW_LEVEL=level) as file,
        DatasetReader(view.name, driver="GTiff", OVERVIEW_LEVEL=level) as shown,
    ):
        whole = Window(0, 0, file.width, file.height)
        assert shown.height == -(-file.height // _TILE) * _TILE
        assert (shown.read(window=whole) == file.read()).all()
        assert (shown.read_masks(1, window=whole) == file.read_masks(1)).all()


def test_it_tells_the_sizes_that_the_file_has(cog: Path, tmp_path: Path) -> None:
    """Of the raster and its levels, without their masks."""
    sizes = [(_WIDTH // by, _HEIGHT // by) for by in (1, 2, 4)]

    assert whole_tiles(cog, tmp_path, kept=0).sizes == sizes


def test_images_that_are_kept_are_shown_as_they_are(cog: Path, tmp_path: Path) -> None:
    """Others made their tiles, and may have left the rest of the last ones out."""
    view = whole_tiles(cog, tmp_path, kept=2)

    with DatasetReader(view.name, driver="GTiff") as shown:
        assert shown.height == _HEIGHT
        assert (shown.read() == rasterio.open(cog).read()).all()


def test_a_file_whose_tiles_are_hardly_filled_is_shown_as_it_is(tmp_path: Path) -> None:
    """Of these there is less to inflate."""
    cog = _cog(tmp_path, _TILE // 4)

    view = whole_tiles(cog, tmp_path, kept=0)

    assert view.name == str(cog)
    assert view.sizes[0] == (_WIDTH, _TILE // 4)


def test_a_byte_of_a_tile_that_changes_changes_what_is_shown(cog: Path, tmp_path: Path) -> None:
    """The tiles are not copied: what is compared is what the file holds."""
    view = whole_tiles(cog, tmp_path, kept=0)
    head = ifd.of(cog, ifd.read)
    assert head is not None
    last = int(head.numbers(head.directories[0], ifd.TILE_OFFSETS)[-1])
    with cog.open("r+b") as file:
        file.seek(last)
        file.write(b"\xff\xff")

    with (
        DatasetReader(view.name, driver="GTiff") as shown,
        pytest.raises(rasterio.errors.RasterioIOError),
    ):
        shown.read()

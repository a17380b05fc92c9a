"""Mistakes in tiles that stay: made while they are moved, or in a COG that claims to be done. None is passed on."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import from_origin

from tests.judge.findings import Verdict
from tests.judge.judging import Told, judged
from tests.support import compare
from uploader.convert.job import Job, Report
from uploader.convert.perform import perform
from uploader.convert.tiff import ifd
from uploader.convert.write import cog_levels, cog_writer, encoded_cog
from uploader.core.errors import RasterUnreadable

pytestmark = pytest.mark.e2e

_HEIGHT, _WIDTH, _TILE = 521, 600, 256
_MOVE = cog_writer.move
_LAYOUTS = {"together": ("pixel", 3), "apart": ("band", 4)}
"""How bands lie, and how many there are."""


def made(folder: Path, layout: str, *, done: bool) -> Path:
    """A tiled raster of odd sizes with overviews and a mask; `done`: a COG with its statistics."""
    interleave, bands = _LAYOUTS[layout]
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    light = (120 + 60 * np.sin(columns / 40) + 45 * np.cos(rows / 30)).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 20, (bands, _HEIGHT, _WIDTH), dtype=np.uint8)
    plain, source = folder / "plain.tif", folder / "in" / "source.tif"
    source.parent.mkdir()
    shape = {
        "count": bands,
        "height": _HEIGHT,
        "width": _WIDTH,
        "dtype": "uint8",
        "photometric": "minisblack",
    }
    tiled = {"tiled": True, "blockxsize": _TILE, "blockysize": _TILE, "compress": "deflate"}
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5.1e6, 0.5, 0.5), "interleave": interleave}
    with rasterio.Env(
        GDAL_TIFF_INTERNAL_MASK=True, COMPRESS_OVERVIEW="DEFLATE", INTERLEAVE_OVERVIEW=interleave
    ):
        with rasterio.open(plain, "w", driver="GTiff", **(shape | tiled | place)) as dataset:
            dataset.write(noise + np.stack([np.roll(light, 49 * band, axis=1) for band in range(bands)]))
            dataset.write_mask(np.where(rows + columns < 300, 0, 255).astype(np.uint8))
        with rasterio.open(plain, "r+") as dataset:
            dataset.build_overviews([2, 4, 8], Resampling.average)
    if done:
        workshop = folder / "before"
        workshop.mkdir()
        plain = plain.rename(folder / "in" / "source.tif")
        perform(Job(plain, folder / "cog.tif"), workshop)
        plain.unlink()
        plain = workshop / "result.tif"
    plain.rename(source)
    return source


class Content:
    """The bytes of a TIFF of four bytes an offset, to be changed in place."""

    def __init__(self, path: Path) -> None:
        head = ifd.of(path, ifd.read)
        assert head
        self.head, self.data = head, bytearray(path.read_bytes())
        masks = [bool(head.number(each, ifd.SUBFILE) & ifd.MASK) for each in head.directories]
        self.images = [each for each, mask in zip(head.directories, masks, strict=True) if not mask]
        self.mask = next(each for each, mask in zip(head.directories, masks, strict=True) if mask)

    def places(self, image: ifd.Directory) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where the tiles of an image are, and their sizes."""
        offsets, lengths = (self.head.numbers(image, tag) for tag in (ifd.TILE_OFFSETS, ifd.TILE_BYTES))
        return offsets.astype("<u4"), lengths.astype("<u4")

    def put(self, image: ifd.Directory, *places: NDArray[Any]) -> None:
        """Have the tiles of an image elsewhere."""
        for before, after in zip(self.places(image), places, strict=True):
            at = self.data.index(before.tobytes())
            self.data[at : at + 4 * after.size] = after.astype("<u4").tobytes()

    def reorder(self, image: ifd.Directory, order: NDArray[Any]) -> None:
        """Take the tiles of an image in another order."""
        self.put(image, *(each[order] for each in self.places(image)))


def _flipped(content: Content) -> None:
    offsets, lengths = content.places(content.images[0])
    content.data[int(offsets[4] + lengths[4] // 2)] ^= 8


def _exchanged(content: Content) -> None:
    order = np.arange(content.places(content.images[0])[0].size)
    order[[5, 6]] = order[[6, 5]]
    content.reorder(content.images[0], order)


def _wrong_bands(content: Content) -> None:
    image = content.images[0]
    bands = content.head.number(image, ifd.SAMPLES)
    order = np.arange(content.places(image)[0].size).reshape(bands, -1)
    order[[0, 1]] = order[[1, 0]]
    content.reorder(image, order.reshape(-1))


def _padding(content: Content) -> None:
    entry = content.head.directories[0].entries[ifd.WIDTH]
    told = struct.pack("<HHI", ifd.WIDTH, entry.type, 1) + struct.pack("<I", _WIDTH)
    at = content.data.index(told) + 8
    content.data[at : at + 2] = (-(-_WIDTH // _TILE) * _TILE).to_bytes(2, "little")


def _mask_bit(content: Content) -> None:
    offsets, lengths = content.places(content.mask)
    bits = bytearray(zlib.decompress(content.data[offsets[6] : offsets[6] + lengths[6]]))
    bits[100] ^= 16
    wrong = zlib.compress(bytes(bits))
    moved, grown = offsets.copy(), lengths.copy()
    moved[6], grown[6] = len(content.data), len(wrong)
    content.put(content.mask, moved, grown)
    content.data += wrong


def _wrong_level(content: Content) -> None:
    base, level = (content.places(image) for image in content.images[:2])
    content.put(content.images[1], *(full[: small.size] for full, small in zip(base, level, strict=True)))


def _torn(content: Content) -> None:
    del content.data[-100:]


PLANTED: dict[str, Callable[[Content], None]] = {
    "a flipped bit in a tile": _flipped,
    "tiles exchanged": _exchanged,
    "bands exchanged": _wrong_bands,
    "padding taken for data": _padding,
    "a wrong bit in the mask": _mask_bit,
    "a level of the wrong tiles": _wrong_level,
    "a torn tail": _torn,
}
_CASES = [
    (what, layout)
    for what in PLANTED
    for layout in _LAYOUTS
    if (what, layout) != ("bands exchanged", "together")
]
"""Where bands lie together no tile holds one of them alone."""


def _changed(path: Path, what: str) -> None:
    content = Content(path)
    PLANTED[what](content)
    path.write_bytes(content.data)


def _right(source: Path, result: Path, report: Report) -> None:
    """Before both judges."""
    told = Told(report.method, report.categorical, [(each.code, each.text) for each in report.warnings])
    verdict = judged(source, result, told)

    assert verdict == Verdict()
    assert compare.statistics(source, result, report.bands) == []


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_without_a_mistake_tiles_are_moved(tmp_path: Path, here: Path, layout: str) -> None:
    """The same raster in the same way, left alone."""
    source = made(tmp_path, layout, done=False)
    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert (report.method, report.warnings) == ("rewrite", ())
    _right(source, here / "result.tif", report)


@pytest.mark.parametrize(("what", "layout"), _CASES)
def test_a_mistake_while_tiles_are_moved_is_found(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, what: str, layout: str
) -> None:
    """Whatever way the tiles were to stay, the result is right; wrong levels alone are made anew."""
    source = made(tmp_path, layout, done=False)
    attempts = []

    def wrongly(head: ifd.Tiff, images: Any, target: Path, *rest: Any) -> None:
        _MOVE(head, images, target, *rest)
        if images[0].file == source:
            attempts.append(1)
            _changed(target, what)

    for module in (
        (cog_writer,) if what == "a level of the wrong tiles" else (cog_writer, cog_levels, encoded_cog)
    ):
        monkeypatch.setattr(module, "move", wrongly)
    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert attempts
    assert report.method == ("rewrite" if what == "a level of the wrong tiles" else "encode")
    _right(source, here / "result.tif", report)


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_without_a_mistake_a_cog_passes(tmp_path: Path, here: Path, layout: str) -> None:
    """The same COG in the same way, left alone."""
    source = made(tmp_path, layout, done=True)

    assert perform(Job(source, tmp_path / "out.tif"), here).report.method == "passthrough"


@pytest.mark.parametrize(("what", "layout"), _CASES)
def test_a_mistake_in_a_cog_does_not_pass(tmp_path: Path, here: Path, what: str, layout: str) -> None:
    """What does not decode is unreadable; of what does, statistics and levels are those of its pixels afterwards."""
    source = made(tmp_path, layout, done=True)
    _changed(source, what)

    try:
        report = perform(Job(source, tmp_path / "out.tif"), here).report
    except RasterUnreadable:
        assert what in {"a flipped bit in a tile", "a torn tail"}
        return

    assert report.method != "passthrough"
    _right(source, here / "result.tif", report)

"""Rasters that are encoded in one pass: exact, before a judge that shares no code; and mistakes planted on the way."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate

from tests.judge.findings import Verdict
from tests.judge.judging import Told, judged
from tests.support import compare
from tests.support.pool import convert
from uploader.convert import Job, Report
from uploader.convert.perform import perform
from uploader.convert.pyramid import level_stream
from uploader.convert.tiff import ifd
from uploader.convert.write import cog_levels, encode, encoded_cog, gdal_tiles
from uploader.convert.write.source_heads import structure
from uploader.convert.write.tile_file import TileFile
from uploader.core.errors import ConversionFailed

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_GDAL = tuple(map(int, rasterio.__gdal_version__.split(".")[:2]))
_SIDES = (621, 1101)
_FEW_TILES = (521, 600)
"""Rows and columns; the fewer are two tiles each way, and one level of one tile."""
_VALIDITIES = ("all", "nodata", "mask", "alpha", "premultiplied")


@lru_cache(2)
def scene(bands: int, dtype: str, width: int, height: int) -> np.ndarray:
    """Hills of light with edges and noise, over much of the range of the type."""
    rows, columns = np.mgrid[0:height, 0:width]
    light = 110 + 60 * np.sin(columns / 80) + 45 * np.cos(rows / 60)
    noise = np.random.default_rng(1).normal(0, 4, (bands, height, width))
    values = (light + noise).clip(1, 250) * {1: 1, 2: 100}.get(np.dtype(dtype).itemsize, 1000)
    if np.dtype(dtype).kind == "i":
        values = values / 2 - 30 * {1: 1, 2: 100}.get(np.dtype(dtype).itemsize, 1000)
    return values.astype(dtype)


def made(
    path: Path,
    dtype: str,
    validity: str = "all",
    bands: int = 3,
    sides: tuple[int, int] = _SIDES,
    **layout: Any,
) -> Path:
    """A raster in strips, uncompressed unless `layout` says otherwise, and a part of it without data."""
    path.parent.mkdir(parents=True)
    height, width = sides
    pixels = scene(bands, dtype, width, height).copy()
    shown = np.ones((height, width), np.uint8) * 255
    shown[:300, :301], shown[-171:, -201:] = 0, 0
    profile: dict[str, Any] = {"photometric": "minisblack" if bands < 3 else "rgb"}
    if validity == "nodata":
        nodata = 0 if dtype.startswith("u") else -99
        pixels[:, shown == 0] = nodata
        profile["nodata"] = nodata
    if validity in ("alpha", "premultiplied"):
        soft = np.minimum(shown, np.random.default_rng(2).integers(1, 256, shown.shape, dtype=np.uint8))
        alpha = np.where(np.arange(width) < 600, soft, shown).astype(dtype)
        pixels = np.concatenate([pixels, alpha[None]])
        profile["alpha"] = validity.replace("alpha", "non-premultiplied")
    profile |= {"count": len(pixels), "dtype": dtype, "width": width, "height": height} | layout
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5.1e6, 0.5, 0.5)}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="GTiff", **(place | profile)) as dataset,
    ):
        dataset.write(pixels)
        dataset.set_band_description(1, "first")
        if validity == "mask":
            dataset.write_mask(shown)
    return path


async def converted(source: Path, **options: Any) -> tuple[Report, Path]:
    """The report and the COG."""
    target = source.parent.parent / "out.tif"
    return await convert(Job(source, target, **options)), target


def right(source: Path, target: Path, report: Report) -> None:
    """Before both judges."""
    told = Told(report.method, report.categorical, [(each.code, each.text) for each in report.warnings])
    verdict = judged(source, target, told)

    assert verdict == Verdict()
    assert compare.statistics(source, target, report.bands) == []
    assert cog_validate(target, strict=True)[0]


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
)
@pytest.mark.parametrize("validity", ["all", "nodata", "mask"])
async def test_types_and_masks(tmp_path: Path, dtype: str, validity: str) -> None:
    """Pixels, mask, statistics, levels and head are right, without a warning."""
    source = made(tmp_path / "in" / "source.tif", dtype, validity)
    report, target = await converted(source)

    assert (report.method, report.warnings) == ("encode", ())
    right(source, target, report)


@pytest.mark.parametrize("validity", ["alpha", "premultiplied"])
@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "compression"), [("uint8", "deflate"), ("uint8", "lzw"), ("uint16", "deflate")]
)
async def test_alpha(tmp_path: Path, dtype: str, compression: str, bands: int, validity: str) -> None:
    """Straight alpha weights the colours under it; premultiplied colours are averaged as they are.

    So it is also where GDAL's driver writes the raster.
    """
    source = made(tmp_path / "in" / "source.tif", dtype, validity, bands)
    report, target = await converted(source, compression=compression)

    assert report.method == ("encode" if compression == "deflate" else "cog_driver")
    right(source, target, report)


@pytest.mark.parametrize(
    "layout",
    [
        {"compress": "lzw", "predictor": 2, "blockysize": 37},
        {"compress": "packbits", "interleave": "band"},
        {"tiled": True, "blockxsize": 128, "blockysize": 64, "compress": "deflate"},
        {"ENDIANNESS": "BIG", "BIGTIFF": "YES"},
    ],
    ids=["strips", "planes", "odd tiles", "turned around"],
)
@pytest.mark.parametrize("verify", ["full", "sample", "off"])
async def test_layouts(tmp_path: Path, layout: dict[str, Any], verify: str) -> None:
    """However the source is stored, and however much is read back."""
    source = made(tmp_path / "in" / "source.tif", "uint16", "nodata", 4, **layout)
    report, target = await converted(source, verify=verify)

    assert report.method == "encode"
    right(source, target, report)


@pytest.mark.parametrize(
    ("driver", "name"),
    [("PNG", "source.png"), ("JP2OpenJPEG", "source.jp2"), ("HFA", "source.img"), ("ENVI", "source.img")],
)
async def test_other_formats(tmp_path: Path, driver: str, name: str) -> None:
    """GDAL reads them, so it does not matter what they are."""
    plain = made(tmp_path / "plain" / "plain.tif", "uint8")
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / name
    exact = {"QUALITY": "100", "REVERSIBLE": "YES"} if driver == "JP2OpenJPEG" else {}
    rasterio.shutil.copy(plain, source, driver=driver, **exact)
    report, target = await converted(source)

    assert report.method == "encode"
    right(source, target, report)


@pytest.mark.parametrize("hole", [np.nan, np.inf])
async def test_undeclared_holes(tmp_path: Path, hole: float) -> None:
    """Numbers that are none stay, and do not eat the levels."""
    source = made(tmp_path / "in" / "source.tif", "float32", "all", 1)
    with rasterio.open(source, "r+") as dataset:
        pixels = dataset.read()
        pixels[:, 100:400, 100:500] = hole
        dataset.write(pixels)
    report, target = await converted(source)

    assert report.method == "encode"
    right(source, target, report)


def zones(path: Path, dtype: str, validity: str, **layout: Any) -> Path:
    """A map of seven classes and their borders, of which a part is without data; `palette` gives them colours."""
    source = made(path, dtype, validity.replace("palette", "all"), 1, **layout)
    with rasterio.open(source, "r+") as dataset:
        pixels = dataset.read(1)
        known = pixels != (dataset.nodata if dataset.nodata is not None else -1)
        height, width = pixels.shape
        rows, columns = np.mgrid[0:height, 0:width]
        random = np.random.default_rng(4).normal(0, 0.2, pixels.shape)
        found = 4 + 3 * np.sin(columns / 70 + random) * np.cos(rows / 50)
        dataset.write(np.where(known, np.round(found), pixels).astype(dtype), 1)
        if validity == "palette":
            dataset.write_colormap(1, {n: (30 * n, 255 - 30 * n, 9, 255) for n in range(8)})
    return source


@pytest.mark.parametrize(
    ("dtype", "validity"),
    [
        *[("uint8", each) for each in ("all", "palette", "nodata", "mask", "alpha")],
        *[("int16", "nodata"), ("uint32", "mask"), ("float32", "nodata"), ("uint16", "palette")],
    ],
)
async def test_classes(tmp_path: Path, dtype: str, validity: str) -> None:
    """Their levels hold the most frequent, and GDAL compresses them; no larger than its driver makes them."""
    source = zones(tmp_path / "in" / "source.tif", dtype, validity)
    report, target = await converted(source)

    assert (report.method, report.categorical) == ("encode", True)
    assert {warning.code for warning in report.warnings} <= {"suspect_nodata"}
    right(source, target, report)
    plain = tmp_path / "driver.tif"
    rasterio.shutil.copy(source, plain, driver="COG", compress="deflate", overview_resampling="mode")
    assert _stored(target) <= 1.1 * _stored(plain)  # half of such small tiles is padding
    assert _head(target) <= 8 * _head(plain) + 8192


def _stored(path: Path) -> int:
    """Bytes of all tiles."""
    head = structure(path)
    assert head
    return sum(int(head.numbers(each, ifd.TILE_BYTES).sum()) for each in head.directories)


def _head(path: Path) -> int:
    """Bytes of all else."""
    return path.stat().st_size - _stored(path)


def _flipped(bit: int) -> Callable[[TileFile, bytes], None]:
    add = TileFile.add

    def flipped(self: TileFile, content: bytes) -> None:
        place = len(content) // 2
        wrong = content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
        add(self, wrong if len(self._lengths) == 1 else content)

    return flipped


def _exchanged() -> Callable[..., Any]:
    image = TileFile.image

    def exchanged(self: TileFile, *arguments: Any) -> Any:
        self._lengths[:2] = self._lengths[1::-1] if len(self._lengths) > 3 else self._lengths[:2]
        return image(self, *arguments)

    return exchanged


def _in_other_order() -> Callable[[TileFile, bytes], None]:
    add, first = TileFile.add, {}

    def later(self: TileFile, content: bytes) -> None:
        if id(self) not in first:
            first[id(self)] = content
            return
        add(self, content)
        if first[id(self)]:
            add(self, first[id(self)])
            first[id(self)] = b""

    return later


def _shifted(rows: np.ndarray, side: int) -> Any:
    return _TILES(np.roll(rows, 1, axis=2), side)


def _one_pixel_less(mask: np.ndarray, side: int) -> bytes:
    wrong = mask.copy()
    wrong[3, 5] ^= True
    return _MASK(wrong, side)


def _torn(*arguments: Any) -> None:
    _MOVE(*arguments)
    with arguments[2].open("r+b") as file:
        file.truncate(arguments[2].stat().st_size - 100)


def _of_the_raster(above: Any, *arguments: Any) -> Any:
    """The level, but with what is two columns to the left."""
    samples, masks = _SHRUNK(above, *arguments)
    return np.roll(samples, 1, axis=2), masks


def _wrong_bands(rows: np.ndarray, side: int) -> Any:
    return _TILES(rows[[1, 0, *range(2, len(rows))]] if len(rows) > 1 else rows, side)


def _one_bit(tile: np.ndarray, form: Any) -> bytes:
    wrong = tile.copy()
    wrong[0, -1, -1] ^= 1
    return _ENCODED(wrong, form)


def _padding_shown(head: Any, size: tuple[int, int]) -> Any:
    return _SIZED(head, (-(-size[0] // 512) * 512, size[1]))


def _written_elsewhere(target: Any, rows: Any, wanted: Any) -> None:
    """The rows, but a column to the right."""
    _WRITE(target, replace(rows, samples=np.roll(rows.samples, 1, axis=2)), wanted)


def _without_mask(target: Any, rows: Any, wanted: Any) -> None:
    """The rows, of which all count."""
    _WRITE(target, replace(rows, masks={n: np.ones_like(mask) for n, mask in rows.masks.items()}), wanted)


_TILES, _MASK, _ENCODED = encode.tiles, encode.encoded_mask, encode.encoded
_MOVE, _SHRUNK, _SIZED = encoded_cog.move, level_stream.shrunk, cog_levels.sized
_WRITE, _RELEVELLED = gdal_tiles.write, encoded_cog.relevelled

PLANTED: dict[str, tuple[Any, str, Any]] = {
    "a flipped bit in a compressed tile": (TileFile, "add", _flipped(3)),
    "a flipped bit in a pixel": (encode, "encoded", _one_bit),
    "tiles exchanged": (TileFile, "add", _in_other_order()),
    "sizes of tiles exchanged": (TileFile, "image", _exchanged()),
    "bands exchanged": (encode, "tiles", _wrong_bands),
    "a shift by a column before the tiles are cut": (encode, "tiles", _shifted),
    "padding taken for data": (cog_levels, "sized", _padding_shown),
    "levels of the wrong pixels": (level_stream, "shrunk", _of_the_raster),
    "a wrong bit in the mask": (encode, "encoded_mask", _one_pixel_less),
    "a torn tail": (encoded_cog, "move", _torn),
}
"""What goes wrong: the module or class, the name of what is replaced there, and by what."""


PLANTED_IN_CLASSES: dict[str, tuple[Any, str, Any]] = {
    "a shift by a column": (gdal_tiles, "write", _written_elsewhere),
    "a mask that is not written": (gdal_tiles, "write", _without_mask),
    "padding taken for data": (cog_levels, "sized", _padding_shown),
    "levels of the wrong pixels": (level_stream, "shrunk", _of_the_raster),
    "a torn tail": (encoded_cog, "move", _torn),
}
"""The same for classes, whose tiles GDAL compresses."""


@pytest.mark.usefixtures("either_size")
@pytest.mark.parametrize("bands", [3, 5])
@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_mistake_is_found(
    what: str, bands: int, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found before the result leaves the child, and the raster is converted by GDAL instead.

    Five bands lie beside each other where GDAL can write them so.
    """
    layout = {"photometric": "minisblack"} if bands > 3 else {}
    source = made(tmp_path / "in" / "source.tif", "uint8", "mask", bands, _FEW_TILES, **layout)
    module, name, wrong = PLANTED[what]
    monkeypatch.setattr(module, name, wrong)

    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert report.method == "cog_driver"
    assert compare.differences(source, here / "result.tif") == []
    assert not (here / "parts").exists()


@pytest.mark.usefixtures("either_size")
@pytest.mark.parametrize("what", PLANTED_IN_CLASSES)
def test_a_planted_mistake_is_found_in_classes(
    what: str, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found likewise where GDAL compresses."""
    source = zones(tmp_path / "in" / "source.tif", "uint8", "mask", sides=_FEW_TILES)
    module, name, wrong = PLANTED_IN_CLASSES[what]
    monkeypatch.setattr(module, name, wrong)

    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert (report.method, report.categorical) == ("cog_driver", True)
    assert compare.differences(source, here / "result.tif") == []


@pytest.mark.parametrize("compress", ["lzw", "deflate", "zstd"])
@pytest.mark.parametrize("validity", ["all", "nodata", "mask", "alpha", "premultiplied", "classes"])
def test_tiles_stay_and_levels_are_encoded(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, validity: str, compress: str
) -> None:
    """A tiled raster without levels gets those that `encode` makes; its own tiles are not touched."""
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": compress, "predictor": 2}
    make = zones if validity == "classes" else made
    source = make(tmp_path / "in" / "source.tif", "uint8", validity.replace("classes", "mask"), **tiled)
    seen = []
    monkeypatch.setattr(encoded_cog, "relevelled", lambda *given: seen.append(1) or _RELEVELLED(*given))

    verify: Any = "sample" if compress == "lzw" else "full"
    report = perform(Job(source, tmp_path / "out.tif", verify=verify), here).report

    assert (report.method, report.categorical, seen) == ("rewrite", validity == "classes", [1])
    right(source, here / "result.tif", report)


def _places(path: Path) -> list[np.ndarray]:
    """Of each image where its tiles are: (bands, tiles)."""
    head = structure(path)
    assert head
    images = [each for each in head.directories if not head.number(each, ifd.SUBFILE) & ifd.MASK]
    return [
        head.numbers(each, ifd.TILE_OFFSETS).reshape(head.number(each, ifd.SAMPLES), -1) for each in images
    ]


@pytest.mark.skipif(_GDAL < (3, 11), reason="This GDAL writes no tiles of bands beside each other.")
@pytest.mark.parametrize("validity", ["all", "nodata", "mask"])
async def test_bands_that_are_many_lie_beside_each_other(tmp_path: Path, validity: str) -> None:
    """The tiles of all bands at a place follow each other, on all levels."""
    source = made(tmp_path / "in" / "source.tif", "uint16", validity, 6, photometric="minisblack")
    report, target = await converted(source)

    assert report.method == "encode"
    right(source, target, report)
    assert all((np.diff(places.T.reshape(-1).astype(int)) > 0).all() for places in _places(target))


@pytest.mark.parametrize("validity", ["all", "mask", "alpha", "classes"])
async def test_bands_that_are_apart_lie_beside_each_other_when_their_tiles_move(
    tmp_path: Path, validity: str
) -> None:
    """So they are read at once where all are wanted; levels are like them."""
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "interleave": "band"}
    source = made(tmp_path / "in" / "source.tif", "uint8", validity.replace("classes", "all"), **tiled)
    report, target = await converted(source, categorical="yes" if validity == "classes" else "auto")

    assert report.method == "rewrite"
    right(source, target, report)
    assert all((np.diff(places.T.reshape(-1).astype(int)) > 0).all() for places in _places(target))


PLANTED_IN_LEVELS: dict[str, tuple[Any, str, Any]] = {
    "a shift by a column before the tiles are cut": (encode, "tiles", _shifted),
    "levels of the wrong pixels": (level_stream, "shrunk", _of_the_raster),
    "a wrong bit in the mask": (encode, "encoded_mask", _one_pixel_less),
    "a flipped bit in a pixel": (encode, "encoded", _one_bit),
}
"""What goes wrong where only levels are made."""


@pytest.mark.usefixtures("either_size")
@pytest.mark.parametrize("what", PLANTED_IN_LEVELS)
def test_a_planted_mistake_is_found_in_levels_alone(
    what: str, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then GDAL makes the levels, and the raster's own tiles stay."""
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    source = made(tmp_path / "in" / "source.tif", "uint8", "mask", **tiled)
    module, name, wrong = PLANTED_IN_LEVELS[what]
    monkeypatch.setattr(module, name, wrong)
    attempts = []

    def attempted(*given: Any) -> Any:
        attempts.append(1)
        try:
            return _RELEVELLED(*given)
        except ConversionFailed:
            attempts.append(0)
            raise

    monkeypatch.setattr(encoded_cog, "relevelled", attempted)
    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert attempts == [1, 0]
    assert report.method == "rewrite"
    assert compare.differences(source, here / "result.tif") == []


@pytest.mark.usefixtures("either_size")
@pytest.mark.parametrize("bands", [3, 5])
def test_without_a_mistake_nothing_is_found(bands: int, tmp_path: Path, here: Path) -> None:
    """The same raster in the same way, left alone."""
    layout = {"photometric": "minisblack"} if bands > 3 else {}
    source = made(tmp_path / "in" / "source.tif", "uint8", "mask", bands, _FEW_TILES, **layout)

    assert perform(Job(source, tmp_path / "out.tif"), here).report.method == "encode"


def test_a_level_of_the_level_before_the_last_is_found(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second level made of the nearest pixels of the raster itself, as if it were made from the wrong one."""
    source = made(tmp_path / "in" / "source.tif", "uint8")
    true = level_stream._Level._made
    rows: dict[int, np.ndarray] = {}

    def wrong(self: Any, above: Any, first: int, stop: int) -> Any:
        level = true(self, above, first, stop)
        if above.piece.width == _SIDES[1]:
            rows.setdefault(0, above.samples)
        else:
            level.samples[:, : level.piece.height // 4] = rows[0][:, 0:1, : level.piece.width]
        return level

    monkeypatch.setattr(level_stream._Level, "_made", wrong)

    assert perform(Job(source, tmp_path / "out.tif"), here).report.method == "cog_driver"


def test_a_disk_too_full_for_two_copies_is_left_to_the_driver(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiles and the COG together do not fit where the COG alone would."""
    source = made(tmp_path / "in" / "source.tif", "uint8")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(encoded_cog, "move", full)

    assert perform(Job(source, tmp_path / "out.tif"), here).report.method == "cog_driver"

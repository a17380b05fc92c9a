"""Tiles that were moved are compared as bytes; mistakes planted while they are moved are found."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin

from tests.support import compare
from uploader.convert.job import Job
from uploader.convert.perform import perform
from uploader.convert.read import block_reader
from uploader.convert.tiff import ifd
from uploader.convert.write import cog_levels, cog_writer, encoded_cog, verification
from uploader.convert.write.moved_tiles import same_tiles

pytestmark = pytest.mark.unit

_SIDE = 1100
_MOVE = cog_writer.move


def made(folder: Path, *, mask: bool = False, bands: int = 3, values: int = 256) -> Path:
    """A COG without statistics, alone in a folder; with few values it holds classes."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    light = (120 + 60 * np.sin(columns / 80) + 45 * np.cos(rows / 60)).clip(1, 250).astype(np.uint8)
    light //= 256 // values
    plain, source = folder / "plain.tif", folder / "in" / "source.tif"
    source.parent.mkdir()
    shape = {"count": bands, "height": _SIDE, "width": _SIDE, "dtype": "uint8"}
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5.1e6, 0.5, 0.5)}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(plain, "w", driver="GTiff", **(shape | place)) as dataset,
    ):
        dataset.write(np.stack([light, light.T, light[::-1]][:bands]))
        if mask:
            dataset.write_mask(np.where(rows < 300, 0, 255).astype(np.uint8))
    rasterio.shutil.copy(
        plain,
        source,
        driver="COG",
        COMPRESS="DEFLATE",
        PREDICTOR="YES",
        OVERVIEW_RESAMPLING="MODE" if values < 256 else "AVERAGE",
    )
    return source


@pytest.mark.parametrize("mask", [False, True])
def test_moved_tiles_are_decoded_once(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, mask: bool
) -> None:
    """The source's pixels are not decoded at all, those of the result once; and the result is right."""
    source, seen = made(tmp_path, mask=mask), []
    read = block_reader.read

    def watched(dataset: Any, facts: Any, piece: Any, *rest: Any, margin: int = 0) -> Any:
        if not margin:
            seen.append((Path(dataset.name).name, dataset.width, piece.row))
        return read(dataset, facts, piece, *rest, margin=margin)

    monkeypatch.setattr(block_reader, "read", watched)
    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert report.method == "rewrite"
    assert {name for name, width, _ in seen if width == _SIDE} == {"result.tif"}
    assert len([1 for _, width, _ in seen if width == _SIDE]) == 1
    assert compare.differences(source, here / "result.tif") == []
    assert compare.statistics(source, here / "result.tif", report.bands) == []


def _changed(path: Path, change: Callable[[bytearray, list[int], list[int]], None]) -> None:
    """Change the content of a file, given where the raster's own tiles are."""
    handle = os.open(path, os.O_RDONLY)
    head = ifd.read(handle)
    os.close(handle)
    places, lengths = (
        [int(each) for each in head.numbers(head.directories[0], tag)]
        for tag in (ifd.TILE_OFFSETS, ifd.TILE_BYTES)
    )
    content = bytearray(path.read_bytes())
    change(content, places, lengths)
    path.write_bytes(content)


def _flipped(content: bytearray, places: list[int], lengths: list[int]) -> None:
    content[places[4] + lengths[4] // 2] ^= 8


def _exchanged(content: bytearray, places: list[int], _: list[int]) -> None:
    first, second = (place.to_bytes(4, "little") for place in places[:2])
    at = content.index(first + second)
    content[at : at + 8] = second + first


def _torn(content: bytearray, *_: list[int]) -> None:
    del content[-100:]


def _without_predictor(content: bytearray, *_: list[int]) -> None:
    at = content.index(ifd.PREDICTOR.to_bytes(2, "little") + b"\x03\x00\x01\x00\x00\x00\x02\x00")
    content[at + 8] = 1


PLANTED = {
    "a flipped bit in a tile": _flipped,
    "tiles exchanged": _exchanged,
    "a torn tail": _torn,
    "another predictor": _without_predictor,
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_mistake_is_found(
    what: str, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found before the result leaves the child, and the raster is encoded instead."""
    source = made(tmp_path)

    def wrongly(head: ifd.Tiff, images: Any, target: Path, *rest: Any) -> None:
        _MOVE(head, images, target, *rest)
        assert same_tiles(source, target)
        _changed(target, PLANTED[what])
        assert not same_tiles(source, target)

    def wrongly_where_tiles_stay(head: ifd.Tiff, images: Any, *rest: Any) -> None:
        (wrongly if images[0].file == source else _MOVE)(head, images, *rest)

    for module in (cog_writer, cog_levels):
        monkeypatch.setattr(module, "move", wrongly)
    monkeypatch.setattr(encoded_cog, "move", wrongly_where_tiles_stay)
    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert report.method != "rewrite"
    assert compare.differences(source, here / "result.tif") == []


def test_statistics_of_the_result_must_be_those_that_were_measured(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the source was measured before, the result is held against that; overviews are not blamed."""
    source, remade = made(tmp_path, bands=1, values=7), []
    levels = cog_writer._levels_encoded
    monkeypatch.setattr(cog_writer, "_levels_encoded", lambda *all_of: remade.append(1) or levels(*all_of))
    decoded = verification._decoded
    monkeypatch.setattr(verification, "_decoded", lambda *all_of: decoded(*all_of) + decoded(*all_of))

    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert remade == [1]
    assert "overviews_remade" not in {warning.code for warning in report.warnings}


def test_what_was_measured_holds_where_nothing_is_wrong(tmp_path: Path, here: Path) -> None:
    """The same raster of classes, decoded once after it was measured."""
    source = made(tmp_path, bands=1, values=7)
    report = perform(Job(source, tmp_path / "out.tif"), here).report

    assert (report.method, report.categorical) == ("rewrite", True)
    assert compare.statistics(source, here / "result.tif", report.bands) == []

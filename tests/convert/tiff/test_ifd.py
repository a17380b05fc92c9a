"""The structure of TIFFs, taken apart and put together again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from tests.support import rasters
from uploader.convert.tiff import gdal_metadata, ifd

pytestmark = pytest.mark.unit


def structure(path: Path) -> ifd.Tiff:
    """What is read of a file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return ifd.read(handle)
    finally:
        os.close(handle)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_written_is_read(tmp_path: Path, order: str, big: bool) -> None:
    """Values inline and elsewhere, directories below and behind one another survive in both sizes and orders."""
    made = ifd.Tiff(order, big, ())
    entries = {
        ifd.WIDTH: made.entry(ifd.SHORT, [700]),
        ifd.TILE_OFFSETS: made.entry(ifd.LONG, [5, 7, 9]),
        305: ifd.Entry(ifd.ASCII, 5, b"abcd\0"),
    }
    below = {ifd.EXIF: {0x9003: ifd.Entry(ifd.ASCII, 21, b"2024:05:01 10:11:12 \0")}}
    made = ifd.Tiff(order, big, (ifd.Directory(entries, below), ifd.Directory(entries)))
    path = tmp_path / "made.tif"
    path.write_bytes(ifd.head(made) + bytes(20))

    found = structure(path)

    assert found == made
    assert found.numbers(found.directories[1], ifd.TILE_OFFSETS).tolist() == [5, 7, 9]


@pytest.mark.parametrize("cut", [0, 3, 9, 20, 100])
def test_torn_heads_are_malformed(tmp_path: Path, cut: int) -> None:
    """A head that ends too early is said to be malformed, wherever it ends."""
    path = rasters.make("ready_cog", tmp_path / "cog.tif")
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(ifd.Malformed):
        structure(path)


def test_loops_are_malformed(tmp_path: Path) -> None:
    """A directory that is its own successor does not hang the reader."""
    made = ifd.Tiff("<", False, (ifd.Directory({305: ifd.Entry(ifd.ASCII, 2, b"a\0")}),))
    content = bytearray(ifd.head(made))
    content[22:26] = (8).to_bytes(4, "little")
    path = tmp_path / "loop.tif"
    path.write_bytes(content)

    with pytest.raises(ifd.Malformed, match="too many"):
        structure(path)


def test_edits_stay_in_the_head(tmp_path: Path) -> None:
    """An edited head leaves every byte of the data alone, and one that is too long changes nothing."""
    path = rasters.make("ready_cog", tmp_path / "cog.tif")
    before, start = path.read_bytes(), ifd.data_start(structure(path), path.stat().st_size)

    ifd.edit(path, lambda head: head)

    assert path.read_bytes()[start:] == before[start:]
    with rasterio.open(path) as dataset:
        assert dataset.read(1).any()
    settled = path.read_bytes()
    with pytest.raises(ifd.NoRoom):
        ifd.edit(path, lambda head: ifd.Tiff(head.order, head.big, head.directories * 9, head.ghost))
    assert path.read_bytes() == settled


def test_metadata_items_come_and_go(tmp_path: Path) -> None:
    """Items with all kinds of characters are read by GDAL as they were; old statistics go, foreign domains stay."""
    old = (
        b'<GDALMetadata>\n  <Item name="STATISTICS_MEAN" sample="0">4</Item>\n  <Item name="KEEP">1</Item>\n'
    )
    old += b'  <Item name="STATISTICS_MEAN" domain="OTHER">5</Item>\n</GDALMetadata>\n\0'
    value = "a < b & \"c\" é ]]> 'd'"
    text = gdal_metadata.with_items(
        gdal_metadata.without(old, {"STATISTICS_MEAN"}),
        [gdal_metadata.MetadataItem("NOTE", value, 1, "MISSION")],
    )
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8") as dataset:
        dataset.update_tags(ROOM="x" * 2000)
    cog = tmp_path / "b.tif"
    rasterio.shutil.copy(path, cog, driver="COG")
    entry = ifd.Entry(ifd.ASCII, len(text), text)
    ifd.edit(cog, lambda head: _with(head, entry))

    with rasterio.open(cog) as dataset:
        assert dataset.tags(1, ns="MISSION") == {"NOTE": value}
        assert dataset.tags()["KEEP"] == "1"
        assert dataset.tags(1) == {}
        assert dataset.tags(ns="OTHER") == {"STATISTICS_MEAN": "5"}
        assert np.count_nonzero(dataset.read(1)) == 0


def _with(head: ifd.Tiff, entry: ifd.Entry) -> ifd.Tiff:
    first = ifd.Directory(dict(head.directories[0].entries) | {ifd.GDAL_METADATA: entry})
    return ifd.Tiff(head.order, head.big, (first, *head.directories[1:]), head.ghost)

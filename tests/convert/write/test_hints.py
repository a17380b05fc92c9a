"""GDAL's note on the layout of a file, which readers believe: it stays as far as it is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rasters import make
from uploader.convert.read.examine import examine
from uploader.convert.tiff import ifd
from uploader.convert.write.head_completion import additions, completed

pytestmark = pytest.mark.unit

ORDER = b"BLOCK_ORDER=ROW_MAJOR\n"
NOTE = b"GDAL_STRUCTURAL_METADATA_SIZE=000055 bytes\nLAYOUT=IFDS_BEFORE_DATA\n" + ORDER + b"A=B\n "


@pytest.mark.parametrize(
    ("offsets", "true"),
    [([100, 300, 200, 400], False), ([100, 200, 300, 400], True), ([100, 0, 0, 400], True)],
    ids=["tiles of bands alternate", "in order", "tiles that are left out"],
)
def test_the_order_of_tiles_is_told_where_it_is_that(tmp_path: Path, offsets: list[int], true: bool) -> None:
    """GDAL 3.11 tells it also of tiles of all bands that lie together; the note keeps its length."""
    raster = make("dem_nodata", tmp_path / "a.tif")
    head = ifd.Tiff("<", False, (), NOTE)
    image = ifd.Directory({ifd.TILE_OFFSETS: head.entry(ifd.LONG, offsets)})
    head = ifd.Tiff("<", False, (image,), NOTE)

    after = completed(head, additions(raster, examine(raster)), [])

    assert (ORDER in after.ghost, len(after.ghost)) == (true, len(NOTE))
    assert b"LAYOUT=IFDS_BEFORE_DATA\n" in after.ghost
    assert b"\nA=B\n" in after.ghost

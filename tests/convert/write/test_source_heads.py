"""What the head of a source tells and GDAL does not: which page is the whole raster, and how many there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.kinds import some
from tests.support.tiffwriter import Picture, longs, text, write
from uploader.convert import Job
from uploader.convert.perform import perform
from uploader.convert.read.examine import examine
from uploader.convert.write import source_heads
from uploader.core.errors import RasterRefused

pytestmark = pytest.mark.unit

_WHOLE, _REDUCED, _MASK = 0, 1, 4


def written(folder: Path, *kinds: int) -> Path:
    """A TIFF with a directory of each of these subfile types."""
    folder.mkdir(exist_ok=True)
    pictures = [Picture(some(1, "u1", (40, 30)), {254: longs(kind)}) for kind in kinds]
    return write(folder / "source.tif", pictures)


@pytest.mark.parametrize(
    ("kinds", "page"),
    [
        ((_REDUCED, _WHOLE), 2),
        ((_REDUCED, _REDUCED, _MASK, _WHOLE), 4),
        ((_REDUCED,), 0),
        ((_REDUCED, _REDUCED), 0),
        ((_WHOLE, _REDUCED), 0),
        ((_WHOLE, _WHOLE), 0),
    ],
)
def test_the_whole_page_behind_a_thumbnail_is_found(
    tmp_path: Path, kinds: tuple[int, ...], page: int
) -> None:
    """Only where the first one says that it is smaller than another, and that other one is there."""
    assert source_heads.full_page(written(tmp_path, *kinds)) == page


def test_a_thumbnail_is_not_taken_for_the_raster(tmp_path: Path, here: Path) -> None:
    """It is refused, and told which page to take."""
    source = written(tmp_path / "in", _REDUCED, _WHOLE)

    with pytest.raises(RasterRefused, match="page 2") as refused:
        perform(Job(source, tmp_path / "out.tif"), here)

    assert "GTIFF_DIR:2" in refused.value.way_out


@pytest.mark.parametrize(("images", "pages"), [(3, 3), (4, 1), (1, 1)])
def test_a_stack_has_as_many_pages_as_the_file_has_room_for(tmp_path: Path, images: int, pages: int) -> None:
    """A text that came along with one of them alone says nothing."""
    pixels = np.zeros((400, 300, 1), np.uint16)
    told = {270: text(f"ImageJ=1.54f\nimages={images}\nslices={images}\n".encode())}
    path = write(tmp_path / "source.tif", [Picture(pixels, told, rows_per_strip=400)])
    path.write_bytes(path.read_bytes() + 2 * pixels.tobytes())

    assert source_heads.pages(path, examine(path)) == pages

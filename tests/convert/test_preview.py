"""The picture of a conversion: what it shows, and how little of a giant it reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling

from tests.support import rasters
from uploader.convert import Converter, Job
from uploader.convert.pictures import picture
from uploader.convert.pictures.preview import view_of
from uploader.convert.read.facts import ALL_VALID, ALPHA, BandFacts, Facts
from uploader.convert.read.shown_bands import shown_bands
from uploader.convert.write.publish import preview_of

_SIDE = 2000
_GIGABYTES = 2 << 30


def facts(
    width: int, height: int, *, block: tuple[int, int] = (512, 512), count: int = 3, **more: object
) -> Facts:
    """A raster of bytes with red, green and blue, as far as there are bands."""
    names = ("red", "green", "blue", "alpha")
    bands = tuple(
        BandFacts(number, "uint8", block, names[number - 1], ALL_VALID) for number in range(1, count + 1)
    )
    return Facts("GTiff", width, height, 1, bands, pixel_interleaved=True, **more)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("width", "height", "block"),
    [
        (700, 500, (1, 700)),
        (20_000, 20_000, (512, 512)),
        (400_000, 300_000, (512, 512)),
        (90_000, 90_000, (1, 90_000)),
    ],
)
def test_a_bounded_part_is_decoded_and_two_panels_fit(
    width: int, height: int, block: tuple[int, int]
) -> None:
    """Whatever the size: at most two gigabytes of pixels, at most the side that was asked for."""
    view = view_of(facts(width, height, block=block), _SIDE, nearest=False)

    (top, bottom), (left, right) = view.window
    rows, columns = view.shape
    assert 2 * columns + picture.GAP <= _SIDE
    assert rows <= _SIDE
    if view.resampling is Resampling.average:
        assert (bottom - top) * (right - left) * 3 <= _GIGABYTES
    else:
        assert view.whole
        assert rows * block[0] * width * 3 <= _GIGABYTES
    assert view.whole == (width < 400_000)


@pytest.mark.unit
def test_classes_are_never_averaged() -> None:
    """Between two classes there is none."""
    assert view_of(facts(900, 900), _SIDE, nearest=True).resampling is Resampling.nearest


@pytest.mark.unit
def test_which_bands_make_the_picture() -> None:
    """Colours by their names, else the first three of one type, else the first that is no alpha."""

    def band(index: int, interpretation: str, dtype: str = "uint16") -> BandFacts:
        return BandFacts(index, dtype, (1, 9), interpretation, ALPHA)

    satellite = [band(1, "blue"), band(2, "green"), band(3, "red"), band(4, "undefined")]
    assert shown_bands(satellite) == (3, 2, 1)
    assert shown_bands([band(n, "undefined") for n in range(1, 6)]) == (1, 2, 3)
    assert shown_bands([band(1, "alpha"), band(2, "gray")]) == (2,)
    assert shown_bands([band(1, "gray"), band(2, "undefined", "float32"), band(3, "undefined")]) == (1,)


@pytest.mark.unit
def test_the_stretch_leaves_out_what_is_nothing() -> None:
    """Masked and infinite samples do not count; a band of one value is gray."""
    samples = np.array([[[0.0, 100.0, 50.0, np.inf, 9999.0]]])
    opacity = np.array([[255, 255, 255, 255, 0]], np.uint8)
    stretch = picture.stretch_of(samples, opacity)
    assert (stretch.low[0], stretch.high[0]) == (pytest.approx(2), pytest.approx(98))

    drawn = picture.stretched(samples, opacity, stretch)
    assert drawn[0, :3].tolist() == [[0, 0, 0], [255, 255, 255], [127, 127, 127]]
    assert drawn[0, 4].tolist() == [255, 255, 255]  # a white square of the checkerboard

    flat = np.full((1, 2, 2), 7, np.uint8)
    even = np.full((2, 2), 255, np.uint8)
    assert set(picture.stretched(flat, even, picture.stretch_of(flat, even)).ravel()) == {127}


@pytest.mark.unit
def test_a_palette_gives_its_colours_and_nothing_else_any() -> None:
    """Values beyond the table and transparent entries are checkered."""
    drawn = picture.coloured(
        np.array([[1, 2, 200]], np.uint8),
        np.full((1, 3), 255, np.uint8),
        ((1, (10, 20, 30, 255)), (2, (1, 2, 3, 0))),
    )
    assert drawn[0].tolist() == [[10, 20, 30], [255, 255, 255], [255, 255, 255]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the module, so that the children can be shared."""
    return "asyncio"


@pytest.fixture(scope="module")
async def converter(anyio_backend: str):
    """One for all."""
    async with Converter(1) as made:
        yield made


@pytest.mark.anyio
@pytest.mark.e2e
async def test_no_picture_is_drawn_unasked(tmp_path: Path, converter: Converter) -> None:
    """The daemon never asks."""
    source = rasters.make("classes", tmp_path / "in" / "source.tif", size=64)
    await converter.convert(Job(source, tmp_path / "out.tif"))
    assert not preview_of(tmp_path / "out.tif").exists()


@pytest.mark.anyio
@pytest.mark.e2e
@pytest.mark.parametrize(
    "kind", ["rgba", "palette", "dem_nodata", "complex_numbers", "int64", "ready_cog", "masked"]
)
async def test_both_panels_show_the_same(kind: str, tmp_path: Path, converter: Converter) -> None:
    """The picture is a PNG within its bounds whose halves agree, and without a wish there is none."""
    source = rasters.make(kind, tmp_path / "in" / "source.tif")
    job = Job(source, tmp_path / "out.tif", preview=_SIDE)
    await converter.convert(job)

    drawn = preview_of(job.target)
    with rasterio.open(drawn, driver="PNG") as dataset:
        pixels, texts = dataset.read().astype(int), dataset.tags()
    panel = (pixels.shape[2] - picture.GAP) // 2
    left, right = pixels[:, :, :panel], pixels[:, :, -panel:]
    assert max(pixels.shape[1:]) <= _SIDE
    assert np.abs(left - right).mean() < 3
    assert len(np.unique(left)) > 1
    assert "600 x 600" in texts["Description"]

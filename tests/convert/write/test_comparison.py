"""The verification itself: it must see every change that a writer could make."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from tests.support import rasters
from uploader.convert.read.examine import examine
from uploader.convert.read.facts import ALL_VALID, NODATA, PER_DATASET, BandFacts, Facts
from uploader.convert.read.windows import pieces, sampled
from uploader.convert.write.comparison import compare_facts
from uploader.convert.write.pixel_comparison import compare_pixels

pytestmark = pytest.mark.unit

_BAND = BandFacts(
    1, "float32", (512, 512), "gray", NODATA, nodata=math.nan, description="red", unit="m", scale=2.0, offset=1.0,
    colours=((0, (1, 2, 3, 255)),), tags=(("KEY", "value"),),
)  # fmt: skip
_FACTS = Facts(
    driver="GTiff", width=700, height=600, file_bytes=1, bands=(_BAND,), transform=(5e5, 0.5, 0.0, 5e6, 0.0, -0.5),
    crs=CRS.from_epsg(32633).to_wkt(), gcps=((0.0, 0.0, 1.0, 2.0, 3.0),), gcp_crs="",
    rpcs=(("LINE_OFF", "1.5"),), tags=(("A", "b"),), domains={"FOO": {"a": "1"}},
)  # fmt: skip


def band(**changes: object) -> Facts:
    """The raster with its band changed."""
    return replace(_FACTS, bands=(replace(_BAND, **changes),))


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (replace(_FACTS, width=699), "the size"),
        (band(dtype="float64"), "the bands"),
        (replace(_FACTS, crs=""), "coordinate reference system"),
        (replace(_FACTS, crs=CRS.from_epsg(32632).to_wkt()), "coordinate reference system"),
        (replace(_FACTS, transform=(5e5 + 1e-5, 0.5, 0.0, 5e6, 0.0, -0.5)), "geotransform"),
        (replace(_FACTS, transform=None), "geotransform"),
        (replace(_FACTS, gcps=()), "ground control points"),
        (replace(_FACTS, gcps=((0.0, 0.0, 1.0, 2.0, 3.0 + 1e-9),)), "ground control points"),
        (replace(_FACTS, rpcs=()), "polynomial"),
        (replace(_FACTS, rpcs=(("LINE_OFF", "1.6"),)), "polynomial"),
        (band(nodata=None), "nodata"),
        (band(nodata=0.0), "nodata"),
        (band(colours=()), "colour table"),
        (band(interpretation="red"), "colour interpretation"),
        (band(description=""), "description"),
        (band(unit="ft"), "unit"),
        (band(scale=1.0), "scale"),
        (band(offset=0.0), "offset"),
        (band(mask=ALL_VALID), "kind of mask"),
    ],
)
def test_every_changed_fact_is_seen(result: Facts, words: str) -> None:
    """Each field of a raster that differs in the result makes it broken, and is named."""
    broken = compare_facts(_FACTS, result, frozenset()).broken

    assert [text for text in broken if words in text]


def test_equal_facts_are_equal() -> None:
    """The same facts differ in nothing, NaN included; a merged mask is no change of kind."""
    assert compare_facts(_FACTS, _FACTS, frozenset()).broken == ()
    assert compare_facts(band(mask=0), band(mask=PER_DATASET), frozenset()).broken == ()
    assert compare_facts(band(nodata=0.1), band(nodata=float(np.float32(0.1))), frozenset()).broken == ()


@pytest.mark.parametrize(
    ("source", "result", "beside", "code"),
    [
        (replace(_FACTS, pages=3), _FACTS, (), "extra_pages"),
        (_FACTS, replace(_FACTS, crs=""), ("SRS",), "crs_not_expressible"),
        (replace(_FACTS, categories=True), _FACTS, (), "category_names_lost"),
        (_FACTS, _FACTS, ("GDALRasterAttributeTable",), "attribute_table_lost"),
        (_FACTS, replace(_FACTS, domains={}), (), "domain_lost"),
        (replace(_FACTS, domains={"IMD": {"a": "1"}}), _FACTS, (), "imd_lost"),
        (replace(_FACTS, domains={"EXIF": {"a": "1"}}), _FACTS, (), "exif_lost"),
        (replace(_FACTS, domains={"xml:XMP": {"xml:XMP": "<a/>"}}), _FACTS, (), "xmp_lost"),
        (replace(_FACTS, domains={"COLOR_PROFILE": {"SOURCE_ICC_PROFILE": "AA"}}), _FACTS, (), "icc_lost"),
        (_FACTS, replace(_FACTS, tags=()), (), "tag_lost"),
        (_FACTS, band(tags=()), (), "tag_lost"),
        (band(domains={"BAR": {"a": "1"}}), _FACTS, (), "domain_lost"),
    ],
)
def test_every_loss_has_its_code(source: Facts, result: Facts, beside: tuple[str, ...], code: str) -> None:
    """What GeoTIFF cannot carry is no break but a warning with its own code."""
    found = compare_facts(source, result, frozenset(beside))

    assert [warning.code for warning in found.lost] == [code]


def test_one_changed_pixel_is_seen(tmp_path: Path) -> None:
    """A single sample that differs is found, also far from the corner; -0.0 is not 0.0."""
    first = rasters.make("dem_nodata", tmp_path / "a" / "source.tif", size=900)
    second = rasters.make("dem_nodata", tmp_path / "b" / "source.tif", size=900)
    with rasterio.open(first) as a, rasterio.open(second) as b:
        assert compare_pixels(a, b, examine(first), sample=False) == ""
    with rasterio.open(second, "r+") as dataset:
        pixels = dataset.read(1)
        pixels[777, 888] = np.nextafter(pixels[777, 888], np.float32(np.inf))
        dataset.write(pixels, 1)

    with rasterio.open(first) as a, rasterio.open(second) as b:
        assert "pixels" in compare_pixels(a, b, examine(first), sample=False)


def test_one_changed_mask_bit_is_seen(tmp_path: Path) -> None:
    """A mask that differs in one pixel is found although all samples are equal."""
    first = rasters.make("masked", tmp_path / "a" / "source.tif")
    second = rasters.make("masked", tmp_path / "b" / "source.tif")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(second, "r+") as dataset:
        mask = dataset.dataset_mask()
        mask[-1, -1] = 0
        dataset.write_mask(mask)

    with rasterio.open(first) as a, rasterio.open(second) as b:
        assert "mask" in compare_pixels(a, b, examine(first), sample=False)


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize("block", [(1, 5000), (16, 5000), (256, 256), (512, 512), (640, 1024), (3000, 5000)])
def test_pieces_cover_everything_once(block: tuple[int, int], interleaved: bool) -> None:
    """Whatever the blocks, every sample is in exactly one piece, and no piece is beyond its budget."""
    bands = tuple(BandFacts(number, "uint16", block, "gray", ALL_VALID) for number in (1, 2, 3))
    raster = Facts("GTiff", 5000, 3000, 1, bands, pixel_interleaved=interleaved)
    seen = np.zeros((3, 3000, 5000), np.uint8)
    budget = 2 << 20
    single = block[0] * block[1] * 2 * (3 if interleaved else 1)
    for piece in pieces(raster, budget):
        rows, columns = piece.place
        for index in piece.bands:
            seen[index - 1, slice(*rows), slice(*columns)] += 1
        assert piece.width * piece.height * 2 * len(piece.bands) <= max(budget, single)

    assert (seen == 1).all()


def test_a_sample_has_both_ends() -> None:
    """Sampling keeps few pieces, the first and the last among them."""
    raster = Facts("GTiff", 9000, 9000, 1, (BandFacts(1, "uint8", (512, 512), "gray", ALL_VALID),))
    everything = list(pieces(raster, 1 << 18))
    few = sampled(everything)

    assert len(few) == 16
    assert (few[0], few[-1]) == (everything[0], everything[-1])

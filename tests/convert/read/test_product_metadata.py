"""Satellite deliveries: what their sidecars say of place, coefficients and scene arrives in the COG, or is named."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import rasterio

from tests.support import products
from tests.support.groups import seen
from tests.support.warned import losses
from uploader.convert import Converter, Job, Report
from uploader.staging import Staging

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

SHIFT = products.SIDE
LANDSAT_8 = ("L1_METADATA_FILE.", '"LANDSAT_8"')


@pytest.fixture
async def converter() -> AsyncIterator[Converter]:
    """One worker for all conversions of a test."""
    async with Converter(1) as working:
        yield working


async def through(converter: Converter, source: Path, work: Path, **options: object) -> tuple[Report, Path]:
    """The report and the COG of a raster of a drop folder, as the daemon stages it."""
    staging = Staging(work)
    staging.claim(1, str(source.parent), seen(source.parent, source.name), threading.Event())
    job = Job(staging.source(1, source.name.encode()), staging.result(1), **options)
    return await converter.convert(job), staging.result(1)


def codes(report: Report) -> list[str]:
    """The warnings by their codes."""
    return losses(report)


L2 = "LC09_L2SP_193027_20220101_20220113_02_T1"
READ: dict[str, tuple[Callable[[Path], Path], str, tuple[str, str]]] = {
    "alos": (products.alos, "ALOS", ("Lbi_Sensor", '"PRISM"')),
    "geoeye": (products.geoeye, "GE", ("Source Image Metadata.", "IKONOS-2")),
    "ikonos": (lambda drop: products.geoeye(drop, "red"), "GE", ("Source Image Metadata.", "IKONOS-2")),
    "kompsat": (products.kompsat, "KARI", ("AUX_SATELLITE_NAME", "KOMPSAT-2")),
    "eros": (products.eros, "EROS", ("satellite", "EROS-B")),
    "landsat": (lambda drop: products.landsat(drop)[0], "ODL", LANDSAT_8),
    "landsat quality": (lambda drop: products.landsat(drop, ("QA_PIXEL",))[0], "ODL", LANDSAT_8),
    "landsat level 2": (lambda drop: products.landsat(drop, ("SR_B4",), product=L2)[0], "ODL", LANDSAT_8),
    "landsat scene": (
        lambda drop: products.landsat(drop, product="LC80330332013097LGN01")[0],
        "ODL",
        LANDSAT_8,
    ),
}
"""By product: what makes it, GDAL's reader, and one item of its metadata by the beginning of its key."""


@pytest.mark.parametrize("name", READ)
async def test_products_keep_what_gdal_reads_of_them(converter: Converter, tmp_path: Path, name: str) -> None:
    """Metadata named after the product, or found by the raster's name, is in the COG, also under `strict`."""
    make, reader, (key, value) = READ[name]
    source = make(tmp_path / "drop")

    report, cog = await through(converter, source, tmp_path / "work", strict=True)

    assert codes(report) == []
    with rasterio.open(cog) as dataset:
        assert dataset.tags().get("METADATATYPE", reader) == reader
        said = dataset.tags(ns="IMD")
        assert [text for found, text in said.items() if found.startswith(key) and text == value], said
        if reader != "ODL":
            assert dataset.rpcs.lat_off == pytest.approx(47.3125, abs=1e-4)


@pytest.mark.parametrize("tile", [(1, 1), (1, 2), (2, 1), (2, 2)])
async def test_tiles_of_airbus_get_the_polynomials_moved_to_them(
    converter: Converter, tmp_path: Path, tile: tuple[int, int]
) -> None:
    """The polynomials of the whole product are moved to each tile, as its index says where it lies."""
    products.pleiades(tmp_path / "drop")
    row, column = tile
    source = tmp_path / "drop" / f"IMG_{products.PLEIADES}_R{row}C{column}.TIF"

    report, cog = await through(converter, source, tmp_path / "work", strict=True)

    with rasterio.open(cog) as dataset:
        assert dataset.rpcs.line_off == pytest.approx(99.5 - (row - 1) * SHIFT)
        assert dataset.rpcs.samp_off == pytest.approx(119.25 - (column - 1) * SHIFT)
        assert dataset.tags(ns="IMD")["Dataset_Sources.Source_Identification.Strip_Source.MISSION"] == "PHR"
    assert codes(report) == []


@pytest.mark.parametrize("why", ["no index", "not listed", "overlap"])
async def test_polynomials_that_are_not_moved_are_not_applied(
    converter: Converter, tmp_path: Path, why: str
) -> None:
    """Where GDAL leaves the polynomials of the whole product as they are, a tile would lie where the first one does."""
    tiles = products.pleiades(tmp_path / "drop", overlap=8 if why == "overlap" else 0)
    index = tmp_path / "drop" / f"DIM_{products.PLEIADES}.XML"
    if why == "no index":
        index.unlink()
    elif why == "not listed":
        index.write_text(index.read_text().replace("_R1C2.TIF", "_R1C9.TIF"))

    first, _ = await through(converter, tiles[0], tmp_path / "first")
    report, cog = await through(converter, tiles[1], tmp_path / "second")

    assert codes(first) == []
    assert codes(report) == ["rpc_not_applied"]
    assert f"RPC_{products.PLEIADES}.XML" in report.warnings[0].text
    with rasterio.open(cog) as dataset:
        assert dataset.rpcs is None


async def test_a_tile_with_polynomials_of_its_own_keeps_them(converter: Converter, tmp_path: Path) -> None:
    """A file that is named after the tile is the tile's, and wins."""
    tile = products.pleiades(tmp_path / "drop")[1]
    (tmp_path / "drop" / f"DIM_{products.PLEIADES}.XML").unlink()
    own = tmp_path / "drop" / f"RPC_{products.PLEIADES}_R1C2.XML"
    own.write_text(products.dimap_rpc().replace("120.25", "12.25"))

    report, cog = await through(converter, tile, tmp_path / "work")

    with rasterio.open(cog) as dataset:
        assert dataset.rpcs.samp_off == pytest.approx(11.25)
    assert codes(report) == []


async def test_maxar_tiles_get_what_holds_for_them(converter: Converter, tmp_path: Path) -> None:
    """The first tile gets the product's polynomials, and no other: that is named. Metadata in words goes to all."""
    for tile, expected in (
        ("R1C1", ["product_metadata_lost"]),
        ("R1C2", ["product_metadata_lost", "rpc_not_applied"]),
    ):
        source = products.maxar(tmp_path / tile, tile)
        report, cog = await through(converter, source, tmp_path / f"work{tile}")

        assert codes(report) == expected
        assert ".TIL" in report.warnings[0].text
        assert ".IMD" not in report.warnings[0].text
        with rasterio.open(cog) as dataset:
            assert dataset.tags(ns="IMD")["IMAGE_1.satId"] == '"WV02"'
            assert (dataset.rpcs is not None) == (tile == "R1C1")


async def test_a_place_that_only_words_tell_is_named(converter: Converter, tmp_path: Path) -> None:
    """The tie points of a SPOT 5 scene are kept as words, and that its place is no more than that is named."""
    report, cog = await through(converter, products.spot(tmp_path / "drop"), tmp_path / "work")

    assert codes(report) == ["product_place_unread"]
    with rasterio.open(cog) as dataset:
        assert dataset.tags(ns="IMD")["Dataset_Sources.Source_Information.Scene_Source.MISSION"] == "SPOT"


async def test_metadata_that_gdal_has_no_reader_for_is_named(converter: Converter, tmp_path: Path) -> None:
    """Planet's metadata is lost by its names; the polynomials are kept."""
    report, cog = await through(converter, products.planet(tmp_path / "drop"), tmp_path / "work")

    assert codes(report) == ["product_metadata_lost"]
    assert "20200101_093456_0f22_metadata.json" in report.warnings[0].text
    assert "_metadata.xml" in report.warnings[0].text
    with rasterio.open(cog) as dataset:
        assert dataset.rpcs.lat_off == 47.3125
    assert "_metadata" not in str(dataset.tags())


@pytest.mark.parametrize("polynomials", [True, False])
async def test_metadata_that_gdal_cuts_is_named(
    converter: Converter, tmp_path: Path, polynomials: bool
) -> None:
    """The keys of RapidEye's metadata have colons, at which GDAL cuts them; beside polynomials it reads none at all."""
    source = products.rapideye(tmp_path / "drop", polynomials=polynomials)

    report, cog = await through(converter, source, tmp_path / "work")

    assert codes(report) == ["product_metadata_lost"]
    with rasterio.open(cog) as dataset:
        assert (dataset.rpcs is not None) == polynomials


@pytest.mark.parametrize("text", ["", "<Dimap_Document>", "\0" * 100, "<Dimap_Document/>"])
async def test_damaged_metadata_is_named(converter: Converter, tmp_path: Path, text: str) -> None:
    """An index that cannot be read is as good as none: nothing is moved by it, and nothing is lost in silence."""
    tile = products.pleiades(tmp_path / "drop")[1]
    (tmp_path / "drop" / f"DIM_{products.PLEIADES}.XML").write_text(text)

    report, cog = await through(converter, tile, tmp_path / "work")

    assert sorted(codes(report)) == ["product_metadata_lost", "rpc_not_applied"]
    with rasterio.open(cog) as dataset:
        assert dataset.rpcs is None

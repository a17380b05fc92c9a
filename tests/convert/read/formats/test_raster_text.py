"""Texts that are not UTF-8 are taken, and are in the COG byte for byte; what GeoTIFF cannot hold is named."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job, Report

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SIDE = 60
_PIXELS = np.add.outer(np.arange(_SIDE), np.arange(_SIDE)).astype(np.float32) / 7
_SHAPE = {"width": _SIDE, "height": _SIDE, "count": 1, "crs": "EPSG:32632"}
_WORDS = ("Xname", "Xunit", "Xtag", "Xbandtag", "Xdomain", "Xartist")


def tiff(folder: Path, *odd: str) -> Path:
    """A TIFF with many texts, of which those named begin with a letter of Latin-1."""
    path = folder / "source.tif"
    with rasterio.open(path, "w", driver="GTiff", dtype="float32", **_SHAPE) as dataset:
        dataset.write(_PIXELS, 1)
        dataset.set_band_description(1, "Xname")
        dataset.set_band_unit(1, "Xunit")
        dataset.update_tags(PLACE="Xtag", TIFFTAG_ARTIST="Xartist")
        dataset.update_tags(1, LAYER="Xbandtag")
        dataset.update_tags(ns="MISSION", NAME="Xdomain")
    content = path.read_bytes()
    for word in odd:
        content = content.replace(word.encode(), b"\xf6" + word[1:].encode())
    path.write_bytes(content)
    return path


async def converted(source: Path, **options: object) -> tuple[Report, bytes]:
    """The report and the bytes of the COG."""
    target = source.parent.parent / "out.tif"
    report = await convert(Job(source, target, **options))
    return report, target.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where sources lie."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.mark.parametrize("words", [*((word,) for word in _WORDS), _WORDS], ids="+".join)
async def test_texts_in_a_tiff(folder: Path, words: tuple[str, ...]) -> None:
    """Name, unit, metadata of raster, band and domain, and tags of TIFF itself: nothing is lost, nothing warned of."""
    report, content = await converted(tiff(folder, *words), strict=True)

    assert losses(report) == []
    for word in words:
        assert b"\xf6" + word[1:].encode() in content


async def test_texts_beside_a_tiff(folder: Path) -> None:
    """The same in an `.aux.xml`; names of classes have no place in GeoTIFF in any encoding."""
    source = tiff(folder)
    source.with_name("source.tif.aux.xml").write_bytes(
        b'<PAMDataset><Metadata><MDI key="PLACE">K\xf6ln</MDI></Metadata><PAMRasterBand band="1">'
        b"<Description>H\xf6hen</Description><UnitType>m\xb2</UnitType>"
        b"<CategoryNames><Category>W\xe4lder</Category></CategoryNames></PAMRasterBand></PAMDataset>"
    )

    report, content = await converted(source)

    assert losses(report) == ["category_names_lost"]
    assert all(text in content for text in (b"K\xf6ln", b"H\xf6hen", b"m\xb2"))


async def test_texts_in_an_envi_header(folder: Path) -> None:
    """Names of bands and other fields of a header."""
    source = folder / "source.dat"
    with rasterio.open(source, "w", driver="ENVI", dtype="float32", **_SHAPE) as dataset:
        dataset.write(_PIXELS, 1)
    header = source.with_suffix(".hdr")
    header.write_bytes(header.read_bytes().replace(b"Band 1", b"H\xf6hen") + b"sensor type = S\xf6nsor\n")

    report, content = await converted(source)

    assert losses(report) == []
    assert b">H\xf6hen<" in content
    assert b">S\xf6nsor<" in content


async def test_texts_in_a_png(folder: Path) -> None:
    """A tEXt chunk is Latin-1 by its standard."""
    source = folder / "source.png"
    with rasterio.open(source, "w", driver="PNG", dtype="uint8", **_SHAPE) as dataset:
        dataset.write(_PIXELS.astype(np.uint8), 1)
    chunk = b"tEXtTitle\0H\xf6he"
    content = source.read_bytes()
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    source.write_bytes(content[:33] + chunk + content[33:])

    _, content = await converted(source)

    assert b">H\xf6he<" in content


async def test_a_domain_whose_name_is_no_text_is_named(folder: Path) -> None:
    """It cannot be asked for, so its loss is told."""
    report, _ = await converted(tiff(folder, "MISSION"))

    assert losses(report) == ["domain_lost"]


async def test_names_beside_overviews_are_lost_with_a_name(folder: Path) -> None:
    """GDAL would follow the overviews to wherever they point before it told the names."""
    source = tiff(folder, "Xname")
    source.with_name("source.tif.ovr").write_bytes(source.read_bytes())

    report, _ = await converted(source)

    assert losses(report) == ["text_lost"]


async def test_what_is_told_of_such_texts_is_text(folder: Path) -> None:
    """A warning that names an odd key reaches the journal, which takes UTF-8 only."""
    source = tiff(folder)
    with rasterio.open(source, "r+") as dataset:
        dataset.update_tags(ns="GEOLOCATION", Xdomain="1")
    source.write_bytes(source.read_bytes().replace(b"GEOLOCATION", b"GEOLOC\xc4TION"))

    report, _ = await converted(source)

    assert report.warnings
    for warning in report.warnings:
        warning.text.encode()

"""Files beside a raster: what they say arrives in the COG, or its loss is named."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.crs import CRS

from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job, Report
from uploader.convert.tiff import ifd
from uploader.core.errors import RasterRefused

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_RPC_TEXT = "".join(
    f"{name}: {value}\n"
    for name, value in (
        ("LINE_OFF", 100.5), ("SAMP_OFF", 120.25), ("LAT_OFF", 47.3125), ("LONG_OFF", 13.0625), ("HEIGHT_OFF", 310.0),
        ("LINE_SCALE", 101.0), ("SAMP_SCALE", 121.0), ("LAT_SCALE", 0.0825), ("LONG_SCALE", 0.1125),
        ("HEIGHT_SCALE", 501.0),
    )
)  # fmt: skip
_RPC_TEXT += "".join(
    f"{name}_{number}: {number / 7 * sign!r}\n"
    for name, sign in (
        ("LINE_NUM_COEFF", 1),
        ("LINE_DEN_COEFF", -1),
        ("SAMP_NUM_COEFF", 2),
        ("SAMP_DEN_COEFF", -2),
    )
    for number in range(1, 21)
)
_IMD = 'version = "22.3";\nBEGIN_GROUP = IMAGE_1\n\tsatId = "WV02";\n\tcloudCover = 0.012;\nEND_GROUP = IMAGE_1\nEND;\n'


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A raster that says nothing of where it is."""
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    pixels = np.arange(3 * 300 * 300, dtype=np.uint16).reshape(3, 300, 300)
    with rasterio.open(
        source, "w", driver="GTiff", width=300, height=300, count=3, dtype="uint16"
    ) as dataset:
        dataset.write(pixels)
    return source


async def converted(source: Path, **options: object) -> tuple[Report, Path]:
    """The report and the COG, alone in a folder."""
    target = source.parent.parent / "out" / "out.tif"
    target.parent.mkdir()
    report = await convert(Job(source, target, **options))
    assert [path.name for path in target.parent.iterdir()] == ["out.tif"]
    return report, target


async def test_world_file_and_projection(bare: Path) -> None:
    """The place from `.tfw` and the system from `.prj` are in the COG."""
    bare.with_suffix(".tfw").write_text("0.5\n0\n0\n-0.5\n500000.25\n5099999.75\n")
    bare.with_suffix(".prj").write_text(CRS.from_epsg(32633).to_wkt())

    report, target = await converted(bare)

    with rasterio.open(target) as dataset:
        assert dataset.crs.to_epsg() == 32633
        assert dataset.get_transform() == [500000.0, 0.5, 0.0, 5100000.0, 0.0, -0.5]
    assert report.method == "encode"


async def test_rational_polynomials_beside(bare: Path) -> None:
    """Coefficients from `_RPC.TXT` are in the COG, to the last digit that GDAL shows."""
    bare.with_name("source_RPC.TXT").write_text(_RPC_TEXT)

    _, target = await converted(bare)

    with rasterio.open(target) as dataset:
        assert dataset.rpcs.lat_off == 47.3125
        # GDAL shows fifteen digits of what the file holds
        assert dataset.rpcs.line_num_coeff == pytest.approx(
            [number / 7 for number in range(1, 21)], rel=1e-14
        )


async def test_satellite_metadata_travels(bare: Path) -> None:
    """Metadata of an `.IMD` beside the raster, which GDAL's COG driver forgets, is in the COG, also under `strict`."""
    bare.with_suffix(".IMD").write_text(_IMD)

    report, target = await converted(bare, strict=True)

    assert losses(report) == []
    with rasterio.open(target) as dataset:
        assert dataset.tags(ns="IMD")["IMAGE_1.cloudCover"] == "0.012"


async def test_metadata_that_names_files_stays_behind(bare: Path) -> None:
    """A domain that would make GDAL open another file does not travel; that is named, and refused under `strict`."""
    with rasterio.open(bare, "r+") as dataset:
        dataset.update_tags(ns="GEOLOCATION", X_DATASET="/etc/passwd", X_BAND="1")
        dataset.update_tags(ns="MISSION", ORBIT="17 < 18 & more")

    report, target = await converted(bare)

    assert losses(report) == ["domain_lost"]
    assert b"passwd" not in target.read_bytes()
    with rasterio.open(target) as dataset:
        assert dataset.tags(ns="MISSION") == {"ORBIT": "17 < 18 & more"}
    with pytest.raises(RasterRefused, match="GEOLOCATION"):
        await convert(Job(bare, bare.parent.parent / "strict.tif", strict=True))


_EXIF = {
    0x829A: ifd.Entry(5, 1, b"\1\0\0\0\x40\1\0\0"),
    0x9003: ifd.Entry(ifd.ASCII, 20, b"2024:05:01 10:11:12\0"),
}
_IPTC, _PRESS = 33723, ifd.Entry(7, 9, b"some IPTC")


async def test_exif_and_press_tags_travel(bare: Path) -> None:
    """The Exif directory of a camera, and IPTC, are in the COG as they were."""
    _add_tags(bare)

    report, target = await converted(bare, strict=True)

    kept = _structure(target).directories[0]
    assert kept.children[ifd.EXIF] == _EXIF
    assert kept.entries[_IPTC] == _PRESS
    with rasterio.open(target) as dataset:
        assert dataset.tags(ns="EXIF")["EXIF_DateTimeOriginal"] == "2024:05:01 10:11:12"
    assert losses(report) == []


def _structure(path: Path) -> ifd.Tiff:
    handle = os.open(path, os.O_RDONLY)
    try:
        return ifd.read(handle)
    finally:
        os.close(handle)


def _add_tags(path: Path) -> None:
    """Put a longer head with the tags before the file as it was; its old head stays as padding."""
    room = path.with_name("room.tif")
    rasterio.shutil.copy(path, room, driver="COG", compress="none")
    head, content = _structure(room), room.read_bytes()
    room.unlink()
    first = head.directories[0]
    entries = dict(first.entries) | {_IPTC: _PRESS}
    made = dataclasses.replace(head, ghost=b"", directories=(ifd.Directory(entries, {ifd.EXIF: _EXIF}),))
    moved = head.numbers(first, ifd.TILE_OFFSETS) + np.uint64(len(ifd.head(made)))
    entries |= {ifd.TILE_OFFSETS: head.entry(ifd.LONG, moved)}
    made = dataclasses.replace(made, directories=(ifd.Directory(entries, {ifd.EXIF: _EXIF}),))
    path.write_bytes(ifd.head(made) + content)


async def test_auxiliary_metadata(bare: Path) -> None:
    """Nodata, description and category names of an `.aux.xml`: the first two are kept, the last is named."""
    bands = "".join(
        f'<PAMRasterBand band="{band}"><Description>layer {band}</Description><NoDataValue>7</NoDataValue>'
        "<CategoryNames><Category>sea</Category><Category>land</Category></CategoryNames></PAMRasterBand>"
        for band in (1, 2, 3)
    )
    bare.with_name("source.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")

    report, target = await converted(bare)

    with rasterio.open(target) as dataset:
        assert dataset.nodatavals == (7.0, 7.0, 7.0)
        assert dataset.descriptions == ("layer 1", "layer 2", "layer 3")
    assert "category_names_lost" in [warning.code for warning in report.warnings]
    assert report.categorical


async def test_different_nodata_per_band_is_refused(bare: Path) -> None:
    """GeoTIFF has one nodata value for all bands: another one for one band cannot be kept."""
    bare.with_name("source.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>7</NoDataValue></PAMRasterBand>'
        '<PAMRasterBand band="2"><NoDataValue>8</NoDataValue></PAMRasterBand></PAMDataset>'
    )

    with pytest.raises(RasterRefused, match="different nodata values \\(7, 8, none\\)"):
        await converted(bare)


async def test_old_statistics_are_replaced(bare: Path) -> None:
    """Approximate statistics of an `.aux.xml` do not survive; exact ones take their place."""
    bare.with_name("source.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_APPROXIMATE">YES</MDI>'
        '<MDI key="STATISTICS_MAXIMUM">99</MDI><MDI key="STATISTICS_MEAN">5</MDI></Metadata></PAMRasterBand>'
        "</PAMDataset>"
    )

    report, target = await converted(bare)

    with rasterio.open(target) as dataset:
        tags = dataset.tags(1)
    assert "STATISTICS_APPROXIMATE" not in tags
    assert float(tags["STATISTICS_MAXIMUM"]) == report.bands[0].max == 65535


async def test_profile_and_packet_travel(tmp_path: Path) -> None:
    """An ICC profile and an XMP packet, which GDAL's COG driver forgets, are carried over."""
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><x:made by="someone &amp; else">here</x:made></x:xmpmeta>'
    profile = {
        "driver": "GTiff",
        "width": 64,
        "height": 64,
        "count": 3,
        "dtype": "uint8",
        "photometric": "rgb",
    }
    with rasterio.open(source, "w", SOURCE_ICC_PROFILE="AAAC", **profile) as dataset:
        dataset.write(np.zeros((3, 64, 64), np.uint8))
        dataset.update_tags(ns="xml:XMP", **{"xml:XMP": packet})

    report, target = await converted(source)

    with rasterio.open(target) as dataset:
        assert dataset.tags(ns="COLOR_PROFILE")["SOURCE_ICC_PROFILE"] == "AAAC"
        assert "someone &amp; else" in str(dataset.tags(ns="xml:XMP"))
    assert losses(report) == []

"""Which driver a file's first bytes name, and what is said where they name none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import formats as made
from uploader.convert.read.formats import ascii_grid, netcdf, open_raster
from uploader.convert.read.formats.format_table import FORMATS, HDF5, Opening, driver_of
from uploader.core.errors import RasterRefused, RasterUnreadable

pytestmark = pytest.mark.unit

_TILE = 1201 * 1201 * 2


@pytest.mark.parametrize(
    ("start", "extension", "driver"),
    [
        (b"II*\0", "tif", "GTiff"),
        (b"MM\0+", "jp2", "GTiff"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2", "JP2OpenJPEG"),
        (b"\xff\x4f\xff\x51", "j2k", "JP2OpenJPEG"),
        (b"EHFA_HEADER_TAG\0", "img", "HFA"),
        (b"\x89PNG\r\n\x1a\n", "png", "PNG"),
        (b"\xff\xd8\xff\xe0", "jpeg", "JPEG"),
        (b"CDF\x05", "nc", "netCDF"),
        (HDF5, "nc", "netCDF"),
        (HDF5, "h5", "HDF5"),
        (b"UHL1", "dt2", "DTED"),
        (b"HDR" + b" " * 77 + b"UHL1", "dt1", "DTED"),
        (b"NCOLS 3\r\n", "asc", "AAIGrid"),
        (b"dx 3\n", "asc", "AAIGrid"),
    ],
)
def test_first_bytes_and_extension_together_name_the_driver(
    start: bytes, extension: str, driver: str
) -> None:
    """One driver, or none."""
    assert driver_of(Opening(start, "source", extension, 1000)) == driver


def test_headerless_formats_are_told_by_what_is_around_them() -> None:
    """ENVI by its header, whatever the pixels begin with; an SRTM tile by name and size."""
    assert driver_of(Opening(bytes(512), "source", "dat", 1000, b"ENVI\n")) == "ENVI"
    assert driver_of(Opening(bytes(512), "source", "", 1000, b"ENVI\n")) == "ENVI"
    assert driver_of(Opening(b"II*\0", "source", "tif", 1000, b"ENVI\n")) == "GTiff"
    assert driver_of(Opening(bytes(512), "S01W071", "hgt", _TILE)) == "SRTMHGT"


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Opening(b"", "source", "tif", 0), "empty"),
        (Opening(bytes(512), "source", "tif", 512), "zeros"),
        (Opening(bytes(512), "N46E008", "hgt", _TILE - 2), "2,884,802"),
    ],
)
def test_what_may_still_be_written_is_unreadable(look: Opening, words: str) -> None:
    """So that it is looked at again."""
    with pytest.raises(RasterUnreadable, match=words):
        driver_of(look)


@pytest.mark.parametrize(
    ("start", "extension", "words", "as_it_is"),
    [
        (b"<html>", "tif", "not a TIFF but markup, such as an HTML error page", True),
        (b"<VRTDataset>", "tif", "not a TIFF but VRT.*does not take.*gdal_translate", False),
        (b"GIF89a", "gif", "GIF.*does not take.*gdal_translate", False),
        (b"SQLite format 3\0", "gpkg", "GeoPackage", True),
        (b"hello", "tif", "something else.*gdal_translate", True),
        (b"\x89PNG\r\n\x1a\n", "tif", r'not a TIFF but a PNG.*where "\*\.png" is in `include`', False),
        (b"II", "jp2", "not a JPEG 2000 but something else", True),
        (b"<html>", "hgt", "not an SRTM tile but markup", True),
        (bytes(512), "dat", "zeros", False),
    ],
)
def test_what_is_not_taken_is_refused_with_a_way_out(
    start: bytes, extension: str, words: str, as_it_is: bool
) -> None:
    """The reason says what it is, as far as anybody can tell, and what can be done."""
    with pytest.raises((RasterRefused, RasterUnreadable), match=words) as refused:
        driver_of(Opening(start, "source", extension, 1000))

    assert refused.value.as_it_is == as_it_is


def test_every_driver_of_the_table_is_in_this_gdal() -> None:
    """The wheels of rasterio bring them all; a child keeps them when it drops the others."""
    import rasterio  # noqa: PLC0415 - the module's other tests need none

    with rasterio.Env() as env:
        assert {known.driver for known in FORMATS} <= set(env.drivers())
    assert {known.driver for known in FORMATS} <= set(open_raster.DRIVERS)


def test_a_missing_driver_is_said(monkeypatch, tmp_path: Path) -> None:
    """Another build of GDAL may lack one."""
    source = made.raster("photo.png", tmp_path)
    monkeypatch.setattr(open_raster, "available", lambda: frozenset({"GTiff"}))
    with pytest.raises(RasterRefused, match="built without its driver PNG"):
        open_raster.driver_for(source, ())


def test_hdf5_is_not_opened_by_who_could_read_other_files(tmp_path: Path) -> None:
    """It may name them as the place of its pixels; this process, unlike a converting child, is not confined."""
    source = made.raster("modern.nc", tmp_path)
    with pytest.raises(RasterRefused, match="Landlock"):
        open_raster.driver_for(source, ())


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ("1 2 -3", "Int32"),
        ("1 2.5", "Float32"),
        ("153.432617 0.1", "Float32"),
        ("153.4326171875", "Float32"),
        ("1234.5678", "Float64"),
        ("500000.123", "Float64"),
        ("3000000000 1", "Float32"),
        ("3000000001 1", "Float64"),
        ("1 123456789 2.5", "Float64"),
        ("-3.4028234663852886e+38 1.5", "Float32"),
        ("1.23456789e-05 1", "Float64"),
        (f"{'1 ' * 200_000}1.5", "Float32"),
        ("nan 1", "Float32"),
    ],
)
def test_an_ascii_grid_gets_the_type_that_holds_its_numbers(numbers: str, kind: str, tmp_path: Path) -> None:
    """As they are written, wherever in the file the longest of them stands."""
    grid = tmp_path / "a.asc"
    header = "ncols 2\nnrows 1\nxllcorner 500000.123456\nyllcorner 0\ncellsize 1\nNODATA_value -9999\n"
    grid.write_text(f"{header}{numbers}\n")
    assert ascii_grid.data_type(grid) == kind


def test_a_fraction_as_nodata_makes_no_whole_numbers(tmp_path: Path) -> None:
    """The nodata value is a number of the grid too."""
    grid = tmp_path / "a.asc"
    grid.write_text("ncols 2\nnrows 1\nxllcorner 0\nyllcorner 0\ncellsize 1\nNODATA_value -9999.5\n1 2\n")
    assert ascii_grid.data_type(grid) == "Float32"


@pytest.mark.parametrize("options", [{}, {"FORMAT": "NC2"}, {"FORMAT": "NC4"}])
def test_the_length_of_a_netcdf_is_known_from_its_header(options: dict, tmp_path: Path, monkeypatch) -> None:
    """Exact for the classic formats; unknown for those that are HDF5, which look after themselves."""
    monkeypatch.setitem(made.RASTERS, "heights.nc", ("netCDF", "heights", options))
    path = made.raster("heights.nc", tmp_path)
    found, size = netcdf.needed(path), path.stat().st_size
    assert found == (0 if options.get("FORMAT") == "NC4" else size)


@pytest.mark.parametrize(
    "content", [b"", b"CDF", b"CDF\x01\0\0", b"CDF\x09" + bytes(40), b"CDF\x01" + b"\xff" * 99]
)
def test_a_header_that_makes_no_sense_gives_no_length(content: bytes, tmp_path: Path) -> None:
    """Then the library has to find out."""
    path = tmp_path / "a.nc"
    path.write_bytes(content)
    assert netcdf.needed(path) == 0

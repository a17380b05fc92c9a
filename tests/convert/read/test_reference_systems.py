"""Reference systems from wherever they stand arrive in the COG, or are named; GDAL's placeholders count as none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job, Report
from uploader.convert.read import reference_systems
from uploader.core.errors import RasterRefused

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SIDE = 60
_PIXELS = (np.add.outer(np.arange(_SIDE), np.arange(_SIDE)) / 7).astype(np.float32)
_HERE = rasterio.Affine(1, 0, 5e5, 0, -1, 5e6)
_UTM = CRS.from_epsg(25832)
_HEIGHTS = CRS.from_user_input("EPSG:26910+6360")
_LIKE_ESRI = _HEIGHTS.to_wkt(version="WKT1_ESRI")
"""Two systems, one after the other."""

_MAP = "map info = {UTM, 1, 1, 500000, 5000000, 10, 10, 10, North, North America 1983, units=Meters}"

Make = Callable[[Path], Path]


def tiff(folder: Path, *, prj: str | bytes = "", pam: str = "", **profile: object) -> Path:
    """A TIFF with these sidecars."""
    path = folder / "source.tif"
    shape = {"driver": "GTiff", "width": _SIDE, "height": _SIDE, "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", **shape, **{"transform": _HERE} | profile) as dataset:
        dataset.write(_PIXELS, 1)
    return beside(path, prj=prj, pam=pam)


def beside(path: Path, *, prj: str | bytes = "", pam: str = "") -> Path:
    """The raster with these sidecars."""
    if prj:
        path.with_suffix(".prj").write_bytes(prj if isinstance(prj, bytes) else prj.encode())
    if pam:
        path.with_name(f"{path.name}.aux.xml").write_text(f"<PAMDataset><SRS>{pam}</SRS></PAMDataset>")
    return path


def ascii_grid(folder: Path, **sidecars: str) -> Path:
    """An ASCII grid; GDAL reads the `.prj` beside it."""
    path = folder / "source.asc"
    rows = "\n".join(" ".join(f"{value:.3f}" for value in row) for row in _PIXELS)
    path.write_text(
        f"ncols {_SIDE}\nnrows {_SIDE}\nxllcorner 500000\nyllcorner 5000000\ncellsize 10\n{rows}\n"
    )
    return beside(path, **sidecars)


def png(folder: Path, **sidecars: str) -> Path:
    """A PNG with a world file."""
    path = folder / "source.png"
    with rasterio.open(path, "w", driver="PNG", width=_SIDE, height=_SIDE, count=1, dtype="uint8") as dataset:
        dataset.write(_PIXELS.astype(np.uint8), 1)
    path.with_suffix(".pgw").write_text("1\n0\n0\n-1\n500000.5\n4999999.5\n")
    return beside(path, **sidecars)


def envi(folder: Path, line: str, **sidecars: str) -> Path:
    """An ENVI file with one more line in its header."""
    path = folder / "source.dat"
    with rasterio.open(
        path, "w", driver="ENVI", width=_SIDE, height=_SIDE, count=1, dtype="float32"
    ) as dataset:
        dataset.write(_PIXELS, 1)
    header = path.with_suffix(".hdr")
    kept = [text for text in header.read_text().splitlines() if not text.startswith(line.partition(" =")[0])]
    header.write_text("\n".join([*kept, line, ""]))
    return beside(path, **sidecars)


async def converted(make: Make, folder: Path) -> tuple[Report, str, tuple[str | None, ...]]:
    """The report, the system and the units of bands of the COG."""
    source, target = folder / "in", folder / "out.tif"
    source.mkdir()
    report = await convert(Job(make(source), target))
    with rasterio.open(target) as dataset:
        return report, dataset.crs.to_wkt() if dataset.crs else "", dataset.units


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: tiff(folder, prj=_HEIGHTS.to_wkt()),
        lambda folder: tiff(folder, prj=_HEIGHTS.to_wkt(version="WKT2_2019")),
        lambda folder: tiff(folder, prj=_LIKE_ESRI),
        lambda folder: tiff(folder, pam=_HEIGHTS.to_wkt()),
        lambda folder: tiff(folder, pam=_LIKE_ESRI),
        lambda folder: ascii_grid(folder, prj=_LIKE_ESRI),
        lambda folder: png(folder, pam=_HEIGHTS.to_wkt()),
        lambda folder: envi(folder, f"{_MAP}\ncoordinate system string = {{{_LIKE_ESRI}}}"),
    ],
    ids=["prj", "prj-wkt2", "prj-esri", "pam", "pam-esri", "ascii-grid", "png", "envi"],
)
async def test_heights_are_kept(tmp_path: Path, make: Make) -> None:
    """A compound system in any spelling from anywhere is in the COG, its foot too; a band's unit follows from it."""
    report, found, units = await converted(make, tmp_path)

    assert losses(report) == []
    assert reference_systems.same(found, _HEIGHTS.to_wkt())
    assert units == ("US survey foot",)


async def test_a_band_keeps_a_unit_of_its_own(tmp_path: Path) -> None:
    """A unit that the raster gives is not replaced by that of the heights."""

    def make(folder: Path) -> Path:
        path = tiff(folder, crs=_UTM, prj="")
        band = '<PAMRasterBand band="1"><UnitType>m</UnitType></PAMRasterBand>'
        note = f"<PAMDataset><SRS>{_HEIGHTS.to_wkt()}</SRS>{band}</PAMDataset>"
        path.with_name(f"{path.name}.aux.xml").write_text(note)
        return path

    report, found, units = await converted(make, tmp_path)

    assert units == ("m",)
    assert reference_systems.same(found, _HEIGHTS.to_wkt())
    assert losses(report) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: tiff(folder, prj="EPSG:25832", pam='LOCAL_CS["unnamed",UNIT["unknown",1]]'),
        lambda folder: tiff(
            folder,
            prj="EPSG:25832",
            pam='LOCAL_CS["Geocoding information not available Projection Name = Unknown",UNIT["unknown",1]]',
        ),
        lambda folder: tiff(
            folder, prj="EPSG:25832", crs=CRS.from_wkt('LOCAL_CS["Unknown",UNIT["metre",1]]')
        ),
        lambda folder: png(folder, prj="EPSG:25832", pam='LOCAL_CS["unnamed",UNIT["metre",1]]'),
        lambda folder: envi(
            folder, "map info = {Arbitrary, 1, 1, 500000, 5000000, 1, 1, 0, units=Meters}", prj="EPSG:25832"
        ),
    ],
    ids=["pam-unnamed", "pam-erdas", "tiff-unknown", "png-unnamed", "envi-arbitrary"],
)
async def test_a_placeholder_gives_way_to_a_prj(tmp_path: Path, make: Make) -> None:
    """What GDAL makes up where a raster has no system does not hide the `.prj`."""
    report, found, _ = await converted(make, tmp_path)

    assert losses(report) == []
    assert reference_systems.same(found, _UTM.to_wkt())


async def test_a_grid_of_points_gives_way_too(tmp_path: Path) -> None:
    """A TIFF that says where in a pixel its value is has a system without name and unit for GDAL."""

    def make(folder: Path) -> Path:
        path = tiff(folder, transform=None, prj=_UTM.to_wkt())
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(AREA_OR_POINT="Point")
        path.with_suffix(".tfw").write_text("1\n0\n0\n-1\n500000.5\n4999999.5\n")
        return path

    _, found, _ = await converted(make, tmp_path)

    assert reference_systems.same(found, _UTM.to_wkt())


async def test_a_placeholder_alone_is_left_as_it_is(tmp_path: Path) -> None:
    """It tells a unit at least; that there is no system is told."""
    own = CRS.from_wkt('LOCAL_CS["unnamed",UNIT["metre",1]]')

    report, found, _ = await converted(lambda folder: tiff(folder, crs=own), tmp_path)

    assert [warning.code for warning in report.warnings] == ["crs_missing"]
    assert found.startswith('LOCAL_CS["unnamed",UNIT["metre"')


async def test_a_local_system_with_a_name_is_kept(tmp_path: Path) -> None:
    """It is a system, though nobody knows where."""
    own = CRS.from_wkt('LOCAL_CS["Grid of pit 7",UNIT["metre",1]]')

    report, found, _ = await converted(lambda folder: tiff(folder, crs=own, prj="EPSG:25832"), tmp_path)

    assert losses(report) == []
    assert found.startswith('LOCAL_CS["Grid of pit 7"')


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: tiff(folder, prj="no system"),
        lambda folder: tiff(folder, prj=_UTM.to_wkt()[:90]),
        lambda folder: ascii_grid(
            folder, prj="Projection UTM\nZone 32\nDatum ETRS89\nUnits METERS\nParameters\n"
        ),
    ],
    ids=["words", "cut-off", "unknown-datum"],
)
async def test_a_prj_that_cannot_be_read_is_named(tmp_path: Path, make: Make) -> None:
    """Never a refusal, and never a guess: GDAL would take the last for WGS 84."""
    report, found, _ = await converted(make, tmp_path)

    assert "prj_unreadable" in losses(report)
    assert found == ""


@pytest.mark.parametrize(
    ("prj", "left"),
    [
        (CRS.from_epsg(5773).to_wkt(), ""),
        (CRS.from_epsg(7659).to_wkt().replace(',ID["EPSG",7659]', ""), "G873"),
    ],
    ids=["heights-alone", "ellipsoidal-heights"],
)
async def test_heights_without_a_place_in_geotiff_are_named(tmp_path: Path, prj: str, left: str) -> None:
    """Heights without a place, or above an ellipsoid that has no code, are lost with a name."""
    report, found, _ = await converted(lambda folder: tiff(folder, prj=prj), tmp_path)

    assert "crs_not_expressible" in losses(report)
    assert left in found


@pytest.mark.parametrize(
    "prj",
    [
        "+proj=utm +zone=32 +ellps=bessel +nadgrids=/etc/passwd",
        "+proj=utm +zone=32 +ellps=bessel +nadgrids=../x.gsb".encode("utf-16"),
        'PARAMETERFILE["Latitude and longitude difference file","/etc/passwd"]',
    ],
    ids=["path", "utf-16", "wkt2"],
)
async def test_a_shift_grid_with_a_path_is_refused(tmp_path: Path, prj: str | bytes) -> None:
    """In any encoding, before PROJ sees it."""
    with pytest.raises(RasterRefused, match="shift grid"):
        await converted(lambda folder: tiff(folder, prj=prj), tmp_path)

"""What is declared for rasters that do not say it: in the COG, reported as declared, never over what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from tests.support import compare, rasters
from tests.support.pool import convert
from uploader.convert import Job, Report
from uploader.core.errors import RasterRefused

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SIDE = 700
_RANDOM = np.random.default_rng(5)
_HERE = rasterio.Affine(1, 0, 5e5, 0, -1, 5e6)


def raster(folder: Path, pixels: np.ndarray, **profile: object) -> Path:
    """A TIFF of these bands, rows and columns."""
    path = folder / "in" / "source.tif"
    path.parent.mkdir()
    count, height, width = pixels.shape
    shape = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": pixels.dtype}
    with rasterio.open(path, "w", **shape, **{"transform": _HERE} | profile) as dataset:
        dataset.write(pixels)
    return path


def collared(dtype: str, value: float) -> np.ndarray:
    """Noise with a collar of one value, a twentieth of a side wide, at the left and on top."""
    pixels = (_RANDOM.random((1, _SIDE, _SIDE)) * 200 + 20).astype(dtype)
    pixels[:, :35], pixels[:, :, :35] = value, value
    return pixels


async def converted(source: Path, **options: object) -> tuple[Report, Path]:
    """The report and the COG."""
    target = source.parent.parent / "out.tif"
    return await convert(Job(source, target, **options)), target


def codes(report: Report) -> set[str]:
    """What is warned of."""
    return {warning.code for warning in report.warnings}


async def test_a_missing_system_is_told_or_refused(tmp_path: Path) -> None:
    """No reference system is a warning, also under `strict`, for nothing is lost; a folder may reject it."""
    source = raster(tmp_path, _RANDOM.integers(1, 255, (1, 90, 90)).astype(np.uint8))

    report, _ = await converted(source, strict=True)

    assert codes(report) == {"crs_missing"}
    with pytest.raises(RasterRefused, match="no reference system"):
        await converted(source, on_missing_crs="reject")


@pytest.mark.parametrize("kind", ["rpcs", "gcps"])
async def test_points_and_polynomials_are_a_place(tmp_path: Path, kind: str) -> None:
    """They have systems of their own; nothing is declared over them, and nothing is missing."""
    source = tmp_path / "in" / "source.tif"
    source.parent.mkdir()
    rasters.make(kind, source)

    report, _ = await converted(source, crs="EPSG:25832", on_missing_crs="reject")

    assert "crs_missing" not in codes(report)
    assert report.declared == {}


@pytest.mark.parametrize("crs", ["EPSG:25832", "+proj=utm +zone=32 +ellps=GRS80 +units=m"])
async def test_a_declared_system_is_in_the_result(tmp_path: Path, crs: str) -> None:
    """And the report says that it was declared; a COG that lacks it is not sent as it is."""
    source = raster(tmp_path, _RANDOM.integers(1, 255, (1, _SIDE, _SIDE)).astype(np.uint8))
    _, target = await converted(source)
    target.replace(source)
    assert (await converted(source))[0].method == "passthrough"
    target.unlink()

    report, target = await converted(source, crs=crs, on_missing_crs="reject")

    assert report.method != "passthrough"
    assert report.declared == {"crs": crs}
    assert "crs_missing" not in codes(report)
    with rasterio.open(target) as dataset:
        assert dataset.crs.to_epsg() == 25832 or dataset.crs.to_proj4() == crs


async def test_what_the_raster_says_is_not_declared_over(tmp_path: Path) -> None:
    """Its own system and nodata value stay, and the report declares nothing."""
    source = raster(tmp_path, collared("float32", -9999), crs="EPSG:32632", nodata=-9999)

    report, target = await converted(source, crs="EPSG:25832", nodata="20")

    assert report.declared == {}
    assert codes(report) == set()
    with rasterio.open(target) as dataset:
        assert (dataset.crs.to_epsg(), dataset.nodata) == (32632, -9999)


async def test_a_prj_is_not_declared_over(tmp_path: Path) -> None:
    """It says where the raster lies; what is declared is for rasters of which nothing does."""
    source = raster(tmp_path, collared("float32", -9999))
    source.with_suffix(".prj").write_text("EPSG:32632")

    report, target = await converted(source, crs="EPSG:25832")

    assert report.declared == {}
    with rasterio.open(target) as dataset:
        assert dataset.crs.to_epsg() == 32632


async def test_a_system_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """With the name of the key to correct."""
    source = raster(tmp_path, np.ones((1, 90, 90), np.uint8))

    with pytest.raises(RasterRefused, match="EPSG:999999") as refused:
        await converted(source, crs="EPSG:999999")

    assert "`crs`" in refused.value.way_out


@pytest.mark.parametrize(
    ("dtype", "value", "text"),
    [
        ("uint8", 0, "0"),
        ("int16", -9999, "-9999"),
        ("float32", -9999, "-9999"),
        ("float32", np.nan, "nan"),
        ("float64", 0.1, "0.1"),
        ("int64", 2**60 + 1, str(2**60 + 1)),
    ],
)
async def test_a_declared_nodata_value_counts(tmp_path: Path, dtype: str, value: float, text: str) -> None:
    """It is in the result; statistics and overviews leave it out; no pixel is changed."""
    pixels = collared(dtype, value)
    source = raster(tmp_path, pixels, crs="EPSG:25832")

    report, target = await converted(source, nodata=text)

    assert report.declared == {"nodata": text}
    assert codes(report) == set()
    valid = ~np.isnan(pixels) if text == "nan" else pixels != value
    assert report.bands[0].valid_percent == pytest.approx(100 * valid.mean())
    assert report.bands[0].min >= 20
    with rasterio.open(target) as dataset:
        assert dataset.read().tobytes() == pixels.tobytes()
        assert (dataset.read_masks(1) != 0).tobytes() == valid[0].tobytes()
        assert dataset.tags(1)["STATISTICS_VALID_PERCENT"] == f"{report.bands[0].valid_percent!r}"
    with rasterio.open(target, overview_level=0) as level:
        seen = level.read(1)[level.read_masks(1) != 0]
    assert seen.min() >= 20


async def test_a_nodata_value_that_cannot_occur_is_not_set(tmp_path: Path) -> None:
    """A folder of bytes and floats may declare -9999 for all; of bytes it is told that it does nothing."""
    source = raster(tmp_path, collared("uint8", 20), crs="EPSG:25832")

    report, target = await converted(source, nodata="-9999")

    assert "nodata_unfit" in codes(report)
    assert report.declared == {}
    with rasterio.open(target) as dataset:
        assert dataset.nodata is None


@pytest.mark.parametrize("value", [0, np.nan, -9999], ids=str)
async def test_an_undeclared_collar_is_suspect(tmp_path: Path, value: float) -> None:
    """The value and its share are told, also under `strict`."""
    source = raster(tmp_path, collared("float32", value), crs="EPSG:25832")

    report, _ = await converted(source, strict=True)

    assert codes(report) == {"suspect_nodata"}
    assert f"{value:g}" in report.warnings[0].text
    assert "9.75 %" in report.warnings[0].text


@pytest.mark.parametrize("validity", ["mask", "alpha", "nodata", "noise", "inside", "palette"])
async def test_what_is_declared_or_inside_is_not_suspect(tmp_path: Path, validity: str) -> None:
    """A mask, alpha or nodata value says it; noise has no value at its border, and a hole inside is no collar."""
    pixels = collared("uint8", 0)
    if validity in ("noise", "inside"):
        pixels = _RANDOM.integers(1, 255, (1, _SIDE, _SIDE)).astype(np.uint8)
    if validity == "inside":
        pixels[:, 200:400, 200:400] = 0
    if validity == "alpha":
        pixels = np.concatenate([pixels, np.where(pixels, 255, 0).astype(np.uint8)])
    source = raster(tmp_path, pixels, crs="EPSG:25832", **({"nodata": 0} if validity == "nodata" else {}))
    with rasterio.open(source, "r+", GDAL_TIFF_INTERNAL_MASK=True) as dataset:
        if validity == "mask":
            dataset.write_mask(pixels[0] != 0)
        if validity == "alpha":
            dataset.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
        if validity == "palette":
            dataset.write_colormap(1, {value: (value, 0, 0, 255) for value in range(256)})

    report, target = await converted(source)

    assert "suspect_nodata" not in codes(report)
    assert compare.differences(source, target) == []


async def test_a_nodata_value_beside_an_alpha_band_is_a_doubt(tmp_path: Path) -> None:
    """Readers differ in which of the two counts, so that the raster has both is told; both stay as they were."""
    source = tmp_path / "in" / "a.tif"
    source.parent.mkdir()
    pixels = np.full((4, 90, 90), 7, np.uint8)
    pixels[:, :40] = 0
    options = {"photometric": "RGB", "ALPHA": "NON-PREMULTIPLIED", "nodata": 255, "crs": "EPSG:32632"}
    with rasterio.open(
        source, "w", driver="GTiff", width=90, height=90, count=4, dtype="uint8", **options
    ) as made:
        made.write(pixels)

    report = await convert(Job(source, tmp_path / "out.tif"))

    assert "nodata_and_alpha" in {warning.code for warning in report.warnings}
    with rasterio.open(tmp_path / "out.tif") as cog:
        assert (cog.nodata, cog.colorinterp[3].name) == (255.0, "alpha")

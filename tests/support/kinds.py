"""Small rasters of the kinds that went wrong, with what is right for each: `KINDS` by name, a maker and its checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import from_origin

from tests.judge.rights import (
    UNREADABLE,
    Check,
    description,
    either,
    nan_stays,
    overviews_show,
    pixels_of,
    rpc,
    system,
    tag,
    taken,
    warned,
)
from tests.support.heads.base import samples
from tests.support.heads.layouts import WRONGS
from tests.support.tiffwriter import Picture, longs, write

Maker = Callable[[Path], Path]
KINDS: dict[str, tuple[Maker, Sequence[Check]]] = {}
_UTM = CRS.from_epsg(25833)
_WKT = _UTM.to_wkt()
_HERE = from_origin(400_000.0, 5_000_000.0, 2.0, 2.0)


def kind(name: str, *checks: Check) -> Callable[[Maker], Maker]:
    """Enter a maker into the register."""

    def enter(maker: Maker) -> Maker:
        KINDS[name] = maker, checks
        return maker

    return enter


def put(folder: Path, pixels: np.ndarray, *, tags: dict[str, str] | None = None, **profile: Any) -> Path:
    """A raster of (rows, columns, bands), placed in UTM if nothing else is said."""
    path = folder / "raster.tif"
    rows, columns, count = pixels.shape
    facts = {"driver": "GTiff", "width": columns, "height": rows, "count": count, "dtype": pixels.dtype.name}
    with rasterio.open(path, "w", **facts | {"crs": _UTM, "transform": _HERE} | profile) as dataset:
        dataset.write(pixels.transpose(2, 0, 1))
        dataset.update_tags(**(tags or {}))
    return path


def some(count: int, sample: str, size: tuple[int, int] = (120, 140)) -> np.ndarray:
    """Samples of (rows, columns, bands), the same each time."""
    return samples(np.random.default_rng(len(sample) + count), count, sample, size=size)


@kind("gray and premultiplied alpha", tag(338, 1))
def _premultiplied_gray(folder: Path) -> Path:
    return put(folder, some(2, "u2"), photometric="MINISBLACK", alpha="PREMULTIPLIED")


@kind("colours and a band of no known meaning", tag(262, 2), tag(338, 0))
def _unspecified(folder: Path) -> Path:
    return put(folder, some(4, "u1"), photometric="RGB", alpha="NO")


@kind("three bands that are no colours", tag(262, 1), tag(338, 0, 0))
def _three_bands(folder: Path) -> Path:
    return put(folder, some(3, "u1", (600, 530)), photometric="MINISBLACK")


def _with_levels(folder: Path, spoil: Callable[[np.ndarray], np.ndarray]) -> Path:
    path = put(
        folder, some(1, "u2", (1100, 1100)), tiled=True, blockxsize=256, blockysize=256, compress="deflate"
    )
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    for level in range(3):
        with rasterio.open(path, "r+", overview_level=level) as dataset:
            dataset.write(spoil(dataset.read(1)), 1)
    return path


@kind("blank overviews", overviews_show)
def _blank(folder: Path) -> Path:
    return _with_levels(folder, WRONGS["blank"])


@kind("half-made overviews", overviews_show)
def _half(folder: Path) -> Path:
    return _with_levels(folder, WRONGS["half-made"])


@kind("overviews of another raster beside", overviews_show)
def _another(folder: Path) -> Path:
    path = put(folder, some(1, "u1", (1100, 1100))[::-1, ::-1])
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], Resampling.average)
    return put(folder, some(1, "u1", (1100, 1100)))


@kind("overviews of what was there before", overviews_show)
def _stale(folder: Path) -> Path:
    path = _with_levels(folder, lambda level: level)
    with rasterio.open(path, "r+") as dataset:
        dataset.write(np.full((300, 300), 9, "u2"), 1, window=((800, 1100), (800, 1100)))
    return path


@kind("infinities that nothing declares", nan_stays)
def _infinite(folder: Path) -> Path:
    pixels = some(2, "f8", (700, 640))
    pixels[::9, ::7, 0] = np.inf
    pixels[::9, 3::7, 0] = -np.inf
    return put(folder, pixels)


@kind("NaN in one band of three", nan_stays)
def _nan(folder: Path) -> Path:
    pixels = some(3, "f4", (700, 640))
    pixels[::5, ::5, 1] = np.nan
    return put(folder, pixels)


def _rpc_lines(unit: str) -> dict[str, str]:
    offsets = {"LINE_OFF": 512.5, "SAMP_OFF": 700.0, "LAT_OFF": 47.5, "LONG_OFF": 13.25, "HEIGHT_OFF": 320.0}
    scales = {
        "LINE_SCALE": 513.0,
        "SAMP_SCALE": 701.0,
        "LAT_SCALE": 0.05,
        "LONG_SCALE": 0.07,
        "HEIGHT_SCALE": 500.0,
    }
    return {key: f"{value:+010.4f} {unit}" for key, value in (offsets | scales).items()}


_PARTS = ("LINE_NUM", "LINE_DEN", "SAMP_NUM", "SAMP_DEN")
_RIGHT_RPC = rpc(line_off=512.5, long_off=13.25, height_scale=500.0)


@kind("rational polynomials with units, in a text", _RIGHT_RPC)
def _rpc_text(folder: Path) -> Path:
    lines = [f"{key}: {value}" for key, value in _rpc_lines("units").items()]
    lines += [f"{part}_COEFF_{k}: {1 / k:+.12E}" for part in _PARTS for k in range(1, 21)]
    (folder / "raster_RPC.TXT").write_text("\n".join(lines) + "\n")
    return put(folder, some(1, "u2"), crs=None, transform=None)


@kind("rational polynomials with units, in GDAL's sidecar", _RIGHT_RPC)
def _rpc_sidecar(folder: Path) -> Path:
    items = _rpc_lines("pixels") | {
        f"{part}_COEFF": " ".join(f"{1 / k:.12E}" for k in range(1, 21)) for part in _PARTS
    }
    found = "".join(f'<MDI key="{key}">{value}</MDI>' for key, value in items.items())
    text = f'<PAMDataset><Metadata domain="RPC">{found}</Metadata></PAMDataset>'
    (folder / "raster.tif.aux.xml").write_text(text)
    return put(folder, some(1, "u2"), crs=None, transform=None)


def _prj(name: str, text: bytes, wanted: str, *, readable: bool = False) -> None:
    """A `.prj` in some spelling: read, or at least named."""
    right = system(wanted)

    @kind(f".prj: {name}", right if readable else either(right, UNREADABLE))
    def _made(folder: Path) -> Path:
        (folder / "raster.prj").write_bytes(text)
        return put(folder, some(1, "f4"), crs=None)


_COMPOUND = CRS.from_user_input("EPSG:25833+7837")
_prj("compound", _COMPOUND.to_wkt().encode(), "EPSG:25833+7837", readable=True)
_prj(
    "compound, as ESRI spells it",
    _COMPOUND.to_wkt(version="WKT1_ESRI").encode(),
    "EPSG:25833+7837",
    readable=True,
)
_prj("byte order mark", b"\xef\xbb\xbf" + _WKT.encode(), "EPSG:25833")
_prj("UTF-16", _WKT.encode("utf-16"), "EPSG:25833")
_prj("a code", b"EPSG:25833\r\n", "EPSG:25833")
_prj("a PROJ string", b"+proj=utm +zone=33 +datum=WGS84 +units=m +no_defs", "EPSG:32633")
_prj("WKT2", CRS.from_epsg(25833).to_wkt(version="WKT2_2019").encode(), "EPSG:25833")
_prj("Latin-1", _WKT.replace("UTM zone 33N", "Höhenzug 33").encode("latin-1"), "EPSG:25833")
_prj("old keywords", b"Projection UTM\nZone 33\nDatum WGS84\nUnits METERS\nParameters\n", "EPSG:32633")
_prj("nothing", b"", "EPSG:25833")
_prj("a page of a portal", b"<html><body>403</body></html>", "EPSG:25833")


@kind("a placeholder and a .prj", system("EPSG:25833"))
def _placeholder(folder: Path) -> Path:
    (folder / "raster.prj").write_text(_WKT)
    local = CRS.from_wkt('LOCAL_CS["Geocoding information not available",UNIT["unknown",1]]')
    return put(folder, some(1, "i2"), crs=local)


@kind("points, a world file and a .prj", system("EPSG:25833"))
def _points(folder: Path) -> Path:
    (folder / "raster.prj").write_text(_WKT)
    (folder / "raster.tfw").write_text("2\n0\n0\n-2\n400001\n4999999\n")
    return put(folder, some(1, "i2"), crs=None, transform=None, tags={"AREA_OR_POINT": "Point"})


@kind("a description in Latin-1", description(b"B\xe4ume", "Bäume".encode()))
def _latin_description(folder: Path) -> Path:
    path = put(folder, some(1, "u1"))
    with rasterio.open(path, "r+") as dataset:
        dataset.set_band_description(1, "BXume")
    path.write_bytes(path.read_bytes().replace(b"BXume", b"B\xe4ume"))
    return path


@kind("a unit in Latin-1, in GDAL's sidecar", taken)
def _latin_unit(folder: Path) -> Path:
    text = '<PAMDataset><PAMRasterBand band="1"><UnitType>µm</UnitType></PAMRasterBand></PAMDataset>'
    (folder / "raster.tif.aux.xml").write_bytes(text.encode("latin-1"))
    return put(folder, some(1, "u1"))


def _sidecar(name: str, file: str, content: bytes, word: str) -> None:
    """A sidecar that is there and cannot be read: a warning says so."""

    @kind(name, warned(word))
    def _made(folder: Path) -> Path:
        (folder / file).write_bytes(content)
        return put(folder, some(1, "f4"))


_sidecar(
    "GDAL's sidecar, cut off", "raster.tif.aux.xml", b"<PAMDataset><PAMRasterBand band='1'><NoDataVal", "aux"
)
_sidecar("GDAL's sidecar, empty", "raster.tif.aux.xml", b"", "aux")
_sidecar("GDAL's sidecar, another text", "raster.tif.aux.xml", b"404 page not found\n", "aux")


def _counted_full(folder: Path, pixels: np.ndarray, **more: Any) -> Path:
    """The last strip is short, but its byte count says it is full, beyond the end of the file."""
    rows, columns, count = pixels.shape
    strips = -(-rows // 16) * (count if more.get("planar") else 1)
    full = 16 * columns * pixels.itemsize * (1 if more.get("planar") else count)
    return write(folder / "raster.tif", [Picture(pixels, {279: longs(*[full] * strips)}, **more)])


_FEW, _THREE = (some(1, "u2", (97, 400)), some(3, "u1", (33, 700)))


@kind("a last strip that is counted as full", pixels_of(lambda: _FEW[:, :, 0]))
def _last_strip(folder: Path) -> Path:
    return _counted_full(folder, _FEW)


@kind("a last strip of three bands that is counted as full", pixels_of(lambda: _THREE[:, :, 0]))
def _last_strip_of_three(folder: Path) -> Path:
    return _counted_full(folder, _THREE)

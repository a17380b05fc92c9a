"""Small rasters of circumstances that people report in public trackers, by name, with what is right for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import from_origin

from tests.judge.rights import Check, either, geokey, kept, overviews_show, placed, system, taken, warned
from tests.support.kinds import Maker, put, some
from tests.support.tiffwriter import Entry, Picture, doubles, ratios, shorts, text, write


@dataclass(frozen=True)
class Report:
    """Where it was reported, how such a raster is made, and what must hold of what comes of it."""

    tracker: str
    make: Maker
    checks: Sequence[Check]


REPORTS: dict[str, Report] = {}


def _report(name: str, tracker: str, *checks: Check) -> Callable[[Maker], Maker]:
    def enter(make: Maker) -> Maker:
        REPORTS[name] = Report(tracker, make, checks)
        return make

    return enter


def _placed(folder: Path, tags: dict[int, Entry | None], kind: str = "u2") -> Path:
    return write(folder / "raster.tif", [Picture(some(1, kind), tags)])


_SCALE, _CORNER = {33550: doubles(2, 2, 0)}, (0, 0, 0, 400_000, 5_000_000, 0)


@_report("coordinate epoch", "OSGeo/gdal 4011", geokey(5120, 2021.5))
def _epoch(folder: Path) -> Path:
    keys = shorts(1, 1, 1, 4, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 9000, 5120, 34736, 1, 0)
    place = {33550: doubles(1e-5, 1e-5, 0), 33922: doubles(0, 0, 0, 13, 47, 0)}
    return _placed(folder, place | {34735: keys, 34736: doubles(2021.5)})


@_report("nodata below an unsigned type", "xarray-contrib/xarray-spatial 1581", kept(42113))
def _nodata_below(folder: Path) -> Path:
    return _placed(folder, {42113: text(b"-9999")})


@_report("approximate world file of ArcGIS", "OSGeo/gdal 8082", either(placed, warned("tfwx")))
def _tfwx(folder: Path) -> Path:
    (folder / "raster.tfwx").write_text("2\n0\n0\n-2\n400001\n4999999\n")
    return put(folder, some(1, "u1"), crs=None, transform=None)


@_report("control points of ArcGIS in the sidecar", "OSGeo/gdal 8083", placed)
def _esri_points(folder: Path) -> Path:
    def array(name: str, *values: float) -> str:
        doubles_ = "".join(f"<Double>{value}</Double>" for value in values)
        return f'<{name} xsi:type="typens:ArrayOfDouble">{doubles_}</{name}>'

    inner = [
        "<PolynomialOrder>1</PolynomialOrder>",
        f"<SpatialReference><WKT>{CRS.from_epsg(25833).to_wkt()}</WKT></SpatialReference>",
        array("SourceGCPs", 0, 0, 100, 0, 0, -100, 100, -100),
        array("TargetGCPs", 4e5, 5e6, 400200, 5e6, 4e5, 4999800, 400200, 4999800),
    ]
    head = 'xsi:type="typens:PolynomialXform" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    xml = f'<Metadata domain="xml:ESRI" format="xml"><GeodataXform {head}>{"".join(inner)}</GeodataXform></Metadata>'
    (folder / "raster.tif.aux.xml").write_text(f"<PAMDataset>{xml}</PAMDataset>")
    return _placed(folder, {282: ratios(1, 1), 283: ratios(1, 1), 296: shorts(2)}, "u1")


@_report("control points of points", "OSGeo/gdal 2892", kept(33922), geokey(1025, 2))
def _points(folder: Path) -> Path:
    points = [GroundControlPoint(r, c, 13 + c / 1e4, 47 - r / 1e4, 0) for r in (0, 119) for c in (0, 139)]
    profile = {"gcps": points, "crs": CRS.from_epsg(4326), "transform": None}
    return put(folder, some(1, "u1"), tags={"AREA_OR_POINT": "Point"}, **profile)


@_report("several tie points and a pixel size", "xarray-contrib/xarray-spatial 2117", placed)
def _tie_points(folder: Path) -> Path:
    return _placed(folder, _SCALE | {33922: doubles(*_CORNER, 100, 0, 0, 400_200, 5_000_000, 0)})


@_report("a tie point without a pixel size", "xarray-contrib/xarray-spatial 1750", taken)
def _tie_point(folder: Path) -> Path:
    return _placed(folder, {33922: doubles(*_CORNER)})


@_report("a COG whose head was written anew at its end", "OSGeo/gdal 7735", overviews_show)
def _late_head(folder: Path) -> Path:
    plain = put(folder, some(1, "u2", (1100, 900)))
    path = folder / "cog.tif"
    rasterio.shutil.copy(plain, path, driver="COG", blocksize=256, compress="deflate")
    plain.unlink()
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
        dataset.update_tags(TIFFTAG_SOFTWARE="a later step", **{f"ITEM_{n}": "x" * 90 for n in range(20)})
    return path


@_report("NaN in several bands under LERC", "OSGeo/gdal 9530", taken)
def _lerc(folder: Path) -> Path:
    pixels = some(2, "f8")
    pixels[3:20, 5:30] = np.nan
    return put(folder, pixels, compress="lerc", interleave="band")


@_report("alpha and a nodata value of 255", "OSGeo/gdal 13703", taken)
def _alpha_nodata(folder: Path) -> Path:
    pixels = some(4, "u1", (700, 640))
    pixels[:, :, 3] = 255
    pixels[:200, :300] = (255, 255, 255, 0)
    return put(folder, pixels, photometric="RGB", alpha="YES", nodata=255)


@_report("a tile of the web's pyramid at the prime meridian", "OSGeo/gdal 15189", overviews_show)
def _meridian(folder: Path) -> Path:
    side = 19567.879241004586
    profile = {
        "crs": CRS.from_epsg(3857),
        "transform": from_origin(0, 6339992.874085659, side / 2048, side / 2048),
    }
    path = put(folder, some(1, "u1", (2048, 2048)), tiled=True, blockxsize=256, blockysize=256, **profile)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    return path


@_report("five bands of a drone and alpha", "cogeotiff/rio-cogeo 112", taken)
def _drone(folder: Path) -> Path:
    pixels = some(6, "u2", (600, 530))
    pixels[:, :, 5] = 65535
    pixels[:90, :, 5] = 0
    path = put(folder, pixels, photometric="RGB", alpha="NO")
    with rasterio.open(path, "r+") as dataset:
        gray = ColorInterp.gray
        dataset.colorinterp = (
            ColorInterp.red,
            ColorInterp.green,
            ColorInterp.blue,
            gray,
            gray,
            ColorInterp.alpha,
        )
    return path


@_report("a colour map of 8 bits in the low bytes", "python-pillow/Pillow 2157", kept(320))
def _low_map(folder: Path) -> Path:
    table = shorts(*(value % 256 for value in range(768)))
    return _placed(folder, {262: shorts(3), 320: table}, "u1")


@_report("a system named unnamed", "qgis/QGIS 33988", placed)
def _unnamed(folder: Path) -> Path:
    wkt = CRS.from_user_input("+proj=poly +lat_0=34.875 +lon_0=-83.688 +datum=NAD27 +units=us-ft").to_wkt()
    return put(folder, some(1, "u1"), crs=CRS.from_wkt(wkt.replace('"unknown"', '"unnamed"', 1)))


@_report(
    "kilometres", "qgis/QGIS 26440", system("+proj=tmerc +lon_0=57 +x_0=10500000 +ellps=krass +units=km")
)
def _kilometres(folder: Path) -> Path:
    crs = CRS.from_user_input("+proj=tmerc +lon_0=57 +x_0=10500000 +ellps=krass +units=km")
    return put(folder, some(1, "i2"), crs=crs, transform=from_origin(10500, 5000, 0.01, 0.01))


@_report("a user-defined unit without its length", "OSGeo/libgeotiff 41", placed)
def _no_unit(folder: Path) -> Path:
    codes = {1024: 1, 1025: 1, 2050: 6326, 2056: 7030, 3072: 32767, 3074: 32767, 3075: 8, 3076: 32767}
    numbers = {3078: 57.3333, 3079: 49.3333, 3080: -3.3, 3081: 54.375, 3082: 0.0, 3083: 0.0}
    entries = [value for key, code in codes.items() for value in (key, 0, 1, code)]
    entries += [value for at, key in enumerate(numbers) for value in (key, 34736, 1, at)]
    keys = shorts(1, 1, 2, len(entries) // 4, *entries)
    return _placed(
        folder, _SCALE | {33922: doubles(*_CORNER), 34735: keys, 34736: doubles(*numbers.values())}
    )


@_report("feet along and above the ground", "OSGeo/gdal 6839", system("EPSG:2286+6360"))
def _feet(folder: Path) -> Path:
    return put(folder, some(1, "f4"), crs=CRS.from_user_input("EPSG:2286+6360"))


@_report("the largest float of Surfer as nodata", "nsidc/qgreenland 712", taken)
def _surfer(folder: Path) -> Path:
    pixels = some(1, "f4", (700, 640))
    pixels[::3, ::2] = np.float32(1.70141e38)
    return put(folder, pixels, nodata=float(np.float32(1.70141e38)))


@_report(
    "heights over a geoid, at points, in degrees",
    "OSGeo/PROJ 4675",
    system("EPSG:4326+3855"),
    geokey(1025, 2),
)
def _geoid(folder: Path) -> Path:
    profile = {
        "crs": CRS.from_user_input("EPSG:4326+3855"),
        "transform": from_origin(42.59, 15.32, 1.8e-5, 1.8e-5),
    }
    return put(folder, some(1, "f4"), tags={"AREA_OR_POINT": "Point"}, **profile)


@_report("JPEG with holes and a mask", "GeoTIFF/georaster 85", taken)
def _holes(folder: Path) -> Path:
    path = folder / "raster.tif"
    profile = {"driver": "GTiff", "width": 900, "height": 900, "count": 3, "dtype": "uint8", "tiled": True}
    jpeg = {
        "compress": "jpeg",
        "photometric": "ycbcr",
        "blockxsize": 256,
        "blockysize": 256,
        "sparse_ok": True,
    }
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile, **jpeg) as dataset:
        window = ((0, 512), (0, 512))
        dataset.write(some(3, "u1", (512, 512)).transpose(2, 0, 1), window=window)
        mask = np.zeros((900, 900), np.uint8)
        mask[:500, :490] = 255
        dataset.write_mask(mask)
    return path


@_report("NaN as nodata beside alpha", "openlayers/openlayers 13666", taken)
def _nan_alpha(folder: Path) -> Path:
    pixels = some(4, "f4", (600, 530))
    pixels[:, :, 3] = 1
    pixels[:100, :200] = (np.nan, np.nan, np.nan, 0)
    return put(folder, pixels, photometric="RGB", alpha="YES", nodata=np.nan)


@_report("a grid of whole numbers with nodata", "Deltares/imod-python 127", taken)
def _grid(folder: Path) -> Path:
    rows = "\n".join(" ".join(str(r * c % 7 if (r + c) % 5 else -9999) for c in range(40)) for r in range(30))
    path = folder / "raster.asc"
    path.write_text(
        f"ncols 40\nnrows 30\nxllcorner 4e5\nyllcorner 5e6\ncellsize 25\nNODATA_value -9999\n{rows}\n"
    )
    return path


@_report("signed bytes with nodata -1", "corteva/rioxarray 113", kept(42113))
def _signed(folder: Path) -> Path:
    pixels = (some(1, "u1").astype(np.int16) // 2 - 60).astype(np.int8)
    return put(folder, pixels, nodata=-1)


@_report("an ellipsoid without a datum", "qgis/QGIS 50784", placed)
def _airy(folder: Path) -> Path:
    airy = "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy +units=m"
    return put(folder, some(1, "f4"), crs=CRS.from_user_input(airy))

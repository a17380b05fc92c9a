"""Reports about where a raster lies: systems, control points, units, world files."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import from_origin

from tests.judge.rights import either, geokey, kept, overviews_show, placed, system, taken, warned
from tests.support.kinds import put, some
from tests.support.reports.base import CORNER, PLACE, report, with_tags
from tests.support.tiffwriter import doubles, ratios, shorts


@report("coordinate epoch", "OSGeo/gdal 4011", geokey(5120, 2021.5))
def _epoch(folder: Path) -> Path:
    keys = shorts(1, 1, 1, 4, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 9000, 5120, 34736, 1, 0)
    place = {33550: doubles(1e-5, 1e-5, 0), 33922: doubles(0, 0, 0, 13, 47, 0)}
    return with_tags(folder, place | {34735: keys, 34736: doubles(2021.5)})


@report("approximate world file of ArcGIS", "OSGeo/gdal 8082", either(placed, warned("tfwx")))
def _tfwx(folder: Path) -> Path:
    (folder / "raster.tfwx").write_text("2\n0\n0\n-2\n400001\n4999999\n")
    return put(folder, some(1, "u1"), crs=None, transform=None)


@report("control points of ArcGIS in the sidecar", "OSGeo/gdal 8083", placed)
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
    return with_tags(folder, {282: ratios(1, 1), 283: ratios(1, 1), 296: shorts(2)}, "u1")


@report("control points of points", "OSGeo/gdal 2892", kept(33922), geokey(1025, 2))
def _points(folder: Path) -> Path:
    points = [GroundControlPoint(r, c, 13 + c / 1e4, 47 - r / 1e4, 0) for r in (0, 119) for c in (0, 139)]
    profile = {"gcps": points, "crs": CRS.from_epsg(4326), "transform": None}
    return put(folder, some(1, "u1"), tags={"AREA_OR_POINT": "Point"}, **profile)


@report("several tie points and a pixel size", "xarray-contrib/xarray-spatial 2117", placed)
def _tie_points(folder: Path) -> Path:
    return with_tags(folder, PLACE | {33922: doubles(*CORNER, 100, 0, 0, 400_200, 5_000_000, 0)})


@report("a tie point without a pixel size", "xarray-contrib/xarray-spatial 1750", taken)
def _tie_point(folder: Path) -> Path:
    return with_tags(folder, {33922: doubles(*CORNER)})


@report("a tile of the web's pyramid at the prime meridian", "OSGeo/gdal 15189", overviews_show)
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


@report("a system named unnamed", "qgis/QGIS 33988", placed)
def _unnamed(folder: Path) -> Path:
    wkt = CRS.from_user_input("+proj=poly +lat_0=34.875 +lon_0=-83.688 +datum=NAD27 +units=us-ft").to_wkt()
    return put(folder, some(1, "u1"), crs=CRS.from_wkt(wkt.replace('"unknown"', '"unnamed"', 1)))


@report("kilometres", "qgis/QGIS 26440", system("+proj=tmerc +lon_0=57 +x_0=10500000 +ellps=krass +units=km"))
def _kilometres(folder: Path) -> Path:
    crs = CRS.from_user_input("+proj=tmerc +lon_0=57 +x_0=10500000 +ellps=krass +units=km")
    return put(folder, some(1, "i2"), crs=crs, transform=from_origin(10500, 5000, 0.01, 0.01))


@report("a user-defined unit without its length", "OSGeo/libgeotiff 41", placed)
def _no_unit(folder: Path) -> Path:
    codes = {1024: 1, 1025: 1, 2050: 6326, 2056: 7030, 3072: 32767, 3074: 32767, 3075: 8, 3076: 32767}
    numbers = {3078: 57.3333, 3079: 49.3333, 3080: -3.3, 3081: 54.375, 3082: 0.0, 3083: 0.0}
    entries = [value for key, code in codes.items() for value in (key, 0, 1, code)]
    entries += [value for at, key in enumerate(numbers) for value in (key, 34736, 1, at)]
    keys = shorts(1, 1, 2, len(entries) // 4, *entries)
    return with_tags(folder, PLACE | {34735: keys, 34736: doubles(*numbers.values())})


@report("feet along and above the ground", "OSGeo/gdal 6839", system("EPSG:2286+6360"))
def _feet(folder: Path) -> Path:
    return put(folder, some(1, "f4"), crs=CRS.from_user_input("EPSG:2286+6360"))


@report(
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


@report("an ellipsoid without a datum", "qgis/QGIS 50784", placed)
def _airy(folder: Path) -> Path:
    airy = "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy +units=m"
    return put(folder, some(1, "f4"), crs=CRS.from_user_input(airy))


@report("a shift to WGS 84 of its own", "opengeospatial/geotiff 6", geokey(2062, 565.2, 50.0, 465.5))
def _shift(folder: Path) -> Path:
    codes = {1024: 2, 1025: 1, 2048: 32767, 2050: 32767, 2054: 9102, 2056: 7004}
    entries = [value for key, code in codes.items() for value in (key, 0, 1, code)]
    keys = shorts(1, 1, 0, len(codes) + 1, *entries, 2062, 34736, 3, 0)
    place = {33550: doubles(1e-4, 1e-4, 0), 33922: doubles(0, 0, 0, 5, 52, 0)}
    return with_tags(folder, place | {34735: keys, 34736: doubles(565.2, 50.0, 465.5)})


@report(
    "a projection by its code and a datum by its ellipsoid", "matafokka/geotiff-geokeys-to-proj4 3", placed
)
def _by_code(folder: Path) -> Path:
    codes = {1024: 1, 1025: 1, 2048: 32767, 2050: 32767, 2054: 9102, 2056: 32767}
    numbers = {2057: 6378137.0, 2059: 298.257222101, 2061: 0.0}
    entries = [value for key, code in codes.items() for value in (key, 0, 1, code)]
    entries += [value for at, key in enumerate(numbers) for value in (key, 34736, 1, at)]
    entries += [2062, 34736, 3, 3, 3072, 0, 1, 32767, 3074, 0, 1, 16032, 3076, 0, 1, 9001]
    keys = shorts(1, 1, 0, len(entries) // 4, *entries)
    return with_tags(folder, PLACE | {34735: keys, 34736: doubles(*numbers.values(), 0, 0, 0)})


@report("the Moon", "OSGeo/gdal 4732", placed)
def _moon(folder: Path) -> Path:
    crs = CRS.from_user_input("+proj=stere +lat_0=-90 +lat_ts=-90 +a=1737400 +b=1737400 +units=m")
    return put(folder, some(1, "f4"), crs=crs)


@report("pixels of one metre from the origin", "rasterio/rasterio 524", kept(33550), placed)
def _origin(folder: Path) -> Path:
    keys = shorts(1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)
    return with_tags(folder, {33550: doubles(1, 1, 0), 33922: doubles(0, 0, 0, 0, 0, 0), 34735: keys})


@report("a key of zeros at the end", "OSGeo/gdal 641", system("EPSG:32633"))
def _padding(folder: Path) -> Path:
    keys = shorts(1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633, 0, 0, 0, 0)
    return with_tags(folder, PLACE | {34735: keys})


@report("a geocentric system", "xarray-contrib/xarray-spatial 2418", system("EPSG:4978"))
def _geocentric(folder: Path) -> Path:
    keys = shorts(1, 1, 0, 3, 1024, 0, 1, 3, 1025, 0, 1, 1, 2048, 0, 1, 4978)
    return with_tags(folder, PLACE | {34735: keys}, "f4")

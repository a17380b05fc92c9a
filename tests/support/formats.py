"""Makers of small rasters in the formats besides TIFF, and of files that are none; see `RASTERS`.

`raster("a.jp2", folder)` writes one with its sidecars, and nothing else: what GDAL puts into an `.aux.xml` is removed,
so that the formats speak for themselves.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.transform import Affine, from_origin

WIDTH, HEIGHT = 90, 70
UTM, PLACE = "EPSG:32633", from_origin(500_000.0, 5_100_000.0, 10.0, 10.0)

RASTERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "photo.jp2": ("JP2OpenJPEG", "photo", {"QUALITY": "100", "REVERSIBLE": "YES"}),
    "lossy.jp2": ("JP2OpenJPEG", "photo", {"QUALITY": "10"}),
    "photo.img": ("HFA", "photo", {}),
    "heights.img": ("HFA", "heights", {"COMPRESSED": "YES"}),
    "spill.img": ("HFA", "photo", {"USE_SPILL": "YES"}),
    "photo.dat": ("ENVI", "photo", {}),
    "lines.bil": ("ENVI", "photo", {"INTERLEAVE": "BIL"}),
    "bare": ("ENVI", "heights", {}),
    "photo.png": ("PNG", "photo", {"WORLDFILE": "YES"}),
    "classes.png": ("PNG", "classes", {"WORLDFILE": "YES"}),
    "photo.jpg": ("JPEG", "photo", {"WORLDFILE": "YES"}),
    "heights.asc": ("AAIGrid", "heights", {}),
    "whole.asc": ("AAIGrid", "whole", {}),
    "heights.nc": ("netCDF", "heights", {}),
    "modern.nc": ("netCDF", "heights", {"FORMAT": "NC4"}),
    "N46E008.hgt": ("SRTMHGT", "tile", {}),
    "tile.dt1": ("DTED", "tile", {}),
}
"""By name: driver, what is in it, and the driver's options."""


def raster(name: str, folder: Path) -> Path:
    """Write one of `RASTERS`; gives its path."""
    driver, content, options = RASTERS[name]
    folder.mkdir(parents=True, exist_ok=True)
    plain, path = folder / ".plain.tif", folder / name
    with closing(_plain(plain, content)):
        pass
    before = set(folder.iterdir())
    rasterio.shutil.copy(plain, path, driver=driver, **options)
    plain.unlink()
    for made in set(folder.iterdir()) - before:
        if made.name.endswith(".aux.xml"):
            made.unlink()
        elif made.suffix == ".wld":
            made.rename(made.with_suffix(f".{path.suffix[1]}{path.suffix[-1]}w"))
    if driver in {"PNG", "JPEG"}:
        path.with_suffix(".prj").write_text(rasterio.crs.CRS.from_user_input(UTM).to_wkt())
    return path


def _plain(path: Path, content: str) -> Any:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    light = 120 + 60 * np.sin(columns / 9) + 40 * np.cos(rows / 7)
    pixels, more = {
        "photo": (np.stack([light, light / 2, 255 - light]).astype(np.uint8), {}),
        "heights": (_with_gap(light * 3.3), {"nodata": -9999.0}),
        "whole": (np.rint(light * 100).astype(np.int32)[None], {}),
        "classes": ((light // 32).astype(np.uint8)[None], {}),
        "tile": (_tile(), {"crs": "EPSG:4326", "transform": _tile_place(), "nodata": -32768}),
    }[content]
    count, height, width = pixels.shape
    shape = {"width": width, "height": height, "count": count, "dtype": pixels.dtype.name}
    dataset = rasterio.open(path, "w", **({"driver": "GTiff", "crs": UTM, "transform": PLACE} | shape | more))
    dataset.write(pixels)
    if content == "classes":
        dataset.write_colormap(1, {value: (value * 30, 255 - value * 30, 40, 255) for value in range(9)})
    return dataset


def _with_gap(light: np.ndarray) -> np.ndarray:
    heights = light.astype(np.float32)[None]
    heights[:, :9] = -9999.0
    return heights


def _tile() -> np.ndarray:
    """Heights of one degree, 1201 posts on each side."""
    rows, columns = np.mgrid[0:1201, 0:1201]
    return (500 + 200 * np.sin(columns / 90) + rows // 7).astype(np.int16)[None]


def _tile_place() -> Affine:
    step = 1 / 1200
    return Affine(step, 0, 8 - step / 2, 0, -step, 47 + step / 2)


def many(path: Path) -> Path:
    """A netCDF file with three rasters in it."""
    plain = path.with_name(".many.tif")
    with closing(_plain(plain, "photo")):
        pass
    rasterio.shutil.copy(plain, path, driver="netCDF")
    plain.unlink()
    path.with_name(f"{path.name}.aux.xml").unlink(missing_ok=True)
    return path


def png(path: Path, rows: np.ndarray, *chunks: tuple[bytes, bytes], kind: int = 3) -> Path:
    """A PNG of 8-bit samples (rows, columns[, 3]) with chunks of one's own before its pixels."""
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows.astype(np.uint8)))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    )
    return path


def geopackage(path: Path) -> Path:
    """An SQLite database that says it is a GeoPackage."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA application_id = {0x47504B47}")
        database.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
        database.commit()
    return path


def geojson(path: Path) -> Path:
    """One point."""
    point = {"type": "Point", "coordinates": [8.5, 46.5]}
    path.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": point}))
    return path

"""Reports about how a file is laid out: heads, strips, types of entries, masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling

from tests.judge.rights import overviews_show, pixels_of, taken, warned
from tests.support.kinds import put, some
from tests.support.reports.base import PLACE, report, with_tags
from tests.support.tiffwriter import SLONG, SSHORT, Entry, Picture, longs, text, write


@report("a COG whose head was written anew at its end", "OSGeo/gdal 7735", overviews_show)
def _late_head(folder: Path) -> Path:
    plain = put(folder, some(1, "u2", (1100, 900)))
    path = folder / "cog.tif"
    rasterio.shutil.copy(plain, path, driver="COG", blocksize=256, compress="deflate")
    plain.unlink()
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
        dataset.update_tags(TIFFTAG_SOFTWARE="a later step", **{f"ITEM_{n}": "x" * 90 for n in range(20)})
    return path


@report("JPEG with holes and a mask", "GeoTIFF/georaster 85", taken)
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


@report("a strip without its size", "locationtech/geotrellis 3141", pixels_of(lambda: some(1, "u2")[:, :, 0]))
def _no_counts(folder: Path) -> Path:
    return write(folder / "raster.tif", [Picture(some(1, "u2"), PLACE | {279: None}, rows_per_strip=1000)])


@report("strips whose size is zero", "haraldk/TwelveMonkeys 449", pixels_of(lambda: some(1, "u2")[:, :, 0]))
def _zero_counts(folder: Path) -> Path:
    one = {278: longs(1000), 279: longs(0)}
    return write(folder / "raster.tif", [Picture(some(1, "u2"), PLACE | one, rows_per_strip=1000)])


@report(
    "one strip, and no word of its rows", "geotiffjs/geotiff.js 80", pixels_of(lambda: some(1, "u2")[:, :, 0])
)
def _no_rows(folder: Path) -> Path:
    return write(folder / "raster.tif", [Picture(some(1, "u2"), PLACE | {278: None}, rows_per_strip=1000)])


@report("signed types in the head", "rasterio/rasterio 1997", pixels_of(lambda: some(3, "u1")[:, :, 0]))
def _signed_types(folder: Path) -> Path:
    signed = {
        256: Entry(SLONG, (140,)),
        257: Entry(SLONG, (120,)),
        258: Entry(SSHORT, (8, 8, 8)),
        262: Entry(SSHORT, (2,)),
    }
    return with_tags(folder, PLACE | signed, "u1", 3)


@report("planes with a mask", "OSGeo/gdal 11851", taken)
def _planes(folder: Path) -> Path:
    path = put(
        folder, some(3, "u1", (700, 640)), interleave="band", tiled=True, blockxsize=256, blockysize=256
    )
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.arange(700 * 640).reshape(700, 640) % 900 > 300)
    return path


@report("a sparse COG whose levels lack the tiles of an edge", "cogeotiff/rio-cogeo 281", overviews_show)
def _sparse_levels(folder: Path) -> Path:
    pixels = some(1, "u1", (1100, 900))
    pixels[:600] = 0
    plain = put(folder, pixels, nodata=0)
    path = folder / "cog.tif"
    rasterio.shutil.copy(plain, path, driver="COG", blocksize=256, compress="deflate", sparse_ok="TRUE")
    plain.unlink()
    return path


def _masked(folder: Path, *, inside: bool) -> Path:
    """Three bands with a mask, and overviews beside them."""
    path = put(
        folder, some(3, "u1", (700, 640)), tiled=True, blockxsize=256, blockysize=256, compress="deflate"
    )
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.add.outer(np.arange(700), np.arange(640)) > 500)
    with rasterio.Env(TIFF_USE_OVR="YES"), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], Resampling.average)
    return path


@report("a mask inside, and overviews of it beside", "OSGeo/gdal 14680", overviews_show)
def _outer_levels(folder: Path) -> Path:
    return _masked(folder, inside=True)


@report("a mask, overviews, and overviews of the mask, each beside", "airbusgeo/cogger 11", overviews_show)
def _all_beside(folder: Path) -> Path:
    path = _masked(folder, inside=False)
    with rasterio.open(path.with_suffix(".tif.msk"), "r+", driver="GTiff") as mask:
        mask.build_overviews([2, 4], Resampling.nearest)
    return path


@report("a stack of ImageJ's with one head", "OSGeo/gdal 1486", warned("3 pages"))
def _stack(folder: Path) -> Path:
    pixels = some(1, "u2")
    told = {270: text(b"ImageJ=1.52i\nimages=3\nslices=3\n")}
    path = write(folder / "raster.tif", [Picture(pixels, PLACE | told, rows_per_strip=1000)])
    path.write_bytes(path.read_bytes() + 2 * pixels.tobytes())
    return path

"""How a raster is read on another grid than its own."""

from __future__ import annotations

from typing import Any

from rasterio.vrt import WarpedVRT
from rio_tiler.io import Reader


def reader(raster: Any) -> Any:
    """A reader for parts and tiles; refuses what lies nowhere.

    A raster that is turned against its axes is set upright first: rio-tiler reads windows of a raster that is in
    the tile's CRS already, and a window knows no angle.
    """
    if not raster.crs:
        raise ValueError("the raster has no coordinate reference system: it lies nowhere on a map")
    if raster.transform.b == 0 and raster.transform.d == 0:
        return Reader(None, dataset=raster)
    bare = raster.nodata is None and "alpha" not in [one.name for one in raster.colorinterp]
    return Reader(None, dataset=WarpedVRT(raster, crs=raster.crs, add_alpha=bare))

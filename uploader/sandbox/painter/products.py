"""New rasters from a raster: a part of it, and an index of its bands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import rasterio
import rasterio.warp
import rasterio.windows
from figures import computed
from grids import reader
from pictures import rendered
from rio_tiler.models import ImageData

QUALITY = 85
warp: Any = rasterio.warp
windows: Any = rasterio.windows
MOST_PIXELS = 1 << 26


def clip(raster: Any, *, bbox: list[float], target: str) -> dict[str, Any]:
    """Write the part inside the bbox (degrees), in the raster's own grid, as a tiled TIFF to `target`."""
    window = _window(raster, bbox)
    profile = {
        **raster.profile,
        **_layout(window.width, window.height),
        "width": window.width,
        "height": window.height,
        "transform": raster.window_transform(window),
    }
    with rasterio.open(target, "w", **profile) as out:
        out.write(raster.read(window=window))
        out.descriptions = raster.descriptions
        out.scales, out.offsets, out.units = raster.scales, raster.offsets, raster.units
        out.colorinterp = raster.colorinterp
        out.update_tags(**{k: v for k, v in raster.tags().items() if k == "TIFFTAG_DATETIME"})
    return {"shape": [window.height, window.width]}


def index(
    raster: Any, *, expression: str, bbox: list[float], largest: int, form: str, colormap: str, target: str
) -> dict[str, Any]:
    """An index inside the bbox: its statistics, a picture of it (`png`), or a raster of it at `target` (`cog`)."""
    image = reader(raster).part(tuple(bbox), max_size=largest, expression=expression)
    values = np.ma.masked_invalid(image.array.astype("float32"))
    if form == "json":
        return {"statistics": computed(values[0])}
    if form != "cog":
        style = {"bands": [1], "rescale": [[-1, 1]], "colormap": colormap}
        found: dict[str, Any] = rendered(raster, ImageData(values), style, form, QUALITY)
        return found
    height, width = values.shape[1:]
    profile = {
        **_layout(width, height),
        "width": width,
        "height": height,
        "count": 1,
        "dtype": "float32",
        "nodata": float("nan"),
        "crs": image.crs,
        "transform": image.transform,
    }
    with rasterio.open(target, "w", **profile) as out:
        out.write(values.filled(np.nan))
        out.descriptions = ("index",)
    return {"statistics": computed(values[0]), "shape": [height, width]}


def _window(raster: Any, bbox: list[float]) -> Any:
    if not raster.crs:
        raise ValueError("the raster has no coordinate reference system")
    box = warp.transform_bounds("OGC:CRS84", raster.crs, *bbox)
    wanted = windows.from_bounds(*box, transform=raster.transform)
    left, top = max(math.floor(wanted.col_off), 0), max(math.floor(wanted.row_off), 0)
    right = min(math.ceil(wanted.col_off + wanted.width), raster.width)
    bottom = min(math.ceil(wanted.row_off + wanted.height), raster.height)
    if right <= left or bottom <= top:
        raise ValueError("the bbox and the raster have nothing in common")
    if (right - left) * (bottom - top) * raster.count > MOST_PIXELS:
        raise ValueError(f"more than {MOST_PIXELS} values; take a smaller bbox")
    return windows.Window(left, top, right - left, bottom - top)


def _layout(width: int, height: int) -> dict[str, Any]:
    """Tiles where a tile fits, strips below."""
    tiled = min(width, height) >= 256  # noqa: PLR2004  the side of a tile
    blocks = {"tiled": True, "blockxsize": 256, "blockysize": 256} if tiled else {"tiled": False}
    return {"driver": "GTiff", "compress": "deflate", "interleave": "pixel", **blocks}

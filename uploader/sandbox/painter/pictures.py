"""Pictures of a raster: tiles, previews and terrain, each as base64 with its media type."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from grids import reader
from rasterio.enums import ColorInterp
from rio_tiler.colormap import cmap
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

FORMATS = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg", "jpeg": "image/jpeg"}
DRIVERS = {"png": "PNG", "webp": "WEBP", "jpg": "JPEG", "jpeg": "JPEG"}
CLASSES = 20
"""Colours of a categorical raster without a palette: class numbers beyond begin again."""


def tile(
    raster: Any, *, z: int, x: int, y: int, size: int, form: str, quality: int, style: dict[str, Any]
) -> dict[str, Any]:
    """One XYZ tile in Web Mercator; `{"outside": true}` where the raster is not."""
    try:
        image = reader(raster).tile(x, y, z, tilesize=size, **_reading(raster, style))
    except TileOutsideBounds:
        return {"outside": True}
    return rendered(raster, image, style, form, quality)


def preview(
    raster: Any, *, width: int, height: int, form: str, quality: int, style: dict[str, Any]
) -> dict[str, Any]:
    """The whole raster in its own grid, no larger than the frame, its proportions kept."""
    scale = min(width / raster.width, height / raster.height, 1.0)
    shape = {"width": max(1, round(raster.width * scale)), "height": max(1, round(raster.height * scale))}
    image = Reader(None, dataset=raster).preview(**shape, **_reading(raster, style))
    return rendered(raster, image, style, form, quality)


def terrain(raster: Any, *, z: int, x: int, y: int, size: int, invert: bool) -> dict[str, Any]:
    """One tile of heights as Mapbox Terrain-RGB: metres = -10000 + 0.1 * (R * 65536 + G * 256 + B)."""
    if raster.count != 1:
        raise ValueError("terrain needs a raster of one band")
    try:
        image = reader(raster).tile(x, y, z, tilesize=size, resampling_method="bilinear")
    except TileOutsideBounds:
        return {"outside": True}
    heights = image.array[0].astype("float64").filled(0.0) * (-1 if invert else 1)
    steps = np.clip(np.round((heights + 10_000) * 10), 0, (1 << 24) - 1).astype("uint32")
    rgb = np.stack([(steps >> shift & 255).astype("uint8") for shift in (16, 8, 0)])
    masked = np.ma.MaskedArray(rgb, mask=np.broadcast_to(np.ma.getmaskarray(image.array), rgb.shape))
    return _encoded(ImageData(masked).render(img_format="PNG"), "png")


def _reading(raster: Any, style: dict[str, Any]) -> dict[str, Any]:
    """The arguments of reading: bands or an expression, and a way to resample that suits the values."""
    classes = style.get("colormap") in ("palette", "classes")
    method = {"resampling_method": "nearest" if classes else "bilinear"}
    if style.get("resampling"):
        method = {"resampling_method": style["resampling"]}
    if style.get("expression"):
        return {"expression": style["expression"], **method}
    wanted = style.get("bands") or _first(raster)
    if any(not 1 <= index <= raster.count for index in wanted):
        raise ValueError(f"the raster has bands 1 to {raster.count}")
    return {"indexes": wanted, **method}


def _first(raster: Any) -> list[int]:
    colours = [
        raster.colorinterp.index(one) + 1
        for one in (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        if one in raster.colorinterp
    ]
    return colours if len(colours) == 3 else [1]  # noqa: PLR2004  red, green, blue


def rendered(raster: Any, image: Any, style: dict[str, Any], form: str, quality: int) -> dict[str, Any]:
    """The values as a picture: magnitudes of complex ones, rescaled as the style says or by their spread."""
    if np.iscomplexobj(image.array):
        image = ImageData(np.ma.abs(image.array))
    colormap = _colormap(raster, image, style)
    if style.get("rescale"):
        ranges = [tuple(pair) for pair in style["rescale"]]
        image = image.rescale(in_range=ranges)
    elif colormap is None and image.array.dtype != np.uint8:
        image = image.rescale(in_range=_spread(image.array))
    if image.count not in (1, 3):
        raise ValueError(f"a picture is of 1 or 3 bands, not {image.count}")
    options = {"PNG": {}, "WEBP": {"quality": quality}, "JPEG": {"quality": quality}}[DRIVERS[form]]
    picture = image.render(
        add_mask=DRIVERS[form] != "JPEG" or colormap is not None,
        img_format=DRIVERS[form],
        colormap=colormap,
        **options,
    )
    return _encoded(picture, form)


def _colormap(raster: Any, image: Any, style: dict[str, Any]) -> dict[int, Any] | None:
    name = style.get("colormap")
    if not name or image.count != 1:
        return None
    if name == "palette":
        return dict(raster.colormap(style.get("bands", [1])[0]))
    if name == "classes":
        image.array = np.ma.MaskedArray(image.array.data.astype("int64") % CLASSES, mask=image.array.mask)
        image.array = image.array.astype("uint8")
        colours = cmap.get("tab20")
        return {number: colours[number * 255 // (CLASSES - 1)] for number in range(CLASSES)}
    found: Any = cmap.get(name)
    return dict(found)


def _spread(array: Any) -> list[tuple[float, float]]:
    """Two to ninety-eight percent of each band, for values that say nothing about their range."""
    found = []
    for band in array:
        values = band.compressed()
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, (2, 98)) if values.size else (0.0, 1.0)
        found.append((float(low), float(high) if high > low else float(low) + 1.0))
    return found


def _encoded(picture: bytes, form: str) -> dict[str, Any]:
    return {"media_type": FORMATS[form], "image": base64.b64encode(picture).decode()}

"""cog.*: pictures and numbers of a raster by its URL, which must be one of the sandbox's own store."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from uploader.sandbox.geometry import shape_of
from uploader.sandbox.operations.base import Answer, Call, Input, Operation
from uploader.sandbox.operations.styling import (
    SIDE,
    Expression,
    Format,
    Quality,
    StyleInput,
    TileInput,
    asset_at,
    band_numbers,
    on_grid,
    painted,
    picture,
    profile_of,
    style_of,
    tile_of,
    wrong,
)

_THUMBNAIL_QUALITY = 85
Side = Annotated[int, Field(ge=1, le=1024)]
Share = Annotated[float, Field(ge=0, le=100)]


class CogTileInput(StyleInput, TileInput):
    """Fields of the published CogTileInput; `aoi` is ignored."""

    url: str
    format: Format
    quality: Quality = 85


class Terrain(TileInput):
    """Fields of the published CogTerrainInput; `aoi` is ignored."""

    url: str
    invert: bool = False


class Thumbnail(Input):
    """Fields of the published CogThumbnailInput."""

    url: str
    width: Side = 256
    height: Side = 256


class CogStatsInput(Input):
    """Fields of the published CogStatsInput; of the geometry only its extent counts."""

    url: str
    geometry: dict[str, Any]
    expression: Expression | None = None
    bands: str | None = None
    percentiles: tuple[Share, Share] = (2.0, 98.0)


def tile(call: Call, given: CogTileInput) -> Answer:
    """A tile by bands or an expression, else by what the raster itself says."""
    on_grid(given)
    asset = asset_at(call, given.url)
    return tile_of(call, asset, given, style_of(asset, None, given), form=given.format, quality=given.quality)


def terrain(call: Call, given: Terrain) -> Answer:
    """A tile of heights for three-dimensional maps."""
    on_grid(given)
    where = {"z": given.z, "x": given.x, "y": given.y, "size": SIDE}
    return picture(painted(call, asset_at(call, given.url), "terrain", **where, invert=given.invert))


def thumbnail(call: Call, given: Thumbnail) -> Answer:
    """A small JPEG of the whole raster, painted by the default profile of its item."""
    asset = asset_at(call, given.url)
    profile = profile_of(call, asset["item_id"], None)
    style = style_of(asset, profile, StyleInput())
    frame = {"width": given.width, "height": given.height}
    return picture(
        painted(call, asset, "preview", **frame, form="jpg", quality=_THUMBNAIL_QUALITY, style=style)
    )


def statistics(call: Call, given: CogStatsInput) -> Answer:
    """Statistics inside the extent of a geometry."""
    asset = asset_at(call, given.url)
    bbox = _extent(given.geometry)
    bands = band_numbers(asset, given.bands or "1")
    found = painted(
        call,
        asset,
        "statistics",
        bands=bands,
        expression=given.expression or "",
        bbox=bbox,
        percentiles=list(given.percentiles),
    )
    return Answer.json({**found, "percentiles": list(given.percentiles)})


def _extent(geometry: dict[str, Any]) -> list[float]:
    try:
        shape = shape_of(geometry)
    except ValueError as error:
        raise wrong("geometry", str(error)) from error
    west, south, east, north = shape.bounds
    if shape.is_empty or west == east or south == north:
        raise wrong("geometry", "it encloses nothing")
    return [west, south, east, north]


OPERATIONS = (
    Operation("cog.tile.render", "tiles:read", "read", CogTileInput, tile, paints=True),
    Operation("cog.tile.terrain", "tiles:read", "read", Terrain, terrain, paints=True),
    Operation("cog.thumbnail", "tiles:read", "read", Thumbnail, thumbnail, paints=True),
    Operation("cog.statistics", "tiles:read", "read", CogStatsInput, statistics, paints=True),
)

"""items.tile.* and visualization.*: an item on a map, and how it is painted there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Answer, Call, Input, Operation, stamp
from uploader.sandbox.operations.items import visible_item
from uploader.sandbox.operations.styling import (
    SIDE,
    Expression,
    Format,
    Quality,
    StyleInput,
    TileInput,
    asset_of,
    on_grid,
    painted,
    profile_of,
    style_of,
    tile_of,
)

if TYPE_CHECKING:
    import sqlite3

_PERCENTILES = [2.0, 98.0]


class Render(StyleInput, TileInput):
    """Fields of the published ItemTileRenderInput."""

    item_id: str
    format: Format = "webp"
    profile: str | None = None
    asset_key: str | None = None
    quality: Quality = 82


class TileJson(Input):
    """Fields of the published ItemTilejsonInput."""

    item_id: str
    profile: str | None = None
    asset_key: str | None = None


class ItemStatisticsInput(Input):
    """Fields of the published ItemStatisticsInput."""

    item_id: str
    expression: Expression
    asset_key: str | None = None
    profile: str | None = None


class Profiles(Input):
    """Fields of the published ProfilesListInput."""

    item_id: str


class ProfileGetInput(Input):
    """Fields of the published ProfileGetInput."""

    item_id: str
    profile_id: str


def render(call: Call, given: Render) -> Answer:
    """A tile by a profile (the default one), or by bands or an expression."""
    on_grid(given)
    profile = profile_of(call, given.item_id, given.profile)
    key = given.asset_key or (profile or {}).get("asset_key")
    asset = asset_of(call, given.item_id, key)
    style = style_of(asset, profile, given)
    return tile_of(call, asset, given, style, form=given.format, quality=given.quality)


def tilejson(call: Call, given: TileJson) -> Answer:
    """TileJSON 3.0.0; the tiles are GET requests that want the caller's credential."""
    item = visible_item(call, given.item_id)
    profile_of(call, given.item_id, given.profile)
    bbox = json.loads(item["bbox"])
    if bbox is None:
        raise Refusal(422, f"item {given.item_id} lies nowhere on a map")
    query = urlencode({name: value for name, value in given.model_dump().items() if value is not None})
    asset = asset_of(call, given.item_id, given.asset_key)
    return Answer.json(
        {
            "tilejson": "3.0.0",
            "name": item["name"],
            "scheme": "xyz",
            "tiles": [
                f"{call.world.api_url}/v1/items/tile/render?{query}&z={{z}}&x={{x}}&y={{y}}&format=webp"
            ],
            "minzoom": 0,
            "maxzoom": native_zoom(json.loads(asset["facts"]), bbox),
            "bounds": bbox,
            "center": [(bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2, 0],
        }
    )


def statistics(call: Call, given: ItemStatisticsInput) -> Answer:
    """Statistics of an expression over the whole item, with the range that suits a picture of it."""
    profile_of(call, given.item_id, given.profile)
    asset = asset_of(call, given.item_id, given.asset_key)
    wish = {"bands": [], "expression": given.expression, "bbox": None, "percentiles": _PERCENTILES}
    found = painted(call, asset, "statistics", **wish)["statistics"]
    first = next(iter(found.values()))
    low, high = first["percentile_2"], first["percentile_98"]
    return Answer.json({"statistics": found, "p2": low, "p98": high, "rescale": [low, high]})


def profiles(call: Call, given: Profiles) -> Answer:
    """The profiles of an item, the default one first; none before its pipeline is done."""
    visible_item(call, given.item_id)
    query = "SELECT * FROM profile WHERE item_id = ? ORDER BY is_default DESC, sort_order"
    return Answer.json({"profiles": [_shown(row) for row in call.tx.execute(query, (given.item_id,))]})


def profile(call: Call, given: ProfileGetInput) -> Answer:
    """One profile, with the fields of the published ProfileResponse."""
    visible_item(call, given.item_id)
    query = "SELECT * FROM profile WHERE id = ? AND item_id = ?"
    row = call.tx.execute(query, (given.profile_id, given.item_id)).fetchone()
    if row is None:
        raise Refusal(404, f"item {given.item_id} has no profile {given.profile_id}")
    return Answer.json(_shown(row))


def native_zoom(facts: dict[str, Any], bbox: list[float]) -> int:
    """The zoom at which a tile's pixel is about as wide as the raster's.

    Example:
        >>> native_zoom({"shape": [512, 512]}, [-180.0, -85.0, 180.0, 85.0])
        1

    """
    width = facts.get("shape", [SIDE, SIDE])[1]
    degrees = max((bbox[2] - bbox[0]) % 360 or 360, 1e-9) / width
    zoom = 0
    while zoom < 24 and 360 / (SIDE << zoom) > degrees * 1.001:  # noqa: PLR2004  beyond it pixels are millimetres
        zoom += 1
    return zoom


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    plain = ("id", "item_id", "name", "layer", "type", "sort_order", "asset_key", "version", "created_by")
    return {
        **{name: row[name] for name in plain},
        "is_default": bool(row["is_default"]),
        "config": json.loads(row["config"]),
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }


OPERATIONS = (
    Operation("items.tile.render", "items:read", "read", Render, render, paints=True),
    Operation("items.tile.tilejson", "items:read", "read", TileJson, tilejson),
    Operation("items.tile.statistics", "items:read", "read", ItemStatisticsInput, statistics, paints=True),
    Operation("visualization.profiles.list", "items:read", "read", Profiles, profiles),
    Operation("visualization.profile.get", "items:read", "read", ProfileGetInput, profile),
)

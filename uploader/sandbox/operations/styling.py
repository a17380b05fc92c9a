"""From the fields of a painting operation to one asset and one style, with the refusals on the way."""

from __future__ import annotations

import base64
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field

from uploader.sandbox.errors import FieldError, Invalid, Refusal
from uploader.sandbox.operations.base import Answer, Call, Input
from uploader.sandbox.operations.items import visible_item
from uploader.sandbox.painting import Outside, Unpaintable
from uploader.sandbox.world import BUCKET

if TYPE_CHECKING:
    from collections.abc import Mapping

SIDE = 256
"""Pixels of a tile's side."""
Zoom = Annotated[int, Field(ge=0, le=30)]
Number = Annotated[int, Field(ge=0, lt=1 << 30)]
Format = Annotated[str, Field(pattern="^(png|webp|jpg|jpeg)$")]
Quality = Annotated[int, Field(ge=1, le=100)]
Expression = Annotated[str, Field(max_length=500)]


class TileInput(Input):
    """Which tile."""

    z: Zoom
    x: Number
    y: Number


class StyleInput(Input):
    """How to paint it, where somebody does not want what the profile says."""

    bands: str | None = None
    expression: Expression | None = None
    rescale: str | None = None
    colormap: str | None = None


_RASTER = "SELECT asset.*, object.blob FROM asset JOIN object ON object.path = asset.object_path"


def asset_of(call: Call, item_id: str, key: str | None) -> dict[str, Any]:
    """The asset of a visible item: the one of this key, else the first that is a raster, else the first.

    Raises:
        Refusal: 404, no such item or asset.

    """
    visible_item(call, item_id)
    query = f"{_RASTER} WHERE item_id = ? ORDER BY sequence"
    rows = [dict(row) for row in call.tx.execute(query, (item_id,))]
    if key is not None:
        rows = [row for row in rows if row["key"] == key]
    if not rows:
        raise Refusal(404, f"item {item_id} has no asset {key or ''}".rstrip())
    return next((row for row in rows if "shape" in json.loads(row["facts"])), rows[0])


def asset_at(call: Call, url: str, field: str = "url") -> dict[str, Any]:
    """The asset that a URL of the own store names; nothing else is ever read, and nothing fetched.

    Raises:
        Invalid: 422, the URL leads elsewhere.
        Refusal: 404, there is no such asset, or its item cannot be seen.

    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise wrong(field, f"it is no URL: {error}") from error
    path = unquote(parts.path)
    if f"{parts.scheme}://{parts.netloc}" != call.world.store_url or not path.startswith(BUCKET):
        raise wrong(field, "the sandbox reads only its own objects; give the href of an asset")
    place = path.removeprefix(BUCKET)
    row = call.tx.execute(f"{_RASTER} WHERE asset.object_path = ? OR asset.id = ?", (place, place)).fetchone()
    if row is None:
        raise Refusal(404, f"no asset at {place}")
    visible_item(call, row["item_id"])
    return dict(row)


def profile_of(call: Call, item_id: str, profile: str | None) -> dict[str, Any] | None:
    """A profile of an item by its id or name, the default one when none is named; None when there is none yet.

    Raises:
        Refusal: 404, the named one does not exist.

    """
    query = "SELECT * FROM profile WHERE item_id = ? ORDER BY is_default DESC, sort_order"
    rows = [dict(row) for row in call.tx.execute(query, (item_id,))]
    if profile is None or profile == "default":
        return rows[0] if rows else None
    found = [row for row in rows if profile in (row["id"], row["name"])]
    if not found:
        raise Refusal(404, f"item {item_id} has no profile {profile}")
    return found[0]


def style_of(asset: Mapping[str, Any], profile: Mapping[str, Any] | None, look: StyleInput) -> dict[str, Any]:
    """How to paint: the profile's way, unless bands or an expression are given; rescale and colormap go on top."""
    style: dict[str, Any] = {}
    if look.expression:
        style = {"expression": look.expression}
    elif look.bands:
        style = {"bands": band_numbers(asset, look.bands)}
    elif profile is not None and profile["asset_key"] in (None, asset["key"]):
        style = dict(json.loads(profile["config"]))
    if look.rescale:
        style["rescale"] = ranges(look.rescale)
    if look.colormap:
        style["colormap"] = look.colormap
    return style


def tile_of(
    call: Call, asset: Mapping[str, Any], place: TileInput, style: dict[str, Any], **file: Any
) -> Answer:
    """One tile as an answer; `file` is its `form` and `quality`."""
    where = {"z": place.z, "x": place.x, "y": place.y, "size": SIDE}
    return picture(painted(call, asset, "tile", **where, **file, style=style))


def band_numbers(asset: Mapping[str, Any], text: str) -> list[int]:
    """Bands as numbers from `1,2,3` or by their names.

    Raises:
        Invalid: 422, a band that the asset does not have.

    """
    facts = json.loads(asset["facts"])
    told = facts.get("bands") or facts.get("header_bands", [])
    names = {band["name"]: number for number, band in enumerate(told, 1)}
    found = []
    for word in (one.strip() for one in text.split(",")):
        number = int(word) if word.isascii() and word.isdigit() else names.get(word, 0)
        if not 1 <= number <= len(told):
            raise wrong("bands", f"the asset has no band {word}; it has {', '.join(names)}")
        found.append(number)
    return found


def ranges(text: str) -> list[list[float]]:
    """`0,255` or `0,1;0,2` as pairs.

    Example:
        >>> ranges("0,1;2,3")
        [[0.0, 1.0], [2.0, 3.0]]

    """
    try:
        numbers = [float(word) for word in re.split("[,;]", text)]
    except ValueError:
        numbers = []
    pairs = [list(pair) for pair in zip(numbers[::2], numbers[1::2], strict=False)]
    if len(numbers) % 2 or not pairs or any(not low < high for low, high in pairs):
        raise wrong("rescale", "pairs like 0,255 or 0,1;0,2 are wanted, the lower number first")
    return pairs


def painted(call: Call, asset: Mapping[str, Any], do: str, **given: Any) -> dict[str, Any]:
    """What a painter answers about an asset.

    Raises:
        Refusal: 404 outside of the raster, 422 where it or the wish cannot be painted.

    """
    try:
        return call.world.painters.paint(call.world.objects / asset["blob"], do, **given)
    except Outside:
        raise Refusal(404, "the tile lies outside of the raster") from None
    except Unpaintable as error:
        status = HTTPStatus.SERVICE_UNAVAILABLE if "busy" in str(error) else HTTPStatus.UNPROCESSABLE_ENTITY
        raise Refusal(status, str(error)) from error


def picture(found: Mapping[str, Any]) -> Answer:
    """A painter's picture as an answer of raw bytes."""
    return Answer(base64.b64decode(found["image"]), media_type=found["media_type"])


def on_grid(place: TileInput) -> None:
    """Refuse tile numbers that the zoom level does not have, with 422."""
    for name, value in (("x", place.x), ("y", place.y)):
        if value >= 1 << place.z:
            raise wrong(name, f"zoom {place.z} has the numbers 0 to {(1 << place.z) - 1}")


def wrong(field: str, text: str) -> Invalid:
    """A 422 about one field of the body."""
    return Invalid([FieldError(("body", field), text)])

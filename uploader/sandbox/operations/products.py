"""clip.create_from_item and analytics.calculate_index: rasters made of rasters, with their lineage.

The published schemas leave the body of a clip open and say nothing of results: what is here is the least that the
guide promises ("clippable, analysable"). A clip is made at once, not by a job; an index of `output_format` "cog"
becomes an item, which is this sandbox's own idea.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from uploader.sandbox.blobs import Incoming, Stored
from uploader.sandbox.database import insert
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Answer, Call, Input, Operation, require_writer
from uploader.sandbox.operations.ingest import add_edge, pending
from uploader.sandbox.operations.items import visible_item
from uploader.sandbox.operations.sessions import reserve
from uploader.sandbox.operations.styling import asset_at, asset_of, band_numbers, painted, picture, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE = 1 << 20
_TIFF = "image/tiff; application=geotiff"
INDICES = {
    "ndvi": ("nir", "red"),
    "gndvi": ("nir", "green"),
    "ndwi": ("green", "nir"),
    "ndre": ("nir", "rededge"),
}
"""Normalized differences: which band is added and which one is taken away."""
_CORNERS = ("west", "south", "east", "north")
_CORNERS_BY_AXIS = ("minx", "miny", "maxx", "maxy")
Box = Annotated[list[float], Field(min_length=4, max_length=4)]


class Clip(Input):
    """What a clip needs; the published body is an open object."""

    item_id: str
    bbox: Box
    asset_key: str | None = None
    name: str | None = Field(default=None, max_length=255)

    @field_validator("bbox")
    @classmethod
    def _upright(cls, box: list[float]) -> list[float]:
        return _checked(box)


class Index(Input):
    """Fields of the published CalculateIndexInput; bands are found by their names, so `sensor` is ignored."""

    cog_url: str
    index_name: str
    bbox: dict[str, Any]
    sensor: str
    max_size: Annotated[int, Field(ge=1, le=4096)] = 2048
    output_format: Literal["json", "png", "cog"] = "json"
    colormap: str | None = None

    @field_validator("bbox")
    @classmethod
    def _named(cls, box: dict[str, Any]) -> dict[str, Any]:
        for names in (_CORNERS, _CORNERS_BY_AXIS):
            if all(isinstance(box.get(name), int | float) for name in names):
                return dict(zip(_CORNERS, _checked([float(box[name]) for name in names]), strict=True))
        raise ValueError(f"numbers {', '.join(_CORNERS)} (or {', '.join(_CORNERS_BY_AXIS)}) are wanted")


@dataclass(frozen=True, slots=True)
class DerivedRaster:
    """A raster that lies among the objects, not in the database yet."""

    stored: Stored
    source: str
    asset: Mapping[str, Any]
    facts: dict[str, Any]
    told: dict[str, Any]


def cut(call: Call, given: Clip) -> DerivedRaster:
    """Make the clip's file."""
    item = visible_item(call, given.item_id)
    require_writer(call, item["project_id"])
    asset = asset_of(call, given.item_id, given.asset_key)
    return _made(call, asset, "clip", bbox=given.bbox)


def clip(call: Call, given: Clip) -> Answer:
    """Make an item of it."""
    name = given.name or f"clip of {call.staged.asset['key']}"
    item_id = _keep(call, call.staged, "clip", name)
    return Answer.json({"id": item_id, "item_id": item_id, "item_ids": [item_id], "status": "completed"})


def reckon(call: Call, given: Index) -> DerivedRaster | Answer:
    """Compute the index; with `cog`, into a file."""
    asset = asset_at(call, given.cog_url, "cog_url")
    item = visible_item(call, asset["item_id"])
    bbox = [given.bbox[name] for name in _CORNERS]
    wish = {"expression": _expression(asset, given.index_name), "bbox": bbox, "largest": given.max_size}
    style = {"form": given.output_format, "colormap": given.colormap or "rdylgn"}
    if given.output_format == "cog":
        require_writer(call, item["project_id"])
        return _made(call, asset, "index", **wish, **style)
    found = painted(call, asset, "index", target="", **wish, **style)
    if given.output_format == "png":
        return picture(found)
    return Answer.json({"index": given.index_name.lower(), "bbox": bbox, **found})


def index(call: Call, given: Index) -> Answer:
    """The answer as it was computed, or an item of it."""
    if isinstance(call.staged, Answer):
        return call.staged
    name = given.index_name.lower()
    item_id = _keep(call, call.staged, "derived_raster", f"{name} of {call.staged.asset['key']}")
    return Answer.json({"index": name, "item_id": item_id, "statistics": call.staged.told["statistics"]})


def _made(call: Call, asset: Mapping[str, Any], do: str, **given: Any) -> DerivedRaster:
    target = call.world.objects / "incoming" / f"{uuid.uuid4().hex}.tif"
    try:
        told = painted(call, asset, do, target=str(target), **given)
        incoming = Incoming(call.world.objects, "derived")
        with target.open("rb") as file:
            incoming.write(iter(lambda: file.read(_PIECE), b""))
    finally:
        target.unlink(missing_ok=True)
    stored = incoming.keep()
    facts = call.world.inspector.look(call.world.objects / stored.blob)
    return DerivedRaster(stored, asset["item_id"], dict(asset), facts, told)


def _keep(call: Call, made: DerivedRaster, kind: str, name: str) -> str:
    """Write item, asset, object and lineage of a file that was made; its bytes count as used."""
    parent = visible_item(call, made.source)
    require_writer(call, parent["project_id"])
    try:
        reserve(call, made.stored.size, what="used_bytes")
    except Refusal:
        (call.world.objects / made.stored.blob).unlink()
        raise
    item_id = f"it_{uuid.uuid4().hex[:16]}"
    path = f"derived/{item_id}/{kind}.tif"
    bbox = made.facts.get("bbox")
    insert(
        call.tx,
        "item",
        id=item_id,
        project_id=parent["project_id"],
        collection_id=parent["collection_id"],
        stac_id=f"{kind}-{item_id[-6:]}",
        type=kind,
        name=name,
        geometry=json.dumps(made.facts.get("geometry")),
        bbox=json.dumps(bbox),
        **dict(zip(_CORNERS, bbox or [None] * 4, strict=True)),
        datetime=parent["datetime"],
        properties=json.dumps({"title": name, "is_categorical": bool(made.asset["is_categorical"])}),
        created_by=call.who.name,
        created_at=call.now,
        updated_at=call.now,
    )
    _keep_file(call, made, item_id, path)
    add_edge(call, item_id, ("item", made.source), "wasDerivedFrom")
    call.world.pipeline.enqueue(call.tx, item_id, call.now)
    call.effect("item.derived", size=made.stored.size)
    return item_id


def _keep_file(call: Call, made: DerivedRaster, item_id: str, path: str) -> None:
    stored = made.stored
    file = {"file_name": path.rpartition("/")[2], "size": stored.size, "upload_id": ""}
    file |= {"md5": stored.md5.hex(), "crc32c": stored.crc32c}
    insert(
        call.tx,
        "object",
        path=path,
        blob=stored.blob,
        generation=stored.generation,
        content_type=_TIFF,
        stored_at=call.now,
        **file,
    )
    insert(
        call.tx,
        "asset",
        id=f"as_{uuid.uuid4().hex[:16]}",
        item_id=item_id,
        key="data",
        object_path=path,
        media_type=_TIFF,
        is_categorical=made.asset["is_categorical"],
        facts=json.dumps(pending(made.facts)),
        created_at=call.now,
        **file,
    )


def _expression(asset: Mapping[str, Any], name: str) -> str:
    if name.lower() not in INDICES:
        raise wrong("index_name", f"the sandbox knows {', '.join(INDICES)}")
    more, less = (band_numbers(asset, band)[0] for band in INDICES[name.lower()])
    return f"(b{more}-b{less})/(b{more}+b{less})"


def _checked(box: list[float]) -> list[float]:
    west, south, east, north = box
    if not (west < east and south < north):
        raise ValueError("west, south, east, north are wanted, west of and south of something")
    return box


OPERATIONS = (
    Operation("clip.create_from_item", "items:write", "compute", Clip, clip, stage=cut, paints=True),
    Operation("analytics.calculate_index", "items:read", "compute", Index, index, stage=reckon, paints=True),
)

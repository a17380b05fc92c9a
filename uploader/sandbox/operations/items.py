"""items.*: what uploads became, for reading."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from uploader.sandbox import stac
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import (
    Answer,
    Call,
    Count,
    Input,
    Operation,
    project_role,
    stamp,
)
from uploader.sandbox.world import BUCKET

if TYPE_CHECKING:
    import sqlite3

_LONGEST_PAGE = 1000
_FROM_PROPERTIES = {"cloud_cover": "eo:cloud_cover", "gsd": "gsd", "order_id": "order:id"}
"""Fields of an item that its STAC properties tell too."""
ItemType = Literal[
    "satellite_capture",
    "derived_raster",
    "derived_vector",
    "clip",
    "user_raster",
    "user_vector",
    "external_reference",
]


class One(Input):
    """An operation on one item."""

    item_id: str


class Stac(One):
    """Fields of the published ItemStacInput."""

    base_url: str | None = None


class OneAsset(One):
    """An operation on one asset."""

    asset_id: str


class ItemsListInput(Input):
    """Fields of the published ItemsListInput, with the bounds that its siblings have."""

    project_id: str
    collection_id: str | None = None
    uncollected: bool = False
    limit: int = Field(default=100, ge=1, le=_LONGEST_PAGE)
    offset: Count = 0


class ProjectItemSearchInput(Input):
    """Fields of the published ProjectItemSearchInput that the sandbox understands; it ignores the others."""

    project_id: str
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)
    datetime: str | None = None
    limit: int = Field(default=100, ge=1, le=_LONGEST_PAGE)
    offset: Count = 0
    collections: list[str] | None = None
    type: ItemType | None = None
    format: str | None = None
    base_url: str | None = None


def get(call: Call, given: One) -> Answer:
    """One item."""
    return Answer.json({"item": shown(visible_item(call, given.item_id))})


def get_stac(call: Call, given: Stac) -> Answer:
    """One item as a STAC feature."""
    found = feature(call, visible_item(call, given.item_id), given.base_url)
    return Answer.json(found, media_type="application/geo+json")


def listing(call: Call, given: ItemsListInput) -> Answer:
    """The items of a project, newest first."""
    project_role(call, given.project_id)
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    if given.collection_id is not None:
        conditions.append(("collection_id = ?", (given.collection_id,)))
    if given.uncollected:
        conditions.append(("collection_id IS NULL", ()))
    rows, total = _page(call, given, conditions)
    page = {"total": total, "limit": given.limit, "offset": given.offset}
    return Answer.json({"items": [shown(row) for row in rows], **page})


def search(call: Call, given: ProjectItemSearchInput) -> Answer:
    """The items of a project that meet all conditions, as a feature collection."""
    project_role(call, given.project_id)
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    if given.bbox:
        west, south, east, north = given.bbox
        conditions.append(
            ("east >= ? AND west <= ? AND north >= ? AND south <= ?", (west, east, south, north))
        )
    if given.collections is not None:
        marks = ", ".join("?" * len(given.collections))
        conditions.append((f"collection_id IN ({marks})", tuple(given.collections)))
    if given.type:
        conditions.append(("type = ?", (given.type,)))
    if given.datetime:
        conditions.append(interval(given.datetime))
    rows, total = _page(call, given, conditions)
    full = given.format == "stac"
    features = [feature(call, row, given.base_url) if full else _brief(row) for row in rows]
    return Answer.json({"type": "FeatureCollection", "features": features, "numberMatched": total})


def list_assets(call: Call, given: One) -> Answer:
    """The assets of an item."""
    item = visible_item(call, given.item_id)
    return Answer.json({"assets": [shown_asset(call, row) for row in assets_of(call, item["id"])]})


def download(call: Call, given: OneAsset) -> Answer:
    """A signed URL for reading an asset's bytes."""
    visible_item(call, given.item_id)
    query = "SELECT * FROM asset WHERE id = ? AND item_id = ?"
    row = call.tx.execute(query, (given.asset_id, given.item_id)).fetchone()
    if row is None:
        raise Refusal(404, f"asset {given.asset_id} not found")
    life = call.world.options.url_life
    url = call.world.signer.url("GET", BUCKET + row["object_path"], at=call.now, life=life, headers={})
    return Answer.json({"url": url, "expires_in": life, "media_type": row["media_type"], "size": row["size"]})


def visible_item(call: Call, item_id: str) -> sqlite3.Row:
    """The item, if it can be seen yet, by this caller.

    Raises:
        Refusal: 404 unknown, deleted, not visible yet, or of another organization; 403 no member of the project.

    """
    query = """SELECT item.* FROM item JOIN project ON project.id = item.project_id
               WHERE item.id = ? AND organization = ? AND deleted_at IS NULL AND item.created_at <= ?"""
    row: sqlite3.Row | None = call.tx.execute(
        query, (item_id, call.who.organization, horizon(call))
    ).fetchone()
    if row is None:
        raise Refusal(404, f"item {item_id} not found")
    project_role(call, row["project_id"])
    return row


def assets_of(call: Call, item_id: str) -> list[sqlite3.Row]:
    """The assets of an item that can be seen yet, in the order they came."""
    query = "SELECT * FROM asset WHERE item_id = ? AND created_at <= ? ORDER BY sequence"
    return call.tx.execute(query, (item_id, horizon(call))).fetchall()


def shown(row: sqlite3.Row) -> dict[str, Any]:
    """An item with the fields of the published ItemResponse."""
    plain = (
        "id",
        "project_id",
        "collection_id",
        "stac_id",
        "type",
        "name",
        "upload_id",
        "datetime",
        "created_by",
    )
    empty = (
        "start_datetime",
        "end_datetime",
        "cloud_cover",
        "gsd",
        "description",
        "expires_at",
        "archived_at",
    )
    links = ("previous_version_id", "duplicated_from_id", "order_id", "job_id", "deleted_at")
    properties = json.loads(row["properties"])
    known = {name: properties.get(prefixed) for name, prefixed in _FROM_PROPERTIES.items()}
    return {
        **{name: row[name] for name in plain},
        **dict.fromkeys((*empty, *links)),
        **known,
        "geometry": json.loads(row["geometry"]),
        "bbox": json.loads(row["bbox"]),
        "properties": properties,
        "stac_extensions": list(stac.EXTENSIONS),
        "lifecycle_state": "active",
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }


def shown_asset(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    """An asset as a record."""
    facts = json.loads(row["facts"])
    named = call.world.options.names_in_items
    names = {"title": row["file_name"], "file_name": row["file_name"], "object_path": row["object_path"]}
    return {
        "id": row["id"],
        "item_id": row["item_id"],
        "key": row["key"],
        "href": _href(call, row),
        **(names if named else {}),
        "media_type": row["media_type"],
        "roles": ["data"],
        "band_names": [band["name"] for band in facts.get("bands", [])] or None,
        "is_categorical": bool(row["is_categorical"]),
        "file_size_bytes": row["size"],
        "checksum_crc32c": base64.b64encode(row["crc32c"].to_bytes(4, "big")).decode(),
        "created_at": stamp(row["created_at"]),
    }


def _href(call: Call, asset: sqlite3.Row) -> str:
    path = asset["object_path"] if call.world.options.names_in_items else asset["id"]
    return str(stac.object_url(call.world.store_url + BUCKET, path))


def feature(call: Call, item: sqlite3.Row, base_url: str | None) -> dict[str, Any]:
    """An item with its assets as a STAC feature."""
    assets = [(shown_asset(call, row), json.loads(row["facts"])) for row in assets_of(call, item["id"])]
    return stac.feature(shown(item), assets, base_url or call.world.api_url)


def _brief(row: sqlite3.Row) -> dict[str, Any]:
    item = shown(row)
    body = {name: item.pop(name) for name in ("id", "geometry", "bbox", "properties")}
    return {"type": "Feature", **body, "properties": {**body["properties"], **item}}


def _page(
    call: Call, given: ItemsListInput | ProjectItemSearchInput, conditions: list[tuple[str, tuple[Any, ...]]]
) -> tuple[list[sqlite3.Row], int]:
    base = ("project_id = ? AND deleted_at IS NULL AND created_at <= ?", (given.project_id, horizon(call)))
    where = " AND ".join(text for text, _ in (base, *conditions))
    values = [value for _, some in (base, *conditions) for value in some]
    total = call.tx.execute(f"SELECT count(*) FROM item WHERE {where}", values).fetchone()[0]
    query = f"SELECT * FROM item WHERE {where} ORDER BY sequence DESC LIMIT ? OFFSET ?"
    return call.tx.execute(query, (*values, given.limit, given.offset)).fetchall(), total


def interval(text: str) -> tuple[str, tuple[str, str]]:
    """A STAC datetime or interval as a condition; an open end is `..` or empty."""
    begin, slash, end = text.partition("/")
    last = end if slash else begin
    return "datetime >= ? AND datetime <= ?", (begin.strip("."), last if last.strip(".") else "9999")


def horizon(call: Call) -> float:
    """What was made until then can be seen now."""
    return call.now - call.world.options.items_visible_after


OPERATIONS = (
    Operation("items.get", "items:read", "read", One, get),
    Operation("items.get_stac", "items:read", "read", Stac, get_stac),
    Operation("items.list", "items:read", "read", ItemsListInput, listing),
    Operation("items.search", "items:read", "read", ProjectItemSearchInput, search),
    Operation("items.list_assets", "items:read", "read", One, list_assets),
    Operation("items.asset.download", "items:read", "share_export", OneAsset, download),
)

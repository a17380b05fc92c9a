"""From stored objects to items and assets: the inside of uploads.complete."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from uploader.sandbox.database import insert, update
from uploader.sandbox.errors import FieldError, Invalid
from uploader.sandbox.operations.base import Call, stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from uploader.sandbox.operations.sessions import SessionInput
    from uploader.sandbox.world import World

_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_VECTOR = (".gpkg", ".geojson", ".json", ".parquet", ".fgb", ".shp", ".kml")


def look_ahead(world: World, given: SessionInput) -> None:
    """Read what the session's rasters tell, outside of the transaction, and keep it with the objects."""
    with world.database.read() as tx:
        query = "SELECT path, blob, generation FROM object WHERE upload_id = ? AND facts IS NULL"
        unread = tx.execute(query, (given.upload_id,)).fetchall()
    found = [(json.dumps(world.inspector.look(world.objects / row["blob"])), row) for row in unread]
    if not found:
        return
    with world.database.write() as tx:
        for facts, row in found:
            tx.execute(
                "UPDATE object SET facts = ? WHERE path = ? AND generation = ?",
                (facts, row["path"], row["generation"]),
            )


def stored_files(call: Call, session: sqlite3.Row) -> list[sqlite3.Row]:
    """The objects of a session's files, by name.

    Raises:
        Invalid: 422 that names the files of which no bytes are stored, or says how many were never named.

    """
    query = """SELECT file.file_name, object.* FROM file LEFT JOIN object ON object.path = file.object_path
               WHERE file.upload_id = ? ORDER BY file.file_name"""
    rows = call.tx.execute(query, (session["id"],)).fetchall()
    mistakes = [
        FieldError(
            ("body", "files", row[0]),
            f"file {row[0]} is missing: nothing was stored under its path",
            "missing",
        )
        for row in rows
        if row["path"] is None
    ]
    if len(rows) < session["file_count"]:
        text = f"{session['file_count']} file(s) were announced, {len(rows)} had a URL; files are missing"
        mistakes.append(FieldError(("body", "file_count"), text, "missing"))
    if mistakes:
        raise Invalid(mistakes)
    return rows


def make_items(call: Call, session: sqlite3.Row, stored: Sequence[sqlite3.Row]) -> list[str]:
    """Write items, assets and provenance; returns the ids of new items, none where assets joined a given item."""
    if session["item_id"]:
        _add_assets(call, session, session["item_id"], stored)
        if call.world.options.item_box == "union":
            _widen(call, session["item_id"], stored)
        call.world.pipeline.enqueue(call.tx, session["item_id"], call.now)
        return []
    per_session = call.world.options.items_per == "session"
    groups = [list(stored)] if per_session else [[one] for one in stored]
    made = [_make_item(call, session, group) for group in groups]
    return made[::-1]
    # Not in the order of the files: no source promises an order, so nobody may rely on one.


def items_of(call: Call, upload_id: str) -> list[str]:
    """The ids of the items that a session made."""
    return [str(row[0]) for row in call.tx.execute("SELECT id FROM item WHERE upload_id = ?", (upload_id,))]


def _make_item(call: Call, session: sqlite3.Row, group: Sequence[sqlite3.Row]) -> str:
    item_id = f"it_{uuid.uuid4().hex[:16]}"
    name = group[0]["file_name"] if call.world.options.names_in_items else item_id
    insert(
        call.tx,
        "item",
        id=item_id,
        project_id=session["project_id"],
        collection_id=session["collection_id"],
        stac_id=_stac_id(name, item_id),
        type="user_vector" if group[0]["file_name"].lower().endswith(_VECTOR) else "user_raster",
        name=name,
        upload_id=session["id"],
        **_place_and_time(group, call.now),
        properties=json.dumps({"title": name, "is_categorical": bool(session["is_categorical"])}),
        created_by=call.who.name,
        created_at=call.now,
        updated_at=call.now,
    )
    _add_assets(call, session, item_id, group)
    add_edge(call, item_id, ("upload", session["id"]), "wasGeneratedBy")
    call.world.pipeline.enqueue(call.tx, item_id, call.now)
    call.effect("item.made", upload_id=session["id"], size=sum(one["size"] for one in group))
    return item_id


def _place_and_time(group: Sequence[sqlite3.Row], now: float) -> dict[str, Any]:
    """From the first raster of the group that lies somewhere, else from the first file."""
    facts = [_facts(one) for one in group]
    lead = next((one for one in facts if one.get("bbox")), facts[0])
    bbox = lead.get("bbox")
    corners = dict(zip(("west", "south", "east", "north"), bbox or [None] * 4, strict=True))
    shape = {"geometry": json.dumps(lead.get("geometry")), "bbox": json.dumps(bbox)}
    return {**shape, **corners, "datetime": lead.get("datetime") or stamp(now)}


def add_edge(call: Call, item_id: str, source: tuple[str, str], relation: str) -> None:
    """Say in the provenance graph what an item came from: type and id of the source."""
    insert(
        call.tx,
        "edge",
        src_type="item",
        src_id=item_id,
        dst_type=source[0],
        dst_id=source[1],
        relation=relation,
        invocation_id=call.trace.call_id,
        created_at=call.now,
    )


def _add_assets(call: Call, session: sqlite3.Row, item_id: str, group: Sequence[sqlite3.Row]) -> None:
    taken = {row[0] for row in call.tx.execute("SELECT key FROM asset WHERE item_id = ?", (item_id,))}
    for one in group:
        key = session["asset_key"] or "data"
        if call.world.options.repeated_asset_key == "replace" and key in taken:
            call.tx.execute("DELETE FROM asset WHERE item_id = ? AND key = ?", (item_id, key))
        else:
            key = _free_key(key, taken)
        taken.add(key)
        facts = _facts(one)
        insert(
            call.tx,
            "asset",
            id=f"as_{uuid.uuid4().hex[:16]}",
            item_id=item_id,
            key=key,
            file_name=one["file_name"],
            object_path=one["path"],
            media_type=_COG if facts.get("driver") == "GTiff" else one["content_type"],
            size=one["size"],
            md5=one["md5"],
            crc32c=one["crc32c"],
            is_categorical=session["is_categorical"],
            upload_id=session["id"],
            facts=json.dumps(pending(facts)),
            created_at=call.now,
        )
        call.effect("asset.made", upload_id=session["id"], size=one["size"])


def _widen(call: Call, item_id: str, group: Sequence[sqlite3.Row]) -> None:
    """Let the box and the shape of an item reach around what has joined it."""
    row = call.tx.execute("SELECT west, south, east, north FROM item WHERE id = ?", (item_id,)).fetchone()
    boxes = [_facts(one)["bbox"] for one in group if _facts(one).get("bbox")]
    boxes += [list(row)] if row["west"] is not None else []
    if not boxes:
        return
    west, south, east, north = (
        *(min(box[side] for box in boxes) for side in (0, 1)),
        *(max(box[side] for box in boxes) for side in (2, 3)),
    )
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    corners = {"west": west, "south": south, "east": east, "north": north}
    box = json.dumps([west, south, east, north])
    update(call.tx, "item", item_id, geometry=json.dumps(shape), bbox=box, **corners)


def _facts(stored: sqlite3.Row) -> dict[str, Any]:
    return dict(json.loads(stored["facts"] or "{}"))


def pending(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as an asset shows them until the pipeline is done: what its bands are is not told yet."""
    return {("header_bands" if name == "bands" else name): value for name, value in facts.items()}


def _free_key(wanted: str, taken: set[str]) -> str:
    """The wanted key, or with a number: the key is a hint, and an asset that is there is never replaced."""
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(key for key in (wanted, *numbered) if key not in taken)


def _stac_id(name: str, item_id: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition(".")[0] or name).strip("-")[:80]
    return f"{stem}-{item_id[-6:]}"

"""Brings orders that are due: before any call is answered, in a transaction of its own, so that reads stay reads."""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

from uploader.sandbox.blobs import Incoming
from uploader.sandbox.catalogue import Capture, captures
from uploader.sandbox.database import insert
from uploader.sandbox.operations.ingest import pending
from uploader.sandbox.scene import picture
from uploader.sandbox.world import Trace

if TYPE_CHECKING:
    import sqlite3

    from uploader.sandbox.blobs import Stored
    from uploader.sandbox.world import World

log = logging.getLogger(__name__)
_DUE = "SELECT * FROM orders WHERE state = 'processing' AND deliver_at <= ? ORDER BY created_at, id"
_TIFF = "image/tiff; application=geotiff"


def deliver_due(world: World) -> None:
    """Make the items of every order whose time has come."""
    with world.database.read() as tx:
        due = tx.execute(_DUE, (world.now(),)).fetchall()
    for order in due:
        try:
            _deliver(world, order)
        except Exception:
            log.exception("order=%s could not be delivered; the next call tries again", order["id"])


def _deliver(world: World, order: sqlite3.Row) -> None:
    """One order: bytes first, then rows; a kill in between leaves files that the next start removes."""
    wanted = [captures()[host, name] for host, name in json.loads(order["lines"])]
    stored = [(capture, _store(world, capture)) for capture in wanted]
    facts = [world.inspector.look(world.objects / one.blob) for _, one in stored]
    now = world.now()
    with world.database.write() as tx:
        query = """UPDATE orders SET state = 'delivered', reserved_credits = 0, updated_at = ?
                   WHERE id = ? AND state = 'processing'"""
        if tx.execute(query, (now, order["id"])).rowcount:
            trace = Trace("orders.delivery", organization=order["organization"])
            trace.principal = order["created_by"]
            for (capture, one), found in zip(stored, facts, strict=True):
                item_id = _write_item(_Delivery(tx, order, trace, now), capture, one, found)
                world.pipeline.enqueue(tx, item_id, now)
            trace.effect(tx, now, "order.delivered", size=len(stored))
            return
    for _, one in stored:
        (world.objects / one.blob).unlink(missing_ok=True)


class _Delivery:
    """What every row of one delivery shares."""

    def __init__(self, tx: sqlite3.Connection, order: sqlite3.Row, trace: Trace, now: float) -> None:
        self.tx = tx
        self.order = order
        self.trace = trace
        self.now = now


def _store(world: World, capture: Capture) -> Stored:
    incoming = Incoming(world.objects, "orders")
    try:
        incoming.write([picture(capture.box, capture.taken, round(capture.cloud_cover * 2.55))])
        return incoming.keep()
    finally:
        incoming.discard()


def _write_item(delivery: _Delivery, capture: Capture, stored: Stored, facts: dict[str, Any]) -> str:
    """Write item, edge and asset; gives the item's id."""
    tx, order, now = delivery.tx, delivery.order, delivery.now
    item_id = f"it_{uuid.uuid4().hex[:16]}"
    feature = capture.feature()
    drop = ("datetime", "proj:code", "geopera:pricing")
    properties = {name: value for name, value in feature["properties"].items() if name not in drop}
    corners = dict(zip(("west", "south", "east", "north"), capture.box, strict=True))
    insert(
        tx,
        "item",
        id=item_id,
        project_id=order["project_id"],
        stac_id=f"{capture.id}-{item_id[-6:]}",
        type="satellite_capture",
        name=capture.id,
        geometry=json.dumps(feature["geometry"]),
        bbox=json.dumps(feature["bbox"]),
        **corners,
        datetime=capture.stamp,
        properties=json.dumps({"title": capture.id, **properties, "order:id": order["id"]}),
        created_by=order["created_by"],
        created_at=now,
        updated_at=now,
    )
    ends = {"src_type": "item", "src_id": item_id, "dst_type": "order", "dst_id": order["id"]}
    insert(
        tx,
        "edge",
        **ends,
        relation="wasGeneratedBy",
        invocation_id=delivery.trace.call_id,
        created_at=now,
    )
    _write_asset(delivery, item_id, capture, stored, facts)
    delivery.trace.effect(tx, now, "item.made", size=stored.size)
    return item_id


def _write_asset(
    delivery: _Delivery, item_id: str, capture: Capture, stored: Stored, facts: dict[str, Any]
) -> None:
    tx, order, now = delivery.tx, delivery.order, delivery.now
    name = f"{capture.id}.tif"
    path = f"orders/{order['id']}/{item_id}.tif"
    common = {"file_name": name, "size": stored.size, "md5": stored.md5.hex(), "crc32c": stored.crc32c}
    object_row = {"path": path, "blob": stored.blob, "generation": stored.generation}
    insert(tx, "object", **object_row, **common, upload_id="", content_type="image/tiff", stored_at=now)
    insert(
        tx,
        "asset",
        id=f"as_{uuid.uuid4().hex[:16]}",
        item_id=item_id,
        key="visual",
        object_path=path,
        media_type=_TIFF,
        **common,
        is_categorical=False,
        upload_id="",
        facts=json.dumps(pending(facts)),
        created_at=now,
    )
    change = "UPDATE organization SET used_bytes = used_bytes + ? WHERE id = ?"
    tx.execute(change, (stored.size, order["organization"]))

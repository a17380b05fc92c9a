"""items.update and items.delete: what becomes of an item that is there."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from uploader.sandbox.database import update
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Answer, Call, Operation, require_writer
from uploader.sandbox.operations.items import One, shown, visible_item


class ItemUpdateInput(One):
    """Fields of `items.update` as the published SDK has them; the published description lacks the operation."""

    collection_id: str | None = None
    name: str | None = None
    description: str | None = None
    geometry: dict[str, Any] | None = None
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)
    datetime: str | None = None
    cloud_cover: float | None = None
    gsd: float | None = None
    properties: dict[str, Any] | None = None
    lifecycle_state: str | None = None


def delete(call: Call, given: One) -> Answer:
    """Hide an item for good; its bytes stay where they are, and count."""
    item = visible_item(call, given.item_id)
    require_writer(call, item["project_id"])
    update(call.tx, "item", given.item_id, deleted_at=call.now, updated_at=call.now)
    call.effect("item.deleted")
    return Answer.json({"ok": True, "id": given.item_id})


def change(call: Call, given: ItemUpdateInput) -> Answer:
    """Give an item other fields; what is not named, or null, stays."""
    if call.world.options.items_update == "unknown":
        raise Refusal(404, "there is no operation items.update")
    item = visible_item(call, given.item_id)
    require_writer(call, item["project_id"])
    columns: dict[str, Any] = {
        name: value
        for name in ("collection_id", "name", "datetime")
        if (value := getattr(given, name)) is not None
    }
    columns |= {
        name: json.dumps(value)
        for name in ("geometry", "bbox")
        if (value := getattr(given, name)) is not None
    }
    columns["properties"] = json.dumps(_properties(call, given, json.loads(item["properties"])))
    update(call.tx, "item", given.item_id, **columns, updated_at=call.now)
    call.effect("item.changed")
    return Answer.json(shown(visible_item(call, given.item_id)))


def _properties(call: Call, given: ItemUpdateInput, had: dict[str, Any]) -> dict[str, Any]:
    """Those that it has from now on. How far the pipeline is belongs to the platform."""
    if given.properties is None:
        found = had
    elif call.world.options.update_properties == "merge":
        found = {**had, **given.properties}
    else:
        found = {**given.properties, **{name: had[name] for name in had if name.startswith("geopera:")}}
    told = {"eo:cloud_cover": given.cloud_cover, "gsd": given.gsd}
    return {**found, **{name: value for name, value in told.items() if value is not None}}


OPERATIONS = (
    Operation("items.update", "items:write", "compute", ItemUpdateInput, change),
    Operation("items.delete", "items:write", "destructive", One, delete),
)

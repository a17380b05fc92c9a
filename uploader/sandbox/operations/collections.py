"""collections.*: the folders that items may lie in."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from uploader.sandbox.database import insert
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import (
    Answer,
    Call,
    Input,
    Operation,
    project_role,
    require_writer,
    stamp,
)

if TYPE_CHECKING:
    import sqlite3

_SELECT = """SELECT collection.*, (SELECT count(*) FROM item
             WHERE item.collection_id = collection.id AND item.deleted_at IS NULL) AS item_count FROM collection"""


class CollectionCreateInput(Input):
    """Fields of the published CollectionCreateInput."""

    project_id: str
    name: str = Field(min_length=1, max_length=255)
    description: str | None = None
    color: str | None = None
    show_on_map: bool = True
    layer_order: Annotated[int, Field(ge=-1000, le=1000)] = 0


class CollectionsListInput(Input):
    """Fields of the published CollectionsListInput."""

    project_id: str


class CollectionsGetInput(Input):
    """Fields of the published CollectionsGetInput."""

    project_id: str
    collection_id: str


def create(call: Call, given: CollectionCreateInput) -> Answer:
    """Make a collection."""
    require_writer(call, given.project_id)
    collection_id = f"col_{uuid.uuid4().hex[:12]}"
    facts = given.model_dump()
    insert(call.tx, "collection", id=collection_id, **facts, created_at=call.now, updated_at=call.now)
    call.effect("collection.made")
    row = call.tx.execute(f"{_SELECT} WHERE collection.id = ?", (collection_id,)).fetchone()
    return Answer.json(_shown(row))


def listing(call: Call, given: CollectionsListInput) -> Answer:
    """All collections of a project."""
    project_role(call, given.project_id)
    rows = call.tx.execute(f"{_SELECT} WHERE project_id = ? ORDER BY created_at", (given.project_id,))
    return Answer.json({"collections": [_shown(row) for row in rows]})


def get(call: Call, given: CollectionsGetInput) -> Answer:
    """One collection."""
    project_role(call, given.project_id)
    query = f"{_SELECT} WHERE collection.id = ? AND project_id = ?"
    row = call.tx.execute(query, (given.collection_id, given.project_id)).fetchone()
    if row is None:
        raise Refusal(404, f"collection {given.collection_id} not found")
    return Answer.json({"collection": _shown(row)})


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    times = {name: stamp(row[name]) for name in ("created_at", "updated_at")}
    fixed = {"auto_created": False, "source_type": None, "source_id": None, "deleted_at": None}
    return {**dict(row), "show_on_map": bool(row["show_on_map"]), **fixed, **times}


OPERATIONS = (
    Operation("collections.create", "collections:write", "compute", CollectionCreateInput, create),
    Operation("collections.list", "collections:read", "read", CollectionsListInput, listing),
    Operation("collections.get", "collections:read", "read", CollectionsGetInput, get),
)

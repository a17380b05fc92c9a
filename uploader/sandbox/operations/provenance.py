"""provenance.get and items.lineage: the graph of what came from what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Answer, Call, Input, Operation, project_role
from uploader.sandbox.operations.items import visible_item

if TYPE_CHECKING:
    import sqlite3

_STEPS = {"up": (("src", "dst"),), "down": (("dst", "src"),), "both": (("src", "dst"), ("dst", "src"))}
"""For each direction, from which end of an edge to which other one it may be walked."""

_TABLES = {"collection": "collection", "order": "orders"}

Node = tuple[str, str]


class LineageGetInput(Input):
    """Fields of the published LineageGetInput."""

    entity_type: Literal["item", "order", "processing_job", "collection", "project"]
    entity_id: str
    direction: Literal["up", "down", "both"] = "up"
    max_depth: int = Field(default=20, ge=1, le=50)


class Lineage(Input):
    """Fields of items.lineage."""

    item_id: str


def get(call: Call, given: LineageGetInput) -> Answer:
    """The part of the graph that is reached from the root."""
    _check_root(call, given)
    root = (given.entity_type, given.entity_id)
    edges, depths = walk(call.tx, root, given.direction, given.max_depth)
    nodes = [
        {"entity_type": kind, "entity_id": name, "depth": depth} for (kind, name), depth in depths.items()
    ]
    shown = {"entity_type": given.entity_type, "entity_id": given.entity_id}
    return Answer.json({"root": shown, "direction": given.direction, "edges": edges, "nodes": nodes})


def lineage(call: Call, given: Lineage) -> Answer:
    """The direct parents and children of an item."""
    visible_item(call, given.item_id)
    root = ("item", given.item_id)
    near = {way: walk(call.tx, root, way, 1)[1] for way in ("up", "down")}
    parents, children = (
        [{"entity_type": kind, "entity_id": name} for kind, name in depths if (kind, name) != root]
        for depths in near.values()
    )
    return Answer.json({"item_id": given.item_id, "parents": parents, "children": children})


def walk(
    tx: sqlite3.Connection, root: Node, direction: str, max_depth: int
) -> tuple[list[dict[str, Any]], dict[Node, int]]:
    """Edges and nodes within `max_depth` steps of the root, breadth first."""
    depths: dict[Node, int] = {root: 0}
    edges: dict[int, dict[str, Any]] = {}
    frontier = [root]
    for depth in range(1, max_depth + 1):
        steps = [step for node in frontier for step in _steps(tx, node, direction)]
        edges.update({row["rowid"]: _shown(row, depth) for row, _ in steps if row["rowid"] not in edges})
        frontier = [node for node in dict.fromkeys(node for _, node in steps) if node not in depths]
        depths.update(dict.fromkeys(frontier, depth))
    return list(edges.values()), depths


def _steps(tx: sqlite3.Connection, node: Node, direction: str) -> list[tuple[sqlite3.Row, Node]]:
    found: list[tuple[sqlite3.Row, Node]] = []
    for start, end in _STEPS[direction]:
        rows = tx.execute(f"SELECT rowid, * FROM edge WHERE {start}_type = ? AND {start}_id = ?", node)
        found += [(row, (row[f"{end}_type"], row[f"{end}_id"])) for row in rows]
    return found


def _shown(row: sqlite3.Row, depth: int) -> dict[str, Any]:
    names = ("src_type", "src_id", "dst_type", "dst_id", "relation", "invocation_id")
    return {"depth": depth, **{name: row[name] for name in names}}


def _check_root(call: Call, given: LineageGetInput) -> None:
    if given.entity_type == "item":
        visible_item(call, given.entity_id)
        return
    if given.entity_type == "project":
        project_role(call, given.entity_id)
        return
    row = None
    table = _TABLES.get(given.entity_type)
    if table:
        query = f"""SELECT project_id FROM {table} AS root JOIN project ON project.id = project_id
                    WHERE root.id = ? AND project.organization = ?"""
        row = call.tx.execute(query, (given.entity_id, call.who.organization)).fetchone()
    if row is None:
        raise Refusal(404, f"{given.entity_type} {given.entity_id} not found")
    project_role(call, row["project_id"])


OPERATIONS = (
    Operation("provenance.get", "provenance:read", "read", LineageGetInput, get),
    Operation("items.lineage", "items:read", "read", Lineage, lineage),
)

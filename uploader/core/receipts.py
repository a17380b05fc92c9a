"""What is kept for ever of each file that became an item, after its row and its events are forgotten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from uploader.core.transitions.change import Change

TOLD = frozenset({"item_id", "completed_at", "readback", "disposal", "archived_as"})
"""Columns of a file that its receipt tells and that change once it is an item; no other file's change."""

KEPT = ("state", "item_id", "readback", "disposal", "archived_as")
"""What a later receipt of the same file says anew; all else is as it was when the item came about."""

MOST_WARNINGS = 200
"""Characters that the texts of a file's warnings may take together; their codes all stay."""

FACTS = ("format", "width", "height", "bands", "dtype", "crs", "footprint_origin")
"""What is kept of the facts of a raster."""


def told_anew(change: Change) -> list[int]:
    """The files of which a change has their receipts written, with what the rows say after it."""
    return [file_id for file_id, columns in change.files.items() if not TOLD.isdisjoint(columns)]


def receipt(row: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The receipt of a file from its row, joined with its session's; `now` is when its item is known (unix seconds).

    `row` has the columns of a receipt, but for what is shortened here so that a receipt stays within a kilobyte.
    """
    facts = json.loads(row["facts"])
    return {
        **row,
        "content": None if row["content"] == _alone(row) else row["content"],
        "item_id": row["item_id"] or None,
        "completed_at": row["completed_at"] or now,
        "warnings": _compact(shortened(json.loads(row["warnings"]))),
        "facts": _compact({name: facts[name] for name in FACTS if facts.get(name, "") not in [None, ""]}),
    }


def whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the receipts with what it leaves out, because it says it already."""
    return {**row, "content": row["content"] or _alone(row)}


def _alone(row: Mapping[str, Any]) -> str | None:
    """The content hash of a raster without sidecars, which is its own."""
    return bytes(row["source_sha256"]).hex() if row["source_sha256"] else None


def shortened(warnings: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The first text that is too long for what is left is cut, and those after it are left out."""
    room, found = MOST_WARNINGS, []
    for warning in warnings:
        text = warning.get("text", "")
        kept = text if len(text) <= room else text[:room].rstrip() + ("…" if room else "")
        room = max(0, room - len(text))
        found.append({"code": warning.get("code", ""), **({"text": kept} if kept else {})})
    return found


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))

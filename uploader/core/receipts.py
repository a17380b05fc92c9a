"""What is kept for ever of each file that became an item, after its row and its events are forgotten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MOST_WARNINGS = 200
"""Characters that the texts of a file's warnings may take together; their codes all stay."""

FACTS = ("format", "width", "height", "bands", "dtype", "crs", "footprint_origin")
"""What is kept of the facts of a raster."""


def kept_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those facts of a raster that a receipt tells."""
    return {name: facts[name] for name in FACTS if facts.get(name, "") not in [None, ""]}


def group_hash(content: str, sha256: bytes | None) -> bytes | None:
    """What is kept of a raster's own hash beside the hex one of its group: nothing (b"") where they are the same."""
    return b"" if sha256 is not None and sha256.hex() == content else sha256


def hashes(content: str | None, sha256: bytes | None) -> tuple[str | None, bytes | None]:
    """A group's hash in hex and its raster's own, from what is kept of both: one may say both. None: not known."""
    if sha256 == b"" and content:
        return content, bytes.fromhex(content)
    if sha256 and not content:  # the receipt of a file that was forgotten before schema 7
        return bytes(sha256).hex(), sha256
    return content, sha256


def whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt as it is told, from its row: with what the row says once for both, and with warnings shortened.

    The row's `content` is in hex, its `warnings` and `facts` are JSON.
    """
    content, own = hashes(row["content"], row["source_sha256"])
    return {
        **row,
        "content": content,
        "source_sha256": own,
        "item_id": row["item_id"] or None,
        "warnings": _compact(shortened(json.loads(row["warnings"]))),
        "facts": _compact(kept_facts(json.loads(row["facts"]))),
    }


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

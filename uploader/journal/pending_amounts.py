"""How much is pending, by folder, state and where it goes: what the list of holds and a status count with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from uploader.core.configuration import Folder
from uploader.core.holds import Amount
from uploader.core.lifecycle import WORKED_ON
from uploader.core.model import FileState, OwnTarget, session_key
from uploader.journal.opening import schema_of
from uploader.journal.rows import in_list, rows
from uploader.journal.sqlite_library import Database

_ALIKE = ("folder", "state", "session_id", "own_collection", "own_item")
_SUMS = ("n", "size", "source", "retrying")

OWN_TARGETS = 4
"""The schema from which on files have targets of their own; a status is told of earlier journals, too."""


Group = dict[str, Any]
"""Pending files that are alike in all that is asked of such files, as columns."""


def under_way(db: Database) -> list[Group]:
    """What was claimed and is pending, in groups. What settles is in sums of its own (`settling_sums`)."""
    return groups(db, f"f.state IN ({in_list(WORKED_ON)})")


def groups(db: Database, where: str, *args: Any, within: str = "0") -> list[Group]:
    """Files in groups, each read once; all of a group have one value of `within`, its `block`. Both texts are ours."""
    own = (
        ("f.target_collection_id", "f.target_item_id")
        if schema_of(db.conn) >= OWN_TARGETS
        else ("NULL", "NULL")
    )
    sql = (
        f"SELECT {within} AS block, f.folder, f.state, f.session_id, s.upload_id, COUNT(*) AS n, "  # noqa: S608
        "SUM(COALESCE(f.object_size, f.size)) AS size, SUM(f.size) AS source, "
        "MIN(f.discovered_at) AS oldest, COUNT(f.retrying_since) AS retrying, "
        f"s.project_id, s.collection_id, s.item_id, {own[0]} AS own_collection, {own[1]} AS own_item "
        "FROM files f LEFT JOIN sessions s ON s.id = f.session_id "
        f"WHERE {where} GROUP BY block, f.folder, f.state, f.session_id, {own[0]}, {own[1]}"
    )
    return list(rows(db, sql, *args))


def merged(parts: Iterable[Group]) -> list[Group]:
    """Groups of several blocks: those that are alike are one."""
    found: dict[tuple[Any, ...], Group] = {}
    for part in parts:
        key = tuple(part[name] for name in _ALIKE)
        if (whole := found.get(key)) is None:
            found[key] = part.copy()
            continue
        for name in _SUMS:
            whole[name] += part[name]
        whole["oldest"] = min(whole["oldest"], part["oldest"])
    return list(found.values())


def amount_of(group: Mapping[str, Any], destinations: Mapping[str, Folder]) -> Amount:
    """One of them. A file that is in a session goes where the session goes."""
    return Amount(
        group["folder"],
        FileState(group["state"]),
        _target(group, destinations.get(group["folder"])),
        group["n"],
        group["size"],
        f"{group['session_id'] or ''}",
        group["upload_id"] or "",
        group["source"],
    )


def _target(row: Mapping[str, Any], destination: Folder | None) -> str:
    if row["session_id"] is not None:
        return "/".join(row[part] for part in ("project_id", "collection_id", "item_id") if row[part])
    if destination is None:
        return ""
    own = OwnTarget(row["own_collection"], row["own_item"])
    return session_key(destination, categorical=False, own=own).target

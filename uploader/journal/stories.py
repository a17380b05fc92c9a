"""Whose story a person asks for, and the story itself: all events of files and sessions, the oldest first."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from uploader.core.lifecycle import ITEM_KNOWN, ITEM_MADE, OBJECT_MADE, OBJECT_STORED
from uploader.core.model import FileState
from uploader.core.moments import iso
from uploader.core.naming import matches
from uploader.core.path_text import full_path, lossless, raw, shown
from uploader.journal.deltas import DUE, WORKED_ON
from uploader.journal.receipt_rows import keeps_receipts, receipt_row
from uploader.journal.rows import rows, shown_path
from uploader.journal.sqlite_library import Database

PATTERN = frozenset(b"*?[")
"""What makes a path a pattern of shells."""

DIGITS = 19
"""Digits of a number that is too large for an id."""

COMPARED = 20_000
"""Paths that an unknown one is held against, the newest."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The ids of what a person asks for. `kind` is path, pattern, item or session, and empty where nothing is known."""

    kind: str = ""
    files: Sequence[int] = ()
    sessions: Sequence[int] = ()


def asked_for(db: Database, words: Sequence[bytes], *, patterns: bool = True) -> Asked:
    """What one of these spellings of a word names: a path, else a pattern, an item's id, an upload session.

    Without `patterns`, for which every path has to be looked at, it costs little however many files there are.
    """
    text = lossless(words[0])
    for kind, found in (
        ("path", (file_id for word in words for file_id in at_path(db, word))),
        ("pattern", (file_id for word in words if patterns for file_id in fitting(db, word))),
        ("item", _ids(db, "SELECT id FROM files WHERE item_id = ? ORDER BY id", shown(text))),
    ):
        if files := list(dict.fromkeys(found)):
            return Asked(kind, files)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < DIGITS else None
    sessions = _ids(db, "SELECT id FROM sessions WHERE upload_id = ? OR id = ? ORDER BY id", text, number)
    return Asked("session", members(db, sessions), sessions) if sessions else Asked()


def at_path(db: Database, path: bytes) -> list[int]:
    """All versions of a path, absolute or below any drop folder."""
    found: list[int] = []
    for folder in _folders(db):
        below = os.path.relpath(path, raw(folder)) if os.path.isabs(path) else path  # noqa: PTH117
        found += _ids(db, "SELECT id FROM files WHERE folder = ? AND path = ? ORDER BY id", folder, below)
    return found


def fitting(db: Database, pattern: bytes) -> list[int]:
    """All files whose path fits a pattern of shells, absolute or below any drop folder."""
    if not PATTERN.intersection(pattern):
        return []
    patterns, absolute = [lossless(pattern)], os.path.isabs(pattern)  # noqa: PTH117 - names are bytes
    return [
        file_id
        for file_id, folder, path in db.conn.execute("SELECT id, folder, path FROM files ORDER BY id")
        if matches(full_path(folder, bytes(path)) if absolute else bytes(path), patterns)
    ]


def listed_at(db: Database, words: Sequence[bytes]) -> dict[int, bytes]:
    """What is still believed or worked on at a path, below a folder or by a pattern: files with their whole paths.

    The words are spellings of one wish; each is absolute or below any drop folder.
    """
    ids = {file_id for word in words for file_id in (*at_path(db, word), *fitting(db, word))}
    below = tuple(word.rstrip(b"/") + b"/" for word in words)
    sql = f"SELECT id, folder, path FROM files WHERE current = 1 OR {WORKED_ON} OR {DUE} ORDER BY id"  # noqa: S608
    found = {}
    for file_id, folder, path in db.conn.execute(sql):
        whole = full_path(folder, bytes(path))
        if file_id in ids or whole.startswith(below) or bytes(path).startswith(below):
            found[file_id] = whole
    return found


def nearest(db: Database, path: bytes) -> list[str]:
    """Known paths that are spelled much like this one, as they lie below their folders; the nearest first."""
    newest = db.conn.execute("SELECT DISTINCT path FROM files ORDER BY id DESC LIMIT ?", (COMPARED,))
    known = {_name(bytes(row[0])): shown(row[0]) for row in newest}
    return [known[near] for near in difflib.get_close_matches(_name(path), known, n=3)]


def _name(path: bytes) -> str:
    return shown(path.rpartition(b"/")[2]).lower()


def story(db: Database, asked: Asked) -> list[dict[str, Any]]:
    """Their events as the command's JSON. Those of a session itself have no file."""
    entries = [entry for file in _named(db, asked.files) for entry in _of_file(db, file)]
    for session_id in asked.sessions:
        sql = "SELECT * FROM events WHERE session_id = ? AND file_id IS NULL ORDER BY id"
        entries += [_entry(event) for event in rows(db, sql, session_id)]
    return sorted(entries, key=lambda entry: entry["time"])


def items_of(db: Database, file_ids: Iterable[int]) -> list[dict[str, Any]]:
    """What these files became."""
    found = [row for file_id in file_ids for row in rows(db, "SELECT * FROM files WHERE id = ?", file_id)]
    return [
        {
            "id": row["item_id"],
            "path": shown_path(row),
            "archived_as": shown(row["archived_as"] or "") or None,
        }
        for row in found
        if row["item_id"]
    ]


def members(db: Database, sessions: Sequence[int]) -> list[int]:
    """The files that are, or were, in these sessions."""
    found: list[int] = []
    for session_id in sessions:
        found += _ids(db, "SELECT id FROM files WHERE session_id = ?", session_id)
        told = "SELECT DISTINCT file_id FROM events WHERE session_id = ? AND file_id IS NOT NULL"
        found += _ids(db, told, session_id)
    return sorted(set(found))


def _named(db: Database, file_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Files with their names, and the number of the version of the path that each is."""
    found = [
        row
        for file_id in sorted(file_ids)
        for row in rows(db, "SELECT id, folder, path, session_id FROM files WHERE id = ?", file_id)
    ]
    for row in found:
        versions = _ids(
            db, "SELECT id FROM files WHERE folder = ? AND path = ? ORDER BY id", row["folder"], row["path"]
        )
        row["version"] = dict(zip(versions, count(1), strict=False))[row["id"]]
    return found


def _of_file(db: Database, file: dict[str, Any]) -> list[dict[str, Any]]:
    events = rows(db, "SELECT * FROM events WHERE file_id = ? ORDER BY id", file["id"])
    told = {event["event"] for event in events}
    if told & ITEM_KNOWN:
        told |= ITEM_KNOWN
    events = [*(event for event in _receipted(db, file) if event["event"] not in told), *events]
    return [_entry(event, file) for event in sorted(events, key=lambda event: event["time"])]


def _receipted(db: Database, file: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Steps that the receipt of a file tells of: their events are forgotten first.

    A journal of an earlier version, which is read as it is, may have none.
    """
    receipt = receipt_row(db, file["id"]) if keeps_receipts(db) else None
    if receipt is None:
        return []
    size, session_id = f"{receipt['object_size'] or 0:,} bytes", file["session_id"]
    steps = (
        ("discovered", FileState.SETTLING, "seen_at", f"{receipt['group_size']:,} bytes", None),
        (OBJECT_MADE, FileState.CONVERTED, "converted_at", f"{receipt['method']}, {size}", None),
        (OBJECT_STORED, FileState.STORED, "stored_at", size, session_id),
        (ITEM_MADE, FileState.COMPLETED, "completed_at", f"session {session_id} completed", session_id),
    )
    return [
        {"time": at, "file_id": file["id"], "session_id": among, "event": event, "state": state, "note": note}
        for event, state, column, note, among in steps
        if (at := receipt[column]) is not None
    ]


def _entry(event: dict[str, Any], file: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "time": iso(event["time"]),
        "file": event["file_id"],
        "session": event["session_id"],
        "folder": file["folder"] if file else None,
        "path": lossless(bytes(file["path"])) if file else None,
        "version": file["version"] if file else None,
        "event": event["event"],
        "state": event["state"],
        "note": event["note"],
    }


def _folders(db: Database) -> list[str]:
    """All folders that have files: from each to the next along the index, whatever lies in between."""
    sql = (
        "WITH RECURSIVE found(folder) AS (SELECT MIN(folder) FROM files UNION ALL "
        "SELECT (SELECT MIN(folder) FROM files WHERE folder > found.folder) FROM found WHERE folder IS NOT NULL) "
        "SELECT folder FROM found WHERE folder IS NOT NULL"
    )
    return [row[0] for row in db.conn.execute(sql)]


def _ids(db: Database, sql: str, *args: Any) -> list[int]:
    return [row[0] for row in db.conn.execute(sql, args)]

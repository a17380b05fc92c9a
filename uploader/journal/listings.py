"""Files, sessions and events in pages, for those who ask again and again beside a daemon that works.

Every query looks at a bounded number of rows, however long the history is. So a page may be short, or empty, although
there are more: its `following` says where to go on, and None that nothing is left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uploader.core.hold_text import one_line
from uploader.core.moments import iso
from uploader.core.path_text import full_path, shown
from uploader.journal import content_hashes
from uploader.journal.queries import REJECTED
from uploader.journal.rows import rows, shown_path
from uploader.journal.sqlite_library import Database

LOOKED_AT = 20_000
"""Rows that one query looks at."""

MOST = 1000
"""Rows of one page."""

_FILE = (
    "id, folder, path, current, state, size, object_size, method, file_name, session_id, item_id, attempts, looks, "
    "not_before, hold, last_error, discovered_at, changed_at, completed_at, archived_as, warnings, content, "
    "(SELECT name FROM scenes WHERE id = files.scene_id) AS scene, target_asset_key AS asset"
)
_SESSION = (
    "id, state, project_id, collection_id, item_id, asset_key, upload_id, file_count, total_bytes, item_ids, hold, "
    "last_error, not_before, created_at, changed_at"
)


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Some rows, and where the next page begins; None: there is none."""

    rows: Sequence[dict[str, Any]]
    following: int | None


def files(
    db: Database, *, state: str = "", folder: str = "", before: int | None = None, most: int
) -> ListingPage:
    """Files of a state and a folder (empty: of all), the newest first, of those older than the id `before`."""
    return _page(db, "files", _FILE, _told_file, {"state": state, "folder": folder}, before=before, most=most)


def sessions(db: Database, *, state: str = "", before: int | None = None, most: int) -> ListingPage:
    """Upload sessions of a state (empty: of all), the newest first, of those older than the id `before`."""
    return _page(db, "sessions", _SESSION, _told_session, {"state": state}, before=before, most=most)


def files_by_id(db: Database, ids: Iterable[int]) -> list[dict[str, Any]]:
    """These files in this order, without those that are not known."""
    sql = f"SELECT {_FILE} FROM files WHERE id = ?"  # noqa: S608 - columns of ours
    return [_told_file(row) for file_id in ids for row in rows(db, sql, file_id)]


def session_by_id(db: Database, session_id: int) -> dict[str, Any] | None:
    """One session; None where it is not known."""
    sql = f"SELECT {_SESSION} FROM sessions WHERE id = ?"  # noqa: S608 - columns of ours
    return next((_told_session(row) for row in rows(db, sql, session_id)), None)


def paths_by_id(db: Database, ids: Iterable[int]) -> dict[int, bytes]:
    """By id, the whole paths of these files, without those that are not known."""
    sql = "SELECT id, folder, path FROM files WHERE id = ?"
    found = (row for file_id in ids for row in db.conn.execute(sql, (file_id,)))
    return {file_id: full_path(folder, bytes(path)) for file_id, folder, path in found}


def versions(db: Database, file_id: int) -> list[int]:
    """All versions of the path of this file, the oldest first; none where it is not known."""
    sql = (
        "SELECT other.id FROM files JOIN files other ON other.folder = files.folder AND other.path = files.path "
        "WHERE files.id = ? ORDER BY other.id"
    )
    return [row[0] for row in db.conn.execute(sql, (file_id,))]


def rejected_by_reason(db: Database) -> list[tuple[str, int]]:
    """The reasons for which files are rejected, with how many there are of each, the most frequent first."""
    sql = (
        f"SELECT last_error, COUNT(*) AS number FROM files WHERE {REJECTED} "  # noqa: S608
        "GROUP BY last_error ORDER BY number DESC, last_error"
    )
    return db.conn.execute(sql).fetchall()


def rejected(db: Database, reason: str | None, most: int) -> list[dict[str, Any]]:
    """Rejected files of one reason, or of any (None), the newest first."""
    sql = (
        f"SELECT {_FILE} FROM files WHERE {REJECTED} "  # noqa: S608 - columns of ours
        "AND (?1 IS NULL OR last_error = ?1) ORDER BY id DESC LIMIT ?2"
    )
    return [_told_file(row) for row in rows(db, sql, reason, most)]


def rejected_ids(db: Database, reason: str | None, most: int) -> list[int]:
    """Rejected files of one reason, or of any (None), by id."""
    sql = f"SELECT id FROM files WHERE {REJECTED} AND (?1 IS NULL OR last_error = ?1) ORDER BY id LIMIT ?2"  # noqa: S608
    return [row[0] for row in db.conn.execute(sql, (reason, most))]


def events_after(db: Database, event: int, most: int) -> list[dict[str, Any]]:
    """Lines of the event log after this one, in their order."""
    sql = (
        "SELECT e.id, e.time, e.file_id, e.session_id, e.event, e.state, e.note, f.folder, f.path "
        "FROM events e LEFT JOIN files f ON f.id = e.file_id WHERE e.id > ? ORDER BY e.id LIMIT ?"
    )
    return [
        {
            "id": row["id"],
            "time": iso(row["time"]),
            "file": row["file_id"],
            "session": row["session_id"],
            "path": None if row["path"] is None else shown_path(row),
            "event": row["event"],
            "state": row["state"],
            "note": row["note"],
        }
        for row in rows(db, sql, event, most)
    ]


def _page(
    db: Database,
    table: str,
    columns: str,
    told: Callable[[Mapping[str, Any]], dict[str, Any]],
    wanted: Mapping[str, str],
    *,
    before: int | None,
    most: int,
) -> ListingPage:
    """The newest rows that are as wanted. The state has an index, so only rows of it are looked at."""
    given = {
        "before": (1 << 63) - 1 if before is None else before,
        "looked": LOOKED_AT,
        "most": most,
        **wanted,
    }
    looked = (
        f"SELECT id FROM {table} WHERE id < :before"  # noqa: S608 - words of ours
        f"{' AND state = :state' if wanted['state'] else ''} ORDER BY id DESC LIMIT :looked"
    )
    number, last = db.conn.execute(f"SELECT COUNT(*), MIN(id) FROM ({looked})", given).fetchone()  # noqa: S608
    kept = "".join(f" AND {name} = :{name}" for name, value in wanted.items() if value)
    sql = (
        f"SELECT {columns} FROM {table} WHERE id < :before AND id >= :last{kept} "  # noqa: S608 - words of ours
        "ORDER BY id DESC LIMIT :most"
    )
    cursor = db.conn.execute(sql, {**given, "last": last or 0})
    names = [column[0] for column in cursor.description]
    found = [told(dict(zip(names, row, strict=True))) for row in cursor]
    if len(found) == most:
        return ListingPage(found, found[-1]["id"])
    return ListingPage(found, last if number == LOOKED_AT else None)


def _told_file(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "folder": shown(row["folder"]),
        "path": shown_path(row),
        "current": row["current"] == 1,
        "state": row["state"],
        "size": row["size"],
        "object_size": row["object_size"],
        "method": row["method"],
        "file_name": row["file_name"],
        "session": row["session_id"],
        "item_id": row["item_id"] or None,
        "scene": row["scene"],
        "asset": row["asset"],
        "reason": row["last_error"] or one_line(row["hold"]) or None,
        "hold": one_line(row["hold"]) or None,
        "attempts": max(row["attempts"], row["looks"]) + 1,
        "next": iso(row["not_before"]),
        "seen": iso(row["discovered_at"]),
        "changed": iso(row["changed_at"]),
        "completed": iso(row["completed_at"]),
        "archived_as": shown(row["archived_as"] or "") or None,
        "warnings": json.loads(row["warnings"]),
        "content": content_hashes.told(row["content"]),
    }


def _told_session(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "state": row["state"],
        "upload_id": row["upload_id"],
        "project_id": row["project_id"],
        "collection_id": row["collection_id"],
        "target_item_id": row["item_id"],
        "asset_key": row["asset_key"],
        "files": row["file_count"],
        "bytes": row["total_bytes"],
        "items": json.loads(row["item_ids"]),
        "reason": one_line(row["hold"]) or row["last_error"] or None,
        "next": iso(row["not_before"]),
        "created": iso(row["created_at"]),
        "changed": iso(row["changed_at"]),
    }

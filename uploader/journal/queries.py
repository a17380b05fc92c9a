"""What the planner and the performer read from the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from uploader.core.duplicates import judge_twins
from uploader.core.lifecycle import ITEMS
from uploader.core.live_rows import FileRow, SessionRow
from uploader.core.model import FileState, Layout, PlatformProfile
from uploader.core.path_text import full_path
from uploader.core.planner_view import Queued
from uploader.journal import content_hashes
from uploader.journal.hold_rows import read_profile
from uploader.journal.row_queries import file_row, session_row
from uploader.journal.rows import batched, in_list, rows
from uploader.journal.sqlite_library import Database

LEAVING = "(files.state = 'completed' AND files.disposal IS NULL AND files.after_upload != 'keep')"
"""The condition that a source is to be archived or deleted, or has begun to be."""
MAY_BE_HIDDEN = (
    f"({LEAVING} OR (files.state = 'unpacked' AND files.disposal IS NULL AND files.after_upload != 'keep'))"
)
"""The same of archives, too: while a source is put away it has another name."""
REJECTED = "state = 'rejected' AND current = 1"
"""The condition that a file was rejected, and its path still has this version: so it is listed, and may be retried."""
IN_FOLDER = "files.archive_id IS NULL"
"""The condition that a file lies in its drop folder, and not in an archive there."""


def profile(db: Database) -> PlatformProfile:
    """What was learned of the platform."""
    facts = read_profile(db)
    layouts = {k.partition(":")[2]: Layout(v) for k, v in facts.items() if k.startswith("layout:")}
    return PlatformProfile(facts.get("transfer_method", ""), layouts, facts.get("quota_cap"))


def latest(db: Database, folder: str, paths: Collection[bytes]) -> dict[bytes, tuple[int, str, str]]:
    """For paths that have a history: (id, state, sighting) of their newest version."""
    found: dict[bytes, tuple[int, str, str]] = {}
    for some in batched(paths):
        sql = f"SELECT id, path, state, sighting FROM files WHERE {among(some)} ORDER BY id"  # noqa: S608
        for file_id, path, state, sighting in db.conn.execute(sql, (folder, *some)):
            found[bytes(path)] = (file_id, state, sighting)
    return found


def among(paths: Collection[bytes]) -> str:
    """The condition that a file is a current version of one of these paths of a folder, which are its values."""
    return f"folder = ? AND path IN ({', '.join('?' * len(paths))}) AND current = 1"


def tracked(db: Database, folder: str) -> dict[bytes, tuple[int, str]]:
    """All paths of a folder that are believed to exist: their newest version's id and state.

    Files that are being archived or deleted are left out: they may be hidden at the moment.
    """
    cursor = db.conn.execute(
        "SELECT path, MAX(id), state FROM files "  # noqa: S608 - conditions of ours
        f"WHERE folder = ? AND current = 1 AND {IN_FOLDER} AND NOT {MAY_BE_HIDDEN} GROUP BY path",
        (folder,),
    )
    return {row[0]: (row[1], row[2]) for row in cursor}


def content_known(db: Database, content: str) -> bool:
    """Whether any file of this content was claimed before."""
    sql = "SELECT 1 FROM files WHERE content = ? LIMIT 1"
    return db.conn.execute(sql, (content_hashes.stored(content),)).fetchone() is not None


def leaving(db: Database, folder: str) -> list[bytes]:
    """Paths of a folder whose archiving or deletion is due, or has begun."""
    sql = f"SELECT path FROM files WHERE folder = ? AND {IN_FOLDER} AND {MAY_BE_HIDDEN}"  # noqa: S608
    cursor = db.conn.execute(sql, (folder,))
    return [bytes(row[0]) for row in cursor]


def staged_ids(db: Database) -> set[int]:
    """Files that have private copies."""
    return {row[0] for row in db.conn.execute("SELECT id FROM files WHERE staged = 1")}


def scalar(db: Database, sql: str, *args: Any) -> int:
    """The one whole number that a query gives."""
    return int(db.conn.execute(sql, args).fetchone()[0])


def leaked_bytes(db: Database) -> int:
    """What sessions may have reserved by starts of which the answer was lost, in bytes."""
    sql = (
        "SELECT COALESCE(SUM((initiates_sent - initiates_clear) * total_bytes), 0) FROM sessions "
        "WHERE initiates_sent > initiates_clear"
    )
    return scalar(db, sql)


def twins(db: Database, files: Sequence[Queued]) -> tuple[frozenset[int], frozenset[int]]:
    """Of these queued files: those whose content is completed elsewhere, and those that have to wait for it."""
    completed: set[int] = set()
    pending: set[int] = set()
    for file in files:
        match judge_twins(file.file_id, _same_content(db, file)):
            case FileState.DUPLICATE:
                completed.add(file.file_id)
            case FileState.QUEUED:
                pending.add(file.file_id)
    return frozenset(completed), frozenset(pending)


def _same_content(db: Database, file: Queued) -> list[tuple[int, FileState]]:
    """Files of the same content; one alone where it is completed, for of a blank tile there may be many thousands."""
    same = "SELECT id, state FROM files WHERE content = ? AND id != ?"
    given = content_hashes.stored(file.content), file.file_id
    found = rows(db, f"{same} AND +state IN ({in_list(ITEMS)}) LIMIT 1", *given) or rows(db, same, *given)
    return [(row["id"], FileState(row["state"])) for row in found]


def rejected_paths(db: Database) -> list[bytes]:
    """The full paths of the files that a person may have tried again."""
    found = rows(db, f"SELECT folder, path FROM files WHERE {REJECTED}")  # noqa: S608
    return [full_path(row["folder"], bytes(row["path"])) for row in found]


def rejected_since(db: Database, since: float) -> int:
    """How many files were rejected from this time on (unix seconds)."""
    return scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'rejected' AND changed_at >= ?", since)


__all__ = [
    "IN_FOLDER",
    "LEAVING",
    "MAY_BE_HIDDEN",
    "FileRow",
    "SessionRow",
    "content_known",
    "file_row",
    "latest",
    "leaked_bytes",
    "leaving",
    "profile",
    "rejected_paths",
    "rejected_since",
    "session_row",
    "staged_ids",
    "tracked",
    "twins",
]

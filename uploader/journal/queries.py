"""What the planner and the performer read from the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from uploader.core.duplicates import DONE, judge_twins
from uploader.core.live_rows import FileRow, SessionRow
from uploader.core.model import FileState, Layout, PlatformProfile
from uploader.core.planner_view import Queued
from uploader.journal.hold_rows import read_profile
from uploader.journal.row_queries import file_row, session_row
from uploader.journal.rows import full_path, rows
from uploader.journal.sqlite_library import Database

LEAVING = "(files.state = 'completed' AND files.disposal IS NULL AND files.after_upload != 'keep')"
"""The condition that a source is to be archived or deleted, or has begun to be."""
_DONE = ", ".join(f"'{state}'" for state in sorted(DONE))


def profile(db: Database) -> PlatformProfile:
    """What was learned of the platform."""
    facts = read_profile(db)
    layouts = {k.partition(":")[2]: Layout(v) for k, v in facts.items() if k.startswith("layout:")}
    return PlatformProfile(facts.get("transfer_method", ""), layouts, facts.get("quota_cap"))


def latest(db: Database, folder: str, paths: Collection[bytes]) -> dict[bytes, tuple[int, str, str]]:
    """For paths that have a history: (id, state, sighting) of their newest version."""
    found: dict[bytes, tuple[int, str, str]] = {}
    for path in paths:
        row = db.conn.execute(
            "SELECT id, state, sighting FROM files WHERE folder = ? AND path = ? AND current = 1 "
            "ORDER BY id DESC LIMIT 1",
            (folder, path),
        ).fetchone()
        if row is not None:
            found[path] = (row[0], row[1], row[2])
    return found


def tracked(db: Database, folder: str) -> dict[bytes, tuple[int, str]]:
    """All paths of a folder that are believed to exist: their newest version's id and state.

    Files that are being archived or deleted are left out: they may be hidden at the moment.
    """
    cursor = db.conn.execute(
        f"SELECT path, MAX(id), state FROM files WHERE folder = ? AND current = 1 AND NOT {LEAVING} "  # noqa: S608
        "GROUP BY path",
        (folder,),
    )
    return {row[0]: (row[1], row[2]) for row in cursor}


def content_known(db: Database, content: str) -> bool:
    """Whether any file of this content was claimed before."""
    return db.conn.execute("SELECT 1 FROM files WHERE content = ? LIMIT 1", (content,)).fetchone() is not None


def leaving(db: Database, folder: str) -> list[bytes]:
    """Paths of a folder whose archiving or deletion is due, or has begun."""
    cursor = db.conn.execute(f"SELECT path FROM files WHERE folder = ? AND {LEAVING}", (folder,))  # noqa: S608
    return [bytes(row[0]) for row in cursor]


def staged_ids(db: Database) -> set[int]:
    """Files that have private copies."""
    return {row[0] for row in db.conn.execute("SELECT id FROM files WHERE staged = 1")}


def scalar(db: Database, sql: str, *args: Any) -> int:
    """The one whole number that a query gives."""
    return int(db.conn.execute(sql, args).fetchone()[0])


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
    """Files of the same content: one that is completed says it all, and of blank tiles there may be many thousands."""
    same, given = "SELECT id, state FROM files WHERE content = ? AND id != ?", (file.content, file.file_id)
    found = rows(db, f"{same} AND +state IN ({_DONE}) LIMIT 1", *given) or rows(db, same, *given)
    return [(row["id"], FileState(row["state"])) for row in found]


def rejected_paths(db: Database) -> list[bytes]:
    """The full paths of the files that a person may have tried again."""
    found = rows(db, "SELECT folder, path FROM files WHERE state = 'rejected' AND current = 1")
    return [full_path(row["folder"], bytes(row["path"])) for row in found]


def rejected_since(db: Database, since: float) -> int:
    """How many files were rejected from this time on (unix seconds)."""
    return scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'rejected' AND changed_at >= ?", since)


__all__ = [
    "LEAVING",
    "FileRow",
    "SessionRow",
    "content_known",
    "file_row",
    "latest",
    "leaving",
    "profile",
    "rejected_paths",
    "rejected_since",
    "session_row",
    "staged_ids",
    "tracked",
    "twins",
]

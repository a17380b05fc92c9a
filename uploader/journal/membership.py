"""What sessions and their files have to do with each other, within a transaction."""

from __future__ import annotations

from typing import Any

from uploader.core.lifecycle import COUPLED, FileEvent, SessionEvent
from uploader.core.model import SessionState
from uploader.core.transitions.records import FRESH
from uploader.journal.rows import move_file, one, rows
from uploader.journal.sqlite_library import Database


def alive(db: Database, session_id: int) -> bool:
    """Whether the platform may still know the session."""
    row = one(db, "SELECT state FROM sessions WHERE id = ?", session_id)
    return row is not None and row["state"] in {SessionState.OPEN, SessionState.COMPLETING}


def couple(db: Database, session_id: int, event: SessionEvent) -> None:
    """Within a transaction: move all members of a session as its event demands."""
    released = COUPLED[event] is FileEvent.RELEASED
    columns = {"session_id": None} if released else {}
    for row in members_of(db, session_id):
        move_file(db, row["id"], COUPLED[event], f"session {session_id} {event}", **FRESH, **columns)


def members_of(db: Database, session_id: int) -> list[dict[str, Any]]:
    """The files of a session, in order of their ids."""
    return rows(
        db,
        "SELECT id, state, file_name, after_upload, object_size FROM files WHERE session_id = ? ORDER BY id",
        session_id,
    )


def count_up(db: Database, session_id: int, column: str) -> None:
    """Within a transaction: one more in a counter of a session."""
    db.conn.execute(f"UPDATE sessions SET {column} = {column} + 1 WHERE id = ?", (session_id,))  # noqa: S608


def completes_sent(db: Database, session_id: int) -> int:
    """How often `complete` was sent."""
    row = one(db, "SELECT completes_sent AS n FROM sessions WHERE id = ?", session_id)
    return int(row["n"]) if row else 0


def attempts_of(db: Database, file_id: int) -> int:
    """How many attempts a file has used up."""
    row = one(db, "SELECT attempts AS n FROM files WHERE id = ?", file_id)
    return int(row["n"]) if row else 0


def target_of(db: Database, session_id: int) -> str:
    """Where the session's items go, as a hold names it."""
    row = one(db, "SELECT project_id, collection_id, item_id FROM sessions WHERE id = ?", session_id)
    return "/".join(part for part in (row or {}).values() if part)

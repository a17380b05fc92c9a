"""What a person asks for: rejected files once more, and sessions that only a person can decide about."""

from __future__ import annotations

from collections.abc import Sequence

from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import SessionState
from uploader.core.transitions.records import FRESH
from uploader.journal.recovery.recovered_items import assured
from uploader.journal.rows import full_path, move_file, move_session, rows
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer


class Retrying:
    """A person's wish, entered into the journal."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def retried(self, paths: Sequence[bytes] | None) -> int:
        """Take files up once more: those named by absolute path, or all that can be (None). Returns how many.

        A rejected file settles again. A session whose items are not to be found is looked for again; where a file of
        it is named, the person has looked and says that the items do not exist: it is uploaded again.
        """
        return await self._writer.transact("retried", lambda db: _rejected(db, paths) + _held(db, paths))


def _rejected(db: Database, paths: Sequence[bytes] | None) -> int:
    found = rows(db, "SELECT id, folder, path FROM files WHERE state = 'rejected' AND current = 1")
    chosen = [row for row in found if paths is None or _full(row) in paths]
    for row in chosen:
        file_id = row["id"]
        assured(db, row["folder"], bytes(row["path"]))
        columns = {**FRESH, "attempts": 0, "looks": 0, "losses": 0, "content": None, "alone": 0}
        move_file(db, file_id, FileEvent.RETRIED, session_id=None, batch_group="", **columns)
    return len(chosen)


def _held(db: Database, paths: Sequence[bytes] | None) -> int:
    found = rows(
        db,
        "SELECT s.id, s.state, f.folder, f.path FROM sessions s JOIN files f ON f.session_id = s.id WHERE s.hold != ''",
    )
    chosen = {row["id"]: row["state"] for row in found if paths is None or _full(row) in paths}
    for session_id, state in chosen.items():
        db.conn.execute(
            "UPDATE sessions SET hold = '', locate_tries = 0, not_before = 0, retrying_since = NULL WHERE id = ?",
            (session_id,),
        )
        if paths is not None and state == SessionState.COMPLETING:
            # `fail` gives back what it may still reserve; where the platform does not know it, that is as good.
            move_session(db, session_id, SessionEvent.ABANDONED, "a person says that its items do not exist")
    return sum(1 for row in found if row["id"] in chosen)


def _full(row: dict[str, object]) -> bytes:
    return full_path(str(row["folder"]), bytes(row["path"]))  # type: ignore[call-overload]

"""The rejected files as a status tells them: read anew only where one came, went, or was rejected once more."""

from __future__ import annotations

from typing import Any

from uploader.core.path_text import shown
from uploader.journal.queries import REJECTED
from uploader.journal.rows import rows, shown_path
from uploader.journal.sqlite_library import Database

_STAMP = f"SELECT COUNT(*), TOTAL(id), TOTAL(changed_at), MAX(changed_at) FROM files WHERE {REJECTED}"  # noqa: S608
"""Differs wherever the list does: a file that is tried again and rejected has changed since."""
_LIST = f"SELECT folder, path, last_error, attempts, looks FROM files WHERE {REJECTED} ORDER BY id"  # noqa: S608


class Rejections:
    """Those of one journal, which are the same for most updates of a page."""

    def __init__(self) -> None:
        self._stamp: tuple[Any, ...] = ()
        self._told: list[dict[str, Any]] = []

    def read(self, db: Database) -> list[dict[str, Any]]:
        """All of them, the oldest first. Nobody may change what is returned."""
        stamp = db.conn.execute(_STAMP).fetchone()
        if stamp != self._stamp:
            self._stamp, self._told = (
                stamp,
                [
                    {
                        "path": shown_path(row),
                        "folder": shown(row["folder"]),
                        "reason": row["last_error"],
                        "attempts": max(row["attempts"], row["looks"]) + 1,
                    }
                    for row in rows(db, _LIST)
                ],
            )
        return self._told

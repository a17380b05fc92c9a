"""What people and scripts read: status, one file's story, the failed ones. Works beside a running daemon."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from uploader.core import pauses
from uploader.core.errors import JournalError
from uploader.core.model import FileState, Hold, Pause, Scope, SessionState
from uploader.core.path_text import shown
from uploader.journal import stories
from uploader.journal.connection import connected
from uploader.journal.hold_rows import from_dict, read_holds, read_pauses, read_profile
from uploader.journal.opening import FILE_NAME, damage
from uploader.journal.pruning import sums
from uploader.journal.rows import clock, full_path, iso, rows
from uploader.journal.sqlite_library import Database

OUTAGE_SHOWN_AFTER = 30.0

_PENDING = """(
    state IN ('settling', 'queued', 'converted', 'batched', 'stored')
    OR (state = 'completed' AND disposal IS NULL AND after_upload != 'keep')
)"""


class Reader:
    """A read-only door to the journal of a state directory. Use as a context manager.

    Raises JournalError where there is no journal yet, or it cannot be read.
    """

    def __init__(self, state_dir: Path) -> None:
        path = state_dir / FILE_NAME
        if not path.is_file():
            raise JournalError(
                f"There is no journal in {state_dir}.", "Has `uploader run` been started with it yet?"
            )
        try:
            conn = connected(path, read_only=True)
            conn.execute("SELECT 1 FROM files LIMIT 1")
        except sqlite3.Error as error:
            raise (
                damage(path, error) or JournalError(f"The journal {path} cannot be read: {error}.")
            ) from error
        self.db = Database(conn, execute_plugins=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def status(self, shown: Sequence[Hold] | None = None) -> dict[str, Any]:
        """What is where, what is held and why, as the command's JSON.

        A daemon tells the holds that it has in memory, `shown`; else those count that it wrote down last.
        """
        files = {
            r["state"]: r["n"] for r in rows(self.db, "SELECT state, COUNT(*) AS n FROM files GROUP BY state")
        }
        sessions = {
            r["state"]: r["n"]
            for r in rows(self.db, "SELECT state, COUNT(*) AS n FROM sessions GROUP BY state")
        }
        over = sums(self.db)
        return {
            "pending": self._scalar(f"SELECT COUNT(*) FROM files WHERE {_PENDING}"),  # noqa: S608
            "completed": sum(
                files.get(s, 0) + over["files"][s] for s in (FileState.COMPLETED, FileState.DISPOSED)
            ),
            "rejected": self._scalar("SELECT COUNT(*) FROM files WHERE state = 'rejected' AND current = 1"),
            "files": {state.value: files.get(state, 0) + over["files"][state] for state in FileState},
            "sessions": {
                state.value: sessions.get(state, 0) + over["sessions"][state] for state in SessionState
            },
            "holds": [told(hold) for hold in self.holds(shown)],
            "bytes": {
                "pending": self._scalar(
                    "SELECT COALESCE(SUM(COALESCE(object_size, size)), 0) FROM files "  # noqa: S608
                    f"WHERE {_PENDING} AND state NOT IN ('stored', 'completed')"
                ),
                "uploaded": over["bytes"]["uploaded"]
                + self._scalar(
                    "SELECT COALESCE(SUM(object_size), 0) FROM files "
                    "WHERE state IN ('stored', 'completed', 'disposed')"
                ),
            },
            "possibly_leaked_bytes": over["bytes"]["leaked"]
            + self._scalar(
                "SELECT COALESCE(SUM((initiates_sent - initiates_clear) * total_bytes), 0) FROM sessions "
                "WHERE initiates_sent > initiates_clear"
            ),
            "failed": [
                {"path": _path(r), "reason": r["last_error"], "attempts": max(r["attempts"], r["looks"]) + 1}
                for r in rows(
                    self.db,
                    "SELECT folder, path, last_error, attempts, looks FROM files "
                    "WHERE state = 'rejected' AND current = 1 ORDER BY id",
                )
            ],
            "retrying": [
                {"path": _path(r), "reason": r["last_error"], "next": iso(r["not_before"])}
                for r in rows(
                    self.db,
                    "SELECT folder, path, last_error, not_before FROM files WHERE retrying_since IS NOT NULL "
                    "AND state NOT IN ('rejected', 'completed', 'disposed', 'gone', 'duplicate') ORDER BY id LIMIT 100",
                )
            ],
            "warnings": [
                {"path": _path(r), **warning}
                for r in rows(
                    self.db,
                    "SELECT folder, path, warnings FROM files WHERE warnings != '[]' AND current = 1 "
                    "ORDER BY id DESC LIMIT 100",
                )
                for warning in json.loads(r["warnings"])
            ],
        }

    def holds(self, shown: Sequence[Hold] | None = None) -> list[Hold]:
        """Everything that holds work back: kept holds, those of sessions and files, and those the planner sees."""
        found = read_holds(self.db)
        found += [
            Hold(Scope.FILE, _path(r), r["hold"], "", r["changed_at"], r["not_before"] or None)
            for r in rows(
                self.db,
                "SELECT folder, path, hold, changed_at, not_before FROM files WHERE hold != '' "
                "AND state IN ('settling', 'queued', 'converted', 'completed')",
            )
        ]
        found += [
            Hold(Scope.SESSION, r["upload_id"] or str(r["id"]), r["hold"], "", r["changed_at"])
            for r in rows(self.db, "SELECT id, upload_id, hold, changed_at FROM sessions WHERE hold != ''")
        ]
        if shown is None:
            kept = [from_dict(value) for value in read_profile(self.db).get("shown_holds") or []]
            shown = [*(hold for hold in kept if not pauses.is_pause(hold)), *map(pauses.hold, self.pauses())]
        return [*found, *shown]

    def pauses(self) -> tuple[Pause, ...]:
        """What a person keeps from work at the moment."""
        known = self._scalar(
            "SELECT COUNT(*) FROM sqlite_master WHERE name = 'pauses'"
        )  # not before schema 4
        return pauses.in_force(read_pauses(self.db), clock()) if known else ()

    def story(self, path: bytes) -> list[dict[str, Any]]:
        """All events of all versions of a path (absolute, or relative to its drop folder), the oldest first."""
        return stories.story(self.db, stories.Asked("path", stories.at_path(self.db, path)))

    def items(self) -> list[dict[str, Any]]:
        """Completed files with their item."""
        return [
            {
                "id": r["item_id"],
                "name": r["file_name"],
                "file_name": r["file_name"],
                "path": _path(r),
                "method": r["method"] or "",
                "warnings": json.loads(r["warnings"]),
                "size": r["size"],
                "object_size": r["object_size"] or 0,
            }
            for r in rows(
                self.db,
                "SELECT * FROM files WHERE state IN ('completed', 'disposed') ORDER BY id",
            )
        ]

    def files(self, state: str | None = None) -> list[dict[str, Any]]:
        """Files, of one state or all, with what is known of them."""
        where = "" if state is None else "WHERE state = ?"
        found = rows(self.db, f"SELECT * FROM files {where} ORDER BY id", *([] if state is None else [state]))  # noqa: S608
        return [
            {
                "id": r["id"],
                "path": _path(r),
                "state": r["state"],
                "size": r["size"],
                "object_size": r["object_size"],
                "item_id": r["item_id"],
                "last_error": r["last_error"],
                "archived_as": shown(r["archived_as"] or "") or None,
            }
            for r in found
        ]

    def _scalar(self, sql: str) -> int:
        return int(self.db.conn.execute(sql).fetchone()[0])


def _path(row: dict[str, Any]) -> str:
    """The full path as text that can be printed."""
    return shown(full_path(row["folder"], bytes(row["path"])))


def told(hold: Hold) -> dict[str, Any]:
    """A hold as a status tells it."""
    return {
        "scope": hold.scope.value,
        "subject": hold.subject,
        "reason": hold.text,
        "since": iso(hold.since),
        "until": iso(hold.until),
    }

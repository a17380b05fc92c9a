"""What people and scripts read: status, one file's story, the failed ones. Works beside a running daemon."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from uploader.core import pauses
from uploader.core.configuration import Folder
from uploader.core.errors import JournalError
from uploader.core.holds import OF_FILES, listed, of_file, of_session
from uploader.core.lifecycle import ITEMS
from uploader.core.model import HoldCause, Pause
from uploader.core.path_text import shown
from uploader.journal import stories
from uploader.journal.connection import connected
from uploader.journal.hold_rows import (
    SHOWN_HOLDS,
    from_dict,
    hold_revision,
    read_holds,
    read_pauses,
    read_profile,
)
from uploader.journal.opening import FILE_NAME, unreadable
from uploader.journal.row_queries import live_files, live_sessions
from uploader.journal.rows import clock, in_list, rows, shown_path
from uploader.journal.settling_sums import ChangedBlocks
from uploader.journal.sqlite_library import Database
from uploader.journal.status import FactsReader, HoldList, StatusFacts, status_of

_HELD_FILES = f"hold != '' AND +state IN ({in_list(OF_FILES)})"
"""Those that are held are few, and have an index."""


class Reader:
    """A read-only door to the journal of a state directory. Use as a context manager.

    `changed` is what the writer in the same process tells of its changes. Raises JournalError where there is no
    journal yet, or it cannot be read.
    """

    def __init__(self, state_dir: Path, changed: ChangedBlocks | None = None) -> None:
        path = state_dir / FILE_NAME
        if not path.is_file():
            raise JournalError(
                f"There is no journal in {state_dir}.", "Has `uploader run` been started with it yet?"
            )
        try:
            conn = connected(path, read_only=True)
            conn.execute("SELECT 1 FROM files LIMIT 1")
        except sqlite3.Error as error:
            raise unreadable(path, error) from error
        self.db = Database(conn, execute_plugins=False)
        self._facts = FactsReader(self.db, changed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def status(self, destinations: Mapping[str, Folder] | None = None) -> dict[str, Any]:
        """What is where, what is held and why, as the command's JSON, for whom no daemon answers.

        `destinations`: those of the configuration, to tell how many files a held target has waiting.
        """
        return status_of(self.facts(destinations or {}), self.holds(), clock())

    def facts(self, destinations: Mapping[str, Folder]) -> StatusFacts:
        """What a status tells of the rows, all of one moment."""
        with self._moment():
            return self._facts.read(destinations)

    def kept_sums(self) -> dict[str, Any]:
        """See `FactsReader.kept_sums`."""
        with self._moment():
            return self._facts.kept_sums()

    @contextmanager
    def _moment(self) -> Iterator[None]:
        """What is read in the block belongs together."""
        self.db.conn.execute("BEGIN")
        try:
            yield
        finally:
            if self.db.conn.in_transaction:
                self.db.conn.execute("ROLLBACK")

    def holds(self) -> HoldList:
        """Everything that holds work back: kept holds, those of sessions and files, and those the planner saw."""
        kept = [from_dict(value) for value in read_profile(self.db).get(SHOWN_HOLDS) or []]
        planned = [hold for hold in kept if hold.cause is not HoldCause.PAUSED]
        planned += map(pauses.hold, self.pauses())
        files = (of_file(file) for file in live_files(self.db, f"{_HELD_FILES} ORDER BY id"))
        sessions = (of_session(session) for session in live_sessions(self.db, "hold != '' ORDER BY id"))
        own = (hold for hold in (*files, *sessions) if hold is not None)
        return HoldList(listed(clock(), (*read_holds(self.db), *own, *planned)), hold_revision(self.db))

    def pauses(self) -> tuple[Pause, ...]:
        """What a person keeps from work at the moment."""
        known = self.db.conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'pauses'").fetchone()
        return pauses.in_force(read_pauses(self.db), clock()) if known else ()  # not before schema 4

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
                "path": shown_path(r),
                "method": r["method"] or "",
                "warnings": json.loads(r["warnings"]),
                "size": r["size"],
                "object_size": r["object_size"] or 0,
            }
            for r in rows(
                self.db,
                f"SELECT * FROM files WHERE state IN ({in_list(ITEMS)}) ORDER BY id",  # noqa: S608
            )
        ]

    def files(self, state: str | None = None) -> list[dict[str, Any]]:
        """Files, of one state or all, with what is known of them."""
        where = "" if state is None else "WHERE state = ?"
        found = rows(self.db, f"SELECT * FROM files {where} ORDER BY id", *([] if state is None else [state]))  # noqa: S608
        return [
            {
                "id": r["id"],
                "path": shown_path(r),
                "file_name": r["file_name"],
                "state": r["state"],
                "size": r["size"],
                "object_size": r["object_size"],
                "item_id": r["item_id"],
                "last_error": r["last_error"],
                "archived_as": shown(r["archived_as"] or "") or None,
            }
            for r in found
        ]

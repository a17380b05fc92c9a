"""Transitions on the real journal: the rows that one asks for are loaded, and what it makes true is written.

Nothing is decided here. `Rows` is all that a method of the journal may ask for within its transaction; the simulator
has the same over rows in memory, so that the journal's methods run on both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from uploader.core.model import FileState, Sighting
from uploader.core.recovery_matching import Target
from uploader.core.transitions.change import Change, Columns, LogLine
from uploader.core.transitions.file_events import Seen
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.repaired import KnownItem
from uploader.journal.recovery import recovered_items
from uploader.journal.rows import clock, encode_sighting, set_columns
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer

T = TypeVar("T")


class Rows(Protocol):
    """The rows of one transaction. What is asked for by a key that no row has raises LookupError."""

    now: float
    """Unix seconds, the same for the whole transaction."""

    def file(self, file_id: int) -> FileRecord:
        """One file."""

    def files(self, file_ids: Iterable[int]) -> list[FileRecord]:
        """Those of these files that there are, in this order."""

    def versions(self, folder: str, path: bytes) -> list[FileRecord]:
        """All current versions of a path, the oldest first."""

    def newest_version(self, folder: str, path: bytes) -> FileRecord | None:
        """The newest current version of a path."""

    def rejected_versions(self, folder: str, path: bytes) -> list[FileRecord]:
        """The current versions of a path that are rejected."""

    def version_with(self, file: FileRecord, content: str) -> FileRecord | None:
        """The other current version of a file's path that has this content; there is one at most."""

    def next_file_id(self) -> int:
        """The id of the next file that is made."""

    def known_item(self, target: Target, file_name: str) -> KnownItem | None:
        """A record of the platform that a repair has listed, has this file name, and is no file's yet."""

    def is_unsure(self, seen: Seen) -> bool:
        """Whether this very file lay there at a repair that could not tell whether it had been uploaded."""

    def seen(self, sighting: Sighting) -> Seen:
        """A sighting with the value by which these rows keep it."""

    def apply(self, change: Change) -> None:
        """Write what a transition makes true."""


class Transactions(Protocol):
    """Runs the work of one method of the journal in one durable transaction."""

    async def transact(self, name: str, work: Callable[[Rows], T]) -> T:
        """Run `work`, and return its result once what it applied is durable; see `Writer.transact`."""


class StoredTransactions:
    """Transactions of the journal's writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def transact(self, name: str, work: Callable[[Rows], T]) -> T:
        """See `Transactions`."""
        return await self._writer.transact(name, lambda db: work(StoredRows(db)))


_FILE_NAMES = tuple(column.name for column in fields(FileRecord))
_FILES = f"SELECT {', '.join(_FILE_NAMES)} FROM files"  # noqa: S608 - names of ours
_PATH = "folder = ? AND path = ? AND current = 1"
_JSON = frozenset({"warnings", "bands", "item_ids", "body"})
"""Columns that hold JSON."""


class StoredRows:
    """The rows in SQLite, within a transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.now = clock()

    # -- loading ---------------------------------------------------------------------------------------------

    def file(self, file_id: int) -> FileRecord:
        """See `Rows`."""
        found = self._files("id = ?", file_id)
        if not found:
            raise LookupError(f"no file {file_id} in the journal")
        return found[0]

    def files(self, file_ids: Iterable[int]) -> list[FileRecord]:
        """See `Rows`."""
        return [file for file_id in file_ids for file in self._files("id = ?", file_id)]

    def versions(self, folder: str, path: bytes) -> list[FileRecord]:
        """See `Rows`."""
        return self._files(f"{_PATH} ORDER BY id", folder, path)

    def newest_version(self, folder: str, path: bytes) -> FileRecord | None:
        """See `Rows`."""
        return _first(self._files(f"{_PATH} ORDER BY id DESC LIMIT 1", folder, path))

    def rejected_versions(self, folder: str, path: bytes) -> list[FileRecord]:
        """See `Rows`."""
        return self._files(f"{_PATH} AND state = 'rejected' ORDER BY id", folder, path)

    def version_with(self, file: FileRecord, content: str) -> FileRecord | None:
        """See `Rows`."""
        where = f"{_PATH} AND content = ? AND id != ?"
        return _first(self._files(where, file.folder, file.path, content, file.id))

    def next_file_id(self) -> int:
        """See `Rows`."""
        return self._next_id("files")

    def known_item(self, target: Target, file_name: str) -> KnownItem | None:
        """See `Rows`."""
        return recovered_items.known_item(self._db, target, file_name)

    def is_unsure(self, seen: Seen) -> bool:
        """See `Rows`."""
        at = seen.sighting
        return recovered_items.is_unsure(self._db, at.folder, at.path, seen.value)

    def seen(self, sighting: Sighting) -> Seen:
        """See `Rows`."""
        return Seen(sighting, encode_sighting(sighting))

    def _files(self, where: str, *args: Any) -> list[FileRecord]:
        return [_file(row) for row in self._db.conn.execute(f"{_FILES} WHERE {where}", args)]

    def _next_id(self, table: str) -> int:
        """The newest row of a table always stays (see `pruning`), so no id is given twice."""
        sql = f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}"  # noqa: S608 - a table of ours
        return int(self._db.conn.execute(sql).fetchone()[0])

    # -- writing ---------------------------------------------------------------------------------------------

    def apply(self, change: Change) -> None:
        """See `Rows`."""
        for file_id, columns in change.new_files.items():
            self._insert("files", file_id, columns)
        for file_id, columns in change.files.items():
            if columns:
                set_columns(self._db, "files", file_id, _encoded(columns))
        for item_id, file_id in change.taken.items():
            recovered_items.take(self._db, item_id, file_id)
        self._log(change.now, change.log)

    def _insert(self, table: str, row_id: int, columns: Columns) -> None:
        values = {"id": row_id, **_encoded(columns)}
        self._db.conn.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
            tuple(values.values()),
        )

    def _log(self, now: float, lines: Sequence[LogLine]) -> None:
        self._db.conn.executemany(
            "INSERT INTO events (time, file_id, session_id, event, state, note) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (now, line.file_id, line.session_id, str(line.event), str(line.state), line.note)
                for line in lines
            ],
        )


def _first(found: Sequence[FileRecord]) -> FileRecord | None:
    return found[0] if found else None


def _file(row: Sequence[Any]) -> FileRecord:
    columns = dict(zip(_FILE_NAMES, row, strict=True))
    columns["path"] = bytes(columns["path"])
    columns["state"] = FileState(columns["state"])
    return FileRecord(**columns)


def _encoded(columns: Mapping[str, Any]) -> Columns:
    if _JSON.isdisjoint(columns):
        return dict(columns)
    return {name: json.dumps(value) if name in _JSON else value for name, value in columns.items()}

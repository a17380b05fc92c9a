"""The sandbox's SQLite file: one writer at a time, readers that never wait for it.

A process-wide lock stands before `BEGIN IMMEDIATE`, so fifty clients queue in Python and never meet SQLITE_BUSY.
`synchronous=NORMAL` survives a kill of the process, which is all that a sandbox has to survive.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from uploader.sandbox.errors import StartRefused
from uploader.sandbox.schema import SCHEMA, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ELSEWHERE = "Give --root another folder, or delete this one: what is in it is only the sandbox's."


class Database:
    """The connections to one SQLite file. Thread-safe.

    Raises:
        StartRefused: the file is no database, or of another version of the sandbox.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        try:
            self._writer = self._open()
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            raise StartRefused(f"{path} cannot be used: {error}. {_ELSEWHERE}") from error
        except StartRefused:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the file, on a connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.rollback()

    def remembered(self, name: str, value: str) -> str:
        """The value kept under `name`; `value` is kept when there is none yet."""
        with self.write() as tx:
            tx.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
            return str(tx.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    def recalled(self, name: str) -> str | None:
        """The value kept under `name`, if there is one."""
        with self.read() as tx:
            row = tx.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            return str(row[0]) if row else None

    def keep(self, name: str, value: str) -> None:
        """Keep a value under `name`, in the place of the one that was there."""
        with self.write() as tx:
            tx.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close every connection; the file is complete without its WAL afterwards."""
        with self._lock:
            for connection in reversed(self._opened):
                connection.close()
            self._opened.clear()

    def _prepare(self) -> None:
        """Make the tables of a new file; of one that has tables only its version is looked at."""
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        empty = self._writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not empty and version != VERSION:
            age = "a newer" if version > VERSION else "an older"
            raise StartRefused(
                f"{self._path} is of {age} version of the sandbox ({version}, this one has {VERSION}). {_ELSEWHERE}"
            )
        self._writer.executescript(SCHEMA)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        self._opened.append(connection)
        return connection


def insert(tx: sqlite3.Connection, table: str, **values: Any) -> None:
    """Insert one row; column names are literals of the callers, values are bound."""
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    tx.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


def update(tx: sqlite3.Connection, table: str, row_id: str, **values: Any) -> None:
    """Update the row with this id; column names are literals of the callers, values are bound."""
    names = ", ".join(f"{name} = ?" for name in values)
    tx.execute(f"UPDATE {table} SET {names} WHERE id = ?", (*values.values(), row_id))

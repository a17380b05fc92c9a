"""The copy that is kept of a journal before it is brought up to date, for those who want to go back.

    <state_dir>/journal.before-v7.sqlite     as it was before schema 7; kept until the next schema comes

It is checked with all its indexes and durable before the first migration begins: a kill at any moment leaves the
journal as it was, or a whole copy beside a journal that the next start brings up to date.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from uploader.core.byte_sizes import format_size
from uploader.core.errors import JournalError
from uploader.journal.connection import connected
from uploader.journal.whole_files import copy_checked, is_journal, sync_folder
from uploader.system.failpoints import failpoint

_NAME = re.compile(r"journal\.before-v(\d+)\.sqlite")


def copy_path(journal: Path, schema: int) -> Path:
    """Where the copy lies that was made before this schema."""
    return journal.with_name(f"journal.before-v{schema}.sqlite")


def keep_copy(conn: sqlite3.Connection, journal: Path, schema: int) -> None:
    """Copy a journal that is about to get this schema; copies of earlier schemas go.

    A migration that was interrupted goes on with the copy that it has. Raises JournalError where there is no room for
    it: then nothing was changed.
    """
    path = copy_path(journal, schema)
    if not _is_of_now(path, conn):
        fresh = path.with_name(f"{path.name}.new")
        try:
            copy_checked(conn, fresh, path, whole=True)
        except (sqlite3.Error, OSError) as error:
            raise _not_made(journal, path, error) from error
        failpoint("upgrade.kept")
    for other in path.parent.iterdir():
        if _NAME.fullmatch(other.name) and other != path:
            other.unlink()
    sync_folder(path.parent)


def _is_of_now(path: Path, conn: sqlite3.Connection) -> bool:
    """Whether a copy was made of this very journal, with which nobody has worked since: no migration adds an event."""
    try:
        with closing(connected(path, read_only=True)) as copy:
            return is_journal(copy) and _last(copy) == _last(conn)
    except sqlite3.Error:
        return False


def _last(conn: sqlite3.Connection) -> object:
    return conn.execute("SELECT MAX(id), MAX(time), COUNT(*) FROM events").fetchone()


def _not_made(journal: Path, path: Path, error: Exception) -> JournalError:
    size = format_size(journal.stat().st_size)
    return JournalError(
        f"The journal {journal} is of an earlier version, and cannot be copied to {path} before it is brought up to "
        f"date: {error}.",
        f"Make room for the copy, up to {size}, and start again. Nothing was changed; the earlier version still works.",
    )

"""Files of SQLite that appear whole or not at all, and what SQLite says of one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from uploader.journal.connection import connected
from uploader.system.failpoints import failpoint
from uploader.system.files import give_to_owner

TABLES = frozenset({"files", "sessions", "events", "holds", "profile"})


def settle(fresh: Path, path: Path) -> None:
    """Give a written file its name, durably, and to whom the folder belongs."""
    with fresh.open("rb") as file:
        give_to_owner(path.parent, file.fileno())
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def verdict(conn: sqlite3.Connection, *, whole: bool) -> str:
    """What SQLite says of the file, empty where it is sound; `whole`: indexes are compared with their tables."""
    if not is_journal(conn):
        return "it is not a journal of this program"
    said = str(conn.execute(f"PRAGMA {'integrity_check' if whole else 'quick_check'}(1)").fetchone()[0])
    return "" if said == "ok" else said


def is_journal(conn: sqlite3.Connection) -> bool:
    """Whether it has the tables that every journal has had."""
    names = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return names >= TABLES


def copy_checked(conn: sqlite3.Connection, fresh: Path, path: Path, *, whole: bool) -> None:
    """Copy a journal to `path` by way of `fresh`, which lies in the same folder; only a sound copy gets its name.

    Raises sqlite3.Error and OSError; then nothing lies at `fresh`.
    """
    try:
        _clear(fresh)
        conn.execute("VACUUM INTO ?", (str(fresh),))
        fresh.chmod(0o600)
        _require_sound(fresh, whole=whole)
        failpoint("journal.copied")
        settle(fresh, path)
    except Exception:
        _clear(fresh)
        raise


def _require_sound(copy: Path, *, whole: bool) -> None:
    with closing(connected(copy, read_only=True)) as conn:
        if wrong := verdict(conn, whole=whole):
            raise OSError(f"the copy is damaged: {wrong}")


def _clear(fresh: Path) -> None:
    for left in fresh.parent.glob(f"{fresh.name}*"):
        left.unlink()

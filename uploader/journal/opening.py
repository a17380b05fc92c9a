"""Opening the journal: whole, of this program, up to date, and with everything in it that was ever committed.

A journal that is not is refused, and never replaced by an empty one: that would upload everything twice.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from uploader.core.errors import JournalError
from uploader.journal.connection import connected
from uploader.journal.earlier_copy import keep_copy
from uploader.journal.high_water_mark import MARK_NAME, Mark
from uploader.journal.schema import SCHEMA, migrations
from uploader.journal.sqlite_library import Database
from uploader.journal.whole_files import is_journal, settle, verdict
from uploader.system.failpoints import failpoint

FILE_NAME = "journal.sqlite"

REPAIRED_NAME = "journal.repaired.sqlite"
"""A finished repair that is still to be put in the journal's place."""

SNAPSHOTS = "snapshots"
"""The folder of the copies that are made of the journal."""

CHECKED_WHOLE = 32 << 20
"""Bytes up to which a journal is checked with all its indexes at the start; a larger one soon after it."""

CHECKED = 512 << 20
"""Bytes up to which every page is looked at before anything is done: some seconds. Of a larger one, with its history of
hundreds of thousands of files, only what is live is read before; all of it is checked beside the first work."""

CACHE = 8 << 20
"""Bytes of pages that the writer keeps: what some thousand new files change, so that a page is written once for all."""

MOST_LOG = 16 << 20
"""Bytes of the write-ahead log that stay on the disk: it grows while somebody reads for long, and is cut back then."""

_RIGHTS = (
    "Check that state_dir exists, is on a local disk with free space, and belongs to the user that runs this."
)
_OWNER = (
    "Was it made or put back by another user, as by root? Give it to the daemon's user: `chown -R USER STATE_DIR`. "
    "Else look at its rights, at `lsattr`, and at how its disk is mounted."
)
_REPAIR = (
    "Nothing was changed, and nothing is uploaded meanwhile. `uploader check --repair-journal` rebuilds it from its "
    "last good copy, the folders and what the platform lists; the damaged file is kept. Do not start with an empty "
    "journal: that would upload everything twice."
)


def damaged(path: Path, why: object) -> JournalError:
    """What to tell of a journal that cannot be trusted."""
    return JournalError(f"The journal {path} is damaged: {why}.", _REPAIR)


def taken_away(path: Path) -> JournalError:
    """What to tell of a journal whose file has no name any more: what is committed would go with the process."""
    return JournalError(
        f"The journal {path} was removed, or replaced by another file, while it was in use.", _REPAIR
    )


def damage(path: Path, error: BaseException) -> JournalError | None:
    """The same where this error says that the file is damaged; None where it is another matter."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path, error)
    return None


def unreadable(path: Path, error: BaseException) -> JournalError:
    """What to tell a reader whom SQLite has answered with this error."""
    if getattr(error, "sqlite_errorname", "") == "SQLITE_READONLY_ROLLBACK":
        reason = f"A change of the journal {path} was cut off, as by a power failure, and nobody has taken it back yet."
        return JournalError(reason, "The daemon does that when it starts.")
    return damage(path, error) or JournalError(f"The journal {path} cannot be read: {error}.", _RIGHTS)


def connect(path: Path) -> Database:
    """Open the journal for writing, with the pragmas it is promised with, and bring it up to date.

    It is made where there never was one. Raises JournalError when it is damaged, gone, has lost commits, or was
    written by a newer program.
    """
    if path.with_name(REPAIRED_NAME).exists():
        raise JournalError(
            f"A repair of the journal {path} was interrupted.",
            "`uploader check --repair-journal` finishes it.",
        )
    try:
        if path.exists():
            _require_writable(path)
            _take_back(path)
            _examine(path)
        else:
            _require_first(path)
            create(path)
        return _opened(path)
    except sqlite3.OperationalError as error:
        raise JournalError(f"The journal {path} cannot be opened: {error}.", _RIGHTS) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be made: {error.strerror}.", _RIGHTS) from error


def connect_copy(path: Path) -> Database:
    """Open a journal that is nobody's at the moment, such as the copy that a repair works on."""
    conn = connected(path)
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")
    return Database(conn, execute_plugins=False)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translate what SQLite says while a repair writes to a file of its own: the disk is the matter."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(
            f"The repair cannot go on at {path}: {error}. Nothing was changed.", _RIGHTS
        ) from error


def create(path: Path) -> None:
    """Make an empty journal; it appears whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with closing(connected(fresh)) as conn:
        conn.execute("PRAGMA auto_vacuum=INCREMENTAL")  # before the first table, or never
        upgrade(Database(conn, execute_plugins=False))
    settle(fresh, path)


def upgrade(db: Database) -> None:
    """Apply the migrations that are missing, each in a transaction of its own."""
    if schema_of(db.conn) < SCHEMA:
        migrations.apply(db)
        failpoint("upgrade.migrated")
        db.conn.execute(f"PRAGMA user_version={SCHEMA}")


def schema_of(conn: sqlite3.Connection) -> int:
    """How many migrations the journal has seen."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def mark_of(db: Database) -> Mark:
    """Which journal this is, and how far it has come; a journal before schema 2 has no name."""
    row = db.conn.execute("SELECT value FROM profile WHERE key = 'journal'").fetchone()
    last = db.conn.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0]
    return Mark(row[0].strip('"') if row else "", int(last))


def reached(path: Path) -> Mark | None:
    """Which journal lies there, and how far it has come; one without a name where none has ever been.

    None where opening it will say what is the matter.
    """
    try:
        if not path.exists():
            return None if _traces(path) else Mark("", 0)
        with closing(connected(path, read_only=True)) as conn:
            return mark_of(Database(conn, execute_plugins=False)) if is_journal(conn) else None
    except (sqlite3.DatabaseError, OSError):
        return None


def require_known(schema: int, path: Path) -> None:
    """Raises JournalError where a newer program has written the journal."""
    if schema > SCHEMA:
        raise JournalError(
            f"{path} was written by a newer version of this program (schema {schema}, known {SCHEMA}).",
            "Install that version again.",
        )


def _require_writable(path: Path) -> None:
    """SQLite opens a file that it may not write to all the same, and each commit would fail from then on."""
    for file in (path, *(path.with_name(path.name + log) for log in ("-wal", "-shm"))):
        if file.exists() and not os.access(file, os.W_OK):
            raise JournalError(
                f"The journal cannot be written to: {file} is read-only for this user.", _OWNER
            )


def _require_first(path: Path) -> None:
    """Nothing beside the missing journal may tell that there was one."""
    if not path.parent.is_dir():
        raise JournalError(f"The journal {path} cannot be made: {path.parent} is missing.", _RIGHTS)
    if _traces(path):
        raise JournalError(f"The journal {path} is gone, and there was one.", _REPAIR)


def _traces(path: Path) -> bool:
    """Whether something beside a journal that is missing tells that there was one."""
    names = (MARK_NAME, f"{path.name}-wal", SNAPSHOTS)
    return any(path.with_name(name).exists() for name in names)


def examine(path: Path) -> None:
    """Look at a journal without changing a byte of it, also beside a daemon. Raises JournalError."""
    try:
        _examine(path)
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error


def _take_back(path: Path) -> None:
    """Let SQLite take back a change that was cut off before there was a write-ahead log: who only reads cannot."""
    if path.with_name(f"{path.name}-journal").exists():
        with closing(connected(path)) as conn:
            conn.execute("SELECT 1 FROM sqlite_master").fetchone()


def _examine(path: Path) -> None:
    if not path.stat().st_size:
        raise damaged(path, "it is empty")
    with closing(connected(path, read_only=True)) as conn:
        require_known(schema_of(conn), path)
        size = path.stat().st_size
        wrong = verdict(conn, whole=size <= CHECKED_WHOLE) if size <= CHECKED else ""
        wrong = wrong or _missing(Mark.read(path.parent), mark_of(Database(conn, execute_plugins=False)))
    if wrong:
        raise damaged(path, wrong)


def _missing(mark: Mark | None, here: Mark) -> str:
    """What the mark tells of another journal, or of commits that this one lacks."""
    if mark is None:
        return ""
    if mark.journal != here.journal:
        return "it is the journal of another state directory, or an old one"
    if mark.event > here.event:
        return (
            f"it ends at event {here.event} of {mark.event}, so its write-ahead log was removed or an older copy was "
            "put in its place"
        )
    return ""


def _opened(path: Path) -> Database:
    conn = connected(path)
    try:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("PRAGMA foreign_keys=ON")
        conn.execute(f"PRAGMA cache_size=-{CACHE >> 10}")
        conn.execute("PRAGMA temp_store=MEMORY")  # a full /tmp is no reason to stop
        conn.execute(f"PRAGMA journal_size_limit={MOST_LOG}")
        db = Database(conn, execute_plugins=False)
        if migrations.pending(db):
            keep_copy(conn, path, SCHEMA)
        upgrade(db)
    except BaseException:
        conn.close()
        raise
    return db

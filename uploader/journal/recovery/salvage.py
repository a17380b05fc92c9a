"""What can be saved of a damaged journal, and the steps by which a rebuilt one takes its place.

Nothing is deleted and the damaged files are not written to: everything is tried on copies in `<state_dir>/repair`. The
rebuilt journal gets a name of its own once it is finished; from then on a repair that was interrupted only goes on.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uploader.core.errors import JournalError
from uploader.core.lifecycle import SESSION_ENDS
from uploader.core.model import FileState, SessionState
from uploader.core.transitions.repair_events import LostSession
from uploader.journal.connection import connected
from uploader.journal.high_water_mark import MARK_NAME, Mark
from uploader.journal.hold_rows import ESTRANGED, read_profile
from uploader.journal.opening import (
    FILE_NAME,
    REPAIRED_NAME,
    connect,
    create,
    mark_of,
    require_known,
    schema_of,
    upgrade,
    writing,
)
from uploader.journal.recovery import snapshots
from uploader.journal.sqlite_library import Database
from uploader.journal.whole_files import settle, sync_folder, verdict
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)

WORK = "repair"
"""The folder below the state directory in which a repair tries things."""

Kind = Literal["journal", "snapshot", "nothing"]


@dataclass(frozen=True, slots=True)
class Base:
    """What the new journal begins with: a copy at `path`, up to date; `time` is that of its last event (or 0)."""

    kind: Kind
    path: Path
    time: float
    event: int


def finding(state_dir: Path) -> str:
    """What is wrong with the journal, in words; empty where nothing is. The caller holds the lock.

    Raises JournalError where a newer program has written it.
    """
    if (state_dir / REPAIRED_NAME).exists():
        return "a repair was interrupted"
    path = state_dir / FILE_NAME
    if not path.exists():
        return "there is none"
    with (
        contextlib.suppress(sqlite3.Error),
        closing(connected(path, read_only=True)) as conn,
    ):
        require_known(schema_of(conn), path)
    try:
        db = connect(path)
    except JournalError as error:
        return error.reason
    try:
        strange = ", ".join(read_profile(db).get(ESTRANGED) or ())
        apart = f"files of {strange} were uploaded by another one" if strange else ""
        return verdict(db.conn, whole=True) or apart
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        db.close()


def choose(state_dir: Path) -> Base:
    """A copy of the newest journal that can be trusted: the damaged one, where only its age is wrong, or a snapshot.

    A file is trusted when SQLite finds nothing wrong with it and its indexes and its rows are ones of ours. One that is
    damaged in any place may be wrong in any other: of it nothing is taken over.
    """
    work = state_dir / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    mark = Mark.read(state_dir)
    found: list[Base] = []
    sources: list[tuple[Kind, Path]] = [("journal", state_dir / FILE_NAME)]
    sources += [("snapshot", snapshot.path) for snapshot in snapshots.listed(state_dir)]
    for number, (kind, source) in enumerate(sources):
        base = _tried(kind, source, work / f"{number}.sqlite", mark)
        if base is not None:
            found.append(base)
        if kind == "snapshot" and found:
            break  # the older ones know less
    if found:
        return max(found, key=lambda base: base.event)
    path = work / "empty.sqlite"
    with writing(path):
        create(path)
    return Base("nothing", path, 0.0, 0)


def _tried(kind: Kind, source: Path, copy: Path, mark: Mark | None) -> Base | None:
    """A copy that can be trusted, or None."""
    try:
        shutil.copyfile(source, copy)
        for log_name in ("-wal", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{source}{log_name}", f"{copy}{log_name}")
        with closing(connected(copy)) as conn:
            if verdict(conn, whole=True) or schema_of(conn) < 1:
                return None
            require_known(schema_of(conn), source)
            db = Database(conn, execute_plugins=False)
            upgrade(db)
            here = mark_of(db)
            if (mark is not None and here.journal != mark.journal and kind == "journal") or not _ours(conn):
                return None
            last = conn.execute("SELECT COALESCE(MAX(time), 0) FROM events").fetchone()[0]
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            conn.execute("PRAGMA journal_mode=DELETE")
    except (sqlite3.DatabaseError, FileNotFoundError) as error:
        log.debug("repair: %s cannot be used: %s", source, error)
        return None
    return Base(kind, copy, float(last), here.event)


def _ours(conn: sqlite3.Connection) -> bool:
    """Whether every row has a state that there is, and what it refers to."""
    states = {row[0] for row in conn.execute("SELECT DISTINCT state FROM files")}
    sessions = {row[0] for row in conn.execute("SELECT DISTINCT state FROM sessions")}
    known = states <= set(FileState) and sessions <= set(SessionState)
    return known and conn.execute("PRAGMA foreign_key_check").fetchone() is None


def lost_sessions(state_dir: Path) -> list[LostSession]:
    """Sessions that had not ended, as far as the damaged file can be read: nothing follows from them but a sum."""
    source, copy = state_dir / FILE_NAME, state_dir / WORK / "damaged.sqlite"
    found: dict[str, LostSession] = {}
    with contextlib.suppress(OSError, sqlite3.DatabaseError):
        shutil.copyfile(source, copy)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{source}-wal", f"{copy}-wal")
        with closing(connected(copy)) as conn:
            for order in ("ASC", "DESC"):
                found.update(_readable(conn, order))
    return list(found.values())


def _readable(conn: sqlite3.Connection, order: str) -> dict[str, LostSession]:
    found = {}
    with contextlib.suppress(sqlite3.DatabaseError):
        for key, upload_id, total, state in conn.execute(_SESSIONS[order]):
            if (
                isinstance(key, str)
                and isinstance(total, int)
                and total > 0
                and state not in set(SESSION_ENDS)
            ):
                found[key] = LostSession(key, str(upload_id or ""), total)
    return found


_ALL = (
    "SELECT idempotency_key, upload_id, total_bytes, state FROM sessions NOT INDEXED "
    "WHERE initiates_sent > 0 ORDER BY id "
)
_SESSIONS = {order: _ALL + order for order in ("ASC", "DESC")}
"""From either end, up to where the damage is."""


def finish(state_dir: Path, base: Base) -> None:
    """The rebuilt journal is complete: give it the name by which an interrupted repair goes on."""
    with writing(base.path), closing(connected(base.path)) as conn:
        if wrong := verdict(conn, whole=True):
            raise JournalError(f"The rebuilt journal {base.path} is damaged: {wrong}.", "Look at the disk.")
    failpoint("repair.written")
    settle(base.path, state_dir / REPAIRED_NAME)
    failpoint("repair.finished")


def swap(state_dir: Path) -> Path | None:
    """Put the rebuilt journal in the place of the damaged one; returns where that lies now, None where it was gone.

    Its write-ahead log goes before it, so that SQLite never applies it to the new file. Safe to repeat.
    """
    path, repaired = state_dir / FILE_NAME, state_dir / REPAIRED_NAME
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(repaired.stat().st_mtime))
    aside = state_dir / f"journal.damaged-{stamp}.sqlite"
    for tail in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{tail}").rename(f"{aside}{tail}")
        failpoint("repair.aside")
    (state_dir / MARK_NAME).unlink(missing_ok=True)
    sync_folder(state_dir)
    repaired.rename(path)
    sync_folder(state_dir)
    failpoint("repair.swapped")
    shutil.rmtree(state_dir / WORK, ignore_errors=True)
    return aside if aside.exists() else None

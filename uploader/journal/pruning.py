"""What is long over is forgotten; what may go, `core.transitions.pruning_events` says.

It is looked for on a reading connection; the writer only deletes it, in pieces of `CHUNK`, as far as it is over still.
Freed pages are used again; many of them are given back to the disk, a few at a time, while no file is under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from uploader.core.lifecycle import FILE_ENDS, ITEMS
from uploader.core.transitions import pruning_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.journal.hold_rows import read_profile
from uploader.journal.rows import in_list
from uploader.journal.sqlite_library import Database
from uploader.journal.stored_rows import StoredRows
from uploader.journal.transactions import Rows, Transactions

INCREMENTAL = 2
"""`auto_vacuum` of journals that can give pages back: those that this version has made."""

SPARE = 8
"""A free page for so many of the journal stays: it is used again."""

CHUNK = 100
"""Files, sessions, or tens of events that one transaction forgets: some ten milliseconds."""


def old_files(db: Database, now: float) -> list[int]:
    """Files whose time is over, the oldest first."""
    newest = db.conn.execute(
        "SELECT id FROM files WHERE current IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?", (events.KEPT_FILES,)
    ).fetchone()
    rows = StoredRows(db)
    old = rows.past_files(now - events.KEPT_SECONDS, newest[0] if newest else 0)
    next_id = rows.next_file_id()
    return [
        one.file.id for one in _with_sessions(rows, old) if events.file_over(one.file, one.session, next_id)
    ]


def old_sessions(db: Database, now: float) -> list[int]:
    """Ended sessions that nothing refers to any more."""
    rows = StoredRows(db)
    old, next_id = rows.left_sessions(now - events.KEPT_SESSION_SECONDS), rows.next_session_id()
    return [session.id for session in old if events.session_over(session, 0, next_id)]


def old_noise(db: Database, now: float) -> list[int]:
    """Events that told of tries, of files that have long reached their end."""
    kinds, ends = in_list(events.NOISE), in_list(FILE_ENDS)
    sql = (
        f"SELECT e.id FROM events e JOIN files f ON f.id = e.file_id WHERE e.event IN ({kinds}) "  # noqa: S608
        f"AND e.time < ? AND f.state IN ({ends}) AND e.id < (SELECT MAX(id) FROM events) ORDER BY e.id"
    )
    return [row[0] for row in db.conn.execute(sql, (now - events.KEPT_NOISE_SECONDS,))]


def old_steps(db: Database, now: float) -> list[int]:
    """Events of completed files that their rows tell of, too, where they are old and there are enough newer files."""
    kinds, done = in_list(events.STEPS), in_list(ITEMS)
    newest = f"SELECT id FROM files WHERE state IN ({done}) ORDER BY id DESC LIMIT 1 OFFSET ?"  # noqa: S608
    before = db.conn.execute(newest, (events.KEPT_STORIES,)).fetchone()
    sql = (
        f"SELECT e.id FROM events e JOIN files f ON f.id = e.file_id WHERE e.event IN ({kinds}) "  # noqa: S608
        f"AND f.state IN ({done}) AND f.staged = 0 AND f.id <= ? AND f.completed_at < ? ORDER BY e.id"
    )
    return (
        [row[0] for row in db.conn.execute(sql, (*before, now - events.KEPT_STEPS_SECONDS))] if before else []
    )


def give_back(db: Database, pages: int) -> bool:
    """Give up to so many free pages back to the disk; False where as few are left as are soon used again."""
    free, size, kind = (
        db.conn.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("freelist_count", "page_count", "auto_vacuum")
    )
    spare = free - size // SPARE
    if spare <= 0 or kind != INCREMENTAL:
        return False
    for _ in range(min(pages, spare)):
        # Python takes the first step of a statement without columns alone, which is one page.
        db.conn.execute("PRAGMA incremental_vacuum(1)")
    return True


class Pruning:
    """Forgets what was found to be old; each call is one short transaction."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def files(self, ids: Sequence[int]) -> None:
        """Forget files with their events."""

        def work(rows: Rows) -> None:
            files, learned = _with_sessions(rows, rows.files(ids)), rows.learned(events.SUMS)
            lowest = rows.lowest_cursor()
            rows.apply(events.files_forgotten(rows.now, files, rows.next_file_id(), learned, lowest))

        await self._transact("pruned", work)

    async def sessions(self, ids: Sequence[int]) -> None:
        """Forget sessions with their own events."""

        def work(rows: Rows) -> None:
            found = [_with_members(rows, session_id) for session_id in ids]
            learned, lowest = rows.learned(events.SUMS), rows.lowest_cursor()
            rows.apply(events.sessions_forgotten(rows.now, found, rows.next_session_id(), learned, lowest))

        await self._transact("pruned_sessions", work)

    async def events(self, ids: Sequence[int]) -> None:
        """Forget events."""

        def work(rows: Rows) -> None:
            rows.apply(events.events_forgotten(rows.now, ids, rows.lowest_cursor()))

        await self._transact("pruned_noise", work)


def sums(db: Database) -> events.Sums:
    """What was forgotten: `files` and `sessions` by state, and `bytes` uploaded and leaked."""
    return events.sums_of(read_profile(db).get(events.SUMS))


def _with_members(rows: Rows, session_id: int) -> events.OldSession:
    newest = rows.newest_event(session_id=session_id)
    return events.OldSession(rows.session(session_id), len(rows.members(session_id)), newest)


def _with_sessions(rows: Rows, files: Iterable[FileRecord]) -> Iterator[events.OldFile]:
    known: dict[int, SessionRecord] = {}
    for file in files:
        session_id = file.session_id
        if session_id is not None and session_id not in known:
            known[session_id] = rows.session(session_id)
        session = None if session_id is None else known[session_id]
        yield events.OldFile(file, session, rows.newest_event(file_id=file.id))

"""What is forgotten, so that the journal stays bounded: nothing of a path that exists, nothing still needed.

A version of a file can go when its path is gone from the drop folder, its end is reached, its source and its private
copies are put away, and its session wants nothing more. It goes with its events, once it is older than `KEPT_SECONDS`
or once more than `KEPT_FILES` of its kind are newer. Its session goes after its last member. What `status` sums up is
kept as sums, above all the bytes of doubtful initiates.

What may go is looked for on a reading connection; the writer only deletes it, in pieces of `CHUNK`. The freed pages are
used again: the file keeps its largest size, its copies are as small as what is in them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from uploader.core.lifecycle import FILE_ENDS, SESSION_ENDS
from uploader.journal.hold_rows import learn, read_profile
from uploader.journal.rows import rows
from uploader.journal.sqlite_library import Database
from uploader.journal.writer import Writer

KEPT_SECONDS = 90 * 86400.0
"""How long the story of a file is kept after its path was gone and its end reached."""

KEPT_FILES = 20_000
"""How many such files are kept at most, the newest; about 50 MB of journal."""

KEPT_SESSION_SECONDS = 86400.0
"""How long an ended session is kept that has no member left."""

KEPT_NOISE_SECONDS = 30 * 86400.0
"""How long the tries of a file (`retry`, `looked`) are told after its end; its other events stay as long as it does."""

CHUNK = 100
"""Files, sessions, or tens of events that one transaction forgets: some ten milliseconds."""

SUMS = "pruned"
"""The profile's key of the sums over what was forgotten."""

_FILE_ENDS = ", ".join(f"'{state}'" for state in sorted(FILE_ENDS))
_SESSION_ENDS = ", ".join(f"'{state}'" for state in sorted(SESSION_ENDS))

# The newest row of each table stays whatever it is, so that no id is given twice.
_FILE_OVER = f"""current IS NULL AND staged = 0 AND hold = '' AND state IN ({_FILE_ENDS})
    AND (state != 'completed' OR disposal IS NOT NULL)
    AND id < (SELECT MAX(id) FROM files)
    AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = session_id
                    AND (s.state NOT IN ({_SESSION_ENDS}) OR s.readback = 'due' OR s.hold != ''))"""  # noqa: S608
_SESSION_OVER = f"""state IN ({_SESSION_ENDS}) AND hold = '' AND COALESCE(readback, '') != 'due'
    AND id < (SELECT MAX(id) FROM sessions)
    AND NOT EXISTS (SELECT 1 FROM files WHERE session_id = sessions.id)"""  # noqa: S608 - states of ours
_CHOSEN = "id IN (SELECT value FROM json_each(?))"


def old_files(db: Database, now: float) -> list[int]:
    """Files whose time is over, the oldest first."""
    newest = db.conn.execute(
        "SELECT id FROM files WHERE current IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?", (KEPT_FILES,)
    ).fetchone()
    sql = f"SELECT id FROM files WHERE {_FILE_OVER} AND (changed_at < ? OR id <= ?) ORDER BY id"  # noqa: S608 - states of ours
    return [row[0] for row in db.conn.execute(sql, (now - KEPT_SECONDS, newest[0] if newest else 0))]


def old_sessions(db: Database, now: float) -> list[int]:
    """Ended sessions that nothing refers to any more."""
    sql = f"SELECT id FROM sessions WHERE {_SESSION_OVER} AND changed_at < ? ORDER BY id"  # noqa: S608 - states of ours
    return [row[0] for row in db.conn.execute(sql, (now - KEPT_SESSION_SECONDS,))]


def old_noise(db: Database, now: float) -> list[int]:
    """Events that told of tries, of files that have long reached their end."""
    sql = (
        "SELECT e.id FROM events e JOIN files f ON f.id = e.file_id WHERE e.event IN ('retry', 'looked') "  # noqa: S608
        f"AND e.time < ? AND f.state IN ({_FILE_ENDS}) AND e.id < (SELECT MAX(id) FROM events) ORDER BY e.id"
    )
    return [row[0] for row in db.conn.execute(sql, (now - KEPT_NOISE_SECONDS,))]


class Pruning:
    """Forgets what was found to be old, as far as it still is; each call is one short transaction."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def files(self, ids: Sequence[int]) -> None:
        """Forget files with their events."""
        await self._writer.transact("pruned", lambda db: _files(db, json.dumps(list(ids))))

    async def sessions(self, ids: Sequence[int]) -> None:
        """Forget sessions with their own events."""
        await self._writer.transact("pruned_sessions", lambda db: _sessions(db, json.dumps(list(ids))))

    async def noise(self, ids: Sequence[int]) -> None:
        """Forget events."""
        chosen = json.dumps(list(ids))
        await self._writer.transact(
            "pruned_noise",
            lambda db: db.conn.execute(f"DELETE FROM events WHERE {_CHOSEN}", (chosen,)).rowcount,  # noqa: S608
        )


def sums(db: Database) -> dict[str, Counter[str]]:
    """What was forgotten: `files` and `sessions` by state, and `bytes` uploaded and leaked."""
    kept = read_profile(db).get(SUMS) or {}
    return {name: Counter(kept.get(name) or {}) for name in ("files", "sessions", "bytes")}


def _files(db: Database, chosen: str) -> None:
    over = rows(
        db,
        f"SELECT id, state, object_size FROM files WHERE {_FILE_OVER} AND {_CHOSEN}",  # noqa: S608
        chosen,
    )
    going = json.dumps([row["id"] for row in over])
    db.conn.execute(
        "DELETE FROM events WHERE file_id IN (SELECT value FROM json_each(?)) AND id < (SELECT MAX(id) FROM events)",
        (going,),
    )
    db.conn.execute(f"DELETE FROM files WHERE {_CHOSEN}", (going,))  # noqa: S608
    uploaded = sum(row["object_size"] or 0 for row in over if row["state"] in {"completed", "disposed"})
    _add(db, "files", Counter(row["state"] for row in over), {"uploaded": uploaded})


def _sessions(db: Database, chosen: str) -> None:
    over = rows(
        db,
        "SELECT id, state, MAX(0, initiates_sent - initiates_clear) * total_bytes AS leaked "  # noqa: S608
        f"FROM sessions WHERE {_SESSION_OVER} AND {_CHOSEN}",
        chosen,
    )
    going = json.dumps([row["id"] for row in over])
    db.conn.execute(
        "DELETE FROM events WHERE session_id IN (SELECT value FROM json_each(?)) AND file_id IS NULL "
        "AND id < (SELECT MAX(id) FROM events)",
        (going,),
    )
    db.conn.execute(f"DELETE FROM sessions WHERE {_CHOSEN}", (going,))  # noqa: S608
    leaked = sum(row["leaked"] for row in over)
    _add(db, "sessions", Counter(row["state"] for row in over), {"leaked": leaked})


def _add(db: Database, kind: str, states: Counter[str], amounts: dict[str, int]) -> None:
    if not states:
        return
    kept = sums(db)
    kept[kind].update(states)
    kept["bytes"].update(amounts)
    learn(db, SUMS, {name: dict(counts) for name, counts in kept.items()})

"""What the planner and the performer read from the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from uploader.core.duplicates import DONE, judge_twins
from uploader.core.lifecycle import FILE_ENDS
from uploader.core.live_rows import FileRow, SessionRow
from uploader.core.model import Destination, FileState, Layout, PlatformProfile, SessionState
from uploader.core.planner_view import Disposal, PlannerView, Queued, Session, SessionMember, Waiting
from uploader.journal.hold_rows import read_holds, read_profile
from uploader.journal.row_queries import file_row, session_key, session_row
from uploader.journal.rows import full_path, rows
from uploader.journal.sqlite_library import Database

QUEUE_WINDOW = 64
"""Queued files that a plan looks at: more than the converters can take in a turn."""

WAITING_WINDOW = 2000
"""Converted files that a plan looks at."""

ENDING_WINDOW = 64
"""Files whose source or private copies are to go that a plan looks at."""

LEAVING = "(state = 'completed' AND disposal IS NULL AND after_upload != 'keep')"
"""The condition that a source is to be archived or deleted, or has begun to be."""
_DONE = ", ".join(f"'{state}'" for state in sorted(DONE))
_LIVE = "state NOT IN ('completed', 'failed', 'lost') OR readback = 'due'"


def read_view(db: Database, destinations: Mapping[str, Destination], *, resting: int = 0) -> PlannerView:
    """The journal's part of what the planner sees; the caller adds what it knows of the machine.

    `resting`: files that the planner will pass over although they are in the journal's windows.
    """
    skipping = {folder for folder, d in destinations.items() if d.duplicates == "skip"}
    queued = _queued(db, resting)
    completed, pending = twins(db, [q for q in queued if q.folder in skipping])
    return PlannerView(
        destinations=destinations,
        queued=queued,
        queued_total=_scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'queued'"),
        waiting=_waiting(db, resting),
        twins_completed=completed,
        twins_pending=pending,
        sessions=_sessions(db),
        disposals=_disposals(db, resting),
        discards=_discards(db, resting),
        holds=tuple(read_holds(db)),
        profile=profile(db),
        staged_bytes=_scalar(
            db, "SELECT COALESCE(SUM(size + COALESCE(object_size, 0)), 0) FROM files WHERE staged = 1"
        ),
    )


def profile(db: Database) -> PlatformProfile:
    """What was learned of the platform."""
    facts = read_profile(db)
    layouts = {k.partition(":")[2]: Layout(v) for k, v in facts.items() if k.startswith("layout:")}
    return PlatformProfile(facts.get("transfer_method", ""), layouts, facts.get("quota_cap"))


def latest(db: Database, folder: str, paths: Collection[bytes]) -> dict[bytes, tuple[int, str, str]]:
    """For paths that have a history: (id, state, sighting) of their newest version."""
    found: dict[bytes, tuple[int, str, str]] = {}
    for path in paths:
        row = db.conn.execute(
            "SELECT id, state, sighting FROM files WHERE folder = ? AND path = ? AND current = 1 "
            "ORDER BY id DESC LIMIT 1",
            (folder, path),
        ).fetchone()
        if row is not None:
            found[path] = (row[0], row[1], row[2])
    return found


def tracked(db: Database, folder: str) -> dict[bytes, tuple[int, str]]:
    """All paths of a folder that are believed to exist: their newest version's id and state.

    Files that are being archived or deleted are left out: they may be hidden at the moment.
    """
    cursor = db.conn.execute(
        f"SELECT path, MAX(id), state FROM files WHERE folder = ? AND current = 1 AND NOT {LEAVING} "  # noqa: S608
        "GROUP BY path",
        (folder,),
    )
    return {row[0]: (row[1], row[2]) for row in cursor}


def content_known(db: Database, content: str) -> bool:
    """Whether any file of this content was claimed before."""
    return db.conn.execute("SELECT 1 FROM files WHERE content = ? LIMIT 1", (content,)).fetchone() is not None


def leaving(db: Database, folder: str) -> list[bytes]:
    """Paths of a folder whose archiving or deletion is due, or has begun."""
    cursor = db.conn.execute(f"SELECT path FROM files WHERE folder = ? AND {LEAVING}", (folder,))  # noqa: S608
    return [bytes(row[0]) for row in cursor]


def staged_ids(db: Database) -> set[int]:
    """Files that have private copies."""
    return {row[0] for row in db.conn.execute("SELECT id FROM files WHERE staged = 1")}


def _scalar(db: Database, sql: str, *args: Any) -> int:
    return int(db.conn.execute(sql, args).fetchone()[0])


def _queued(db: Database, resting: int) -> tuple[Queued, ...]:
    found = rows(
        db,
        "SELECT id, folder, size, content, not_before, alone, retrying_since FROM files WHERE state = 'queued' "
        "ORDER BY not_before > 0, id LIMIT ?",
        QUEUE_WINDOW + resting,
    )
    return tuple(
        Queued(
            r["id"],
            r["folder"],
            r["size"],
            r["content"],
            r["not_before"],
            bool(r["alone"]),
            r["retrying_since"],
        )
        for r in found
    )


def _waiting(db: Database, resting: int) -> tuple[Waiting, ...]:
    found = rows(
        db,
        "SELECT id, folder, object_size, changed_at, categorical, file_name, batch_group, not_before "
        "FROM files WHERE state = 'converted' ORDER BY id LIMIT ?",
        WAITING_WINDOW + resting,
    )
    return tuple(
        Waiting(
            r["id"],
            r["folder"],
            r["object_size"],
            r["changed_at"],
            bool(r["categorical"]),
            r["file_name"],
            r["batch_group"],
            r["not_before"],
        )
        for r in found
    )


def _sessions(db: Database) -> tuple[Session, ...]:
    members: dict[int, list[SessionMember]] = {}
    for m in rows(
        db,
        "SELECT session_id, id, state, object_size, not_before, retrying_since FROM files "  # noqa: S608
        f"WHERE session_id IN (SELECT id FROM sessions WHERE {_LIVE}) ORDER BY id",
    ):
        member = SessionMember(
            m["id"], FileState(m["state"]), m["object_size"] or 0, m["not_before"], m["retrying_since"]
        )
        members.setdefault(m["session_id"], []).append(member)
    return tuple(
        Session(
            session_id=s["id"],
            key=session_key(s),
            state=SessionState(s["state"]),
            members=tuple(members.get(s["id"], ())),
            not_before=s["not_before"],
            hold=s["hold"],
            locating=bool(s["locating"]),
            readback_due=s["readback"] == "due",
            retrying_since=s["retrying_since"],
            last_error=s["last_error"],
        )
        for s in rows(db, f"SELECT * FROM sessions WHERE {_LIVE} ORDER BY id")  # noqa: S608
    )


def twins(db: Database, files: Sequence[Queued]) -> tuple[frozenset[int], frozenset[int]]:
    """Of these queued files: those whose content is completed elsewhere, and those that have to wait for it."""
    completed: set[int] = set()
    pending: set[int] = set()
    for file in files:
        match judge_twins(file.file_id, _same_content(db, file)):
            case FileState.DUPLICATE:
                completed.add(file.file_id)
            case FileState.QUEUED:
                pending.add(file.file_id)
    return frozenset(completed), frozenset(pending)


def _same_content(db: Database, file: Queued) -> list[tuple[int, FileState]]:
    """Files of the same content: one that is completed says it all, and of blank tiles there may be many thousands."""
    same, given = "SELECT id, state FROM files WHERE content = ? AND id != ?", (file.content, file.file_id)
    found = rows(db, f"{same} AND +state IN ({_DONE}) LIMIT 1", *given) or rows(db, same, *given)
    return [(row["id"], FileState(row["state"])) for row in found]


def _disposals(db: Database, resting: int) -> tuple[Disposal, ...]:
    found = rows(
        db,
        "SELECT f.id, f.not_before, f.retrying_since FROM files f LEFT JOIN sessions s ON s.id = f.session_id "
        "WHERE f.state = 'completed' AND f.disposal IS NULL "
        "AND (s.readback IS NULL OR s.readback = 'verified') ORDER BY f.id LIMIT ?",
        ENDING_WINDOW + resting,
    )
    return tuple(Disposal(r["id"], r["not_before"], r["retrying_since"]) for r in found)


def _discards(db: Database, resting: int) -> tuple[int, ...]:
    ends = ", ".join(f"'{state}'" for state in sorted(FILE_ENDS))
    sql = f"SELECT id FROM files WHERE staged = 1 AND state IN ({ends}) ORDER BY id LIMIT ?"  # noqa: S608
    found = rows(db, sql, ENDING_WINDOW + resting)
    return tuple(r["id"] for r in found)


def rejected_paths(db: Database) -> list[bytes]:
    """The full paths of the files that a person may have tried again."""
    found = rows(db, "SELECT folder, path FROM files WHERE state = 'rejected' AND current = 1")
    return [full_path(row["folder"], bytes(row["path"])) for row in found]


def rejected_since(db: Database, since: float) -> int:
    """How many files were rejected from this time on (unix seconds)."""
    return _scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'rejected' AND changed_at >= ?", since)


__all__ = [
    "LEAVING",
    "FileRow",
    "SessionRow",
    "content_known",
    "file_row",
    "latest",
    "leaving",
    "profile",
    "read_view",
    "rejected_paths",
    "rejected_since",
    "session_row",
    "staged_ids",
    "tracked",
    "twins",
]

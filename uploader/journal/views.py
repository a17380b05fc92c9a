"""What the planner and the performer read from the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from uploader.core.lifecycle import FILE_ENDS
from uploader.core.model import (
    Destination,
    FileState,
    Layout,
    Profile,
    SessionKey,
    SessionState,
)
from uploader.core.view import Disposal, Member, Queued, Session, View, Waiting
from uploader.journal.holds import read_holds, read_profile
from uploader.journal.rows import one, rows

QUEUE_WINDOW = 64
"""Queued files that a plan looks at: more than the converters can take in a turn."""

WAITING_WINDOW = 2000
"""Converted files that a plan looks at."""

_LEAVING = "(state = 'completed' AND disposal IS NULL AND after_upload != 'keep')"
_LIVE = "state NOT IN ('completed', 'failed', 'lost') OR readback = 'due'"


@dataclass(frozen=True, slots=True)
class FileRow:
    """What an effect needs to know of its file."""

    id: int
    folder: str
    path: bytes
    state: FileState
    sighting: str
    size: int
    content: str
    object_size: int
    object_md5: bytes
    object_crc32c: int
    file_name: str
    session_id: int | None
    after_upload: str
    attempts: int
    looks: int
    tries: int
    refusals: int
    losses: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """What an effect needs to know of its session."""

    id: int
    state: SessionState
    key: SessionKey
    idempotency_key: str
    body: dict[str, Any]
    total_bytes: int
    upload_id: str
    completes_sent: int
    completes_clear: int
    locate_tries: int
    item_ids: tuple[str, ...]
    tries: int
    retrying_since: float | None
    members: tuple[FileRow, ...]

    @property
    def doubtful(self) -> bool:
        """Whether a `complete` went unanswered."""
        return self.completes_sent > self.completes_clear


def read_view(db: Database, destinations: Mapping[str, Destination]) -> View:
    """The journal's part of what the planner sees; the caller adds what it knows of the machine."""
    skipping = {folder for folder, d in destinations.items() if d.duplicates == "skip"}
    queued = _queued(db)
    completed, pending = _twins(db, [q for q in queued if q.folder in skipping])
    return View(
        destinations=destinations,
        queued=queued,
        queued_total=_scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'queued'"),
        in_work={
            r["folder"]: r["n"]
            for r in rows(
                db,
                "SELECT folder, COUNT(*) AS n FROM files WHERE state = 'queued' AND retrying_since IS NULL "
                "GROUP BY folder",
            )
        },
        waiting=_waiting(db),
        twins_completed=completed,
        twins_pending=pending,
        sessions=_sessions(db),
        disposals=_disposals(db),
        discards=_discards(db),
        holds=tuple(read_holds(db)),
        profile=profile(db),
        staged_bytes=_scalar(
            db, "SELECT COALESCE(SUM(size + COALESCE(object_size, 0)), 0) FROM files WHERE staged = 1"
        ),
    )


def profile(db: Database) -> Profile:
    """What was learned of the platform."""
    facts = read_profile(db)
    layouts = {k.partition(":")[2]: Layout(v) for k, v in facts.items() if k.startswith("layout:")}
    return Profile(facts.get("transfer_method", ""), layouts, facts.get("quota_cap"))


def file_row(db: Database, file_id: int) -> FileRow:
    """One file; raises LookupError where there is none."""
    row = one(db, "SELECT * FROM files WHERE id = ?", file_id)
    if row is None:
        raise LookupError(f"no file {file_id} in the journal")
    return _file(row)


def session_row(db: Database, session_id: int) -> SessionRow:
    """One session with its members in order of their ids; raises LookupError where there is none."""
    row = one(db, "SELECT * FROM sessions WHERE id = ?", session_id)
    if row is None:
        raise LookupError(f"no session {session_id} in the journal")
    members = rows(db, "SELECT * FROM files WHERE session_id = ? ORDER BY id", session_id)
    return SessionRow(
        id=row["id"],
        state=SessionState(row["state"]),
        key=_key(row),
        idempotency_key=row["idempotency_key"],
        body=json.loads(row["body"]),
        total_bytes=row["total_bytes"],
        upload_id=row["upload_id"] or "",
        completes_sent=row["completes_sent"],
        completes_clear=row["completes_clear"],
        locate_tries=row["locate_tries"],
        item_ids=tuple(json.loads(row["item_ids"])),
        tries=row["tries"],
        retrying_since=row["retrying_since"],
        members=tuple(_file(m) for m in members),
    )


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
        f"SELECT path, MAX(id), state FROM files WHERE folder = ? AND current = 1 AND NOT {_LEAVING} "  # noqa: S608
        "GROUP BY path",
        (folder,),
    )
    return {row[0]: (row[1], row[2]) for row in cursor}


def leaving(db: Database, folder: str) -> list[bytes]:
    """Paths of a folder whose archiving or deletion is due, or has begun."""
    cursor = db.conn.execute(f"SELECT path FROM files WHERE folder = ? AND {_LEAVING}", (folder,))  # noqa: S608
    return [bytes(row[0]) for row in cursor]


def staged_ids(db: Database) -> set[int]:
    """Files that have private copies."""
    return {row[0] for row in db.conn.execute("SELECT id FROM files WHERE staged = 1")}


def _scalar(db: Database, sql: str, *args: Any) -> int:
    return int(db.conn.execute(sql, args).fetchone()[0])


def _file(row: Mapping[str, Any]) -> FileRow:
    return FileRow(
        id=row["id"],
        folder=row["folder"],
        path=bytes(row["path"]),
        state=FileState(row["state"]),
        sighting=row["sighting"],
        size=row["size"],
        content=row["content"] or "",
        object_size=row["object_size"] or 0,
        object_md5=row["object_md5"] or b"",
        object_crc32c=row["object_crc32c"] or 0,
        file_name=row["file_name"] or "",
        session_id=row["session_id"],
        after_upload=row["after_upload"] or "keep",
        attempts=row["attempts"],
        looks=row["looks"],
        tries=row["tries"],
        refusals=row["refusals"],
        losses=row["losses"],
    )


def _key(row: Mapping[str, Any]) -> SessionKey:
    return SessionKey(
        row["project_id"], row["collection_id"], row["item_id"], row["asset_key"], bool(row["categorical"])
    )


def _queued(db: Database) -> tuple[Queued, ...]:
    found = rows(
        db,
        "SELECT id, folder, size, content, not_before, alone, retrying_since FROM files WHERE state = 'queued' "
        "ORDER BY not_before > 0, id LIMIT ?",
        QUEUE_WINDOW,
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


def _waiting(db: Database) -> tuple[Waiting, ...]:
    found = rows(
        db,
        "SELECT id, folder, object_size, changed_at, categorical, file_name, batch_group, not_before "
        "FROM files WHERE state = 'converted' ORDER BY id LIMIT ?",
        WAITING_WINDOW,
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
    members: dict[int, list[Member]] = {}
    for m in rows(
        db,
        "SELECT session_id, id, state, object_size, not_before, retrying_since FROM files "  # noqa: S608
        f"WHERE session_id IN (SELECT id FROM sessions WHERE {_LIVE}) ORDER BY id",
    ):
        member = Member(
            m["id"], FileState(m["state"]), m["object_size"] or 0, m["not_before"], m["retrying_since"]
        )
        members.setdefault(m["session_id"], []).append(member)
    return tuple(
        Session(
            session_id=s["id"],
            key=_key(s),
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


def _twins(db: Database, files: list[Queued]) -> tuple[frozenset[int], frozenset[int]]:
    """Of these queued files: those whose content is completed elsewhere, and those that have to wait for it."""
    completed: set[int] = set()
    pending: set[int] = set()
    for file in files:
        states = {
            FileState(r["state"])
            for r in rows(
                db, "SELECT state FROM files WHERE content = ? AND id < ?", file.content, file.file_id
            )
        }
        if states & {FileState.COMPLETED, FileState.DISPOSED}:
            completed.add(file.file_id)
        elif states - FILE_ENDS:
            pending.add(file.file_id)
    return frozenset(completed), frozenset(pending)


def _disposals(db: Database) -> tuple[Disposal, ...]:
    found = rows(
        db,
        "SELECT f.id, f.not_before, f.retrying_since FROM files f JOIN sessions s ON s.id = f.session_id "
        "WHERE f.state = 'completed' AND f.disposal IS NULL "
        "AND (s.readback IS NULL OR s.readback = 'verified') ORDER BY f.id LIMIT 64",
    )
    return tuple(Disposal(r["id"], r["not_before"], r["retrying_since"]) for r in found)


def _discards(db: Database) -> tuple[int, ...]:
    ends = ", ".join(f"'{state}'" for state in sorted(FILE_ENDS))
    found = rows(db, f"SELECT id FROM files WHERE staged = 1 AND state IN ({ends}) LIMIT 64")  # noqa: S608
    return tuple(r["id"] for r in found)


def rejected_since(db: Database, since: float) -> int:
    """How many files were rejected from this time on (unix seconds)."""
    return _scalar(db, "SELECT COUNT(*) FROM files WHERE state = 'rejected' AND changed_at >= ?", since)

"""Single rows of the journal, as the effects need them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uploader.core.model import FileState, SessionKey, SessionState
from uploader.journal.rows import one, rows
from uploader.journal.sqlite_library import Database


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
        key=session_key(row),
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


def session_key(row: Mapping[str, Any]) -> SessionKey:
    """What the files of a session have in common, from its row."""
    return SessionKey(
        row["project_id"], row["collection_id"], row["item_id"], row["asset_key"], bool(row["categorical"])
    )

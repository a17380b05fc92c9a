"""Single rows of the journal, as the effects need them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from uploader.core.lifecycle import ARCHIVE_NOT_NEEDED, SESSION_ENDS
from uploader.core.live_rows import FileRow, LiveFile, LiveSession, SessionRow
from uploader.core.model import FileState, OwnTarget, SessionKey, SessionState
from uploader.core.scenes import Scene
from uploader.journal import content_hashes
from uploader.journal.rows import in_list, one, rows
from uploader.journal.sqlite_library import Database


def file_row(db: Database, file_id: int) -> FileRow:
    """One file; raises LookupError where there is none."""
    row = one(db, "SELECT * FROM files WHERE id = ?", file_id)
    if row is None:
        raise LookupError(f"no file {file_id} in the journal")
    return _file(row)


def unpacked_copies(db: Database, archive_id: int) -> list[tuple[int, bytes, str]]:
    """Files of an archive whose private copies may lie in the archive's name still: id, path, content."""
    sql = "SELECT id, path, content FROM files WHERE archive_id = ? AND state = 'queued' AND staged = 1"
    found = db.conn.execute(sql, (archive_id,))
    return [(row[0], bytes(row[1]), content_hashes.told(row[2]) or "") for row in found]


def session_row(db: Database, session_id: int) -> SessionRow:
    """One session with its members in order of their ids; raises LookupError where there is none."""
    row = one(db, "SELECT * FROM sessions WHERE id = ?", session_id)
    if row is None:
        raise LookupError(f"no session {session_id} in the journal")
    members = rows(db, "SELECT * FROM files WHERE session_id = ? ORDER BY id", session_id)
    return _session(row, tuple(_file(m) for m in members))


def live_files(db: Database, where: str, *args: Any) -> list[LiveFile]:
    """Files as the working set keeps them; the condition is ours."""
    found = rows(db, f"SELECT * FROM files WHERE {where}", *args)  # noqa: S608
    of_scenes = {
        scene_id: scene_row(db, scene_id) for scene_id in {row["scene_id"] for row in found} - {None}
    }
    return [_live_file(row, of_scenes.get(row["scene_id"]), _disposal_due(db, row)) for row in found]


def live_sessions(db: Database, where: str, *args: Any) -> list[LiveSession]:
    """Sessions as the working set keeps them; the condition is ours."""
    return [_live_session(row) for row in rows(db, f"SELECT * FROM sessions WHERE {where}", *args)]  # noqa: S608


def scene_row(db: Database, scene_id: int) -> Scene:
    """One scene; raises LookupError where there is none."""
    found = scene_rows(db, "id = ?", scene_id)
    if not found:
        raise LookupError(f"no scene {scene_id} in the journal")
    return found[0]


def scene_rows(db: Database, where: str, *args: Any) -> list[Scene]:
    """Scenes; the condition is ours."""
    found = rows(db, f"SELECT * FROM scenes WHERE {where}", *args)  # noqa: S608
    return [
        Scene(**{**row, "directory": bytes(row["directory"]), "details": json.loads(row["details"])})
        for row in found
    ]


OF_ARCHIVE_UNFINISHED = (
    f"archive_id = ? AND state NOT IN ({in_list(ARCHIVE_NOT_NEEDED)}) "
    "AND NOT (state = 'completed' AND disposal NOT NULL)"
)
"""The condition of files for which the source of their archive stays: they are not items yet, or were rejected."""


def _disposal_due(db: Database, row: Mapping[str, Any]) -> bool:
    if row["disposal"] is not None:
        return False
    if row["state"] != FileState.UNPACKED:
        return bool(row["state"] == FileState.COMPLETED)
    sql = f"SELECT 1 FROM files WHERE {OF_ARCHIVE_UNFINISHED} ORDER BY id DESC LIMIT 1"  # noqa: S608
    return db.conn.execute(sql, (row["id"],)).fetchone() is None  # the last ones are finished last


def _live_file(row: Mapping[str, Any], scene: Scene | None, disposal_due: bool) -> LiveFile:  # noqa: FBT001
    return LiveFile(
        row=_file(row),
        staged=bool(row["staged"]),
        disposal_due=disposal_due,
        changed_at=row["changed_at"],
        categorical=bool(row["categorical"]),
        batch_group=row["batch_group"],
        alone=bool(row["alone"]),
        not_before=row["not_before"],
        retrying_since=row["retrying_since"],
        own_target=own_target(row),
        priority=row["priority"],
        hold=row["hold"],
        scene=scene,
    )


def own_target(row: Mapping[str, Any]) -> OwnTarget:
    """Where a file goes that does not go where its folder says, from its row."""
    return OwnTarget(row["target_collection_id"], row["target_item_id"], row["target_asset_key"])


def _live_session(row: Mapping[str, Any]) -> LiveSession:
    ended = SessionState(row["state"]) in SESSION_ENDS
    return LiveSession(
        row=_session(row, ()),
        needed=not ended or row["readback"] == "due",
        locating=bool(row["locating"]),
        readback=row["readback"],
        not_before=row["not_before"],
        hold=row["hold"],
        last_error=row["last_error"],
        changed_at=row["changed_at"],
    )


def _session(row: Mapping[str, Any], members: tuple[FileRow, ...]) -> SessionRow:
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
        members=members,
    )


def _file(row: Mapping[str, Any]) -> FileRow:
    return FileRow(
        id=row["id"],
        folder=row["folder"],
        path=bytes(row["path"]),
        state=FileState(row["state"]),
        sighting=row["sighting"],
        size=row["size"],
        content=content_hashes.told(row["content"]) or "",
        object_size=row["object_size"] or 0,
        object_sha256=row["object_sha256"] or b"",
        object_crc32c=row["object_crc32c"] or 0,
        file_name=row["file_name"] or "",
        session_id=row["session_id"],
        after_upload=row["after_upload"] or "keep",
        attempts=row["attempts"],
        looks=row["looks"],
        tries=row["tries"],
        refusals=row["refusals"],
        losses=row["losses"],
        scene_id=row["scene_id"],
        archive_id=row["archive_id"],
    )


def session_key(row: Mapping[str, Any]) -> SessionKey:
    """What the files of a session have in common, from its row."""
    return SessionKey(
        row["project_id"], row["collection_id"], row["item_id"], row["asset_key"], bool(row["categorical"])
    )

"""What a repair has learned, as later claims ask for it: items of files that are not known, files that may be items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uploader.core.lifecycle import FileEvent
from uploader.core.model import Destination, FileState, Sighting
from uploader.core.naming import file_name
from uploader.core.recovery_matching import Target
from uploader.journal.rows import FRESH, encode_sighting, move_file, one
from uploader.journal.sqlite_library import Database

UNSURE = (
    "It lay here when the journal was repaired, and nobody can tell whether it was uploaded before: the platform does "
    "not show the names of its files. Look there; `uploader retry` on this file says that it is missing and uploads it."
)


def after_repair(
    db: Database, file_id: int, sighting: Sighting, destination: Destination, columns: Mapping[str, Any]
) -> FileState | None:
    """Within a transaction: what a repair has left to say of a file that is being claimed; mostly nothing.

    `columns` are those that every claim sets.
    """
    name = file_name(sighting.path, columns["content"])
    item = take_item(db, Target.of(destination), name, file_id)
    if item is not None:
        note, facts = recognised(item, name, destination.after_upload)
        return move_file(db, file_id, FileEvent.RECOGNISED, note, **{**columns, **facts})
    if is_unsure(db, sighting):
        return move_file(db, file_id, FileEvent.REJECTED, UNSURE, **{**columns, "last_error": UNSURE})
    return None


def recognised(item_id: str, name: str, after_upload: str) -> tuple[str, dict[str, Any]]:
    """The note and the columns of a file whose item the platform has shown."""
    disposal = "kept" if after_upload == "keep" else None
    columns = {"item_id": item_id, "file_name": name, "after_upload": after_upload, "disposal": disposal}
    return f"the platform has it as {item_id}", {**FRESH, **columns}


def take_item(db: Database, target: Target, file_name: str, file_id: int, upload_id: str = "") -> str | None:
    """Within a transaction: the item that this file is, which then is no other file's; None where there is none.

    Among equals the item of the given upload session is preferred.
    """
    found = one(
        db,
        "SELECT id, item_id FROM known_items WHERE file_id IS NULL AND stem = ? AND project_id = ? "
        "AND collection_id = ? AND target_item_id = ? ORDER BY upload_id != ?, id LIMIT 1",
        stem(file_name),
        target.project_id,
        target.collection_id,
        target.item_id,
        upload_id,
    )
    if found is None:
        return None
    db.conn.execute("UPDATE known_items SET file_id = ? WHERE id = ?", (file_id, found["id"]))
    return str(found["item_id"])


def is_unsure(db: Database, sighting: Sighting) -> bool:
    """Whether this very file lay there at a repair that could not tell whether it had been uploaded."""
    sql = "SELECT 1 FROM unsure WHERE folder = ? AND path = ? AND sighting = ?"
    return one(db, sql, sighting.folder, sighting.path, encode_sighting(sighting)) is not None


def assured(db: Database, folder: str, path: bytes) -> None:
    """Within a transaction: a person says that this file was not uploaded."""
    db.conn.execute("DELETE FROM unsure WHERE folder = ? AND path = ?", (folder, path))


def stem(file_name: str) -> str:
    """A file name of ours without its extension."""
    return file_name.rpartition(".")[0] or file_name

"""What a repair has learned, as later claims ask for it: items of files that are not known, files that may be items."""

from __future__ import annotations

from uploader.core.matching import stem_of
from uploader.core.recovery_matching import Target
from uploader.core.transitions.repaired import KnownItem
from uploader.journal.rows import one, rows
from uploader.journal.sqlite_library import Database


def known_item(db: Database, target: Target, file_name: str, upload_id: str = "") -> KnownItem | None:
    """The listed record that this file is, if it is no other file's; among equals one of the given upload session."""
    found = one(
        db,
        "SELECT id, item_id FROM known_items WHERE file_id IS NULL AND stem = ? AND project_id = ? "
        "AND collection_id = ? AND target_item_id = ? ORDER BY upload_id != ?, id LIMIT 1",
        stem_of(file_name),
        target.project_id,
        target.collection_id,
        target.item_id,
        upload_id,
    )
    return KnownItem(found["id"], found["item_id"]) if found else None


def names_like(db: Database, target: Target, text: str) -> list[tuple[str, str]]:
    """File names with this text in them that no file has, each with its item, in the order of the listing."""
    found = rows(
        db,
        "SELECT stem, item_id FROM known_items WHERE file_id IS NULL AND project_id = ? AND collection_id = ? "
        "AND target_item_id = '' AND instr(lower(stem), lower(?)) ORDER BY id",
        target.project_id,
        target.collection_id,
        text,
    )
    return [(row["stem"], row["item_id"]) for row in found]


def any_listed(db: Database) -> bool:
    """Whether a repair has listed any record."""
    return one(db, "SELECT 1 FROM known_items LIMIT 1") is not None


def take(db: Database, item_id: int, file_id: int) -> None:
    """Within a transaction: this listed record is that file's, and no other's."""
    db.conn.execute("UPDATE known_items SET file_id = ? WHERE id = ?", (file_id, item_id))


def is_unsure(db: Database, folder: str, path: bytes, sighting: object) -> bool:
    """Whether this very file lay there at a repair that could not tell whether it had been uploaded."""
    sql = "SELECT 1 FROM unsure WHERE folder = ? AND path = ? AND sighting = ?"
    return one(db, sql, folder, path, sighting) is not None


def assured(db: Database, folder: str, path: bytes) -> None:
    """Within a transaction: a person says that this file was not uploaded."""
    db.conn.execute("DELETE FROM unsure WHERE folder = ? AND path = ?", (folder, path))

"""Schema 7: one row says all of a file, also once it is an item, in about half of the bytes.

Before it, a completed file had a row and a receipt, and its path in two indexes. Now the receipt of a file is a view of
its row; the table of receipts has only those whose row was forgotten. The times at which a file was converted and
stored are in its row, so that its events can go. A hash is bytes, and that of a raster without sidecars, which is the
one of its group, is an empty value. The tables of scenes (`scene_tables`) are there before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.journal import content_hashes

if TYPE_CHECKING:
    from uploader.journal.sqlite_library import Database

_MOVED = (
    "object_sha256, object_md5, object_crc32c, comparison, declared, facts, footprint, transform, converted_at, "
    "stored_at, completed_at"
)
"""Columns of a receipt that the row of its file takes over."""

_OF_ROWS = """
    SELECT f.id, f.folder, f.path, f.state, CAST(COALESCE(s.project_id, '') AS TEXT) AS project_id,
        CAST(COALESCE(s.collection_id, '') AS TEXT) AS collection_id,
        CAST(COALESCE(s.item_id, '') AS TEXT) AS target_item_id, CAST(COALESCE(s.asset_key, '') AS TEXT) AS asset_key,
        CAST(COALESCE(s.upload_id, '') AS TEXT) AS upload_id, f.item_id, f.file_name, f.content, f.source_sha256,
        CAST(json_extract(f.sighting, '$[0][2]') AS INTEGER) AS source_size, f.size AS group_size, f.object_sha256,
        f.object_md5, f.object_crc32c, f.object_size, f.categorical, f.method, f.comparison, f.warnings, f.declared,
        f.facts, f.discovered_at AS seen_at, f.converted_at, f.stored_at, f.completed_at, f.readback, f.disposal,
        CAST(f.archived_as AS BLOB) AS archived_as, f.footprint, f.transform,
        CAST(COALESCE(c.name, '') AS TEXT) AS scene
    FROM files f LEFT JOIN sessions s ON s.id = f.session_id LEFT JOIN scenes c ON c.id = f.scene_id
    WHERE f.completed_at IS NOT NULL"""
"""Each column has the type that it has in the other part: only so does SQLite follow the indexes of both in order."""

_FORGOTTEN = """
    SELECT id, folder, path, state, project_id, collection_id, target_item_id, asset_key, upload_id, item_id,
        file_name, content, source_sha256, source_size, group_size, object_sha256, object_md5, object_crc32c,
        object_size, categorical, method, comparison, warnings, declared, facts, seen_at, converted_at, stored_at,
        completed_at, readback, disposal, CAST(archived_as AS BLOB) AS archived_as, footprint, transform,
        scene
    FROM receipts"""

_INDEXES = (
    # Finds a path with all that was there, and lets one content be current there once.
    "CREATE UNIQUE INDEX files_path ON files(folder, path, current, content)",
    "CREATE INDEX files_content ON files(content) WHERE content IS NOT NULL",
    # What is live, or held, however many there are that are neither.
    "CREATE INDEX files_due ON files(disposal, state) WHERE disposal IS NULL AND state = 'completed'",
    "CREATE INDEX files_held ON files(id) WHERE hold != ''",
    "CREATE INDEX sessions_held ON sessions(id) WHERE hold != ''",
    "CREATE INDEX sessions_due ON sessions(readback) WHERE readback = 'due'",
    "CREATE INDEX files_name ON files(file_name) WHERE item_id IS NULL AND completed_at IS NOT NULL",
)


CHUNK = 10_000
"""Rows that one statement changes: SQLite keeps in memory what it needs to undo one."""


def migrate(db: Database) -> None:
    """Within a transaction. A million files take half a minute of a processor, and their journal again on the disk."""
    execute = db.conn.execute
    for index in ("files_path", "files_identity", "files_content"):
        execute(f"DROP INDEX {index}")
    for column in ("converted_at REAL", "stored_at REAL"):
        execute(f"ALTER TABLE files ADD COLUMN {column}")
    db.conn.create_function("stored_hash", 1, content_hashes.stored, deterministic=True)
    (last,) = execute("SELECT COALESCE(MAX(id), 0) FROM files").fetchone()
    for first in range(0, last + 1, CHUNK):
        for statement in _STATEMENTS:
            execute(statement, {"first": first, "end": first + CHUNK})
    for index in _INDEXES:
        execute(index)
    execute(f"CREATE VIEW all_receipts AS {_OF_ROWS} UNION ALL {_FORGOTTEN}")


_AMONG = "id >= :first AND id < :end"
_LAST = "(SELECT MAX(time) FROM events WHERE file_id = files.id AND event = '{}')"
_STATEMENTS = (
    f"UPDATE files SET content = stored_hash(content), item_id = NULLIF(item_id, '') WHERE {_AMONG}",  # noqa: S608
    # The times of live files; those of the others are in their receipts.
    (
        f"UPDATE files SET converted_at = {_LAST.format('converted')}, stored_at = {_LAST.format('stored')} "  # noqa: S608
        f"WHERE {_AMONG} AND +state IN ('queued', 'converted', 'batched', 'stored')"
    ),
    (
        f"UPDATE files SET (source_sha256, {_MOVED}) = (SELECT "  # noqa: S608 - columns of ours
        f"CASE WHEN content IS NULL AND source_sha256 IS NOT NULL THEN x'' ELSE source_sha256 END, {_MOVED} "
        f"FROM receipts WHERE receipts.id = files.id) WHERE {_AMONG} AND id IN (SELECT id FROM receipts WHERE {_AMONG})"
    ),
    f"DELETE FROM receipts WHERE {_AMONG} AND id IN (SELECT id FROM files WHERE {_AMONG})",  # noqa: S608
)
"""What is done with the rows from an id on, up to another."""

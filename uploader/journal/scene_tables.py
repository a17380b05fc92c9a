"""The tables of scenes, as their migration makes them. Never edited once it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uploader.journal.sqlite_library import Database


def make(db: Database) -> None:
    """Within a migration: the scenes, and which file is of which."""
    db.conn.execute("""
        CREATE TABLE scenes (
            id INTEGER PRIMARY KEY,
            project_id TEXT NOT NULL,
            collection TEXT NOT NULL,         -- by name; empty: collection_id is the folder's
            collection_id TEXT,               -- NULL: not found by its name yet
            name TEXT NOT NULL,
            version TEXT NOT NULL,
            tile TEXT NOT NULL,
            issue INTEGER NOT NULL,           -- a raster that changes begins the next one
            lead TEXT NOT NULL,               -- the asset that makes the item; empty: whichever comes first
            create_collection INTEGER NOT NULL,
            folder TEXT NOT NULL,             -- where its first file lay
            directory BLOB NOT NULL,
            marker TEXT NOT NULL,
            complete_by REAL NOT NULL,
            patience REAL NOT NULL,
            item_id TEXT,
            details TEXT NOT NULL,
            describing TEXT NOT NULL,         -- empty: nothing to tell; due | done | refused
            hold TEXT NOT NULL,
            tries INTEGER NOT NULL,
            retrying_since REAL,
            not_before REAL NOT NULL,
            last_error TEXT NOT NULL,
            created_at REAL NOT NULL,
            changed_at REAL NOT NULL
        )""")
    db.conn.execute("CREATE INDEX scenes_name ON scenes(project_id, name)")
    db.conn.execute("CREATE INDEX scenes_wanting ON scenes(id) WHERE item_id IS NULL OR describing = 'due'")
    db.conn.execute("ALTER TABLE files ADD COLUMN scene_id INTEGER REFERENCES scenes(id)")
    db.conn.execute("CREATE INDEX files_scene ON files(scene_id) WHERE scene_id IS NOT NULL")
    db.conn.execute("ALTER TABLE receipts ADD COLUMN scene TEXT NOT NULL DEFAULT ''")

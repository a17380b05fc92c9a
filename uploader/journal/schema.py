"""The journal's tables, as migrations: each is applied once, in order, together with the record that it was.

A migration that has been published is never edited; a change of the schema is a new one. `SCHEMA` counts them, and a
journal that counts more was written by a newer program: it is not opened.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from uploader.journal import scene_tables, schema_7
from uploader.journal.sqlite_library import Migrations

if TYPE_CHECKING:
    from uploader.journal.sqlite_library import Database

migrations = Migrations("uploader")


@migrations()
def m001_files_sessions_events(db: Database) -> None:
    """The two machines, their event log, holds, and what was learned of the platform."""
    db.conn.execute("""
        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY,
            state TEXT NOT NULL,
            project_id TEXT NOT NULL,
            collection_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            asset_key TEXT NOT NULL,
            categorical INTEGER NOT NULL,
            idempotency_key TEXT NOT NULL UNIQUE,
            body TEXT NOT NULL,               -- sent verbatim by every initiate
            file_count INTEGER NOT NULL,
            total_bytes INTEGER NOT NULL,
            upload_id TEXT,
            initiates_sent INTEGER NOT NULL DEFAULT 0,
            initiates_clear INTEGER NOT NULL DEFAULT 0,
            completes_sent INTEGER NOT NULL DEFAULT 0,
            completes_clear INTEGER NOT NULL DEFAULT 0,
            locating INTEGER NOT NULL DEFAULT 0,
            locate_tries INTEGER NOT NULL DEFAULT 0,
            item_ids TEXT NOT NULL DEFAULT '[]',
            readback TEXT,                    -- NULL: not wanted; due | verified | mismatch
            tries INTEGER NOT NULL DEFAULT 0, -- of the step that is being retried
            retrying_since REAL,
            not_before REAL NOT NULL DEFAULT 0,
            hold TEXT NOT NULL DEFAULT '',
            last_error TEXT NOT NULL DEFAULT '',
            created_at REAL NOT NULL,
            changed_at REAL NOT NULL
        )""")
    db.conn.execute("""
        CREATE TABLE files (
            id INTEGER PRIMARY KEY,
            folder TEXT NOT NULL,
            path BLOB NOT NULL,               -- below the folder, as the file system spells it
            current INTEGER,                  -- 1 while the path exists, NULL once its history is over
            state TEXT NOT NULL,
            sighting TEXT NOT NULL,           -- fingerprints of the raster and its sidecars
            size INTEGER NOT NULL,            -- bytes of the group as seen, then as claimed
            content TEXT,                     -- sha256 of the group
            staged INTEGER NOT NULL DEFAULT 0,
            object_size INTEGER,
            object_md5 BLOB,
            object_crc32c INTEGER,
            method TEXT,
            categorical INTEGER,
            warnings TEXT NOT NULL DEFAULT '[]',
            bands TEXT NOT NULL DEFAULT '[]',
            file_name TEXT,
            session_id INTEGER REFERENCES sessions(id),
            batch_group TEXT NOT NULL DEFAULT '',
            after_upload TEXT,                -- frozen with the session
            disposal TEXT,                    -- NULL: not yet; kept | archived | deleted | replaced | missing
            archived_as TEXT,
            item_id TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            looks INTEGER NOT NULL DEFAULT 0,
            tries INTEGER NOT NULL DEFAULT 0, -- of the step that is being retried, outages included
            refusals INTEGER NOT NULL DEFAULT 0, -- those of them that were the file's own
            alone INTEGER NOT NULL DEFAULT 0,
            losses INTEGER NOT NULL DEFAULT 0,
            retrying_since REAL,
            not_before REAL NOT NULL DEFAULT 0,
            hold TEXT NOT NULL DEFAULT '',
            last_error TEXT NOT NULL DEFAULT '',
            discovered_at REAL NOT NULL,
            changed_at REAL NOT NULL
        )""")
    db.conn.execute("CREATE INDEX files_path ON files(folder, path)")
    db.conn.execute("CREATE INDEX files_state ON files(state)")
    db.conn.execute("CREATE INDEX files_session ON files(session_id) WHERE session_id IS NOT NULL")
    db.conn.execute("CREATE INDEX files_content ON files(content) WHERE content IS NOT NULL")
    db.conn.execute("CREATE INDEX files_staged ON files(state) WHERE staged = 1")
    db.conn.execute("""
        CREATE UNIQUE INDEX files_identity ON files(folder, path, content)
        WHERE current = 1 AND content IS NOT NULL""")
    db.conn.execute("CREATE INDEX sessions_state ON sessions(state)")
    db.conn.execute("""
        CREATE INDEX sessions_doubtful ON sessions(id) WHERE initiates_sent > initiates_clear""")
    db.conn.execute("""
        CREATE TABLE events (
            id INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            file_id INTEGER,
            session_id INTEGER,
            event TEXT NOT NULL,
            state TEXT NOT NULL,
            note TEXT NOT NULL
        )""")
    db.conn.execute("CREATE INDEX events_file ON events(file_id) WHERE file_id IS NOT NULL")
    db.conn.execute("CREATE INDEX events_session ON events(session_id) WHERE session_id IS NOT NULL")
    db.conn.execute("""
        CREATE TABLE holds (
            scope TEXT NOT NULL,
            subject TEXT NOT NULL,
            reason TEXT NOT NULL,
            way_out TEXT NOT NULL,
            since REAL NOT NULL,
            until REAL,
            attempts INTEGER NOT NULL,
            PRIMARY KEY (scope, subject)
        )""")
    db.conn.execute("CREATE TABLE profile (key TEXT PRIMARY KEY, value TEXT NOT NULL)")


@migrations()
def m002_repairs_and_history(db: Database) -> None:
    """What a repair learns of the platform and the folders, whose journal it is, and where old history lies."""
    db.conn.execute("""
        CREATE TABLE known_items (            -- what the platform listed when this journal was repaired
            id INTEGER PRIMARY KEY,
            project_id TEXT NOT NULL,
            collection_id TEXT NOT NULL,
            target_item_id TEXT NOT NULL,     -- not empty: it is an asset of this item
            record_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            upload_id TEXT NOT NULL,
            stem TEXT NOT NULL,               -- a file name of ours without its extension
            file_id INTEGER                   -- the one file that it is; NULL: of none that is known
        )""")
    db.conn.execute("CREATE INDEX known_items_stem ON known_items(stem) WHERE file_id IS NULL")
    db.conn.execute("""
        CREATE TABLE unsure (                 -- lay in a folder at the repair, and may have been uploaded before it
            folder TEXT NOT NULL,
            path BLOB NOT NULL,
            sighting TEXT NOT NULL,
            PRIMARY KEY (folder, path)
        ) WITHOUT ROWID""")
    db.conn.execute("CREATE INDEX files_history ON files(id) WHERE current IS NULL")
    db.conn.execute("INSERT INTO profile (key, value) VALUES ('journal', ?)", (f'"{secrets.token_hex(8)}"',))


@migrations()
def m003_archived_files(db: Database) -> None:
    """Which file on the disk an archived source is, so that it is known when a drop folder shows it again."""
    db.conn.execute("ALTER TABLE files ADD COLUMN archived_identity TEXT")  # device and inode
    db.conn.execute(
        "CREATE INDEX files_archived ON files(archived_identity) WHERE archived_identity IS NOT NULL"
    )


@migrations()
def m004_targets_pauses_cursors_receipts(db: Database) -> None:
    """What a file is sent to and when, what a person has paused, who follows the events, and what a receipt tells."""
    for column in (
        "target_collection_id TEXT",  # these three: NULL as the file's folder says; frozen with its session
        "target_item_id TEXT",
        "target_asset_key TEXT",
        "priority INTEGER NOT NULL DEFAULT 0",  # the highest goes first
        "completed_at REAL",  # NULL: not yet, or before schema 4
        "readback TEXT",  # NULL: not read back; named | counted | missing
    ):
        db.conn.execute(f"ALTER TABLE files ADD COLUMN {column}")
    db.conn.execute("CREATE INDEX files_completed ON files(completed_at) WHERE completed_at IS NOT NULL")
    db.conn.execute("CREATE INDEX files_item ON files(item_id) WHERE item_id IS NOT NULL")
    db.conn.execute("CREATE INDEX sessions_upload ON sessions(upload_id) WHERE upload_id IS NOT NULL")
    db.conn.execute("""
        CREATE TABLE pauses (
            folder TEXT PRIMARY KEY,          -- empty: everything
            since REAL NOT NULL,
            until REAL                        -- NULL: until a person resumes
        ) WITHOUT ROWID""")
    db.conn.execute("""
        CREATE TABLE cursors (                -- how far who must miss no event has come
            name TEXT PRIMARY KEY,
            event INTEGER NOT NULL
        ) WITHOUT ROWID""")


@migrations()
def m005_receipts(db: Database) -> None:
    """What is kept for ever of each file that became an item, and the facts that it is made of."""
    for column in (
        "source_sha256 BLOB",  # of the raster alone; `content` is that of its group
        "object_sha256 BLOB",
        "comparison TEXT",  # full | sample | off | bytes; NULL: before schema 5
        "declared TEXT NOT NULL DEFAULT '{}'",
        "facts TEXT NOT NULL DEFAULT '{}'",
    ):
        db.conn.execute(f"ALTER TABLE files ADD COLUMN {column}")
    db.conn.execute("""
        CREATE TABLE receipts (
            id INTEGER PRIMARY KEY,           -- that of the file, whose row may be forgotten
            folder TEXT NOT NULL,
            path BLOB NOT NULL,
            state TEXT NOT NULL,
            project_id TEXT NOT NULL,         -- these four: where the session went; empty where it is not known
            collection_id TEXT NOT NULL,
            target_item_id TEXT NOT NULL,
            asset_key TEXT NOT NULL,
            upload_id TEXT NOT NULL,
            item_id TEXT,
            file_name TEXT,
            content TEXT,
            source_sha256 BLOB,
            source_size INTEGER NOT NULL,     -- of the raster alone
            group_size INTEGER NOT NULL,
            object_sha256 BLOB,
            object_md5 BLOB,
            object_crc32c INTEGER,
            object_size INTEGER,
            categorical INTEGER,
            method TEXT,
            comparison TEXT,
            warnings TEXT NOT NULL,
            declared TEXT NOT NULL,
            facts TEXT NOT NULL,
            seen_at REAL NOT NULL,
            converted_at REAL,
            stored_at REAL,
            completed_at REAL NOT NULL,
            readback TEXT,
            disposal TEXT,
            archived_as BLOB
        )""")
    db.conn.execute("""
        INSERT INTO receipts
        SELECT f.id, f.folder, f.path, f.state, COALESCE(s.project_id, ''), COALESCE(s.collection_id, ''),
            COALESCE(s.item_id, ''), COALESCE(s.asset_key, ''), COALESCE(s.upload_id, ''),
            NULLIF(f.item_id, ''), f.file_name, f.content, NULL, json_extract(f.sighting, '$[0][2]'), f.size,
            NULL, f.object_md5, f.object_crc32c, f.object_size, f.categorical, f.method, NULL, f.warnings, '{}', '{}',
            f.discovered_at,
            (SELECT MAX(time) FROM events WHERE file_id = f.id AND event = 'converted'),
            (SELECT MAX(time) FROM events WHERE file_id = f.id AND event = 'stored'),
            COALESCE(f.completed_at,
                (SELECT MIN(time) FROM events WHERE file_id = f.id AND event IN ('completed', 'recognised')),
                f.changed_at),
            f.readback, f.disposal, f.archived_as
        FROM files f LEFT JOIN sessions s ON s.id = f.session_id WHERE f.state IN ('completed', 'disposed')""")
    db.conn.execute("CREATE INDEX receipts_completed ON receipts(completed_at)")
    db.conn.execute("CREATE INDEX receipts_item ON receipts(item_id)")
    db.conn.execute("CREATE INDEX receipts_name ON receipts(file_name) WHERE item_id IS NULL")
    db.conn.execute("CREATE INDEX receipts_upload ON receipts(upload_id) WHERE item_id IS NULL")


@migrations()
def m006_footprints(db: Database) -> None:
    """Where each raster lies, on the Earth and in its reference system; NULL: nowhere, or it came before schema 6."""
    for table in ("files", "receipts"):
        db.conn.execute(f"ALTER TABLE {table} ADD COLUMN footprint BLOB")  # see core.footprints
        db.conn.execute(f"ALTER TABLE {table} ADD COLUMN transform BLOB")  # see core.affine_transforms


@migrations()
def m007_one_row_and_scenes(db: Database) -> None:
    """All of a file is in one row, its receipt is a view of it, hashes are bytes; rasters can be assets of a scene."""
    scene_tables.make(db)
    schema_7.migrate(db)


@migrations()
def m008_archives(db: Database) -> None:
    """From which archive a file was unpacked: NULL where it lies in the drop folder itself."""
    db.conn.execute("ALTER TABLE files ADD COLUMN archive_id INTEGER")
    db.conn.execute("CREATE INDEX files_unpacked ON files(archive_id) WHERE archive_id IS NOT NULL")
    db.conn.execute("CREATE INDEX archives_due ON files(id) WHERE state = 'unpacked' AND disposal IS NULL")


SCHEMA = 8
"""How many migrations there are; written to `PRAGMA user_version`."""

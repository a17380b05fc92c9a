-- A journal of schema 7, brought up from the first one: files and sessions in every state. Never edited.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'uploader','m001_files_sessions_events','2026-11-22 10:31:38.619065+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'uploader','m002_repairs_and_history','2026-11-28 10:47:08.554888+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'uploader','m003_archived_files','2026-11-28 17:11:22.257547+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'uploader','m004_targets_pauses_cursors_receipts','2026-11-28 20:34:54.367276+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'uploader','m005_receipts','2026-11-28 23:58:43.475510+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'uploader','m006_footprints','2026-11-29 03:18:09.352976+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'uploader','m007_one_row_and_scenes','2026-11-29 06:36:39.058509+00:00');
CREATE TABLE cursors (                -- how far who must miss no event has come
            name TEXT PRIMARY KEY,
            event INTEGER NOT NULL
        ) WITHOUT ROWID;
INSERT INTO "cursors" VALUES('notify',20);
CREATE TABLE events (
            id INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            file_id INTEGER,
            session_id INTEGER,
            event TEXT NOT NULL,
            state TEXT NOT NULL,
            note TEXT NOT NULL
        );
INSERT INTO "events" VALUES(1,1760000000.0,1,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(2,1760000000.0,2,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(3,1760000002.0,2,NULL,'queued','queued','');
INSERT INTO "events" VALUES(4,1760000000.0,3,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(5,1760000003.0,3,NULL,'converted','converted','');
INSERT INTO "events" VALUES(6,1760000000.0,4,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(7,1760000004.0,4,1,'batched','batched','');
INSERT INTO "events" VALUES(8,1760000000.0,5,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(9,1760000005.0,5,2,'stored','stored','');
INSERT INTO "events" VALUES(10,1760000000.0,6,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(11,1760000006.0,6,3,'stored','stored','');
INSERT INTO "events" VALUES(12,1760000000.0,7,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(13,1760000007.0,7,4,'completed','completed','');
INSERT INTO "events" VALUES(14,1760000000.0,8,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(15,1760000008.0,8,4,'disposed','disposed','');
INSERT INTO "events" VALUES(16,1760000000.0,9,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(17,1760000009.0,9,NULL,'rejected','rejected','');
INSERT INTO "events" VALUES(18,1760000000.0,10,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(19,1760000010.0,10,NULL,'duplicate','duplicate','');
INSERT INTO "events" VALUES(20,1760000000.0,11,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(21,1760000011.0,11,NULL,'gone','gone','');
INSERT INTO "events" VALUES(22,1760000000.0,12,NULL,'discovered','settling','10 bytes');
INSERT INTO "events" VALUES(23,1760000012.0,12,5,'stored','stored','');
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
        , archived_identity TEXT, target_collection_id TEXT, target_item_id TEXT, target_asset_key TEXT, priority INTEGER NOT NULL DEFAULT 0, completed_at REAL, readback TEXT, source_sha256 BLOB, object_sha256 BLOB, comparison TEXT, declared TEXT NOT NULL DEFAULT '{}', facts TEXT NOT NULL DEFAULT '{}', footprint BLOB, transform BLOB, scene_id INTEGER REFERENCES scenes(id), converted_at REAL, stored_at REAL);
INSERT INTO "files" VALUES(1,'/srv/drop',X'612E746966',1,'settling','[[1,1,10,5,6],[]]',10,NULL,0,NULL,NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL,'',NULL,NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000001.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(2,'/srv/drop',X'62FF0A2E746966',1,'queued','[[1,2,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000002',1,NULL,NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL,'',NULL,NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000002.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(3,'/srv/drop',X'632E746966',1,'converted','[[1,3,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000003',1,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f3-0000000000000.tif',NULL,'',NULL,NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000003.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,1760000003.0,NULL);
INSERT INTO "files" VALUES(4,'/srv/drop',X'642E746966',1,'batched','[[1,4,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000004',1,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f4-0000000000000.tif',1,'','keep',NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000004.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(5,'/srv/drop',X'652E746966',1,'stored','[[1,5,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000005',1,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f5-0000000000000.tif',2,'','delete',NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000005.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,1760000005.0);
INSERT INTO "files" VALUES(6,'/srv/drop',X'662E746966',1,'stored','[[1,6,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000006',1,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f6-0000000000000.tif',3,'','keep',NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000006.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,1760000006.0);
INSERT INTO "files" VALUES(7,'/srv/drop',X'672E746966',1,'completed','[[1,7,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000007',1,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f7-0000000000000.tif',4,'','delete',NULL,NULL,'it-1',0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000007.0,NULL,NULL,NULL,NULL,0,1760000007.0,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(8,'/srv/drop',X'682E746966',NULL,'disposed','[[1,8,10,5,6],[]]',10,X'0000000000000000000000000000000000000000000000000000000000000008',0,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f8-0000000000000.tif',4,'','delete','deleted',NULL,'it-2',0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000008.0,NULL,NULL,NULL,NULL,0,1760000008.0,'named',NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(9,'/srv/drop',X'692E746966',1,'rejected','[[1,9,10,5,6],[]]',10,NULL,0,NULL,NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL,'',NULL,NULL,NULL,NULL,0,2,0,0,0,0,NULL,0.0,'','It is no raster.',1760000000.0,1760000009.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(10,'/srv/drop',X'6A2E746966',NULL,'duplicate','[[1,10,10,5,6],[]]',10,X'000000000000000000000000000000000000000000000000000000000000000A',0,NULL,NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL,'',NULL,NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000010.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(11,'/srv/drop',X'6B2E746966',NULL,'gone','[[1,11,10,5,6],[]]',10,NULL,0,NULL,NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL,'',NULL,NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000011.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(12,'/srv/drop',X'6C2E746966',1,'stored','[[1,12,10,5,6],[]]',10,X'000000000000000000000000000000000000000000000000000000000000000C',1,12,X'6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D6D',7,'encode',0,'[]','[]','f12-000000000000.tif',5,'','keep',NULL,NULL,NULL,0,0,0,0,0,0,NULL,0.0,'','',1760000000.0,1760000012.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,'{}','{}',NULL,NULL,NULL,NULL,1760000012.0);
CREATE TABLE holds (
            scope TEXT NOT NULL,
            subject TEXT NOT NULL,
            reason TEXT NOT NULL,
            way_out TEXT NOT NULL,
            since REAL NOT NULL,
            until REAL,
            attempts INTEGER NOT NULL,
            PRIMARY KEY (scope, subject)
        );
INSERT INTO "holds" VALUES('target','p-1','HTTP 403: no role','Ask for the role editor.',1760000000.0,1760000300.0,1);
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
        );
CREATE TABLE pauses (
            folder TEXT PRIMARY KEY,          -- empty: everything
            since REAL NOT NULL,
            until REAL                        -- NULL: until a person resumes
        ) WITHOUT ROWID;
INSERT INTO "pauses" VALUES('/srv/other',1760000000.0,NULL);
CREATE TABLE profile (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "profile" VALUES('layout:p-1','"per_file"');
INSERT INTO "profile" VALUES('transfer_method','"cli"');
INSERT INTO "profile" VALUES('quota_cap','1000');
INSERT INTO "profile" VALUES('journal','"f642c67127bd64f1"');
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
        , footprint BLOB, transform BLOB, scene TEXT NOT NULL DEFAULT '');
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
        );
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
        );
INSERT INTO "sessions" VALUES(1,'planned','p-1','','','',0,'key-1','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,NULL,0,0,0,0,0,0,'[]',NULL,0,NULL,0.0,'','',1760000000.0,1760000001.0);
INSERT INTO "sessions" VALUES(2,'open','p-1','','','',0,'key-2','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,'u-2',1,1,0,0,0,0,'[]',NULL,0,NULL,0.0,'','',1760000000.0,1760000002.0);
INSERT INTO "sessions" VALUES(3,'completing','p-1','','','',0,'key-3','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,'u-3',1,1,1,0,0,0,'[]',NULL,0,NULL,0.0,'','',1760000000.0,1760000003.0);
INSERT INTO "sessions" VALUES(4,'completed','p-1','','','',0,'key-4','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,'u-4',1,1,1,1,0,0,'["it-1"]','verified',0,NULL,0.0,'','',1760000000.0,1760000004.0);
INSERT INTO "sessions" VALUES(5,'failing','p-1','','','',0,'key-5','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,'u-5',1,1,0,0,0,0,'[]',NULL,0,NULL,0.0,'','',1760000000.0,1760000005.0);
INSERT INTO "sessions" VALUES(6,'failed','p-1','','','',0,'key-6','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,'u-6',1,1,0,0,0,0,'[]',NULL,0,NULL,0.0,'','',1760000000.0,1760000006.0);
INSERT INTO "sessions" VALUES(7,'lost','p-1','','','',0,'key-7','{"project_id": "p-1", "file_count": 1, "total_bytes": 12}',1,12,'u-7',2,1,0,0,0,0,'[]',NULL,0,NULL,0.0,'','',1760000000.0,1760000007.0);
CREATE TABLE unsure (                 -- lay in a folder at the repair, and may have been uploaded before it
            folder TEXT NOT NULL,
            path BLOB NOT NULL,
            sighting TEXT NOT NULL,
            PRIMARY KEY (folder, path)
        ) WITHOUT ROWID;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX files_state ON files(state);
CREATE INDEX files_session ON files(session_id) WHERE session_id IS NOT NULL;
CREATE INDEX files_staged ON files(state) WHERE staged = 1;
CREATE INDEX sessions_state ON sessions(state);
CREATE INDEX sessions_doubtful ON sessions(id) WHERE initiates_sent > initiates_clear;
CREATE INDEX events_file ON events(file_id) WHERE file_id IS NOT NULL;
CREATE INDEX events_session ON events(session_id) WHERE session_id IS NOT NULL;
CREATE INDEX known_items_stem ON known_items(stem) WHERE file_id IS NULL;
CREATE INDEX files_history ON files(id) WHERE current IS NULL;
CREATE INDEX files_archived ON files(archived_identity) WHERE archived_identity IS NOT NULL;
CREATE INDEX files_completed ON files(completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX files_item ON files(item_id) WHERE item_id IS NOT NULL;
CREATE INDEX sessions_upload ON sessions(upload_id) WHERE upload_id IS NOT NULL;
CREATE INDEX receipts_completed ON receipts(completed_at);
CREATE INDEX receipts_item ON receipts(item_id);
CREATE INDEX receipts_name ON receipts(file_name) WHERE item_id IS NULL;
CREATE INDEX receipts_upload ON receipts(upload_id) WHERE item_id IS NULL;
CREATE INDEX scenes_name ON scenes(project_id, name);
CREATE INDEX scenes_wanting ON scenes(id) WHERE item_id IS NULL OR describing = 'due';
CREATE INDEX files_scene ON files(scene_id) WHERE scene_id IS NOT NULL;
CREATE UNIQUE INDEX files_path ON files(folder, path, current, content);
CREATE INDEX files_content ON files(content) WHERE content IS NOT NULL;
CREATE INDEX files_due ON files(disposal, state) WHERE disposal IS NULL AND state = 'completed';
CREATE INDEX files_held ON files(id) WHERE hold != '';
CREATE INDEX sessions_held ON sessions(id) WHERE hold != '';
CREATE INDEX sessions_due ON sessions(readback) WHERE readback = 'due';
CREATE INDEX files_name ON files(file_name) WHERE item_id IS NULL AND completed_at IS NOT NULL;
CREATE VIEW all_receipts AS 
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
    WHERE f.completed_at IS NOT NULL UNION ALL 
    SELECT id, folder, path, state, project_id, collection_id, target_item_id, asset_key, upload_id, item_id,
        file_name, content, source_sha256, source_size, group_size, object_sha256, object_md5, object_crc32c,
        object_size, categorical, method, comparison, warnings, declared, facts, seen_at, converted_at, stored_at,
        completed_at, readback, disposal, CAST(archived_as AS BLOB) AS archived_as, footprint, transform,
        scene
    FROM receipts;
COMMIT;
PRAGMA user_version=7;

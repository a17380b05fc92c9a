"""The tables of the sandbox. Times are unix seconds, sizes bytes, hashes of md5 hex and of crc32c an integer.

`history` is append-only and has three kinds of rows: `call` (one per request, written before its answer leaves),
`effect` (written in the transaction of the effect itself) and `unsent` (the client was gone when the answer came).
An object's bytes are immutable files that the row points to, so that a kill can only leave files without rows.
"""

VERSION = 1
"""Of the tables; kept in the file, and to be raised with every change of them."""
SCHEMA = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS organization (
    id TEXT PRIMARY KEY, quota_bytes INTEGER NOT NULL, credits INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL DEFAULT 0, reserved_bytes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS project (id TEXT PRIMARY KEY, organization TEXT NOT NULL REFERENCES organization);
CREATE TABLE IF NOT EXISTS collection (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL, description TEXT,
    color TEXT, show_on_map INTEGER NOT NULL, layer_order INTEGER NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, project_id TEXT NOT NULL REFERENCES project,
    state TEXT NOT NULL CHECK (state IN ('open', 'completed', 'failed', 'lost')),
    transfer_method TEXT NOT NULL, file_count INTEGER NOT NULL, total_bytes INTEGER NOT NULL,
    reserved_bytes INTEGER NOT NULL, collection_id TEXT, item_id TEXT, asset_key TEXT,
    is_categorical INTEGER NOT NULL, status TEXT NOT NULL, bytes_uploaded INTEGER NOT NULL DEFAULT 0,
    error_message TEXT, error_step TEXT, lost_status INTEGER, created_by TEXT NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS session_state ON session (state);
CREATE TABLE IF NOT EXISTS file (
    upload_id TEXT NOT NULL REFERENCES session, file_name TEXT NOT NULL, content_type TEXT NOT NULL,
    object_path TEXT NOT NULL, PRIMARY KEY (upload_id, file_name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (
    path TEXT PRIMARY KEY, upload_id TEXT NOT NULL, file_name TEXT NOT NULL, blob TEXT NOT NULL,
    size INTEGER NOT NULL, md5 TEXT NOT NULL, crc32c INTEGER NOT NULL, generation INTEGER NOT NULL,
    content_type TEXT NOT NULL, stored_at REAL NOT NULL, facts TEXT);
CREATE INDEX IF NOT EXISTS object_upload ON object (upload_id);
CREATE TABLE IF NOT EXISTS item (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, collection_id TEXT,
    stac_id TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL, upload_id TEXT, geometry TEXT, bbox TEXT,
    west REAL, south REAL, east REAL, north REAL,
    datetime TEXT NOT NULL, properties TEXT NOT NULL, created_by TEXT NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL, deleted_at REAL);
CREATE INDEX IF NOT EXISTS item_project ON item (project_id, sequence);
CREATE INDEX IF NOT EXISTS item_upload ON item (upload_id);
CREATE TABLE IF NOT EXISTS asset (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, item_id TEXT NOT NULL REFERENCES item (id),
    key TEXT NOT NULL, file_name TEXT NOT NULL, object_path TEXT NOT NULL, media_type TEXT NOT NULL,
    size INTEGER NOT NULL, md5 TEXT NOT NULL, crc32c INTEGER NOT NULL, is_categorical INTEGER NOT NULL,
    upload_id TEXT NOT NULL, facts TEXT NOT NULL, created_at REAL NOT NULL, UNIQUE (item_id, key));
CREATE INDEX IF NOT EXISTS asset_upload ON asset (upload_id);
CREATE TABLE IF NOT EXISTS edge (
    src_type TEXT NOT NULL, src_id TEXT NOT NULL, dst_type TEXT NOT NULL, dst_id TEXT NOT NULL,
    relation TEXT NOT NULL, invocation_id TEXT NOT NULL, created_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS edge_src ON edge (src_type, src_id);
CREATE INDEX IF NOT EXISTS edge_dst ON edge (dst_type, dst_id);
CREATE TABLE IF NOT EXISTS pipeline (
    item_id TEXT PRIMARY KEY REFERENCES item (id), due_at REAL NOT NULL, attempts INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')), error TEXT, finished_at REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pipeline_due ON pipeline (state, due_at);
CREATE TABLE IF NOT EXISTS profile (
    id TEXT PRIMARY KEY, item_id TEXT NOT NULL REFERENCES item (id), name TEXT NOT NULL, layer TEXT NOT NULL,
    type TEXT NOT NULL, is_default INTEGER NOT NULL, sort_order INTEGER NOT NULL, config TEXT NOT NULL,
    asset_key TEXT, version INTEGER NOT NULL, thumbnail BLOB, created_by TEXT,
    created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS profile_item ON profile (item_id);
CREATE TABLE IF NOT EXISTS resumable (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, upload_id TEXT NOT NULL, content_type TEXT NOT NULL,
    precondition TEXT, part TEXT NOT NULL, received INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('open', 'stored', 'cancelled')), generation INTEGER,
    created_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refresh_token (
    digest TEXT PRIMARY KEY, principal TEXT NOT NULL, expires_at REAL NOT NULL, used_at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replay (
    organization TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, answer TEXT NOT NULL,
    status INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (organization, path, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, project_id TEXT NOT NULL REFERENCES project, name TEXT,
    state TEXT NOT NULL CHECK (state IN ('processing', 'delivered')),
    credits INTEGER NOT NULL, reserved_credits INTEGER NOT NULL, groups TEXT NOT NULL, lines TEXT NOT NULL,
    deliver_at REAL NOT NULL, created_by TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS orders_due ON orders (state, deliver_at);
CREATE TABLE IF NOT EXISTS confirmation (client_secret TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_key (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL, permissions TEXT NOT NULL, rate_limit INTEGER, expires_at REAL,
    created_by TEXT NOT NULL, created_at REAL NOT NULL, revoked_at REAL);
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('call', 'effect', 'unsent')),
    call_id TEXT NOT NULL, organization TEXT NOT NULL DEFAULT '', principal TEXT NOT NULL DEFAULT '',
    operation TEXT NOT NULL, upload_id TEXT NOT NULL DEFAULT '', status INTEGER,
    sent INTEGER, committed INTEGER, bytes_in INTEGER NOT NULL DEFAULT 0, bytes_out INTEGER NOT NULL DEFAULT 0,
    had_authorization INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS history_upload ON history (upload_id);
"""

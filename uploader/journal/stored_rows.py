"""The rows that transitions ask for, from SQLite. Each is found by a key or an index, and nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from uploader.core.model import FileState, Hold, Pause, Scope, SessionKey, SessionState, Sighting
from uploader.core.recovery_matching import Target
from uploader.core.scenes import DROPPED, Scene
from uploader.core.transitions.change import Change, LogLine
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.core.transitions.repaired import KnownItem
from uploader.core.transitions.source_events import SightedGroup
from uploader.journal import content_hashes, recovered_items
from uploader.journal.apply import SESSION_KEY, apply
from uploader.journal.deltas import (
    DUE,
    NEEDED,
    UNPACKED_DUE,
    WANTING,
    WORKED_ON,
    Touched,
    among_ids,
)
from uploader.journal.hold_rows import read_holds, read_pauses, read_profile
from uploader.journal.queries import REJECTED, among
from uploader.journal.row_queries import scene_row, scene_rows
from uploader.journal.rows import batched, clock, encode_sighting, in_list
from uploader.journal.sqlite_library import Database

UNSENT = frozenset({FileState.CONVERTED, FileState.BATCHED})
"""States of files that were converted and not sent yet."""

_FILE_NAMES = tuple(column.name for column in fields(FileRecord))
_FILES = f"SELECT {', '.join(_FILE_NAMES)} FROM files"  # noqa: S608 - names of ours
_SESSION_NAMES = tuple(column.name for column in fields(SessionRecord) if column.name != "key")
_SESSIONS = f"SELECT {', '.join((*SESSION_KEY, *_SESSION_NAMES))} FROM sessions"  # noqa: S608 - names of ours
_PATH = "folder = ? AND path = ? AND current = 1"


class StoredRows:
    """The rows in SQLite, within a transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.now = clock()
        self.touched = Touched()
        self.logged: list[LogLine] = []
        self._next: dict[str, int] = {}
        """By table: the id of the next row, as far as it was asked for."""

    def file(self, file_id: int) -> FileRecord:
        """See `Rows`."""
        found = self._files("id = ?", file_id)
        if not found:
            raise LookupError(f"no file {file_id} in the journal")
        return found[0]

    def files(self, file_ids: Iterable[int]) -> list[FileRecord]:
        """See `Rows`."""
        wanted = list(file_ids)
        found = {file.id: file for ids in batched(set(wanted)) for file in self._files(among_ids(ids), *ids)}
        return [found[file_id] for file_id in wanted if file_id in found]

    def versions(self, folder: str, path: bytes) -> list[FileRecord]:
        """See `Rows`."""
        return self._files(f"{_PATH} ORDER BY id", folder, path)

    def all_versions(self, paths: Sequence[tuple[str, bytes]]) -> list[list[FileRecord]]:
        """See `Rows`. They are asked for by the thousand, so not one by one."""
        known: dict[tuple[str, bytes], list[FileRecord]] = {}
        for folder in {folder for folder, _ in paths}:
            for some in batched(path for other, path in paths if other == folder):
                for file in self._files(f"{among(some)} ORDER BY id", folder, *some):
                    known.setdefault((folder, file.path), []).append(file)
        return [known.get(path, []) for path in paths]

    def newest_version(self, folder: str, path: bytes) -> FileRecord | None:
        """See `Rows`."""
        return _first(self._files(f"{_PATH} ORDER BY id DESC LIMIT 1", folder, path))

    def version_with(self, file: FileRecord, content: str) -> FileRecord | None:
        """See `Rows`."""
        where = f"{_PATH} AND content = ? AND id != ?"
        return _first(self._files(where, file.folder, file.path, content_hashes.stored(content), file.id))

    def unpacked_from(self, archive_id: int) -> list[FileRecord]:
        """See `Rows`."""
        return self._files("archive_id = ? ORDER BY id", archive_id)

    def held_files(self) -> list[FileRecord]:
        """See `Rows`."""
        return self._files("hold != '' ORDER BY id")

    def retrying_files(self, state: FileState) -> list[FileRecord]:
        """See `Rows`."""
        return self._files("state = ? AND retrying_since IS NOT NULL ORDER BY id", state)

    def rejected_files(self) -> list[FileRecord]:
        """See `Rows`."""
        return self._files(f"{REJECTED} ORDER BY id")

    def past_files(self, before: float, up_to: int) -> list[FileRecord]:
        """Versions of paths that no longer exist: those that have not moved since then, and all up to this id."""
        return self._files("current IS NULL AND (changed_at < ? OR id <= ?) ORDER BY id", before, up_to)

    def left_sessions(self, before: float) -> list[SessionRecord]:
        """Sessions without members that have not moved since then."""
        left = "NOT EXISTS (SELECT 1 FROM files WHERE session_id = sessions.id)"
        return self._sessions(f"changed_at < ? AND {left} ORDER BY id", before)

    def next_file_id(self) -> int:
        """See `Rows`."""
        return self._next_id("files")

    def session(self, session_id: int) -> SessionRecord:
        """See `Rows`."""
        found = self._sessions("id = ?", session_id)
        if not found:
            raise LookupError(f"no session {session_id} in the journal")
        return found[0]

    def members(self, session_id: int) -> list[FileRecord]:
        """See `Rows`."""
        return self._files("session_id = ? ORDER BY id", session_id)

    def held_sessions(self) -> list[SessionRecord]:
        """See `Rows`."""
        return self._sessions("hold != '' ORDER BY id")

    def waiting_sessions(self) -> list[SessionRecord]:
        """See `Rows`."""
        return self._sessions(f"({NEEDED}) AND (hold != '' OR not_before > ?) ORDER BY id", self.now)

    def waiting_files(self) -> list[FileRecord]:
        """See `Rows`."""
        return self._files(
            f"({WORKED_ON} OR {DUE} OR {UNPACKED_DUE}) AND (hold != '' OR not_before > ?) ORDER BY id",
            self.now,
        )

    def waiting_scenes(self) -> list[Scene]:
        """See `Rows`."""
        where = f"{WANTING} AND retrying_since IS NOT NULL AND not_before > ? ORDER BY id"
        return scene_rows(self._db, where, self.now)

    def retrying_sessions(self) -> list[SessionRecord]:
        """See `Rows`."""
        return self._sessions(f"{NEEDED} AND retrying_since IS NOT NULL AND hold = '' ORDER BY id")

    def scene(self, scene_id: int) -> Scene:
        """See `Rows`."""
        return scene_row(self._db, scene_id)

    def files_of_scenes(self) -> list[FileRecord]:
        """See `Rows`."""
        return self._files(f"state IN ({in_list(UNSENT)}) AND scene_id IS NOT NULL ORDER BY id")

    def scenes_like(self, family: tuple[str, str, str, str, str]) -> list[Scene]:
        """See `Rows`."""
        project_id, collection, collection_id, name, tile = family
        place = "collection = ? AND (collection != '' OR collection_id = ?)"
        where = f"project_id = ? AND name = ? AND tile = ? AND {place} ORDER BY id"
        return scene_rows(self._db, where, project_id, name, tile, collection, collection_id)

    def scenes_without_collection(self, project_id: str, collection: str) -> list[Scene]:
        """See `Rows`."""
        where = "item_id IS NULL AND collection_id IS NULL AND project_id = ? AND collection = ? ORDER BY id"
        return scene_rows(self._db, where, project_id, collection)

    def scene_members(self, scene_id: int) -> list[FileRecord]:
        """See `Rows`."""
        return self._files("scene_id = ? ORDER BY id", scene_id)

    def scene_content(self, scene: Scene, asset: str, but: int) -> str | None:
        """See `Rows`. Of a file whose row is forgotten its receipt tells."""
        for file in self.scene_members(scene.id):
            if file.id != but and file.target_asset_key == asset and file.state not in DROPPED:
                return file.content or ""
        sql = (
            "SELECT COALESCE(content, lower(hex(source_sha256))) FROM receipts "
            "WHERE item_id = ? AND asset_key = ? AND id != ? AND id NOT IN (SELECT id FROM files)"
        )
        found = self._db.conn.execute(sql, (scene.item_id, asset, but)).fetchone()
        return None if found is None else str(found[0])

    def next_scene_id(self) -> int:
        """See `Rows`."""
        return self._next_id("scenes")

    def next_session_id(self) -> int:
        """See `Rows`."""
        return self._next_id("sessions")

    def holds(self) -> list[Hold]:
        """See `Rows`."""
        return read_holds(self._db)

    def hold(self, scope: Scope, subject: str) -> Hold | None:
        """See `Rows`."""
        return next((hold for hold in self.holds() if (hold.scope, hold.subject) == (scope, subject)), None)

    def pauses(self) -> tuple[Pause, ...]:
        """See `Rows`."""
        return read_pauses(self._db)

    def learned(self, key: str) -> Any:
        """See `Rows`."""
        return read_profile(self._db).get(key)

    def known_item(self, target: Target, file_name: str) -> KnownItem | None:
        """See `Rows`."""
        return recovered_items.known_item(self._db, target, file_name)

    def listed_names(self, target: Target, spelled: str) -> list[tuple[str, str]]:
        """See `Rows`."""
        return recovered_items.names_like(self._db, target, spelled)

    def any_recovered(self) -> bool:
        """See `Rows`."""
        return recovered_items.any_listed(self._db)

    def is_unsure(self, seen: SightedGroup) -> bool:
        """See `Rows`."""
        at = seen.sighting
        return recovered_items.is_unsure(self._db, at.folder, at.path, seen.value)

    def seen(self, sighting: Sighting) -> SightedGroup:
        """See `Rows`."""
        return SightedGroup(sighting, encode_sighting(sighting))

    def last_event(self) -> float | None:
        """See `Rows`."""
        found = self._db.conn.execute("SELECT time FROM events ORDER BY id DESC LIMIT 1").fetchone()
        return found[0] if found else None

    def lowest_cursor(self) -> int | None:
        """See `Rows`."""
        found: int | None = self._db.conn.execute("SELECT MIN(event) FROM cursors").fetchone()[0]
        return found

    def newest_event(self, *, file_id: int | None = None, session_id: int | None = None) -> int:
        """See `Rows`."""
        about = "file_id = ?" if file_id is not None else "session_id = ? AND file_id IS NULL"
        sql = f"SELECT COALESCE(MAX(id), 0) FROM events WHERE {about}"  # noqa: S608 - a condition of ours
        return int(self._db.conn.execute(sql, (session_id if file_id is None else file_id,)).fetchone()[0])

    def apply(self, change: Change) -> None:
        """See `Rows`."""
        apply(self._db, change)
        made = {"files": change.new_files, "sessions": change.new_sessions, "scenes": change.new_scenes}
        for table, new in made.items():
            if new and table in self._next:
                self._next[table] = max(self._next[table], max(new) + 1)
        self.touched.by(change)
        self.logged += change.log

    def _files(self, where: str, *args: Any) -> list[FileRecord]:
        return [_file(row) for row in self._db.conn.execute(f"{_FILES} WHERE {where}", args)]

    def _sessions(self, where: str, *args: Any) -> list[SessionRecord]:
        return [_session(row) for row in self._db.conn.execute(f"{_SESSIONS} WHERE {where}", args)]

    def _next_id(self, table: str) -> int:
        """The newest row of a table always stays (see `pruning`), so no id is given twice."""
        if table not in self._next:
            sql = f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}"  # noqa: S608 - a table of ours
            self._next[table] = int(self._db.conn.execute(sql).fetchone()[0])
        return self._next[table]


def _first(found: Sequence[FileRecord]) -> FileRecord | None:
    return found[0] if found else None


def _file(row: Sequence[Any]) -> FileRecord:
    columns = dict(zip(_FILE_NAMES, row, strict=True))
    columns["path"] = bytes(columns["path"])
    columns["state"] = FileState(columns["state"])
    columns["content"] = content_hashes.told(columns["content"])
    return FileRecord(**columns)


def _session(row: Sequence[Any]) -> SessionRecord:
    project_id, collection_id, item_id, asset_key, categorical = row[: len(SESSION_KEY)]
    key = SessionKey(project_id, collection_id, item_id, asset_key, bool(categorical))
    columns = dict(zip(_SESSION_NAMES, row[len(SESSION_KEY) :], strict=True))
    columns["state"] = SessionState(columns["state"])
    return SessionRecord(key=key, **columns)

"""Transactions over rows in memory: what `uploader.journal.apply` does with SQLite.

The journal's own methods run on both. A row that is asked for is the one that is kept, and a change is applied once it
is whole: where a transition raises, nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from tests.sim.journal import Clockwork
from tests.sim.rows import File, Upload
from tests.sim.tables import Tables
from uploader.core.model import FileState, Hold, Pause, Scope, Sighting
from uploader.core.scenes import Describing, Scene
from uploader.core.transitions.change import Change
from uploader.core.transitions.source_events import SightedGroup

T = TypeVar("T")
GONE = frozenset({FileState.REJECTED, FileState.DUPLICATE, FileState.GONE})


class MemoryTransactions:
    """Runs the work of a method of the journal; the process may die before it, or after it."""

    def __init__(self, world: Clockwork, tables: Tables) -> None:
        self.world = world
        self.tables = tables
        self.rows = MemoryRows(tables)

    async def transact(self, name: str, work: Callable[[Any], T]) -> T:
        """A crash before the commit is one before the work: nothing of it would stay."""
        self.world.crash(name)
        self.rows.now = self.tables.now = self.world.now
        result = work(self.rows)
        self.world.crash(name)
        return result


class MemoryRows:
    """See `uploader.journal.apply.Rows`; there is one folder, and nothing was ever repaired."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.now = 0.0

    def file(self, file_id: int) -> File:
        return self.tables.files[file_id]

    def files(self, file_ids: Iterable[int]) -> list[File]:
        files = self.tables.files
        return [files[file_id] for file_id in file_ids if file_id in files]

    def versions(self, folder: str, path: bytes) -> list[File]:
        versions = self.tables.by_path.get(path, {})
        return [versions[file_id] for file_id in sorted(versions)]

    def all_versions(self, paths: Sequence[tuple[str, bytes]]) -> list[list[File]]:
        return [self.versions(*path) for path in paths]

    def newest_version(self, folder: str, path: bytes) -> File | None:
        versions = self.tables.by_path.get(path)
        return versions[max(versions)] if versions else None

    def version_with(self, file: File, content: str) -> File | None:
        others = self.versions(file.folder, file.path)
        return next((other for other in others if other.content == content and other is not file), None)

    def unpacked_from(self, archive_id: int) -> list[File]:
        return []  # nobody drops an archive

    def held_files(self) -> list[File]:
        held = self.tables.held
        return [held[file_id] for file_id in sorted(held)]

    def retrying_files(self, state: FileState) -> list[File]:
        found = self.tables.by_state[state]
        return [found[file_id] for file_id in sorted(found) if found[file_id].retrying_since is not None]

    def rejected_files(self) -> list[File]:
        rejected = self.tables.by_state[FileState.REJECTED]
        return [rejected[file_id] for file_id in sorted(rejected) if rejected[file_id].current == 1]

    def next_file_id(self) -> int:
        return self.tables.files_made + 1

    def session(self, session_id: int) -> Upload:
        return self.tables.uploads[session_id]

    def members(self, session_id: int) -> list[File]:
        return self.tables.uploads[session_id].ordered()

    def held_sessions(self) -> list[Upload]:
        uploads = self.tables.uploads
        return [uploads[session_id] for session_id in sorted(uploads) if uploads[session_id].hold]

    def waiting_sessions(self) -> list[Upload]:
        live = self.tables.live
        return [live[i] for i in sorted(live) if live[i].hold or live[i].not_before > self.now]

    def waiting_files(self) -> list[File]:
        states = (FileState.QUEUED, FileState.CONVERTED, FileState.BATCHED, FileState.STORED)
        found = [
            *(f for state in states for f in self.tables.by_state[state].values()),
            *self.tables.leaving.values(),
        ]
        return sorted((f for f in found if f.hold or f.not_before > self.now), key=lambda f: f.id)

    def waiting_scenes(self) -> list[Scene]:
        late = (scene for scene in self._scenes() if scene.not_before > self.now)
        return [
            scene
            for scene in late
            if scene.retrying_since is not None
            and (scene.item_id is None or scene.describing == Describing.DUE)
        ]

    def retrying_sessions(self) -> list[Upload]:
        live = self.tables.live
        return [live[i] for i in sorted(live) if live[i].retrying_since is not None and not live[i].hold]

    def scene(self, scene_id: int) -> Scene:
        return self.tables.scenes[scene_id]

    def files_of_scenes(self) -> list[File]:
        states = (FileState.CONVERTED, FileState.BATCHED)
        found = [file for state in states for file in self.tables.by_state[state].values()]
        return sorted((file for file in found if file.scene_id is not None), key=lambda file: file.id)

    def scenes_like(self, family: tuple[str, str, str, str, str]) -> list[Scene]:
        return [scene for scene in self._scenes() if scene.family == family]

    def scenes_without_collection(self, project_id: str, collection: str) -> list[Scene]:
        return [
            scene
            for scene in self._scenes()
            if scene.item_id is None
            and (scene.project_id, scene.collection, scene.collection_id) == (project_id, collection, None)
        ]

    def scene_members(self, scene_id: int) -> list[File]:
        found = self.tables.of_scene.get(scene_id, {})
        return [found[file_id] for file_id in sorted(found)]

    def scene_content(self, scene: Scene, asset: str, but: int) -> str | None:
        for file in self.scene_members(scene.id):
            if file.id != but and file.target_asset_key == asset and file.state not in GONE:
                return file.content or ""
        return None

    def next_scene_id(self) -> int:
        return self.tables.scenes_made + 1

    def learned(self, key: str) -> Any:
        return self.tables.learned.get(key)

    def _scenes(self) -> list[Scene]:
        return [self.tables.scenes[scene_id] for scene_id in sorted(self.tables.scenes)]

    def next_session_id(self) -> int:
        return self.tables.uploads_made + 1

    def holds(self) -> list[Hold]:
        return list(self.tables.holds.values())

    def hold(self, scope: Scope, subject: str) -> Hold | None:
        return self.tables.holds.get((scope, subject))

    def pauses(self) -> tuple[Pause, ...]:
        pauses = self.tables.pauses
        return tuple([pauses[folder] for folder in sorted(pauses)])

    def known_item(self, target: object, file_name: str) -> None:
        return None

    def listed_names(self, target: object, spelled: str) -> list[tuple[str, str]]:
        return []

    def any_recovered(self) -> bool:
        return False

    def is_unsure(self, seen: SightedGroup) -> bool:
        return False

    def seen(self, sighting: Sighting) -> SightedGroup:
        return SightedGroup(sighting, sighting)

    def apply(self, change: Change) -> None:
        tables = self.tables
        for session_id, columns in change.new_sessions.items():
            tables.insert_upload(session_id, columns)
        for scene_id, columns in (*change.new_scenes.items(), *change.scenes.items()):
            tables.set_scene(scene_id, columns)
        for file_id, columns in change.new_files.items():
            tables.insert(file_id, columns)
        for session_id, columns in change.sessions.items():
            tables.set_upload(tables.uploads[session_id], columns)
        for file_id, columns in change.files.items():
            tables.set_file(tables.files[file_id], columns)
        for (scope, subject), hold in change.holds.items():
            tables.set_hold(scope, subject, hold)
        for folder, pause in change.pauses.items():
            tables.set_pause(folder, pause)
        if change.learned:
            tables.learn(change.learned)
        for line in change.log:
            tables.log(line.event, line.state, line.file_id, line.session_id)

"""The model of the journal, which is some ten times faster than the real one: its face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.sim.journal import COLUMNS, Clockwork
from tests.sim.rows import File
from tests.sim.tables import Tables
from tests.sim.transactions import MemoryTransactions
from uploader.core.configuration import Folder
from uploader.core.duplicates import judge_twins
from uploader.core.model import FileState, Layout, PlatformProfile, Sighting
from uploader.core.pauses import passed_over
from uploader.core.planner_view import Disposal, PlannerView, Queued
from uploader.core.scenes import KeptBack, Scene
from uploader.core.working_set import QUEUE_WINDOW, WAITING_WINDOW, WorkingSet
from uploader.journal import FileRow, SessionRow
from uploader.journal.files import Files
from uploader.journal.forgetting import Forgetting
from uploader.journal.holds import Holds
from uploader.journal.pausing import Pausing
from uploader.journal.retry import Retrying
from uploader.journal.scenes import Scenes
from uploader.journal.sessions import Sessions

_NOBODY: frozenset[int] = frozenset()
MAKING = frozenset({FileState.BATCHED, FileState.STORED, FileState.COMPLETED, FileState.DISPOSED})
UNFINISHED = frozenset({FileState.QUEUED, FileState.CONVERTED, FileState.BATCHED, FileState.STORED})
WAITING = frozenset({FileState.QUEUED, FileState.CONVERTED, FileState.BATCHED})


class MemoryJournal:
    """The model."""

    file_row = staticmethod(lambda tables, file_id: tables.files[file_id].as_row())
    session_row = staticmethod(lambda tables, session_id: tables.uploads[session_id].as_row())
    scene_row = staticmethod(lambda tables, scene_id: tables.scenes[scene_id])
    decode_sighting = staticmethod(lambda _folder, _path, sighting: sighting)

    def __init__(self, world: Clockwork) -> None:
        self.world = world
        self.tables = Tables()
        self.live = WorkingSet()  # an empty one: the effects ask the tables
        transactions = MemoryTransactions(world, self.tables)
        self.files = Files(transactions)
        self.sessions = Sessions(transactions)
        self.scenes = Scenes(transactions)
        self.holds = Holds(transactions)
        self.retrying = Retrying(transactions)
        self.pausing = Pausing(transactions)
        self.forgetting = Forgetting(transactions)
        self._queued: tuple[Queued, ...] = ()
        self._waiting: tuple[Any, ...] = ()
        self._disposals: tuple[Disposal, ...] = ()
        self._kept_back: tuple[KeptBack, ...] = ()

    def revive(self) -> None:
        """A new process opens it."""

    async def read(self, query: Callable[[Any], Any]) -> Any:
        """What an effect looks up."""
        return query(self.tables)

    @staticmethod
    def profile(tables: Tables) -> PlatformProfile:
        """What was learned."""
        if tables.profile is None:
            facts = tables.learned
            layouts = {k[7:]: Layout(v) for k, v in facts.items() if k.startswith("layout:")}
            tables.profile = PlatformProfile(
                facts.get("transfer_method", ""), layouts, facts.get("quota_cap")
            )
        return tables.profile

    def newest(self, path: bytes, sighting: Sighting | None) -> tuple[int, str, bool] | None:
        """The newest version of a path that has a history: (id, state, was it this sighting)."""
        versions = self.tables.by_path.get(path)
        if not versions:
            return None
        file = versions[max(versions)]
        return file.id, file.state, file.sighting == sighting

    def believed(self, path: bytes) -> tuple[int, str] | None:
        """The newest version of a path that is believed to exist and is not being taken away."""
        leaving = self.tables.leaving
        versions = [i for i in self.tables.by_path.get(path, ()) if i not in leaving]
        return (max(versions), self.tables.files[max(versions)].state) if versions else None

    def paths(self) -> list[bytes]:
        """All paths with a history."""
        return list(self.tables.by_path)

    def staged(self) -> set[int]:
        """Files that have private copies."""
        return {file.id for file in self.tables.files.values() if file.staged}

    def file(self, file_id: int) -> FileRow:
        """One file."""
        return self.tables.files[file_id].as_row()

    def inode(self, file_id: int) -> int:
        """Which file in the drop folder a row is about."""
        return self.tables.files[file_id].sighting.fingerprint.inode

    def upload(self, session_id: int) -> SessionRow:
        """One session."""
        return self.tables.uploads[session_id].as_row()

    def opened_since(self, moment: float, target: str) -> bool:
        """Whether a session to a target (empty: to any) was planned after a moment and opened."""
        uploads = (u for u in self.tables.uploads.values() if u.upload_id and u.created_at > moment)
        return any(target in ("", u.key.target) for u in uploads)

    def waiting_to_join(self, item_id: str) -> int:
        """Files that wait and go to this item of a scene."""
        scenes = {scene_id for scene_id, scene in self.tables.scenes.items() if scene.item_id == item_id}
        return sum(f.scene_id in scenes and f.state in WAITING for f in self.tables.files.values())

    def read_back(self, session_id: int) -> str | None:
        """What came of reading a session's items."""
        return self.tables.uploads[session_id].readback

    def leaked(self) -> int:
        """Bytes that may be reserved for nothing, as `status` tells it."""
        uploads = self.tables.uploads.values()
        return sum((u.initiates_sent - u.initiates_clear) * u.total_bytes for u in uploads)

    def known(self) -> list[tuple[str, str]]:
        """(upload id, hold) of all sessions that the platform has answered."""
        return [(u.upload_id, u.hold) for u in self.tables.uploads.values() if u.upload_id]

    def table(self) -> list[tuple[Any, ...]]:
        """All files, by `COLUMNS`."""
        names = COLUMNS.split(", ")
        return [tuple(getattr(f, n) for n in names) for _, f in sorted(self.tables.files.items())]

    def holdings(self) -> list[tuple[Any, ...]]:
        """All holds."""
        holds = self.tables.holds.values()
        return sorted((str(h.scope), h.subject, h.reason, h.since, h.until, h.attempts) for h in holds)

    def scene_items(self) -> list[tuple[str, int, str | None]]:
        """(name, issue, item) of all scenes."""
        return [(s.name, s.issue, s.item_id) for _, s in sorted(self.tables.scenes.items())]

    def held(self) -> list[int]:
        """Sessions that only a person can go on with."""
        return sorted([u.id for u in self.tables.uploads.values() if u.hold])

    def digest(self) -> str:
        """The hash of the event log."""
        return self.tables.digest()

    def view(
        self, destinations: Mapping[str, Folder], settling: Mapping[str, int], **machine: Any
    ) -> PlannerView:
        """What the planner sees; only what has changed is made anew."""
        tables = self.tables
        if tables.stale:
            self._refresh()
        skipping = any(d.duplicates == "skip" for d in destinations.values())
        completed, pending = self._twins(destinations) if skipping else (_NOBODY, _NOBODY)
        ended, pauses = tables.ended, tuple(tables.pauses.values())
        paused = bool(pauses) and bool(passed_over(pauses, self.world.now))  # there is one folder
        return PlannerView(
            destinations=destinations,
            queued=() if paused else self._queued,
            queued_total=0 if paused else len(tables.by_state[FileState.QUEUED]),
            settling=settling,
            coming=frozenset(name for name, files in settling.items() if files),
            waiting=() if paused else self._waiting,
            twins_completed=completed,
            twins_pending=pending,
            sessions=tuple([tables.live[i].as_view() for i in sorted(tables.live)]),
            scenes=self._wanting(),
            kept_back=() if paused else self._kept_back,
            disposals=self._disposals,
            discards=tuple(sorted(ended)[:64]) if ended else (),
            holds=tuple(tables.holds.values()),
            pauses=pauses,
            profile=self.profile(tables),
            staged_bytes=tables.staged_bytes,
            **machine,
        )

    def _refresh(self) -> None:
        tables = self.tables
        if FileState.QUEUED in tables.stale:
            queued = sorted(
                tables.by_state[FileState.QUEUED].values(),
                key=lambda f: (f.not_before > 0, -f.priority, f.id),
            )
            self._queued = tuple(
                [
                    Queued(
                        f.id, f.folder, f.size, f.content or "", f.not_before, bool(f.alone), f.retrying_since
                    )
                    for f in queued[:QUEUE_WINDOW]
                ]
            )
        if FileState.CONVERTED in tables.stale:
            files = tables.by_state[FileState.CONVERTED].values()
            going = [file for file in files if file.scene is None or self._may_go(file)]
            first = sorted(going, key=lambda f: (-f.priority, f.id))[:WAITING_WINDOW]
            self._waiting = tuple([file.as_candidate() for file in first])
            kept = [file for file in files if file.scene is not None and not self._may_go(file)]
            self._kept_back = self._by_scene(sorted(kept, key=lambda f: f.id)) if kept else ()
        if FileState.COMPLETED in tables.stale:
            ready = (
                f
                for _, f in sorted(tables.leaving.items())
                if self._readable(f.session_id) and self._finished(f)
            )
            self._disposals = tuple(
                [
                    Disposal(f.id, f.not_before, f.retrying_since)
                    for _, f in zip(range(64), ready, strict=False)
                ]
            )
        tables.stale.clear()

    def _others(self, file: File) -> list[File]:
        found = self.tables.of_scene.get(file.scene_id or 0, {})
        return [other for other in found.values() if other is not file]

    def _may_go(self, file: File) -> bool:
        """The item is known; or nobody is making it, nothing holds it, and this file leads."""
        scene = file.scene
        assert scene is not None
        making = any(other.state in MAKING for other in self._others(file))
        leads = not scene.lead or scene.lead == file.target_asset_key
        return scene.item_id is not None or (
            not making and not scene.hold and leads and scene.collection_id is not None
        )

    def _finished(self, file: File) -> bool:
        return not any(other.state in UNFINISHED for other in self._others(file))

    def _wanting(self) -> tuple[Scene, ...]:
        found = sorted(self.tables.scenes.values(), key=lambda scene: (scene.not_before, scene.id))
        return tuple([scene for scene in found if scene.wanting][:64])

    def _by_scene(self, files: list[File]) -> tuple[KeptBack, ...]:
        by_scene: dict[int, list[File]] = {}
        for file in files:
            by_scene.setdefault(file.scene_id or 0, []).append(file)
        return tuple(
            KeptBack(
                self.tables.scenes[scene_id],
                len(waiting),
                sum(file.object_size for file in waiting),
                min(file.changed_at for file in waiting),
                making=any(other.state in MAKING for other in self._others(waiting[0])),
            )
            for scene_id, waiting in by_scene.items()
        )

    def _readable(self, session_id: int | None) -> bool:
        return session_id is not None and self.tables.uploads[session_id].readback in {None, "verified"}

    def _twins(self, destinations: Mapping[str, Folder]) -> tuple[frozenset[int], frozenset[int]]:
        completed, pending = [], []
        for file in self._queued:
            if destinations[file.folder].duplicates != "skip":
                continue
            twins = self.tables.by_content[file.content]
            match judge_twins(file.file_id, ((twin.id, twin.state) for twin in twins.values())):
                case FileState.DUPLICATE:
                    completed.append(file.file_id)
                case FileState.QUEUED:
                    pending.append(file.file_id)
        return frozenset(completed), frozenset(pending)

"""Intake: what is dropped becomes a settling row, and a settled one is offered to be claimed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from uploader.config import Folder
from uploader.core.model import Sighting
from uploader.core.planner_view import Settled
from uploader.core.settle_rules import SettleRule
from uploader.folders import prepare_leases
from uploader.folders.candidates import WINDOW, Unclaimed
from uploader.folders.first_start import Belonging, Lookup
from uploader.folders.looking import Glancing
from uploader.folders.own_places import Territory
from uploader.folders.presence import FolderBounds
from uploader.folders.watcher import FolderWatcher
from uploader.journal import Journal
from uploader.journal.intake_queries import places
from uploader.system import threads
from uploader.system.locks import FolderLock

THREADS = 6
"""Of each folder, at most: its watcher, a scan, looks, copies. As many more, so that none waits for a hung folder."""


class Intake:
    """All drop folders. `run` watches them; the rest tells the planner and takes files back from the effects.

    `locks` are those of the folders; `window` files are looked at by turns, the others wait in the journal. Without
    `bounds` folders are taken as they are, and bear no mark; `lookup` asks the platform for names of ours.
    """

    def __init__(
        self,
        journal: Journal,
        folders: Sequence[Folder],
        locks: Mapping[Path, FolderLock],
        window: int = WINDOW,
        *,
        bounds: FolderBounds | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._journal = journal
        rules = {str(f.path): SettleRule(f.settle_seconds, bool(f.ready_marker)) for f in folders}
        self._candidates = Unclaimed(rules, window=window)
        self._folders = folders
        self._locks = locks
        self._bounds = bounds
        self._lookup = lookup
        self._watching: dict[str, FolderWatcher] = {}
        self._glancing: dict[str, Glancing] = {}
        self._nudge: Callable[[], None] = lambda: None
        self._returned = anyio.Event()
        self._returning: dict[int, float] = {}
        """Files that were claimed before and have to settle again, and when to look at them (monotonic seconds)."""

    async def run(self, nudge: Callable[[], None]) -> None:
        """Watch until cancelled; `nudge` is called when there is something new to plan."""
        self._nudge = nudge
        prepare_leases()
        threads.allow(THREADS * len(self._folders))
        for folder in self._folders:
            name = str(folder.path)
            self._watching[name] = watching = FolderWatcher(
                folder,
                self._locks[folder.path],
                self._journal,
                self._candidates,
                partial(self._something, name),
                bounds=self._bounds,
            )
            self._glancing[name] = Glancing(watching, self._journal, self._candidates, nudge)
        nudge()
        async with anyio.create_task_group() as group:
            for watching in self._watching.values():
                group.start_soon(watching.run)
            for glancing in self._glancing.values():
                group.start_soon(glancing.run)
            for folder in self._folders:
                self._begin_belonging(group, folder)
            group.start_soon(self._bring_back)

    def _begin_belonging(self, group: TaskGroup, folder: Folder) -> None:
        if self._bounds is None or self._lookup is None:
            return
        watching = self._watching[str(folder.path)]
        belonging = Belonging(
            folder,
            watching.spec,
            self._journal,
            self._bounds.owner,
            self._lookup,
            standing=watching.standing,
            stop=watching.stop,
        )
        group.start_soon(belonging.run)

    def rescan(self) -> None:
        """Scan all folders soon."""
        for watching in self._watching.values():
            watching.rescan()

    def settled(self) -> tuple[Settled, ...]:
        """Files that may be claimed now."""
        held = {name for name, watching in self._watching.items() if watching.held}
        return tuple(file for file in self._candidates.settled() if file.folder not in held)

    def settling(self) -> Mapping[str, int]:
        """By folder: files that are not claimed yet; at least one while the folder is not seen as a whole."""
        if not self._watching:
            return {str(folder.path): 1 for folder in self._folders}
        back = 1 if self._returning else 0
        return {
            name: watching.expected + (0 if watching.held else back + self._glancing[name].returning)
            for name, watching in self._watching.items()
        }

    def coming(self, within: float) -> Mapping[str, int]:
        """By folder: files that can be expected to have settled within so many seconds."""
        return {name: watching.coming(within) for name, watching in self._watching.items()}

    def warnings(self) -> list[dict[str, str]]:
        """What a person should know of the watches themselves."""
        return [warning for watching in self._watching.values() for warning in watching.warnings()]

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which the file was found to be settled; it is being claimed from now on."""
        return self._candidates.claiming(file_id)

    def claimed(self, file_id: int) -> None:
        """The file has a private copy, or an end: it is not looked at again."""
        key = self._candidates.key_of(file_id)
        if key is not None:
            self._glancing[key[0]].ended(file_id, key[1])

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """The file has to settle once more, and is not looked at before so many seconds."""
        key = self._candidates.key_of(file_id)
        if key is not None:
            self._candidates.postpone(file_id, after)
            self._something(key[0])
            return
        self._returning[file_id] = self._candidates.clock() + after  # it was claimed before
        self._returned.set()
        self._nudge()

    async def folder_fails(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be read: then it is held, and the file waits."""
        key = self._candidates.key_of(file_id)
        return key is not None and await self._glancing[key[0]].folder_fails(file_id, key[1])

    def _something(self, folder: str) -> None:
        self._glancing[folder].again()
        self._nudge()

    async def _bring_back(self) -> None:
        """Take files back that were claimed before."""
        while True:
            await self._returned.wait()
            self._returned = anyio.Event()
            returning = dict(self._returning)
            for file_id, folder, path in await self._journal.read(lambda db: places(db, list(returning))):  # noqa: B023 - awaited here
                if folder in self._glancing:
                    self._glancing[folder].bring_back(file_id, path, returning[file_id])
            for file_id in returning:  # only now: until then somebody is expected
                self._returning.pop(file_id, None)
            self._nudge()


__all__ = ["FolderBounds", "Intake", "Territory"]

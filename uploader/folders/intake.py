"""Intake: what is dropped becomes a settling row, and a settled one is offered to be claimed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import anyio

from uploader.config import Changes, Folder
from uploader.core.disk_space import CLAIMS
from uploader.core.model import Sighting
from uploader.core.planner_view import Settled
from uploader.folders import prepare_leases
from uploader.folders.first_start import Lookup
from uploader.folders.own_places import Territory
from uploader.folders.presence import FolderBounds
from uploader.folders.retired_folders import retire, retire_others
from uploader.folders.watcher import FolderWatcher
from uploader.journal import Journal
from uploader.system import threads
from uploader.system.locks import FolderLocks

WINDOW = 20_000
"""Files that are looked at by turns, of all folders together: some ten megabytes."""


class Intake:
    """All drop folders. `run` watches them; the rest tells the planner and takes files back from the effects.

    `locks` are those of the folders; `window` files are looked at by turns, the others wait in the journal. Without
    `bounds` folders are taken as they are, and bear no mark; `lookup` asks the platform for names of ours.
    """

    def __init__(
        self,
        journal: Journal,
        folders: Sequence[Folder],
        locks: FolderLocks,
        window: int = WINDOW,
        *,
        bounds: FolderBounds | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._journal = journal
        self._folders = folders
        self._locks = locks
        self._window = window
        self._bounds = bounds
        self._lookup = lookup
        self._watchers: dict[str, FolderWatcher] = {}
        self._leaving: list[FolderWatcher] = []
        """Those of folders that are no longer configured, until the copies that run have ended."""
        self._claim_ended = anyio.Event()

    async def run(self, nudge: Callable[[], None]) -> None:
        """Watch until cancelled; `nudge` is called when there is something new to plan."""
        prepare_leases()
        self._nudge = nudge
        async with anyio.create_task_group() as self._group:
            self._group.start_soon(retire_others, self._journal, {str(f.path) for f in self._folders})
            self._watch(self._folders)
            await anyio.sleep_forever()

    def change(self, changes: Changes) -> None:
        """Watch other folders, or by other rules, from now on. The locks of those that are added are held already."""
        self._folders = changes.settings.folders
        for folder in changes.removed:
            watcher = self._watchers.pop(str(folder.path))
            self._leaving.append(watcher)
            self._group.start_soon(self._leave, folder, watcher)
        self._watch((*changes.added, *changes.changed))

    def _watch(self, folders: Sequence[Folder]) -> None:
        """Start the watchers of these folders, in the place of those that watched them by other rules."""
        places = self._window // max(1, len(self._folders))
        for folder in folders:
            name = str(folder.path)
            before = self._watchers.get(name)
            if before:
                before.stop()
            else:
                threads.allow(CLAIMS)  # copies from a folder that hangs take those of no other
            watcher = self._watchers[name] = FolderWatcher(
                folder,
                self._locks[folder.path],
                self._journal,
                places,
                self._nudge,
                bounds=self._bounds,
                lookup=self._lookup,
                before=before,
            )
            self._group.start_soon(watcher.run)
        self._nudge()

    async def _leave(self, folder: Folder, watcher: FolderWatcher) -> None:
        """Give up a folder that is no longer configured, once the copies from it that run have ended."""
        watcher.stop()
        while watcher.queue.copying:
            await self._claim_ended.wait()
        self._leaving.remove(watcher)
        threads.allow(-CLAIMS)
        self._locks.remove(folder.path)
        if watcher.name in self._watchers:  # it is configured again, and was locked again for that
            return
        await retire(self._journal, watcher.name)
        self._nudge()

    def rescan(self, folder: str | None = None) -> int:
        """Scan all folders soon, or this one. Returns how many they are."""
        wanted = [each for name, each in self._watchers.items() if folder in {None, name}]
        for watcher in wanted:
            watcher.rescan()
        return len(wanted)

    def seen(self, within: float) -> dict[str, Any]:
        """The intake's part of what a plan sees, by the names of its fields; `within`: see `coming`."""
        return {
            "settled": self.settled(),
            "settling": self.settling(),
            "unfinished": self.unfinished(),
            "coming": self.coming(within),
        }

    def settled(self) -> tuple[Settled, ...]:
        """The first files of each folder that may be claimed now, each folder's in its order."""
        return tuple(
            Settled(file_id, watcher.name, sighting.size, sighting.path)
            for watcher in self._watchers.values()
            if not watcher.held
            for file_id, sighting in watcher.queue.claimable()
        )

    def settling(self) -> Mapping[str, int]:
        """By folder: files that come to be claimed; at least one while the folder is not seen as a whole."""
        if not self._watchers:
            return {str(folder.path): 1 for folder in self._folders}
        return {name: watcher.expected for name, watcher in self._watchers.items()}

    def unfinished(self) -> int:
        """Files that only others can finish: they still arrive, or their ready marker is not there."""
        return sum(watcher.unfinished for watcher in self._watchers.values())

    def coming(self, within: float) -> frozenset[str]:
        """The folders of which a file can be expected to have settled within so many seconds."""
        return frozenset(name for name, watcher in self._watchers.items() if watcher.coming(within))

    def to_convert(self, most: int) -> int:
        """How many of the files that settle will be converted, as far as so many of each folder tell."""
        return sum(
            not watcher.spec.passes(path)
            for watcher in self._watchers.values()
            if not watcher.held
            for path in watcher.queue.first(most)
        )

    def warnings(self) -> list[dict[str, str]]:
        """What a person should know of the watches themselves."""
        return [warning for watcher in self._watchers.values() for warning in watcher.warnings()]

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which the file was found to be settled; it is being claimed from now on."""
        watcher = self._watcher_of(file_id)
        return watcher.queue.claim_started(file_id) if watcher else None

    async def mark(self, folders: Collection[str]) -> None:
        """Let the marks of these folders tell of all that is durable by now, as far as the folders answer."""
        watchers = [self._watchers[name] for name in folders if name in self._watchers]
        for watcher in watchers:
            if watcher.belonging is not None and not watcher.held:
                await watcher.belonging.renew()

    def claimed(self, file_id: int) -> None:
        """The file has a private copy, or an end: it is not looked at again."""
        if watcher := self._watcher_of(file_id):
            watcher.claim_ended(file_id)
        self._tell_leaving()

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """The file has to settle once more, and is not looked at before so many seconds."""
        watcher = self._watcher_of(file_id)
        # Of a file that was claimed before, each watcher asks the journal whether it lies in its folder.
        for each in (watcher,) if watcher else self._watchers.values():
            each.returned(file_id, after)
        self._tell_leaving()

    async def folder_fails(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be read: then it is held, and the file waits."""
        watcher = self._watcher_of(file_id)
        return watcher is not None and await watcher.unreadable(file_id)

    def _tell_leaving(self) -> None:
        self._claim_ended.set()
        self._claim_ended = anyio.Event()

    def _watcher_of(self, file_id: int) -> FolderWatcher | None:
        """The watcher in whose queue a file has a place."""
        watchers = (*self._watchers.values(), *self._leaving)
        found = (watcher for watcher in watchers if watcher.queue.path_of(file_id) is not None)
        return next(found, None)


__all__ = ["FolderBounds", "Intake", "Territory"]

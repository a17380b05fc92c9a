"""Intake: what is dropped becomes a settling row, and a settled one is offered to be claimed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio

from uploader.config import Folder
from uploader.core.disk_space import CLAIMS
from uploader.core.model import Sighting
from uploader.core.planner_view import Settled
from uploader.folders import prepare_leases
from uploader.folders.first_start import Lookup
from uploader.folders.own_places import Territory
from uploader.folders.presence import FolderBounds
from uploader.folders.watcher import FolderWatcher
from uploader.journal import Journal
from uploader.system import threads
from uploader.system.locks import FolderLock

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
        locks: Mapping[Path, FolderLock],
        window: int = WINDOW,
        *,
        bounds: FolderBounds | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._journal = journal
        self._folders = folders
        self._locks = locks
        self._places = window // max(1, len(folders))
        self._bounds = bounds
        self._lookup = lookup
        self._watchers: dict[str, FolderWatcher] = {}

    async def run(self, nudge: Callable[[], None]) -> None:
        """Watch until cancelled; `nudge` is called when there is something new to plan."""
        prepare_leases()
        threads.allow(CLAIMS * len(self._folders))  # copies from a folder that hangs take those of no other
        self._watchers = {
            str(folder.path): FolderWatcher(
                folder,
                self._locks[folder.path],
                self._journal,
                self._places,
                nudge,
                bounds=self._bounds,
                lookup=self._lookup,
            )
            for folder in self._folders
        }
        nudge()
        async with anyio.create_task_group() as group:
            for watcher in self._watchers.values():
                group.start_soon(watcher.run)

    def rescan(self) -> None:
        """Scan all folders soon."""
        for watcher in self._watchers.values():
            watcher.rescan()

    def settled(self) -> tuple[Settled, ...]:
        """The first files of each folder that may be claimed now, the earliest discovered first."""
        found = [
            Settled(file_id, watcher.name, sighting.size)
            for watcher in self._watchers.values()
            if not watcher.held
            for file_id, sighting in watcher.queue.claimable()
        ]
        return tuple(sorted(found, key=lambda file: file.file_id))

    def settling(self) -> Mapping[str, int]:
        """By folder: files that are not claimed yet; at least one while the folder is not seen as a whole."""
        if not self._watchers:
            return {str(folder.path): 1 for folder in self._folders}
        return {name: watcher.expected for name, watcher in self._watchers.items()}

    def coming(self, within: float) -> Mapping[str, int]:
        """By folder: files that can be expected to have settled within so many seconds."""
        return {name: watcher.coming(within) for name, watcher in self._watchers.items()}

    def warnings(self) -> list[dict[str, str]]:
        """What a person should know of the watches themselves."""
        return [warning for watcher in self._watchers.values() for warning in watcher.warnings()]

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which the file was found to be settled; it is being claimed from now on."""
        watcher = self._watcher_of(file_id)
        return watcher.queue.claim_started(file_id) if watcher else None

    def claimed(self, file_id: int) -> None:
        """The file has a private copy, or an end: it is not looked at again."""
        if watcher := self._watcher_of(file_id):
            watcher.claim_ended(file_id)

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """The file has to settle once more, and is not looked at before so many seconds."""
        watcher = self._watcher_of(file_id)
        # Of a file that was claimed before, each watcher asks the journal whether it lies in its folder.
        for each in (watcher,) if watcher else self._watchers.values():
            each.returned(file_id, after)

    async def folder_fails(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be read: then it is held, and the file waits."""
        watcher = self._watcher_of(file_id)
        return watcher is not None and await watcher.unreadable(file_id)

    def _watcher_of(self, file_id: int) -> FolderWatcher | None:
        """The watcher in whose queue a file has a place."""
        found = (watcher for watcher in self._watchers.values() if watcher.queue.path_of(file_id) is not None)
        return next(found, None)


__all__ = ["FolderBounds", "Intake", "Territory"]

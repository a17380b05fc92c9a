"""A model of the intake: what lies in the drop folder, when it is quiet, and what the planner may take of it."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from tests.sim.disk import FOLDER
from uploader.core.model import Sighting
from uploader.core.planner_view import Settled

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.sim.world import World

SETTLE = 10.0
"""Seconds without a change after which a file is taken."""


BLAMED_AGAIN = 60.0
"""Seconds after which a file is looked at again whose folder was at fault."""


class Intake:
    """Looks at paths that were touched, and at all of them after a start."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.disk = world.disk
        self.pending: dict[int, bytes] = {}
        """Files that settle, and their paths."""
        self.waits: dict[int, float] = {}
        self.due: list[tuple[float, int]] = []
        self.ready: dict[int, Settled] = {}
        self._settled: tuple[Settled, ...] | None = ()
        self.rescan()

    def rescan(self) -> None:
        """Every path is looked at."""
        for path in (*self.disk.sources, *self.world.journal.paths()):
            self.disk.touched[path] = None

    @property
    def settled(self) -> tuple[Settled, ...]:
        """What the planner may take."""
        if self._settled is None:
            self._settled = tuple(self.ready.values())
        return self._settled if self.disk.mounted else ()

    @property
    def settling(self) -> dict[str, int]:
        """By folder: files that are not claimed yet."""
        return {FOLDER: len(self.pending) if self.disk.mounted else 0}

    def next_due(self) -> list[float]:
        """When the next file has settled."""
        return [self.due[0][0]] if self.due and self.disk.mounted else []

    # -- what the effects ask --------------------------------------------------------------------------------

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which it was settled."""
        if file_id not in self.ready:
            return None
        return self.world.seen.get(file_id)

    def claimed(self, file_id: int) -> None:
        """It has a private copy."""
        self._drop(file_id)

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """It settles once more."""
        path = self.world.journal.file(file_id).path
        self._drop(file_id)
        self.waits[file_id] = self.world.now + after
        self.disk.touched[path] = None

    async def mark(self, folders: Collection[str]) -> None:
        """Nobody puts the journal back."""

    async def folder_fails(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be read."""
        if self.disk.mounted:
            return False
        self.unsettled(file_id, BLAMED_AGAIN)
        return True

    def _drop(self, file_id: int) -> None:
        self.pending.pop(file_id, None)
        self.world.seen.pop(file_id, None)
        if self.ready.pop(file_id, None) is not None:
            self._settled = None

    # -- the look --------------------------------------------------------------------------------------------

    async def scan(self) -> None:
        """Look at what was touched, and move what has become quiet."""
        if not self.disk.mounted:
            return
        if self.disk.touched:
            paths = sorted(self.disk.touched)
            await self._enter(paths)
            await self._miss(paths)
            for path in paths:
                self._expect(path)
        now = self.world.now
        while self.due and self.due[0][0] <= now:
            self._quiet(heapq.heappop(self.due)[1])

    async def _enter(self, paths: list[bytes]) -> None:
        """New versions of paths, and those that are still being written."""
        journal = self.world.journal
        fresh = []
        for path in paths:
            source = self.disk.sources.get(path)
            if source is None:
                continue
            known = journal.newest(path, source.sighting)
            if known is None or (known[1] != "settling" and not known[2]):
                fresh.append(source.sighting)
            elif known[1] == "settling" and not known[2]:
                self._drop(known[0])
                await journal.files.changed(known[0], source.sighting)
        if fresh:
            await journal.files.discovered(fresh)

    async def _miss(self, paths: list[bytes]) -> None:
        """Paths that no longer exist."""
        journal = self.world.journal
        gone, others = [], []
        for path in paths:
            believed = None if path in self.disk.sources else journal.believed(path)
            if believed is not None and believed[1] == "settling":
                gone.append(believed[0])
                self._drop(believed[0])
            elif believed is not None:
                others.append(path)
        if gone:
            await journal.files.vanished(gone)
        if others:
            await journal.files.forgotten(FOLDER, others)

    def _expect(self, path: bytes) -> None:
        """Wait for a path to be quiet; one that is still believed to exist is looked at again."""
        journal = self.world.journal
        source = self.disk.sources.get(path)
        if source is None:
            if journal.believed(path) is None:
                del self.disk.touched[path]
            return
        del self.disk.touched[path]
        known = journal.newest(path, source.sighting)
        if known is not None and known[1] == "settling":
            self.pending[known[0]] = path
            heapq.heappush(self.due, (self._due(known[0], source.since), known[0]))

    def _due(self, file_id: int, since: float) -> float:
        return max(since + SETTLE, self.waits.get(file_id, 0.0))

    def _quiet(self, file_id: int) -> None:
        """It is quiet, unless it was touched meanwhile: then it comes up again."""
        path = self.pending.get(file_id)
        source = None if path is None else self.disk.sources.get(path)
        if source is None or self._due(file_id, source.since) > self.world.now:
            return
        self.waits.pop(file_id, None)
        self.world.seen[file_id] = source.sighting
        self.ready[file_id] = Settled(file_id, FOLDER, source.sighting.size)
        self._settled = None

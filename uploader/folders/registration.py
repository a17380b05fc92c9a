"""Enters what is seen of one drop folder into the journal, and decides who is looked at by turns."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import anyio

from uploader.core.model import Sighting
from uploader.core.path_text import shown
from uploader.folders import FolderSpec, Missed
from uploader.folders.candidates import Unclaimed
from uploader.folders.missed_events import GRACE
from uploader.folders.missing_files import Pass
from uploader.journal import Journal
from uploader.journal.intake_queries import compare, settling_count
from uploader.system import files as fs
from uploader.system import threads

log = logging.getLogger(__name__)

COUNTED = 500
"""Waiting files up to which they are counted with every batch; the others with every scan."""


class Registration:
    """The sightings of one folder on their way into the journal.

    Whether a row settles is asked of the journal in the transaction that would change it, and whether a file under
    watch still is one of the candidates in memory: what was read before an `await` may be overtaken by a claim.
    """

    def __init__(
        self,
        folder: FolderSpec,
        journal: Journal,
        candidates: Unclaimed,
        missed: Missed,
        *,
        look_again: Callable[[bytes], None],
        taken: Callable[[], None],
    ) -> None:
        self.lock = anyio.Lock()
        """Held while files of this folder are entered."""
        self.scan = Pass()
        """What the scan that is under way, or was the last, and the events since its start have seen."""
        self.waiting = 0
        """Settling files beyond those that are looked at by turns."""
        self.refused = False
        """A file found no room among those that are looked at by turns."""
        self.gave_way: set[int] = set()
        """Files that gave up their places: others come first, until the line has been gone through."""
        self.archived: set[bytes] = set()
        """Paths at which the folder shows files that the daemon itself has archived, since the last scan began."""
        self._told_archived: set[bytes] = set()
        self._folder = folder
        self._journal = journal
        self._candidates = candidates
        self._missed = missed
        self._look_again = look_again
        self._taken = taken

    def begin(self) -> None:
        """A scan begins."""
        self.scan = Pass()
        self._told_archived, self.archived = self.archived, set()

    async def enter(self, sightings: Sequence[Sighting], *, new: bool) -> None:
        """Enter what is new or changed; the rest costs one lookup. `new`: a rescan found it.

        One batch at a time: a scan and an event that see the same new file at once must not enter it twice.
        """
        if not sightings:
            return
        async with self.lock:
            with self._candidates.turn() as ended:
                strange = await self._known(sightings)
                if strange:
                    await self._strange(strange, ended, new=new)

    async def count(self) -> None:
        """Count what waits in the journal."""
        total = await self._journal.read(lambda db: settling_count(db, self._folder.path))
        self.waiting = max(0, total - self._candidates.count(self._folder.path))

    async def _known(self, sightings: Sequence[Sighting]) -> list[Sighting]:
        """Take note of looks at candidates; returns the other sightings."""
        strange, changed = list[Sighting](), list[tuple[int, Sighting]]()
        for sighting in sightings:
            file_id = self._candidates.id_of(self._folder.path, sighting.path)
            if file_id is None:
                strange.append(sighting)
                continue
            self.scan.saw([file_id], [sighting.fingerprint.device])
            if self._candidates.add(file_id, sighting):
                changed.append((file_id, sighting))
            if self._folder.ready_marker and not sighting.marked:
                self._candidates.drop(file_id)
                self.waiting += 1
        if changed:
            await self._journal.files.changed_all(changed)
        return strange

    async def _strange(self, sightings: Sequence[Sighting], ended: set[int], *, new: bool) -> None:
        found = await self._journal.read(lambda db: compare(db, self._folder.path, sightings))
        different = found.different + await self._dropped(found.archived)
        ids = await self._journal.files.discovered(different) if different else []
        self.scan.saw([*found.ids, *ids], found.devices | {s.fingerprint.device for s in different})
        for file_id, sighting in found.settling:
            self._take(file_id, sighting, ended)
        for file_id, sighting in zip(ids, different, strict=True):
            self._take(file_id, sighting, ended)
            told_at_its_end = sighting.path in found.changed and _being_written(sighting)
            if new and sighting.path not in found.rewritten and not told_at_its_end:
                self._missed.found(sighting.path, time.monotonic())
        if 0 < self.waiting < COUNTED:
            await self.count()

    async def _dropped(self, archived: Sequence[tuple[Sighting, bytes]]) -> list[Sighting]:
        """Those that are no longer in the archive: somebody has brought them back. The others are never taken again."""
        if not archived:
            return []
        back = await threads.run_sync(_brought_back, archived)
        for sighting, path in archived:
            if sighting not in back and sighting.path not in self._told_archived:
                log.warning(
                    "folder=%s path=%r is the archived %s, and is left",
                    sighting.folder,
                    shown(sighting.path),
                    shown(path),
                )
        self.archived.update(sighting.path for sighting, _ in archived if sighting not in back)
        self._told_archived |= self.archived
        return back

    def _take(self, file_id: int, sighting: Sighting, ended: set[int]) -> None:
        """Look at a settling file by turns from now on, where there is room."""
        if file_id in ended:
            self._look_again(sighting.path)
        elif self._folder.ready_marker and not sighting.marked:
            self.waiting = max(self.waiting, 1)  # its marker brings it up
        elif file_id in self.gave_way:
            self.refused = True
            self.waiting = max(self.waiting, 1)
        elif self._candidates.room(self._folder.path):
            self._candidates.add(file_id, sighting)
            self._taken()
        else:
            self.refused = True
            self.waiting += 1


def _being_written(sighting: Sighting) -> bool:
    """Whether it was written to a moment ago: events tell of a write when the file is closed."""
    return abs(time.time() - sighting.fingerprint.mtime_ns / 1e9) < GRACE


def _brought_back(archived: Sequence[tuple[Sighting, bytes]]) -> list[Sighting]:
    """Those of which the archive no longer has the file. Blocking."""
    return [
        sighting
        for sighting, path in archived
        if fs.identity(path) != f"{sighting.fingerprint.device}:{sighting.fingerprint.inode}"
    ]

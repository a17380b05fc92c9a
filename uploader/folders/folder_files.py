"""The settling files of one drop folder, in its queue and in the journal: what is seen of them changes both.

Only the folder's watcher calls this, for one message after the other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from uploader.core.failure_policy import LOOK_DELAYS
from uploader.core.log_subject import About
from uploader.core.model import Sighting
from uploader.core.scene_rules import Placement
from uploader.core.settle_queue import WITHDRAWN, SettleQueue
from uploader.core.settle_rules import Next, cut_short
from uploader.core.transitions.scene_events import Joining
from uploader.folders import FolderSpec
from uploader.folders.archived_files import Archived, ArchivedFiles
from uploader.folders.looking import Look
from uploader.folders.missed_events import GRACE, Missed
from uploader.folders.missing_files import Pass
from uploader.journal import Journal
from uploader.journal.intake_queries import Believed, compare, settling, settling_count, waiting
from uploader.journal.queries import file_row
from uploader.journal.rows import decode_sighting

log = logging.getLogger(__name__)

ABSENT_AGAIN = 60.0
"""Seconds after which a file is looked at again that was not there; a scan tells before what became of it."""


@dataclass(slots=True)
class Consequences:
    """What the watcher has to do after a message."""

    rescan: bool = False
    """A file is not there: a scan tells whether it is gone."""
    faults: list[tuple[bytes, str]] = field(default_factory=list)
    """Files that could not be looked at, and why their parts of the folder are at fault, or empty."""
    archived: list[Archived] = field(default_factory=list)
    """Files that seem to lie in the archive."""


class FolderFiles:
    """The files of one folder; `nudge` is called when there is something new to plan."""

    def __init__(
        self,
        spec: FolderSpec,
        journal: Journal,
        queue: SettleQueue,
        missed: Missed,
        nudge: Callable[[], None],
    ) -> None:
        self.archived = ArchivedFiles(spec.path)
        self.scan = Pass()
        """What the scan that is under way, or was the last, and the events since its start have seen."""
        self._spec, self._folder = spec, spec.path
        self._journal = journal
        self._queue = queue
        self._missed = missed
        self._nudge = nudge
        self._recount = False
        """Rows of the line were read, so that fewer wait."""

    def begin(self) -> Pass:
        """A scan begins; returns what it is to fill."""
        self.scan = Pass()
        self.archived.begin()
        return self.scan

    async def seen(self, sightings: Sequence[Sighting], gone: Sequence[bytes], *, new: bool) -> Consequences:
        """Files were seen in passing, and others were not where they had been."""
        strange, changed = list[Sighting](), list[tuple[int, Sighting]]()
        now = time.monotonic()
        for sighting in sightings:
            file_id = self._queue.id_of(sighting.path)
            if file_id is None:
                strange.append(sighting)
                continue
            self.scan.saw([file_id], [sighting.fingerprint.device])
            if self._queue.seen(file_id, sighting, now) is Next.CHANGED:
                changed.append((file_id, sighting))
        if changed:
            await self._journal.files.changed_all(changed)
        archived = await self._enter(strange, new=new)
        return Consequences(any(self._queue.id_of(path) for path in gone), archived=archived)

    async def looked(self, looks: Sequence[Look]) -> Consequences:
        """The looks that the queue asked for were made."""
        found, strange, changed = Consequences(), list[Sighting](), list[tuple[int, Sighting]]()
        for look in looks:
            file_id = self._queue.id_of(look.path)
            if file_id is None:
                strange += [look.sighting] if look.sighting else []
            elif look.trouble:
                found.faults.append((look.path, look.fault))
                await self._troubled(file_id, look)
            elif look.sighting is None:
                self._queue.defer(file_id, time.monotonic() + ABSENT_AGAIN)
                found.rescan = True
            elif await self._judge(file_id, look, look.sighting):
                changed.append((file_id, look.sighting))
        if changed:
            await self._journal.files.changed_all(changed)
        found.archived = await self._enter(strange, new=False)
        if self._recount:
            self._recount = self._queue.asked and not self._queue.line.stands
            await self.count()
        return found

    async def gone(self, files: Sequence[Believed]) -> None:
        """These left one by one: who was not claimed yet is gone, and the others' history is over.

        A path that was seen after it had been missed is no matter of this.
        """
        still = [entry for entry in files if entry.file_id not in self.scan.marks]
        leaving = [e.file_id for e in still if e.settling and not self._queue.under_claim(e.file_id)]
        if leaving:
            await self._journal.files.vanished(leaving)
            for file_id in leaving:
                self._queue.let_go(file_id)
        if others := [entry.path for entry in still if not entry.settling]:
            await self._journal.files.forgotten(self._folder, others)

    async def restored(self, archived: Sequence[Archived], back: Sequence[Sighting], *, new: bool) -> None:
        """Of files that seemed to lie in the archive, these were brought back."""
        self.archived.left_alone(archived, back)
        self._take(await self._discover(back))
        self._note_missed(back if new else ())

    async def fill_places(self, now: float) -> None:
        """Take back who has returned, and let files into the places that are free, or are given up."""
        if ids := self._queue.returning:
            found = await self._journal.read(lambda db: settling(db, self._folder, ids))
            self._queue.brought_back(ids, found, now)
            self._nudge()
        while page := self._queue.next_page(now):
            rows = await self._journal.read(
                lambda db: waiting(db, self._folder, page.after, page.most, newest_first=page.newest_first)
            )
            self._queue.paged(page, rows)
            self._recount = True

    async def count(self) -> None:
        """Count what waits in the journal."""
        self._queue.counted(await self._journal.read(lambda db: settling_count(db, self._folder)))

    async def _enter(self, sightings: Sequence[Sighting], *, new: bool) -> list[Archived]:
        """Enter what is new or changed; the rest costs one lookup. Returns what seems to lie in the archive."""
        if not sightings:
            return []
        found = await self._journal.read(lambda db: compare(db, self._folder, sightings))
        self.scan.saw(found.ids, found.devices)
        self._take([*found.settling, *await self._discover(found.different)])
        if new:
            written = {s.path for s in found.different if s.path in found.changed and _being_written(s)}
            known = found.rewritten | written
            self._note_missed([s for s in found.different if s.path not in known])
        if self._queue.line.recount:
            await self.count()
        return found.archived

    async def _discover(self, sightings: Sequence[Sighting]) -> list[tuple[int, Sighting]]:
        ids = await self._journal.files.discovered(sightings) if sightings else []
        self.scan.saw(ids, {sighting.fingerprint.device for sighting in sightings})
        return list(zip(ids, sightings, strict=True))

    def _take(self, rows: Sequence[tuple[int, Sighting]]) -> None:
        """Look at settling files by turns from now on, where there is room."""
        for file_id, sighting in rows:
            if self._queue.seen(file_id, sighting, time.monotonic()) is not None:
                self._nudge()

    def _note_missed(self, sightings: Sequence[Sighting]) -> None:
        """Of these events should have told."""
        for sighting in sightings:
            self._missed.found(sighting.path, time.monotonic())

    async def _judge(self, file_id: int, look: Look, sighting: Sighting) -> bool:
        """Act upon a look at a file that has a place. Returns whether it was written to."""
        self.scan.saw([file_id], [sighting.fingerprint.device])
        verdict = self._queue.looked(file_id, sighting, time.monotonic(), look.checked)
        if verdict.kind is Next.READY:
            self._nudge()
        elif verdict.kind is Next.SHORT:
            await self._short(file_id, sighting, verdict.needs)
        return verdict.kind is Next.CHANGED

    async def _troubled(self, file_id: int, look: Look) -> None:
        """It cannot be looked at: its folder is to blame, or the claim says why it cannot be read."""
        if look.fault:
            self._queue.defer(file_id, time.monotonic() + WITHDRAWN)
            return
        row = await self._journal.read(lambda db: file_row(db, file_id))
        if not self._queue.under_claim(file_id):
            self._queue.ready(file_id, decode_sighting(self._folder, look.path, row.sighting))
            self._nudge()

    async def _short(self, file_id: int, sighting: Sighting, needs: int) -> None:
        """Quiet, but its end is missing: looked at twice more, then rejected."""
        size = sighting.fingerprint.size
        reason = f"{cut_short(size, needs) if size else 'The file is empty.'} Copy it again."
        looks = (await self._journal.read(lambda db: file_row(db, file_id))).looks
        if looks < len(LOOK_DELAYS):
            await self._journal.files.looked(file_id, reason, LOOK_DELAYS[looks])
            self._queue.defer(file_id, time.monotonic() + LOOK_DELAYS[looks])
            return
        await self._journal.files.rejected(file_id, reason, self._joining(sighting.path))
        self._queue.let_go(file_id)
        log.warning("rejected %s: %s", About(folder=self._folder, file=sighting.path), reason)
        self._nudge()

    def _joining(self, path: bytes) -> Joining | None:
        """The scene that a file would join; None where it is of none."""
        section, placed = self._spec.section, self._spec.placed(path)
        return (
            Joining(section.project_id, section.collection_id, placed)
            if isinstance(placed, Placement)
            else None
        )


def _being_written(sighting: Sighting) -> bool:
    """Whether it was written to a moment ago: events tell of a write when the file is closed."""
    return abs(time.time() - sighting.fingerprint.mtime_ns / 1e9) < GRACE

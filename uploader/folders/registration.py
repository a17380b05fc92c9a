"""Enters what is seen of one drop folder into the journal; who settles is told to the caller."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from uploader.core.model import Sighting
from uploader.core.path_text import shown
from uploader.folders.missed_events import GRACE
from uploader.journal import Journal
from uploader.journal.intake_queries import compare
from uploader.system import files as fs

log = logging.getLogger(__name__)

Archived = tuple[Sighting, bytes]
"""A file that seems to have been archived, and where in the archive."""


@dataclass(slots=True)
class Entered:
    """What the journal knows of a batch of sightings now."""

    rows: list[int] = field(default_factory=list)
    """All rows whose paths were seen, and `devices`, the file systems on which they lie, or lay before."""
    devices: set[int] = field(default_factory=set)
    settling: list[tuple[int, Sighting]] = field(default_factory=list)
    unannounced: list[bytes] = field(default_factory=list)
    """Paths that were new, or not as they were, and of which events should have told."""
    archived: list[Archived] = field(default_factory=list)
    """What was left alone, until it is known whether the archive still has it."""


class Registration:
    """The sightings of one folder on their way into the journal, a batch at a time."""

    def __init__(self, folder: str, journal: Journal) -> None:
        self.archived: set[bytes] = set()
        """Paths at which the folder shows files that the daemon itself has archived, since the last scan began."""
        self._told_archived: set[bytes] = set()
        self._folder = folder
        self._journal = journal

    def begin(self) -> None:
        """A scan begins."""
        self._told_archived, self.archived = self.archived, set()

    async def enter(self, sightings: Sequence[Sighting]) -> Entered:
        """Enter what is new or changed; the rest costs one lookup."""
        found = await self._journal.read(lambda db: compare(db, self._folder, sightings))
        entered = await self.discover(found.different)
        entered.rows += found.ids
        entered.devices |= found.devices
        entered.settling = found.settling + entered.settling
        entered.archived = found.archived
        told_later = {s.path for s in found.different if s.path in found.changed and _being_written(s)}
        entered.unannounced = [s.path for s in found.different if s.path not in found.rewritten | told_later]
        return entered

    async def discover(self, sightings: Sequence[Sighting]) -> Entered:
        """Enter these as new versions of their paths."""
        ids = await self._journal.files.discovered(sightings) if sightings else []
        devices = {sighting.fingerprint.device for sighting in sightings}
        return Entered(list(ids), devices, list(zip(ids, sightings, strict=True)))

    def left_alone(self, archived: Sequence[Archived], restored: Collection[Sighting]) -> None:
        """The archive still has all of these that were not restored: they are never taken again, and told once."""
        for sighting, path in archived:
            if sighting not in restored and sighting.path not in self._told_archived:
                place, kept = shown(sighting.path), shown(path)
                log.warning("folder=%s path=%r is the archived %s, and is left", self._folder, place, kept)
        self.archived.update(sighting.path for sighting, _ in archived if sighting not in restored)
        self._told_archived |= self.archived


def restored(archived: Sequence[Archived]) -> list[Sighting]:
    """Those of which the archive no longer has the file: somebody has brought them back. Blocking."""
    return [
        sighting
        for sighting, path in archived
        if fs.identity(path) != f"{sighting.fingerprint.device}:{sighting.fingerprint.inode}"
    ]


def _being_written(sighting: Sighting) -> bool:
    """Whether it was written to a moment ago: events tell of a write when the file is closed."""
    return abs(time.time() - sighting.fingerprint.mtime_ns / 1e9) < GRACE

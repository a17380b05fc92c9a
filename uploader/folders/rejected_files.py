"""Rejected files that a person removes: they leave the list soon, and need not wait for the next scan.

An event that names one tells that it was removed, for a file system that goes away names none of its files. Where no
event comes they are looked at now and then, and what is missing has the folder scanned: the scan knows a file that was
removed from one whose file system is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from uploader.folders.folder_threads import FolderThreads
from uploader.folders.missing_files import whereabouts
from uploader.folders.spec import FolderSpec
from uploader.journal import Journal
from uploader.journal.intake_queries import Believed, rejected, rejected_at

PERIOD = 20.0
"""Seconds between two looks."""

PAGE = 1000
"""Files that are looked at together; of more, the next ones in the next look."""


class RejectedFiles:
    """Those of one folder."""

    def __init__(self, folder: FolderSpec, name: str, journal: Journal, threads: FolderThreads) -> None:
        self._folder = folder
        self._name = name
        self._journal = journal
        self._threads = threads
        self._after = 0
        self.due = time.monotonic() + PERIOD
        """When to look next, by the monotonic clock."""

    async def look(self, rescan: Callable[[], None]) -> None:
        """Look at the next ones; `rescan` is called where some are missing. Sets when it is due again."""
        page = partial(rejected, folder=self._name, after=self._after, limit=PAGE)
        rows = await self._journal.read(page)
        self._after = rows[-1].file_id if len(rows) == PAGE else 0
        if await self._missing(rows):
            rescan()
        self.due = time.monotonic() + PERIOD

    async def removed(self, paths: Sequence[bytes]) -> None:
        """Events name these paths, and nothing lies there: rejected files that did are gone."""
        if not paths:
            return
        lay = await self._journal.read(lambda db: rejected_at(db, self._name, paths))
        if gone := await self._missing(lay):
            await self._journal.files.vanished([entry.file_id for entry in gone])

    async def _missing(self, rows: Sequence[Believed]) -> list[Believed]:
        """Those that are not there, although their file system is."""
        if not rows:
            return []
        stop = self._threads.stop
        return (await self._threads.run(whereabouts, self._folder, rows, set(), stop)).gone

"""One scan of a drop folder after the other: when it is due, and what it tells the folder's inbox."""

from __future__ import annotations

import time
from collections.abc import Iterator

import anyio

from uploader.core.model import Sighting
from uploader.folders import FolderSpec, Found, LookProblem, Oddity, paced
from uploader.folders.folder_holds import Cause
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.hidden_sources import put_back_all
from uploader.folders.ignored_names import Oddities
from uploader.folders.inbox import Gone, Inbox, ScanEnded, ScanResult
from uploader.folders.missing_files import Pass, judge
from uploader.folders.presence import FolderBounds, absent
from uploader.journal import Journal
from uploader.system.locks import FolderLock

CHUNK = 2000
"""Sightings that are entered into the journal together: some thirty milliseconds of its writer."""

CHUNK_SECONDS = 0.5
"""Seconds after which a scan's sightings are entered, however few: a tree of empty folders delays nobody's file."""

RESCAN_PAUSE = 2.0
"""Seconds between two scans of which the second was asked for during the first, at least."""

REST = 2
"""A scan that was asked for is followed by a rest of so many times its length, no longer than from scan to scan."""

HELD_AGAIN = 10.0
"""Seconds after which a folder is scanned again from which nothing can be expected, at most."""

ALL_TROUBLED = 3
"""Files of which none can be looked at, from which on it is the folder that fails."""


class ScanTimes:
    """When the next scan of a folder is due, in monotonic seconds."""

    def __init__(self, rescan_seconds: float) -> None:
        self.running = False
        self.asked = False
        """A scan was asked for while one was running."""
        self._seconds = rescan_seconds
        self._at = self._rests_until = float("-inf")
        self._began = 0.0

    @property
    def due(self) -> float:
        """When to scan; infinite while a scan runs."""
        return float("inf") if self.running else self._at

    def ask(self, now: float) -> None:
        """Scan soon."""
        self.asked = self.running
        self._at = min(self._at, max(now, self._rests_until))

    def begin(self, now: float) -> None:
        """A scan begins."""
        self.running, self.asked, self._began = True, False, now

    def goes_on(self, now: float) -> None:
        """The folder answers again: while it did not, a scan did no work after which it would have to rest."""
        self._began = now

    def end(self, now: float, *, held: bool) -> None:
        """It has ended."""
        self.running = False
        if self.asked:
            rest = max(RESCAN_PAUSE, min(self._seconds, REST * (now - self._began)))
            self._at = self._rests_until = now + rest
        else:
            self._at = now + (min(self._seconds, HELD_AGAIN) if held else self._seconds)


class Scanner:
    """Scans one folder as a whole; what it finds it delivers, and looks on while that is acted upon."""

    def __init__(
        self,
        folder: FolderSpec,
        journal: Journal,
        threads: FolderThreads,
        inbox: Inbox,
        *,
        lock: FolderLock,
        bounds: FolderBounds | None,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._threads = threads
        self._inbox = inbox
        self._lock = lock
        self._bounds = bounds
        self._first = True

    async def run(self, seen: Pass, new: bool) -> None:  # noqa: FBT001 - it is passed on
        """Scan once. `seen` is filled meanwhile by the reader of the inbox; `new` as in `ScanResult`."""
        if self._first:
            self._first = False
            await put_back_all(self._journal, self._folder.path, self._threads)
        await self._inbox.deliver(await self._scan(seen, new=new))

    async def _scan(self, seen: Pass, *, new: bool) -> ScanEnded:
        if why := await self._threads.run(absent, self._folder.path, self._lock, self._bounds):
            return ScanEnded(hold=why)
        count, troubled, odd = 0, list[LookProblem](), Oddities()
        scanning, acted_upon = paced(self._folder, self._threads.stop), anyio.Event()
        acted_upon.set()
        while (chunk := await self._threads.run(_chunk, scanning)) is not None:
            found = [entry for entry in chunk if isinstance(entry, Sighting)]
            troubled += [entry for entry in chunk if isinstance(entry, LookProblem)]
            odd.add(entry for entry in chunk if isinstance(entry, Oddity))
            count += len(found)
            if found:
                await acted_upon.wait()
                acted_upon = self._inbox.post(ScanResult(found, new=new))
        await acted_upon.wait()
        hold, away = _doubt(self._folder.path, count, troubled, odd), 0
        if hold is None:
            reason, away = await judge(
                self._folder,
                self._journal,
                self._threads,
                seen,
                let_go=lambda gone: self._inbox.deliver(Gone(gone)),
            )
            hold = (Cause.FOLDER, reason) if reason else None
        return ScanEnded(hold, troubled, odd, away)


def _doubt(folder: str, count: int, troubled: list[LookProblem], odd: Oddities) -> tuple[Cause, str] | None:
    """Why a scan that saw so many files says nothing of the others."""
    failed = next((trouble for trouble in troubled if not trouble.path), None)
    if failed is not None:
        return Cause.FOLDER, f"The drop folder {folder} cannot be read: {failed.reason}."
    if not count and len(troubled) >= ALL_TROUBLED:
        return Cause.FOLDER, f"The drop folder {folder} can be listed only: {troubled[0].reason}."
    private = odd.private(folder)
    return (Cause.OVERLAP, private) if private else None


def _chunk(scanning: Iterator[Found | None]) -> list[Found] | None:
    """What a scan finds next: so many entries, or those of a moment; None at its end."""
    chunk, until = list[Found](), time.monotonic() + CHUNK_SECONDS
    for found in scanning:
        if found is not None:
            chunk.append(found)
        if len(chunk) >= CHUNK or (found is None and time.monotonic() >= until):
            return chunk
    return chunk or None

"""Hints of where to look: inotify's events where the kernel gives any, our own polling elsewhere.

A hint may be late, doubled, wrong or missing: the scan is the truth. Where events are known to be lost, all names of
the folder concerned are looked at: a folder that appears (its files may be older than its watch), a queue of the
kernel that was too short. While a folder has no events although it should, it is polled, and `missed` tells why.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from functools import partial
from itertools import islice
from pathlib import Path

import anyio

from uploader.folders.grouping import companion
from uploader.folders.inotify import LIMITS, Watches, WatchEvents
from uploader.folders.missed_events import Missed
from uploader.folders.polling import chunks, in_thread, polled, reason_to_poll
from uploader.folders.scanner import paths_below, rasters_of
from uploader.folders.spec import FolderSpec, joined
from uploader.system import files as fs
from uploader.system.overlap import Mount, mounted_below

log = logging.getLogger(__name__)

GROUPED = 0.1
"""Seconds for which events are gathered after the first."""

TICK = 0.5
"""Seconds after which it is seen whether the folder is another one, if no event comes."""

WHOLE = b""
"""The hint that names no path: so much may have changed that the folder is best scanned as a whole."""

NAMED = 2000
"""Paths that are named one by one; with more, the folder is scanned."""

POLL_SECONDS = 5.0
"""Seconds between two polls at least."""

EVENTS_AGAIN = 600.0
"""Seconds of polling after which events are tried again where the kernel's limits had refused them."""

PAUSE_SHORT, PAUSE_LONG = 0.5, 60.0
"""Seconds of polling between two starts of watches that end: doubling from the first to the second."""

LIMITED = "the kernel gives no more inotify watches; raise fs.inotify.max_user_watches and max_user_instances"


async def changes(
    folder: FolderSpec,
    missed: Missed | None = None,
    *,
    poll_seconds: float = POLL_SECONDS,
    limiter: anyio.CapacityLimiter | None = None,
) -> AsyncGenerator[set[bytes]]:
    """Endless sets of relative paths of rasters worth a look; some may be gone by then. Never raises by itself.

    Where there are too many to name, the set is `{WHOLE}`.

    Start it before the first scan, so that nothing falls between. What it tells is noted in `missed`. Close it
    (`contextlib.aclosing`) when done; cancelling waits for nothing. Its threads are among those of `limiter`.
    """
    missed = missed or Missed()
    async with aclosing(_sources(folder, missed, poll_seconds, limiter)) as source:
        async for paths in source:
            missed.told(paths, time.monotonic())
            yield paths


async def _sources(
    folder: FolderSpec, missed: Missed, poll_seconds: float, limiter: anyio.CapacityLimiter | None
) -> AsyncGenerator[set[bytes]]:
    """One life of the watches after the other, and polls in between; or polls alone."""
    pause, before = PAUSE_SHORT, ""
    while True:
        reason, length = await in_thread(_reason_to_poll, folder, limiter=limiter), float("inf")
        if not reason:
            started, watching = time.monotonic(), _Watching(folder, missed, poll_seconds, limiter)
            async with aclosing(watching.told()) as told:
                async for paths in told:
                    yield paths
            reason = watching.ended
            lasted = time.monotonic() - started > PAUSE_LONG
            pause, before = (PAUSE_SHORT, "") if lasted else (min(2 * pause, PAUSE_LONG), before)
            length = EVENTS_AGAIN if missed.limited else pause
        if reason != before:  # a folder that stays away is told once
            log.info("polling folder=%r every=%.0fs reason=%r", folder.path, poll_seconds, reason)
            before = reason
        async with aclosing(polled(folder, poll_seconds, length, limiter)) as told:
            async for paths in told:
                yield paths


def _reason_to_poll(folder: FolderSpec, _: threading.Event) -> str:
    return reason_to_poll(folder)


class _Watching:
    """One life of the watches of a folder, from their start to their end."""

    def __init__(
        self,
        folder: FolderSpec,
        missed: Missed,
        poll_seconds: float,
        limiter: anyio.CapacityLimiter | None,
    ) -> None:
        self.ended = ""
        """Why they ended, in words."""
        self._in_thread = partial(in_thread, limiter=limiter)
        self._folder = folder
        self._missed = missed
        self._poll_seconds = poll_seconds

    async def told(self) -> AsyncGenerator[set[bytes]]:
        """Paths as events name them; ends where the watches do, and says so."""
        try:
            identity = await self._in_thread(_identity, self._folder)
            watches = await self._in_thread(_begun, self._folder)
        except OSError as error:
            self._end(error)
            return
        try:
            async with aclosing(self._followed(watches, identity)) as followed:
                async for paths in followed:
                    yield paths
        except OSError as error:
            self._end(error)
        finally:
            watches.close()
        # The lock of a folder that was taken away, which keeps its file system busy, goes with the scan.
        yield {WHOLE}

    async def _followed(self, watches: Watches, identity: tuple[int, int]) -> AsyncGenerator[set[bytes]]:
        shown = await self._in_thread(_mounted, self._folder)
        await self._in_thread(watches.build)
        self._missed.limited, self._missed.ended = False, ""
        told = WatchEvents(folders={b""})  # what came before the watches stood
        again = time.monotonic() + self._poll_seconds
        while True:
            if told.overflowed or told.remounted:
                await self._in_thread(watches.build)
            for paths in await self._paths(told):
                yield paths
            with anyio.move_on_after(TICK):
                await anyio.wait_readable(watches.fileno())
                await anyio.sleep(GROUPED)
            told = await self._in_thread(_read, self._folder, watches, identity)
            if time.monotonic() >= again:
                again = time.monotonic() + self._poll_seconds
                told.folders |= await self._in_thread(watches.again)
                before, shown = shown, await self._in_thread(_mounted, self._folder)
                told.remounted = before != shown

    async def _paths(self, told: WatchEvents) -> list[set[bytes]]:
        """The rasters that were told of by name, and those of the folders that are looked at as a whole."""
        if told.overflowed or told.remounted:
            why = "the kernel's queue was too short" if told.overflowed else "a file system came or went"
            log.warning("events were lost folder=%r reason=%r then=%r", self._folder.path, why, "a scan")
            return [{WHOLE}]
        if not told.names and not told.folders:
            return []
        found = await self._in_thread(_named, self._folder, told)
        return [{WHOLE}] if len(found) > NAMED else list(chunks(found))

    def _end(self, error: OSError) -> None:
        limited = error.errno in LIMITS
        self.ended = LIMITED if limited else error.strerror or fs.words(error)
        before = self._missed.limited, self._missed.ended
        self._missed.limited, self._missed.ended = limited, "" if limited else self.ended
        if before != (self._missed.limited, self._missed.ended):
            log.warning("events ended folder=%r then=%r reason=%r", self._folder.path, "polling", self.ended)


def _begun(folder: FolderSpec, _: threading.Event) -> Watches:
    return Watches(folder)


def _mounted(folder: FolderSpec, _: threading.Event) -> frozenset[Mount]:
    """The file systems that the folder shows: a mount makes no event."""
    return mounted_below(Path(folder.path))


def _read(
    folder: FolderSpec, watches: Watches, identity: tuple[int, int], stop: threading.Event
) -> WatchEvents:
    """What was told. Raises OSError where the watches are over, or another folder lies there."""
    told = watches.read(stop)
    if told.ended or _identity(folder, stop) != identity:
        raise OSError(errno.ENOENT, "another folder lies there now, or none")
    return told


def _named(folder: FolderSpec, told: WatchEvents, stop: threading.Event) -> set[bytes]:
    """All paths that are worth a look; of more than can be named, so many that it shows."""
    found = set[bytes]()
    for directory, names in told.names.items():
        companions = {name for name in names if companion(folder, name)}
        found.update(path for name in names if folder.wants(path := joined(directory, name)))
        found.update(rasters_of(folder, directory, companions) if companions else ())
    found.update(islice(_below(folder, told.folders, stop), NAMED + 1))
    return found


def _below(folder: FolderSpec, directories: Iterable[bytes], stop: threading.Event) -> Iterable[bytes]:
    return (path for directory in directories for path in paths_below(folder, directory, stop))


def _identity(folder: FolderSpec, _: threading.Event) -> tuple[int, int]:
    """Which folder lies at the path. Raises OSError where none does."""
    found = Path(folder.path).stat()
    return found.st_dev, found.st_ino

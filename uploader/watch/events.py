"""Hints of where to look: watchfiles' events where the kernel gives any, our own polling elsewhere.

A hint may be late, doubled, wrong or missing: the scan is the truth. What is known to lose events is followed by a
look at all names of the folder concerned: a folder that appears (its files may be older than its watch), a burst (the
kernel's queue may have overflowed, which watchfiles does not tell), a restart of the watcher.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import anyio
from watchfiles import awatch

from uploader import threads
from uploader.core import names
from uploader.watch.missed import Missed
from uploader.watch.polling import chunks, in_thread, polled, reason_to_poll
from uploader.watch.probes import inotify_limits
from uploader.watch.scanning import companion, paths_below, rasters_of
from uploader.watch.spec import FolderSpec

log = logging.getLogger(__name__)

DEBOUNCE_MS, STEP_MS, TICK_MS = 400, 50, 500
"""watchfiles' waits: longest grouping, shortest silence, and how long cancelling may take."""

BURST = 4000
"""Changes in one batch from which on the folders concerned are looked at as a whole: the kernel may have lost some."""

BURST_LEAST = 16
"""The same where the kernel's queue is short: a quarter of it, but not less than this."""

WHOLE = b""
"""The hint that names no path: so much may have changed that the folder is best scanned as a whole."""

NAMED = 2000
"""Paths of folders that are looked at as a whole which are named; with more, the folder is scanned."""

SECOND_LOOK = 2.0
"""Seconds after which a folder that appeared, or had a burst, is looked at once more."""

POLL_SECONDS = 5.0
"""Seconds between two polls at least."""

EVENTS_AGAIN = 600.0
"""Seconds of polling after which events are tried again where the kernel's limits had refused them."""

PAUSE_SHORT, PAUSE_LONG = 0.5, 60.0
"""Seconds between two starts of a watcher that fails: doubling from the first to the second."""


async def changes(
    folder: FolderSpec, missed: Missed | None = None, *, poll_seconds: float = POLL_SECONDS
) -> AsyncGenerator[set[bytes]]:
    """Endless sets of relative paths of rasters worth a look; some may be gone by then. Never raises by itself.

    Where there are too many to name, the set is `{WHOLE}`.

    Start it before the first scan, so that nothing falls between. What it tells is noted in `missed`. Close it
    (`contextlib.aclosing`) when done; cancelling takes half a second at most.
    """
    async with aclosing(_sources(folder, missed or Missed(), poll_seconds)) as source:
        async for paths in source:
            if missed is not None:
                missed.told(paths, time.monotonic())
            yield paths


async def _sources(folder: FolderSpec, missed: Missed, poll_seconds: float) -> AsyncGenerator[set[bytes]]:
    """One watcher's life after the other, or polls."""
    pause, watcher = PAUSE_SHORT, _Watcher(folder)
    while True:
        reason = await threads.run_sync(reason_to_poll, folder, abandon_on_cancel=True)
        if reason:
            log.info("polling folder=%r every=%.0fs reason=%r", folder.path, poll_seconds, reason)
        length = float("inf") if reason else EVENTS_AGAIN
        started = time.monotonic()
        poll = reason or watcher.limited
        missed.limited = bool(poll) and not reason
        watcher = _Watcher(folder, ignore_denied=watcher.denied or watcher.ignore_denied)
        async with aclosing(polled(folder, poll_seconds, length) if poll else watcher.told()) as told:
            async for paths in told:
                yield paths
        lasted = time.monotonic() - started
        pause = PAUSE_SHORT if lasted > PAUSE_LONG or not watcher.failed else min(pause * 2, PAUSE_LONG)
        await anyio.sleep(pause)


@dataclass(slots=True)
class _Watcher:
    """One life of watchfiles' watcher, from its start to its failure or to the folder's replacement."""

    folder: FolderSpec
    ignore_denied: bool = False
    """Leave out subfolders that are not ours to read. watchfiles then leaves out what the limits refuse as well."""
    failed: bool = False
    limited: bool = False
    """The kernel's limits refused it, which does not change soon."""
    denied: bool = False
    again: dict[bytes, float] = field(default_factory=lambda: {b"": 0.0})
    """Folders to look at as a whole, and when: at first all, for what came before the watches stood."""

    async def told(self) -> AsyncGenerator[set[bytes]]:
        """Paths as events name them; ends where the watcher does, and says so in the log."""
        identity = await in_thread(_identity, self.folder)
        if identity is None:
            return
        try:
            async with aclosing(self._raw()) as raw:
                async for batch in raw:
                    for paths in await self._mapped([path for _, path in batch]):
                        yield paths
                    if await in_thread(_identity, self.folder) != identity:
                        log.warning("the folder is another one now folder=%r", self.folder.path)
                        return
        except (OSError, RuntimeError, ExceptionGroup) as error:
            self._fail(_failure(error))

    def _raw(self) -> AsyncGenerator[set[tuple[int, str]]]:
        return awatch(  # type: ignore[return-value]
            self.folder.path,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            force_polling=False,
            recursive=self.folder.recursive,
            ignore_permission_denied=self.ignore_denied,
        )

    def _fail(self, error: OSError | RuntimeError) -> None:
        self.failed = True
        self.denied = isinstance(error, PermissionError)
        self.limited = any(words in str(error).lower() for words in LIMIT_WORDS)
        then = "starting the watcher again; the scan finds what it missed"
        if self.limited:
            then = "polling; raise fs.inotify.max_user_watches and fs.inotify.max_user_instances"
        elif isinstance(error, PermissionError):
            then = "watching without the subfolders that may not be read"
        log.warning("events failed folder=%r then=%r error=%r", self.folder.path, then, str(error)[:300])

    async def _mapped(self, changed: list[str]) -> list[set[bytes]]:
        """What a batch of events means, and the folders whose second look is due."""
        now = time.monotonic()
        due = {path for path, when in self.again.items() if when <= now}
        for path in due:
            del self.again[path]
        if not changed and not due:
            return []
        hints = await in_thread(_hints, self.folder, changed)
        self.again.update(dict.fromkeys(hints.folders, now + SECOND_LOOK))
        found = await in_thread(_below, self.folder, hints.folders | due)
        return [{WHOLE}] if len(found) > NAMED else list(chunks(hints.paths | found))


LIMIT_WORDS = ("watch limit", "maxfileswatch", "too many open files", "no space left")
"""How watchfiles words the kernel's limits; it does not keep their error numbers."""


@dataclass(slots=True)
class _Hints:
    """What events mean: rasters to look at, and folders to look at as a whole."""

    paths: set[bytes] = field(default_factory=set)
    folders: set[bytes] = field(default_factory=set)


def _hints(folder: FolderSpec, changed: list[str], stop: threading.Event) -> _Hints:
    """Sort the paths of events: rasters, sidecars and markers, folders, and the rest that matters to nobody."""
    hints = _Hints()
    burst = len(changed) >= _burst()
    companions: dict[bytes, set[bytes]] = {}
    root = folder.root.rstrip(b"/") + b"/"
    for path in (os.fsencode(p) for p in changed):
        relative = path[len(root) :] if path.startswith(root) else b""
        directory, _, name = relative.rpartition(b"/")
        if not name or not folder.enters(directory):
            continue
        if burst:
            hints.folders.add(directory)
        elif companion(folder, name):
            companions.setdefault(directory, set()).add(name)
        if folder.wants(relative):
            hints.paths.add(relative)
        elif not names.ignored(name) and os.path.isdir(path):  # noqa: PTH112 - bytes, and in great number
            hints.folders.update([relative] if folder.enters(relative) else [])
    for directory, touched in companions.items():
        if stop.is_set():
            break
        hints.paths.update(rasters_of(folder, directory, touched))
    return hints


def _burst() -> int:
    """Changes in one batch from which on the kernel's queue may have overflowed."""
    return min(BURST, max(BURST_LEAST, inotify_limits().get("max_queued_events", 4 * BURST) // 4))


def _below(folder: FolderSpec, directories: Iterable[bytes], stop: threading.Event) -> set[bytes]:
    """All rasters below these folders; of more than can be named, so many that it shows."""
    found = (path for directory in directories for path in paths_below(folder, directory, stop))
    return set(islice(found, NAMED + 1))


def _failure(error: Exception) -> OSError | RuntimeError:
    """The watcher's own failure; whatever else was raised is raised on.

    watchfiles' error is a RuntimeError, raised for names that are not UTF-8 among others. Its task group wraps it.
    """
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, OSError | RuntimeError):
        return error
    raise error


def _identity(folder: FolderSpec, _: threading.Event) -> tuple[int, int] | None:
    """Which folder lies at the path; None where none does."""
    try:
        found = Path(folder.path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino

"""One drop folder under watch: scans, events, and what it means when files are no longer there."""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing

import anyio

from uploader.config import Folder
from uploader.core.model import FileState, Hold, Scope, Sighting
from uploader.core.names import hidden
from uploader.core.settling import vanished
from uploader.disposal import leftovers, put_back
from uploader.intake.candidates import Candidates
from uploader.journal import Journal
from uploader.journal.rows import encode_sighting
from uploader.journal.views import latest, leaving, tracked
from uploader.watch import FolderSpec, Missed, Trouble, changes, device, look_all, scan

log = logging.getLogger(__name__)

CHUNK = 500
"""Sightings that are entered into the journal together."""

RESCAN_PAUSE = 2.0
"""Seconds between two scans that were asked for."""


class Watching:
    """The watch over one folder."""

    def __init__(
        self, folder: Folder, journal: Journal, candidates: Candidates, nudge: Callable[[], None]
    ) -> None:
        self.name = str(folder.path)
        self.spec = spec_of(folder)
        self.held = False
        """The folder is missing, or its files vanished together: nothing can be expected from it."""
        self.scanned = False
        """The folder was seen as a whole since the last time that this was asked for."""
        self._folder = folder
        self._journal = journal
        self._candidates = candidates
        self._nudge = nudge
        self._stop = threading.Event()
        self._ask = anyio.Event()
        self._device: int | None = None
        self._first = True
        self._entering = anyio.Lock()
        self._missed = Missed()
        self._told_missed = 0
        self._troubles: set[bytes] = set()

    def rescan(self) -> None:
        """Scan soon."""
        self.scanned = False
        self._ask.set()

    async def run(self) -> None:
        """Scan, follow events, scan again; until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._follow)
                await self._put_back()
                while True:
                    self._ask = anyio.Event()
                    await self._scan()
                    await anyio.sleep(RESCAN_PAUSE if self._ask.is_set() else 0)
                    with anyio.move_on_after(self._folder.rescan_seconds):
                        await self._ask.wait()
        finally:
            self._stop.set()

    async def _put_back(self) -> None:
        """Show again what a disposal has hidden, where the journal knows of no disposal that will go on with it."""
        due = await self._journal.read(lambda db: leaving(db, self.name))
        known = {(path.rpartition(b"/")[0], hidden(path.rpartition(b"/")[2])) for path in due}
        found = await anyio.to_thread.run_sync(lambda: list(leftovers(self.name, self._stop)))
        for leftover in found:
            if (leftover.directory, leftover.hidden) in known:
                continue
            try:
                name = await anyio.to_thread.run_sync(put_back, self.name, leftover)
            except OSError as error:
                log.warning("folder=%s hidden files cannot be put back: %s", self.name, error)
            else:
                log.warning("folder=%s put back %r, which nobody was about to dispose of", self.name, name)

    async def _follow(self) -> None:
        """Events are hints: each names paths that are worth a look."""
        async with aclosing(changes(self.spec, self._missed)) as hints:
            async for paths in hints:
                if self.held:
                    self.rescan()
                else:
                    await self._look(list(paths))

    async def _look(self, paths: Sequence[bytes]) -> None:
        """Look at some paths now, and scan if one of them is gone."""
        results = await anyio.to_thread.run_sync(lambda: list(look_all(self.spec, paths, self._stop)))
        await self._seen([found for _, found in results if isinstance(found, Sighting)], new=False)
        gone = [path for path, found in results if found is None]
        if any(self._candidates.id_of(self.name, path) is not None for path in gone):
            self.rescan()

    async def _scan(self) -> None:
        try:
            there = await anyio.to_thread.run_sync(device, self.name)
        except OSError as error:
            await self._hold(f"The drop folder {self.name} cannot be read: {error.strerror}.")
            return
        if there is None:
            await self._hold(f"The drop folder {self.name} is missing.")
            return
        seen: set[bytes] = set()
        troubled: list[Trouble] = []
        sightings = scan(self.spec, self._stop)
        while chunk := await anyio.to_thread.run_sync(_chunk, sightings):
            found = [entry for entry in chunk if isinstance(entry, Sighting)]
            seen.update(sighting.path for sighting in found)
            troubled += [entry for entry in chunk if isinstance(entry, Trouble)]
            await self._seen(found, new=not self._first)
        self._tell(troubled)
        if any(not trouble.path for trouble in troubled):
            await self._hold(f"The drop folder {self.name} cannot be read: {troubled[0].reason}.")
            return
        await self._missing(seen, [trouble.path for trouble in troubled], there)
        self._first = False
        self.scanned = True
        self._nudge()

    async def _seen(self, sightings: Sequence[Sighting], *, new: bool) -> None:
        """Enter what is new or changed; what is known and untouched costs one lookup.

        One at a time: a scan and an event that see the same new file at once must not enter it twice.
        """
        if sightings:
            async with self._entering:
                await self._enter(sightings, new=new)

    async def _enter(self, sightings: Sequence[Sighting], *, new: bool) -> None:
        paths = [sighting.path for sighting in sightings]
        known = await self._journal.read(lambda db: latest(db, self.name, paths))
        fresh: list[Sighting] = []
        for sighting in sightings:
            row = known.get(sighting.path)
            if row is None or (row[1] != FileState.SETTLING and row[2] != encode_sighting(sighting)):
                fresh.append(sighting)
            elif row[1] == FileState.SETTLING and self._candidates.add(row[0], sighting):
                await self._journal.files.changed(row[0], sighting)
        if not fresh:
            return
        ids = await self._journal.files.discovered(fresh)
        for file_id, sighting in zip(ids, fresh, strict=True):
            self._candidates.add(file_id, sighting)
            if new:
                self._missed.found(sighting.path, time.monotonic())
        self._nudge()

    async def _missing(self, seen: set[bytes], unreadable: Sequence[bytes], there: int) -> None:
        """What the journal believes to exist and the scan did not see."""
        believed = await self._journal.read(lambda db: tracked(db, self.name))
        hidden = tuple(path + b"/" for path in unreadable)
        missing = [
            path
            for path in believed
            if path not in seen and path not in unreadable and not path.startswith(hidden)
        ]
        moved = self._device is not None and there != self._device
        if missing and vanished(len(believed), len(missing), device_changed=moved) == "hold":
            what = "another file system is mounted there" if moved else "all of them vanished together"
            await self._hold(f"{len(missing)} known files of the drop folder {self.name} are gone: {what}.")
            return
        self._device = there
        await self._free()
        settling = {path for path in missing if believed[path][1] == FileState.SETTLING}
        if settling:
            ids = [believed[path][0] for path in settling]
            await self._journal.files.vanished(ids)
            for file_id in ids:
                self._candidates.drop(file_id)
        others = [path for path in missing if path not in settling]
        if others:
            await self._journal.files.forgotten(self.name, others)

    async def _hold(self, reason: str) -> None:
        if not self.held:
            log.warning("hold scope=folder %s", reason)
        self.held = True
        self.scanned = True
        way_out = (
            "Mount or create it, and it goes on by itself; what is copied already is uploaded meanwhile. "
            "If you emptied it on purpose, nothing needs to be done: the next file ends this hold."
        )
        await self._journal.holds.set(Hold(Scope.FOLDER, self.name, reason, way_out, since=time.time()))
        self._nudge()

    async def _free(self) -> None:
        if self.held or self._first:
            await self._journal.holds.clear(Scope.FOLDER, self.name)
            self.held = False

    def _tell(self, troubled: Sequence[Trouble]) -> None:
        """Say once what could not be looked at, and what events missed."""
        for trouble in troubled:
            if trouble.path not in self._troubles:
                path = os.fsdecode(trouble.path).encode("utf-8", "backslashreplace").decode()
                log.warning("folder=%s path=%r cannot be read: %s", self.name, path, trouble.reason)
        self._troubles = {trouble.path for trouble in troubled}
        missed = self._missed.total(time.monotonic())
        if missed > self._told_missed:
            log.warning("folder=%s events missed=%d files, found by the scan", self.name, missed)
            self._told_missed = missed


def spec_of(folder: Folder) -> FolderSpec:
    """What watching needs to know of a configured folder."""
    return FolderSpec(
        path=str(folder.path),
        include=folder.include,
        exclude=folder.exclude,
        passthrough=folder.passthrough,
        recursive=folder.recursive,
        ready_marker=folder.ready_marker,
        polling=folder.polling,
        ignore_below=(str(folder.archive_dir),) if folder.archive_dir else (),
    )


def _chunk(sightings: Iterator[Sighting | Trouble]) -> list[Sighting | Trouble]:
    return list(itertools.islice(sightings, CHUNK))

"""One drop folder under watch: scans, events, and what it means when files are no longer there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing

import anyio

from uploader.config import Folder
from uploader.core.model import Sighting
from uploader.core.path_text import shown
from uploader.folders import WHOLE, FolderSpec, Found, LookProblem, Missed, Oddity, changes, look_all, paced
from uploader.folders.candidates import Unclaimed
from uploader.folders.folder_holds import Cause, FolderHolds, entries
from uploader.folders.hidden_sources import put_back_all
from uploader.folders.ignored_names import Oddities
from uploader.folders.liveness_probe import LivenessProbe
from uploader.folders.look_window import Filling
from uploader.folders.missing_files import Absence
from uploader.folders.presence import FolderBounds, absent, spec_of
from uploader.folders.registration import Registration
from uploader.folders.unreadable_parts import AGAIN, Ailing
from uploader.journal import Journal
from uploader.system import threads
from uploader.system.locks import FolderLock

log = logging.getLogger(__name__)

CHUNK = 500
"""Sightings that are entered into the journal together, and rows that are read from it."""

CHUNK_SECONDS = 0.5
"""Seconds after which a scan's sightings are entered, however few: a tree of empty folders delays nobody's file."""

RESCAN_PAUSE = 2.0
"""Seconds between two scans that were asked for, at least."""

REST = 2
"""A scan that was asked for is followed by a rest of so many times its length."""

LIMITED = (
    "the kernel gives no more inotify watches, so the folder is polled; raise fs.inotify.max_user_watches and "
    "fs.inotify.max_user_instances"
)

STILL_ARRIVING = (
    "{} rasters wait for the end of their transfer, of which a control file tells, such as {}; where the transfer was "
    "given up, remove that file"
)

ALL_TROUBLED = 3
"""Files of which none can be looked at, from which on it is the folder that fails."""


class FolderWatcher:
    """The watch over one folder."""

    def __init__(
        self,
        folder: Folder,
        lock: FolderLock,
        journal: Journal,
        candidates: Unclaimed,
        nudge: Callable[[], None],
        *,
        bounds: FolderBounds | None = None,
    ) -> None:
        self.name = str(folder.path)
        self.spec = spec_of(folder, private_too=bounds is None)
        self.scanned = False
        """The folder was seen as a whole since the last time that this was asked for."""
        self.missed = Missed()
        self.standing = FolderHolds(journal, self.name)
        self._rescan_seconds = folder.rescan_seconds
        self._lock = lock
        self._bounds = bounds
        self._journal = journal
        self._candidates = candidates
        self._nudge = nudge
        self._ailing = Ailing(self.spec)
        self.stop = threading.Event()
        self._ask = anyio.Event()
        self._first = True
        self._hinted = True
        """An event asked for the next scan, so that events did not miss what it finds."""
        self._register = Registration(
            self.spec,
            journal,
            candidates,
            self.missed,
            look_again=lambda path: self.line.look_again(path),  # noqa: PLW0108 - the two know each other
            taken=nudge,
        )
        self.line = Filling(
            self.name, journal, candidates, self._register, look=self._look, held=lambda: self.held
        )
        self._absence = Absence(self.spec, journal, candidates, self._register.lock)
        self._told_missed = 0
        self._troubles: set[bytes] = set()
        self._oddities = Oddities()

    @property
    def held(self) -> bool:
        """The folder is missing, or its files vanished together: nothing can be expected from it."""
        return self.standing.held

    def coming(self, within: float) -> int:
        """How many files can be expected to have settled within so many seconds."""
        return 0 if self.held else self._candidates.coming(self.name, within)

    @property
    def expected(self) -> int:
        """How many files can be expected to be claimed by and by."""
        if self.held:
            return 0
        if not self.standing.ailing:
            known = self._candidates.count(self.name) + self._register.waiting
        else:  # what waits for its disk is held; the rest is not
            known = self._candidates.present(self.name)
            known += self._register.waiting if self._candidates.room(self.name) else 0
        return max(known, 0 if self.scanned and not self.line.busy else 1)

    def warnings(self) -> list[dict[str, str]]:
        """What a person should know of the watch itself, as a status tells warnings."""
        found = []
        if self.missed.limited:
            found.append({"path": self.name, "code": "inotify_limit", "text": LIMITED})
        if self.missed.ended and not self.held:
            text = f"events have ended ({self.missed.ended}), so the folder is polled until they are back"
            found.append({"path": self.name, "code": "events_ended", "text": text})
        if self._register.archived:
            text = f"{len(self._register.archived)} files of the archive are shown in the drop folder, and are left"
            found.append({"path": self.name, "code": "archived_again", "text": text})
        if self.line.unsettled:
            found.append({"path": self.name, "code": "never_settling", "text": self._never_settling()})
        found += self._oddities.warnings(self.name)
        if missed := self.missed.total(time.monotonic()):
            text = f"events did not tell of {missed} files since the start; the scan found them"
            found.append({"path": self.name, "code": "events_missed", "text": text})
        if arriving := self._candidates.settling(self.name).arriving():
            text = STILL_ARRIVING.format(len(arriving), shown(min(arriving)))
            found.append({"path": self.name, "code": "still_arriving", "text": text})
        return found

    def _never_settling(self) -> str:
        return (
            f"{self.line.unsettled} files are still being written to, or open, after a turn of looks; they take turns "
            f"with {self._register.waiting} others that wait"
        )

    def rescan(self) -> None:
        """Scan soon."""
        self.scanned = False
        self._ask.set()

    async def bring_back(self, path: bytes) -> None:
        """Look at a path now, so that its settling row is among those that are looked at by turns."""
        await self._look([path])

    async def blames(self, path: bytes) -> bool:
        """Whether the folder is at fault that this file cannot be read; then it is told, and the file waits."""
        blamed = await self._ailing.blames(path)
        await self.standing.set(Cause.FILES, self._ailing.reason)
        return blamed

    async def run(self) -> None:
        """Scan, follow events, scan again; until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._follow)
                group.start_soon(self.line.run)
                group.start_soon(self._recheck)
                group.start_soon(LivenessProbe(self.name, self.standing, self._beats).run)
                await put_back_all(self._journal, self.name, self.stop)
                while True:
                    self._ask = anyio.Event()
                    started = time.monotonic()
                    await self._scan()
                    rest = max(RESCAN_PAUSE, REST * (time.monotonic() - started))
                    await anyio.sleep(rest if self._ask.is_set() else 0)
                    with anyio.move_on_after(
                        min(self._rescan_seconds, AGAIN) if self.held else self._rescan_seconds
                    ):
                        await self._ask.wait()
        finally:
            self.stop.set()

    async def _follow(self) -> None:
        """Events are hints: each names paths that are worth a look."""
        async with aclosing(changes(self.spec, self.missed)) as hints:
            async for paths in hints:
                if self.held or WHOLE in paths:
                    self._hinted = True
                    self.rescan()
                else:
                    await self._look(paths)

    async def _recheck(self) -> None:
        """Look every now and then whether what ails is well again."""
        while True:
            await anyio.sleep(AGAIN)
            if self._ailing and await self._ailing.recheck():
                await self.standing.set(Cause.FILES, self._ailing.reason)
                self._candidates.hasten(self.name)
                self._nudge()

    def _beats(self) -> None:
        """It does not answer, or does so again."""
        if self.standing.mute:
            self._candidates.withdraw(self.name)
        else:
            self._candidates.hasten(self.name)
            self.rescan()
        self._nudge()

    async def _look(self, paths: Iterable[bytes]) -> None:
        """Look at some paths now, and scan if one of them is gone."""
        wanted = list(paths)
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            results = await threads.run_sync(_looks, self.spec, part, self.stop)
            await self._register.enter(
                [found for _, found in results if isinstance(found, Sighting)], new=False
            )
            gone = [path for path, found in results if found is None]
            if any(self._candidates.id_of(self.name, path) is not None for path in gone):
                self.rescan()

    async def _scan(self) -> None:
        if why := await threads.run_sync(absent, self.name, self._lock, self._bounds):
            await self._hold(*why)
            return
        self._register.begin()
        new, self._hinted = not (self._first or self._hinted), False
        count, troubled = 0, list[LookProblem]()
        scanning, odd = paced(self.spec, self.stop), Oddities()
        while (chunk := await threads.run_sync(_chunk, scanning)) is not None:
            found = [entry for entry in chunk if isinstance(entry, Sighting)]
            troubled += [entry for entry in chunk if isinstance(entry, LookProblem)]
            odd.add(entry for entry in chunk if isinstance(entry, Oddity))
            count += len(found)
            await self._register.enter(found, new=new)
        odd.tell(self.name, before=self._oddities)
        self._oddities = odd
        self._tell(troubled)
        failed = next((t for t in troubled if not t.path), None)
        if failed is not None or (not count and len(troubled) >= ALL_TROUBLED):
            what = (
                f"cannot be read: {failed.reason}" if failed else f"can be listed only: {troubled[0].reason}"
            )
            await self._hold(Cause.FOLDER, f"The drop folder {self.name} {what}.")
        elif private := odd.private(self.name):
            await self._hold(Cause.OVERLAP, private)
        else:
            await self._missing(troubled)

    async def _missing(self, troubled: Sequence[LookProblem]) -> None:
        """What the journal believes to exist and the scan did not see; and the words for what is the matter."""
        reason, waits = await self._absence.judge(self._register.scan, self.stop)
        if self.stop.is_set():
            return
        if reason:
            await self._hold(Cause.FOLDER, reason)
            return
        if self.held:
            self._candidates.hasten(self.name)
        await self.standing.good(Cause.FOLDER, Cause.TAKEN, Cause.OVERLAP, Cause.FOREIGN)
        await self.standing.set(Cause.ENTRIES, entries(self.name, troubled))
        lost = f"{waits} files of {self.name} wait whose file system is no longer mounted." if waits else ""
        await self.standing.set(Cause.AWAY, lost)
        await self._register.count()
        self._first = False
        self.scanned = True
        self._nudge()

    async def _hold(self, cause: Cause, reason: str) -> None:
        await self.standing.set(cause, reason)
        self._candidates.withdraw(self.name)
        self.scanned = True
        self._nudge()

    def _tell(self, troubled: Sequence[LookProblem]) -> None:
        """Say once what could not be looked at, and what events missed."""
        for trouble in troubled:
            if trouble.path not in self._troubles:
                log.warning(
                    "folder=%s path=%r cannot be read: %s", self.name, shown(trouble.path), trouble.reason
                )
        self._troubles = {trouble.path for trouble in troubled}
        missed = self.missed.total(time.monotonic())
        if missed > self._told_missed:
            log.warning("folder=%s events missed=%d files, found by the scan", self.name, missed)
            self._told_missed = missed


def _looks(
    folder: FolderSpec, paths: Sequence[bytes], stop: threading.Event
) -> list[tuple[bytes, Sighting | LookProblem | None]]:
    return list(look_all(folder, paths, stop))


def _chunk(scanning: Iterator[Found | None]) -> list[Found] | None:
    """What a scan finds next: so many entries, or those of a moment; None at its end."""
    chunk, until = list[Found](), time.monotonic() + CHUNK_SECONDS
    for found in scanning:
        if found is not None:
            chunk.append(found)
        if len(chunk) >= CHUNK or (found is None and time.monotonic() >= until):
            return chunk
    return chunk or None

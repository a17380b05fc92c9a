"""Looks at the candidates of one drop folder, by turns; a folder that hangs delays nobody but itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from uploader.core.failure_policy import LOOK_DELAYS
from uploader.core.model import Sighting
from uploader.core.path_text import shown
from uploader.core.settle_rules import UNKNOWN, Extent, Next
from uploader.folders import LookProblem, extent, held_by_writer, look_all
from uploader.folders.candidates import WITHDRAWN, Unclaimed
from uploader.folders.watcher import FolderWatcher
from uploader.journal import Journal
from uploader.journal.queries import file_row
from uploader.journal.rows import decode_sighting
from uploader.system import threads

log = logging.getLogger(__name__)

GLANCES = 200
"""Candidates that are looked at in one go."""

ARRIVING = 30.0
"""Seconds after which a raster with a control file is looked at again, where no event tells of its end before."""

LONGEST_WAIT = 60.0
"""Seconds after which the loop looks around even if nothing is due."""


@dataclass(frozen=True, slots=True)
class _Glance:
    """What one look at a candidate brought; `held` and `extent` are asked only when it is quiet."""

    path: bytes
    sighting: Sighting | None
    held: bool | None = None
    extent: Extent = UNKNOWN
    trouble: str = ""


class Glancing:
    """The looks at the candidates of one folder; `nudge` is called when there is something new to plan."""

    def __init__(
        self, watching: FolderWatcher, journal: Journal, candidates: Unclaimed, nudge: Callable[[], None]
    ) -> None:
        self._watching = watching
        self._folder = watching.name
        self._journal = journal
        self._candidates = candidates
        self._settling = candidates.settling(watching.name)
        self._nudge = nudge
        self._changed = anyio.Event()
        self._stop = threading.Event()
        self._returning: dict[int, tuple[bytes, float]] = {}

    @property
    def returning(self) -> int:
        """How many files that were claimed before have still to be looked at."""
        return len(self._returning)

    async def run(self) -> None:
        """Look at candidates when their time comes, as long as not enough are ready; until cancelled."""
        try:
            while True:
                self._changed = anyio.Event()
                await self._take_back()
                while not self._candidates.full(self._folder) and (part := self._due()):
                    for glance in await threads.run_sync(self._look, part):
                        await self._judge(glance)
                with anyio.move_on_after(self._wait()):
                    await self._changed.wait()
        finally:
            self._stop.set()

    def again(self) -> None:
        """Something changed: see what is due."""
        self._changed.set()

    def bring_back(self, file_id: int, path: bytes, at: float) -> None:
        """A file that was claimed before has to settle again; it is looked at then, in monotonic seconds."""
        self._returning[file_id] = path, at
        self._changed.set()

    def ended(self, file_id: int, path: bytes) -> None:
        """A candidate has a private copy, or an end; one that was written to meanwhile is looked at as a new one."""
        touched = self._candidates.touched(file_id)
        self._candidates.drop(file_id)
        self._watching.line.wake()
        if touched:
            self._watching.line.look_again(path)
        self._changed.set()

    async def folder_fails(self, file_id: int, path: bytes) -> bool:
        """Whether the folder is at fault that a file could not be read: then it is held, and the file waits."""
        if not await self._watching.blames(path):
            return False
        self._candidates.postpone(file_id, WITHDRAWN)
        return True

    def _wait(self) -> float:
        following = None if self._candidates.full(self._folder) else self._settling.next_due()
        return LONGEST_WAIT if following is None else max(0.0, following - self._candidates.clock())

    async def _take_back(self) -> None:
        for file_id, (path, at) in list(self._returning.items()):
            await self._watching.bring_back(path)
            self._candidates.postpone(file_id, at - self._candidates.clock())
            self._returning.pop(file_id, None)
            self._nudge()

    def _due(self) -> list[bytes]:
        """Whose time has come; in a folder that is held nobody is looked at."""
        found = [path for _, path in self._settling.due(self._candidates.clock(), GLANCES)]
        if not self._watching.held:
            return found
        for path in found:
            file_id = self._candidates.id_of(self._folder, path)
            if file_id is not None:
                self._candidates.postpone(file_id, WITHDRAWN)
        return []

    def _look(self, paths: Sequence[bytes]) -> list[_Glance]:
        """In a thread: look at candidates, and where they are quiet, ask for writers and the extent."""
        found = look_all(self._watching.spec, sorted(paths), self._stop)
        return [self._glanced(path, seen) for path, seen in found]

    def _glanced(self, path: bytes, found: Sighting | LookProblem | None) -> _Glance:
        if not isinstance(found, Sighting):
            return _Glance(path, None, trouble=found.reason if found else "")
        if not self._settling.same(found):
            return _Glance(path, found)
        full = self._watching.spec.root + b"/" + path
        try:
            return _Glance(path, found, held_by_writer(full), extent(full))
        except OSError as error:
            return _Glance(path, None, trouble=error.strerror or str(error))

    async def _judge(self, glance: _Glance) -> None:
        file_id = self._candidates.id_of(self._folder, glance.path)
        if file_id is None:
            return
        if glance.trouble:
            await self._troubled(file_id, glance.path)
        elif glance.sighting is None:
            self._candidates.postpone(file_id, LONGEST_WAIT)
            self._watching.rescan()
        else:
            await self._verdict(file_id, glance, glance.sighting)

    async def _troubled(self, file_id: int, path: bytes) -> None:
        """It cannot be looked at: its folder is to blame, or the claim says why it cannot be read."""
        with self._candidates.turn() as ended:
            if await self.folder_fails(file_id, path):
                return
            row = await self._journal.read(lambda db: file_row(db, file_id))
            if file_id not in ended:
                self._candidates.ready(file_id, decode_sighting(self._folder, path, row.sighting))
                self._nudge()

    async def _verdict(self, file_id: int, glance: _Glance, sighting: Sighting) -> None:
        if not self._settling.same(sighting):
            self._candidates.add(file_id, sighting)
            await self._journal.files.changed(file_id, sighting)
            return
        self._candidates.add(file_id, sighting)
        verdict = self._settling.verdict(
            self._folder, glance.path, self._candidates.clock(), held=glance.held, extent=glance.extent
        )
        match verdict.kind:
            case Next.READY:
                self._candidates.ready(file_id, sighting)
                self._nudge()
            case Next.SHORT:
                await self._short(file_id, sighting, verdict.needs)
            case Next.WAIT if sighting.control:
                self._candidates.postpone(file_id, ARRIVING)  # nobody knows when: no batch waits for it
            case Next.WAIT if glance.held:
                self._candidates.open_for_writing(file_id)
            case Next.WAIT:
                pass

    async def _short(self, file_id: int, sighting: Sighting, needs: int) -> None:
        """Quiet, but its end is missing: looked at twice more, then rejected."""
        size = sighting.fingerprint.size
        reason = (
            f"The file ends too early: it has {size:,} bytes, its TIFF directory needs {needs:,}. Copy it again."
            if size
            else "The file is empty. Copy it again."
        )
        looks = (await self._journal.read(lambda db: file_row(db, file_id))).looks
        if not self._settling.same(sighting):
            return  # it was written to meanwhile
        if looks < len(LOOK_DELAYS):
            await self._journal.files.looked(file_id, reason, LOOK_DELAYS[looks])
            self._candidates.postpone(file_id, LOOK_DELAYS[looks])
            return
        await self._journal.files.rejected(file_id, reason)
        touched = not self._settling.same(sighting)
        self.ended(file_id, sighting.path)
        if touched:
            self._watching.line.look_again(sighting.path)
        log.warning("rejected file=%r: %s", shown(sighting.path), reason)
        self._nudge()

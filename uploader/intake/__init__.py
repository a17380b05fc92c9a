"""Intake: what is dropped becomes a settling row, and a settled one is offered to be claimed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import anyio

from uploader.config import Folder
from uploader.core.failures import LOOK_DELAYS
from uploader.core.model import Sighting
from uploader.core.settling import UNKNOWN, Extent, Key, Kind, Rule
from uploader.core.view import Settled
from uploader.intake.candidates import WINDOW, WITHDRAWN, Candidates
from uploader.intake.watching import Watching
from uploader.journal import Journal
from uploader.journal.arrivals import places
from uploader.journal.rows import decode_sighting
from uploader.journal.views import file_row
from uploader.watch import FolderSpec, Trouble, extent, held_by_writer, look_all, prepare_leases

log = logging.getLogger(__name__)

GLANCES = 200
"""Candidates that are looked at in one go."""


@dataclass(frozen=True, slots=True)
class _Glance:
    """What one look at a candidate brought; `held` and `extent` are asked only when it is quiet."""

    key: Key
    sighting: Sighting | None
    held: bool | None = None
    extent: Extent = UNKNOWN
    trouble: str = ""


class Intake:
    """All drop folders. `run` watches them; the rest tells the planner and takes files back from the effects.

    `window` files are looked at by turns; the others wait in the journal.
    """

    def __init__(self, journal: Journal, folders: Sequence[Folder], window: int = WINDOW) -> None:
        self._journal = journal
        rules = {str(f.path): Rule(f.settle_seconds, bool(f.ready_marker)) for f in folders}
        self._candidates = Candidates(rules, window=window)
        self._folders = folders
        self._watching: dict[str, Watching] = {}
        self._changed = anyio.Event()
        self._nudge: Callable[[], None] = lambda: None
        self._stop = threading.Event()
        self._returning: dict[int, float] = {}
        """Files that were claimed before and have to settle again, and when to look at them (monotonic seconds)."""

    async def run(self, nudge: Callable[[], None]) -> None:
        """Watch until cancelled; `nudge` is called when there is something new to plan."""
        self._nudge = nudge
        prepare_leases()
        anyio.to_thread.current_default_thread_limiter().total_tokens += len(
            self._folders
        )  # each watcher holds one
        self._watching = {
            str(f.path): Watching(f, self._journal, self._candidates, self._something) for f in self._folders
        }
        nudge()
        try:
            async with anyio.create_task_group() as group:
                for watching in self._watching.values():
                    group.start_soon(watching.run)
                group.start_soon(self._glance)
        finally:
            self._stop.set()

    def rescan(self) -> None:
        """Scan all folders soon."""
        for watching in self._watching.values():
            watching.rescan()

    def settled(self) -> tuple[Settled, ...]:
        """Files that may be claimed now."""
        held = {name for name, watching in self._watching.items() if watching.held}
        return tuple(file for file in self._candidates.settled() if file.folder not in held)

    def settling(self) -> Mapping[str, int]:
        """By folder: files that are not claimed yet; at least one while the folder is not seen as a whole."""
        if not self._watching:
            return {str(folder.path): 1 for folder in self._folders}
        back = 1 if self._returning else 0
        return {
            name: watching.expected + (0 if watching.held else back)
            for name, watching in self._watching.items()
        }

    def coming(self) -> Mapping[str, int]:
        """By folder: files that are not claimed yet and can be expected soon."""
        return {name: watching.coming for name, watching in self._watching.items()}

    def warnings(self) -> list[dict[str, str]]:
        """What a person should know of the watches themselves."""
        return [warning for watching in self._watching.values() for warning in watching.warnings()]

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which the file was found to be settled; it is being claimed from now on."""
        return self._candidates.claiming(file_id)

    def claimed(self, file_id: int) -> None:
        """The file has a private copy, or an end: it is not looked at again."""
        key = self._candidates.key_of(file_id)
        if key is None:
            return
        touched = self._candidates.touched(file_id)
        self._candidates.drop(file_id)
        self._watching[key[0]].freed()
        if touched:
            self._watching[key[0]].look_again(key[1])
        self._changed.set()

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """The file has to settle once more, and is not looked at before so many seconds."""
        if self._candidates.key_of(file_id) is None:
            self._returning[file_id] = self._candidates.clock() + after  # it was claimed before
        else:
            self._candidates.postpone(file_id, after)
        self._something()

    async def folder_fails(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be read: then it is held, and the file waits."""
        key = self._candidates.key_of(file_id)
        if key is None or not await self._watching[key[0]].blames(key[1]):
            return False
        self._candidates.postpone(file_id, WITHDRAWN)
        return True

    def _something(self) -> None:
        self._changed.set()
        self._nudge()

    async def _glance(self) -> None:
        """Look at candidates when their time comes, as long as not enough are ready."""
        while True:
            self._changed = anyio.Event()
            await self._return()
            while not self._candidates.full and (part := self._due()):
                for glance in await anyio.to_thread.run_sync(self._look, part):
                    await self._judge(glance)
            following = None if self._candidates.full else self._candidates.settling.next_due()
            wait = 60.0 if following is None else max(0.0, following - self._candidates.clock())
            with anyio.move_on_after(wait):
                await self._changed.wait()

    def _due(self) -> list[Key]:
        """Whose time has come; in a folder that is held nobody is looked at."""
        found = self._candidates.settling.due(self._candidates.clock(), GLANCES)
        for folder, path in found:
            file_id = self._candidates.id_of(folder, path)
            if file_id is not None and self._watching[folder].held:
                self._candidates.postpone(file_id, WITHDRAWN)
        return [key for key in found if not self._watching[key[0]].held]

    async def _return(self) -> None:
        """Take files back that were claimed before."""
        returning = dict(self._returning)
        if not returning:
            return
        for file_id, folder, path in await self._journal.read(lambda db: places(db, list(returning))):
            if folder in self._watching:
                await self._watching[folder].bring_back(path)
                self._candidates.postpone(file_id, returning[file_id] - self._candidates.clock())
        for file_id in returning:  # only now: until then somebody is expected
            self._returning.pop(file_id, None)
        self._nudge()

    def _look(self, keys: Sequence[Key]) -> list[_Glance]:
        """In a thread: look at candidates, and where they are quiet, ask for writers and the extent."""
        glances = []
        for folder, group in groupby(sorted(keys), key=itemgetter(0)):
            spec = self._watching[folder].spec
            for path, found in look_all(spec, [path for _, path in group], self._stop):
                glances.append(self._glanced(spec, path, found))
        return glances

    def _glanced(self, spec: FolderSpec, path: bytes, found: Sighting | Trouble | None) -> _Glance:
        key = (spec.path, path)
        if not isinstance(found, Sighting):
            return _Glance(key, None, trouble=found.reason if found else "")
        if not self._candidates.settling.same(found):
            return _Glance(key, found)
        full = spec.root + b"/" + path
        try:
            return _Glance(key, found, held_by_writer(full), extent(full))
        except OSError as error:
            return _Glance(key, None, trouble=error.strerror or str(error))

    async def _judge(self, glance: _Glance) -> None:
        folder, path = glance.key
        file_id = self._candidates.id_of(folder, path)
        if file_id is None:
            return
        if glance.trouble:
            await self._troubled(file_id, glance.key)
        elif glance.sighting is None:
            self._candidates.postpone(file_id, 60.0)
            self._watching[folder].rescan()
        else:
            await self._verdict(file_id, glance, glance.sighting)

    async def _troubled(self, file_id: int, key: Key) -> None:
        """It cannot be looked at: its folder is to blame, or the claim says why it cannot be read."""
        with self._candidates.turn() as ended:
            if await self.folder_fails(file_id):
                return
            row = await self._journal.read(lambda db: file_row(db, file_id))
            if file_id not in ended:
                self._candidates.ready(file_id, decode_sighting(*key, row.sighting))
                self._nudge()

    async def _verdict(self, file_id: int, glance: _Glance, sighting: Sighting) -> None:
        if not self._candidates.settling.same(sighting):
            self._candidates.add(file_id, sighting)
            await self._journal.files.changed(file_id, sighting)
            return
        self._candidates.add(file_id, sighting)
        verdict = self._candidates.settling.verdict(
            *glance.key, self._candidates.clock(), held=glance.held, extent=glance.extent
        )
        match verdict.kind:
            case Kind.READY:
                self._candidates.ready(file_id, sighting)
                self._nudge()
            case Kind.SHORT:
                await self._short(file_id, sighting, verdict.needs)
            case Kind.WAIT:
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
        if not self._candidates.settling.same(sighting):
            return  # it was written to meanwhile
        if looks < len(LOOK_DELAYS):
            await self._journal.files.looked(file_id, reason, LOOK_DELAYS[looks])
            self._candidates.postpone(file_id, LOOK_DELAYS[looks])
            return
        await self._journal.files.rejected(file_id, reason)
        touched = not self._candidates.settling.same(sighting)
        self.claimed(file_id)
        if touched:
            self._watching[sighting.folder].look_again(sighting.path)
        log.warning("rejected file=%r: %s", sighting.path.decode("utf-8", "backslashreplace"), reason)
        self._nudge()


__all__ = ["Intake"]

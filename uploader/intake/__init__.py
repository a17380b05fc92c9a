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
from uploader.core.settling import UNKNOWN, Extent, Key, Kind, Rule, unchanged
from uploader.core.view import Settled
from uploader.intake.candidates import Candidates
from uploader.intake.watching import Watching
from uploader.journal import Journal
from uploader.journal.views import file_row
from uploader.watch import FolderSpec, Trouble, extent, held_by_writer, look_all, prepare_leases

log = logging.getLogger(__name__)

GLANCES = 64
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
    """All drop folders. `run` watches them; the rest tells the planner and takes files back from the effects."""

    def __init__(self, journal: Journal, folders: Sequence[Folder]) -> None:
        self._journal = journal
        rules = {str(f.path): Rule(f.settle_seconds, bool(f.ready_marker)) for f in folders}
        self._candidates = Candidates(rules)
        self._folders = folders
        self._watching: dict[str, Watching] = {}
        self._changed = anyio.Event()
        self._nudge: Callable[[], None] = lambda: None
        self._stop = threading.Event()

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
        return self._candidates.settled()

    def settling(self) -> Mapping[str, int]:
        """By folder: files that are not claimed yet; at least one while the folder is not seen as a whole."""
        counts = self._candidates.count()
        if not self._watching:
            return {str(folder.path): 1 for folder in self._folders}
        return {
            name: 0 if watching.held else max(counts[name], 0 if watching.scanned else 1)
            for name, watching in self._watching.items()
        }

    def coming(self) -> Mapping[str, int]:
        """By folder: files that are not claimed yet and can be expected soon."""
        return self._candidates.coming()

    def size(self, file_id: int) -> int:
        """Bytes of a candidate when it was seen last."""
        return self._candidates.size(file_id)

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which the file was found to be settled."""
        return self._candidates.ready_sighting(file_id)

    def claimed(self, file_id: int) -> None:
        """The file has a private copy, or an end: it is not looked at again."""
        self._candidates.drop(file_id)

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """The file has to settle once more, and is not looked at before so many seconds."""
        if self._candidates.key_of(file_id) is None:
            self.rescan()  # it was claimed before: the scan finds it again
        self._candidates.postpone(file_id, after)
        self._something()

    def _something(self) -> None:
        self._changed.set()
        self._nudge()

    async def _glance(self) -> None:
        """Look at candidates when their time comes."""
        while True:
            self._changed = anyio.Event()
            now = self._candidates.clock()
            due = self._candidates.settling.due(now)
            for start in range(0, len(due), GLANCES):
                part = due[start : start + GLANCES]
                for glance in await anyio.to_thread.run_sync(self._look, part):
                    await self._judge(glance)
            following = self._candidates.settling.next_due()
            wait = 60.0 if following is None else max(0.0, following - self._candidates.clock())
            with anyio.move_on_after(wait):
                await self._changed.wait()

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
        last = self._candidates.settling.sighting(*key)
        if last is None or not unchanged(last, found):
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
            self._candidates.ready(file_id, self._last(glance.key))  # the claim says why it cannot be read
            self._nudge()
        elif glance.sighting is None:
            self._candidates.postpone(file_id, 60.0)
            self._watching[folder].rescan()
        else:
            await self._verdict(file_id, glance, glance.sighting)

    def _last(self, key: Key) -> Sighting:
        sighting = self._candidates.settling.sighting(*key)
        assert sighting is not None
        return sighting

    async def _verdict(self, file_id: int, glance: _Glance, sighting: Sighting) -> None:
        if not unchanged(self._last(glance.key), sighting):
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
        if looks < len(LOOK_DELAYS):
            await self._journal.files.looked(file_id, reason, LOOK_DELAYS[looks])
            self._candidates.postpone(file_id, LOOK_DELAYS[looks])
            return
        await self._journal.files.rejected(file_id, reason)
        self._candidates.drop(file_id)
        log.warning("rejected file=%r: %s", sighting.path.decode("utf-8", "backslashreplace"), reason)
        self._nudge()


__all__ = ["Intake"]

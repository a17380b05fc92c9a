"""The watcher of one drop folder: it alone owns the folder's queue, and acts upon one message after the other.

Whatever may hang (scans, looks, hints, probes) runs beside it, delivers to its inbox, and touches nothing else. So
what it has read of a file is true until it has acted upon it: nobody else enters, lets go or looks meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import anyio

from uploader.config import Folder
from uploader.core.plurals import count_of
from uploader.core.settle_queue import WITHDRAWN, SettleQueue
from uploader.core.settle_rules import SettleRule
from uploader.folders import FolderSpec, Missed
from uploader.folders import inbox as told
from uploader.folders.archived_files import Archived, brought_back
from uploader.folders.event_hints import EventHints
from uploader.folders.first_start import Belonging, Lookup
from uploader.folders.folder_files import Consequences, FolderFiles
from uploader.folders.folder_health import FolderHealth
from uploader.folders.folder_holds import Cause, FolderHolds, entries
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.inbox import Inbox, Message
from uploader.folders.looking import look_closely
from uploader.folders.presence import FolderBounds
from uploader.folders.rejected_files import RejectedFiles
from uploader.folders.scanning import Scanner, ScanTimes
from uploader.folders.watch_warnings import WatchWarnings
from uploader.journal import Journal
from uploader.system.locks import FolderLock

LOOKED_AT = 200
"""Files that are looked at in one go."""

LONGEST_WAIT = 60.0
"""Seconds after which the watcher looks around even if nothing is due."""


class FolderWatcher:
    """Watches one folder until cancelled; `nudge` is called when there is something new to plan."""

    def __init__(
        self,
        folder: Folder,
        lock: FolderLock,
        journal: Journal,
        places: int,
        nudge: Callable[[], None],
        *,
        bounds: FolderBounds | None = None,
        lookup: Lookup | None = None,
        before: FolderWatcher | None = None,
    ) -> None:
        """`before` watched the same folder by other rules until now, and is stopped: its queue is taken over."""
        self.name = str(folder.path)
        self.spec = FolderSpec(folder, private_too=bounds is None)
        self.missed = Missed()
        rule = SettleRule(folder.settle_seconds, folder.order, marker=bool(folder.ready_marker))
        self.queue: SettleQueue = before.queue if before else SettleQueue(rule, places)
        if before:
            self.queue.change_rule(rule)
            # Looks that were handed out, and were cut off, are made again.
            self.queue.hasten(time.monotonic())
        self._nudge = nudge
        self._inbox = Inbox()
        self._threads = FolderThreads()
        self._holds = FolderHolds(journal, self.name)
        self._health = FolderHealth(self.spec, self._threads)
        self._files = FolderFiles(self.spec, journal, self.queue, self.missed, nudge)
        self._warnings = WatchWarnings(self.name, self.missed, self.queue)
        self._rejected = RejectedFiles(self.spec, self.name, journal, self._threads)
        due, blind = partial(self.rescan, hinted=True), lambda: self.held
        beside = self.spec, self.missed, self._threads, self._inbox
        self._hints = EventHints(*beside, removed=self._rejected.removed, blind=blind, rescan=due)
        self._scanner = Scanner(self.spec, journal, self._threads, self._inbox, lock=lock, bounds=bounds)
        self._scans = ScanTimes(folder.rescan_seconds)
        self._scanned = False
        """The folder was seen as a whole since the last time that this was asked for."""
        self._first = True
        """The folder was not seen as a whole yet, so that events cannot have missed what a scan finds."""
        self._hinted = False
        """Events asked for the next scan."""
        self._looking = False
        self._restoring = 0
        self._scope = anyio.CancelScope()
        self.belonging: Belonging | None = None
        if bounds and lookup:
            doubt = partial(self._holds.set, Cause.STRANGE)
            self.belonging = Belonging(
                folder, self.spec, journal, bounds.owner, lookup, threads=self._threads, doubt=doubt
            )

    # -- what others ask -------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """The folder is missing, or its files vanished together: nothing can be expected from it."""
        return self._holds.held

    @property
    def expected(self) -> int:
        """How many files come to be claimed by themselves; at least one before the folder, or its hold, is known."""
        if self._holds.telling:
            return 1
        if self.held:
            return 0
        busy = not self._scanned or self.queue.asked or self._looking or self._restoring
        return max(self.queue.expected(faulty=self._holds.faulty) - self.unfinished, 1 if busy else 0)

    @property
    def unfinished(self) -> int:
        """How many wait for what only others do."""
        return 0 if self.held else self.queue.unfinished()

    def coming(self, within: float) -> bool:
        """Whether a file can be expected to have settled within so many seconds."""
        return not self.held and self.queue.coming(time.monotonic(), within)

    def warnings(self) -> list[dict[str, str]]:
        """What a person should know of the watch itself, as a status tells warnings."""
        return self._warnings.all(self._files.archived.paths, held=self.held)

    # -- what others tell ------------------------------------------------------------------------------------

    def rescan(self, *, hinted: bool = False) -> None:
        """Scan soon. `hinted`: events ask for it, so that they did not miss what it finds."""
        self._hinted |= hinted
        self._scanned = False
        self._scans.ask(time.monotonic())
        self._inbox.wake()

    def claim_ended(self, file_id: int) -> None:
        """A file has a private copy, or an end: it is not looked at again."""
        self.queue.claim_ended(file_id)
        self._inbox.post(told.ClaimEnded(file_id))

    def returned(self, file_id: int, after: float) -> None:
        """A file has to settle once more, and is not looked at before so many seconds."""
        self.queue.returned(file_id, time.monotonic() + after)
        self._inbox.wake()
        self._nudge()

    async def unreadable(self, file_id: int) -> bool:
        """Whether the folder is at fault that a file could not be copied: then it is held, and the file waits."""
        path = self.queue.path_of(file_id)
        if path is None:
            return False
        reason = await self._health.fault(path)
        await self._inbox.deliver(told.Answered([(path, reason)]))
        if reason:
            self.queue.returned(file_id, time.monotonic() + WITHDRAWN)
        return bool(reason)

    # -- what runs beside ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Let `run` end. Whose claim has ended leaves the queue, and the rest of it stays as it is."""
        while taken := self._inbox.take():
            if isinstance(taken[0], told.ClaimEnded):
                self.queue.let_go(taken[0].file_id)
            taken[1].set()
        self._scope.cancel()

    async def run(self) -> None:
        """Watch until cancelled or stopped."""
        with self._scope:
            await self._run()

    async def _run(self) -> None:
        async with anyio.create_task_group() as self._beside:
            self._beside.start_soon(self._hints.follow)
            if self.belonging is not None:
                self._beside.start_soon(self.belonging.run)
            try:
                while True:
                    await self._begin_what_is_due()
                    await self._inbox.wait(self._delay())
                    while taken := self._inbox.take():
                        await self._act(taken[0])
                        taken[1].set()
            finally:
                self._threads.stop.set()
                self._inbox.close()

    async def _look(self, wanted: dict[bytes, int | None]) -> None:
        faults, stop = self._health.faults(), self._threads.stop
        looks = await self._threads.run(look_closely, self.spec, wanted, faults, stop)
        await self._inbox.deliver(told.Looked(looks))

    async def _restore(self, archived: Sequence[Archived], new: bool) -> None:  # noqa: FBT001 - it is passed on
        found = await self._threads.run(brought_back, archived)
        await self._inbox.deliver(told.Restored(archived, found, new))

    # -- one thing after the other ---------------------------------------------------------------------------

    def _delay(self) -> float:
        """Seconds until something is due."""
        times = [self._scans.due, self._health.check_at, self._health.mute_at]
        if not self.held:
            times.append(self._rejected.due)
        if not self._looking and not self.held:
            times += [at for at in (self.queue.next_look(), self.queue.next_turn()) if at is not None]
        return min(max(0.0, min(times) - time.monotonic()), LONGEST_WAIT)

    async def _begin_what_is_due(self) -> None:
        now = time.monotonic()
        if now >= self._health.mute_at:
            self._health.mute_at = float("inf")
            await self._hold(Cause.MUTE, f"The drop folder {self.name} does not answer.")
        if now >= self._health.check_at:
            self._health.begin(now)
            self._beside.start_soon(self._health.check, self._inbox.deliver)
        if now >= self._scans.due:
            new, self._hinted = not (self._first or self._hinted), False
            self._scans.begin(now)
            self._beside.start_soon(self._scanner.run, self._files.begin(), new)
        if now >= self._rejected.due and not self.held:
            self._rejected.due = float("inf")
            self._beside.start_soon(self._rejected.look, self.rescan)
        if not self._looking and not self.held:
            await self._files.fill_places(now)
            # Who was stopped a moment ago hands out nothing: the queue is its successor's, who would not look again.
            if not self._scope.cancel_called and (looks := self.queue.next_looks(now, LOOKED_AT)):
                self._looking = True
                self._beside.start_soon(self._look, looks)

    async def _act(self, message: Message) -> None:
        match message:
            case told.ScanResult(sightings, gone, new):
                await self._follow_up(await self._files.seen(sightings, gone, new=new), new=new)
            case told.Looked(looks):
                await self._follow_up(await self._files.looked(looks))
                self._looking = False
            case told.ClaimEnded(file_id):
                self.queue.let_go(file_id)
            case told.Gone(files):
                await self._files.gone(files)
            case told.Restored(archived, back, new):
                await self._files.restored(archived, back, new=new)
                self._restoring -= 1
            case told.ScanEnded():
                await self._scan_ended(message)
            case told.Answered(faults):
                await self._answered(faults)

    async def _answered(self, faults: Sequence[tuple[bytes, str]]) -> None:
        """The folder answers; what ailed and is well again is looked at soon."""
        was_mute = self._holds.mute
        await self._holds.set(Cause.MUTE, "")
        got_well = await self._blame(faults)
        if was_mute:
            self._scans.goes_on(time.monotonic())
            self.rescan()
        if was_mute or got_well:
            self.queue.hasten(time.monotonic())
            self._nudge()

    async def _follow_up(self, found: Consequences, *, new: bool = False) -> None:
        await self._blame(found.faults)
        if found.archived:
            self._restoring += 1
            self._beside.start_soon(self._restore, found.archived, new)
        if found.rescan:
            self.rescan()

    async def _blame(self, faults: Sequence[tuple[bytes, str]]) -> bool:
        """Note and tell whether the parts of files that cannot be read are at fault; returns whether one got well."""
        got_well = [self._health.note(path, reason) for path, reason in faults]
        if faults:
            await self._holds.set(Cause.FILES, self._health.reason)
            self._nudge()
        return any(got_well)

    async def _scan_ended(self, scan: told.ScanEnded) -> None:
        if scan.oddities is not None:
            self._warnings.scanned(scan.oddities, scan.problems)
        if scan.hold:
            await self._hold(*scan.hold)
        else:
            if self.held:
                self.queue.hasten(time.monotonic())
            await self._holds.good(Cause.FOLDER, Cause.TAKEN, Cause.OVERLAP, Cause.FOREIGN)
            await self._holds.set(Cause.ENTRIES, entries(self.name, scan.problems))
            lost = f"The file system of {count_of(scan.away, 'file')} of {self.name} is no longer mounted."
            await self._holds.set(Cause.AWAY, lost if scan.away else "")
            await self._files.count()
            self._first = False
        self._scanned = not self._scans.asked
        self._scans.end(time.monotonic(), held=self.held)
        self._nudge()

    async def _hold(self, cause: Cause, reason: str) -> None:
        await self._holds.set(cause, reason)
        self.queue.withdraw(time.monotonic())
        self._nudge()

"""What is done for the journal itself, now and then: it is checked, copied, and relieved of what is long over."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from uploader.journal import pruning
from uploader.journal.recovery.snapshots import Snapshot, Snapshots
from uploader.journal.rows import clock
from uploader.system import threads

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.journal import Journal

log = logging.getLogger(__name__)

PERIOD = 3600.0
"""Seconds between two copies of the journal, where something has changed."""

PIECE, PAGE = 256, 4096
"""Pages that are given back to the disk in one transaction, and the bytes of one: a megabyte, some ten milliseconds."""

SHARE = 100
"""So many times as long as the last one took is the pause before the next: a long history costs 1 % of the time."""

BREATH = 0.02
"""Seconds that the writer is left to others between two pieces of what is forgotten."""


class Upkeep:
    """At the start and then hourly, beside everything else; `sleep` is how it waits."""

    def __init__(
        self,
        journal: Journal,
        state_dir: Path,
        min_free_bytes: int = 0,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._journal = journal
        self._snapshots = Snapshots(state_dir, min_free_bytes)
        self._sleep = sleep

    @property
    def min_free_bytes(self) -> int:
        """What a copy leaves free on the disk."""
        return self._snapshots.min_free_bytes

    @min_free_bytes.setter
    def min_free_bytes(self, value: int) -> None:
        self._snapshots.min_free_bytes = value

    async def run(self) -> None:
        """Until cancelled. Raises JournalError where the journal is found to be damaged."""
        while True:
            began = time.monotonic()
            await self.snapshot()
            await self.prune()
            await self.shrink()
            await self._sleep(max(PERIOD, SHARE * (time.monotonic() - began)))

    async def snapshot(self) -> None:
        """Check the journal and copy it, if it has changed; a copy that comes to nothing is only told."""
        try:
            made = await self._made()
        except (OSError, sqlite3.Error) as error:
            log.warning("journal: no copy was made, the last one stays: %s", error)
        else:
            if made is not None:
                log.debug("journal: copied to %s", made.path)

    async def _made(self) -> Snapshot | None:
        """The copy. When this is cancelled it ends soon, and is waited for: whoever closes the journal is the last."""
        work = anyio.CancelScope(shield=True)
        done = anyio.Event()

        async def interrupt() -> None:
            try:
                await done.wait()
            finally:
                self._snapshots.interrupt()

        made: list[Snapshot | None] = []
        failed: list[Exception] = []

        async def make() -> None:
            with work:
                try:
                    made.append(await threads.run_sync(self._snapshots.make))
                except Exception as error:  # noqa: BLE001 - raised outside of the group, and not within it
                    failed.append(error)
            done.set()

        async with anyio.create_task_group() as group:
            group.start_soon(interrupt)
            group.start_soon(make)
        if failed:
            raise failed[0]
        return made[0]

    async def prune(self) -> None:
        """Forget what is long over. The sums are kept first, for later events go on from them."""
        await self._journal.keep_sums()
        now = clock()
        one = self._journal.pruning
        files = await self._journal.read(lambda db: pruning.old_files(db, now))
        await self._forget(files, one.files, pruning.CHUNK)
        sessions = await self._journal.read(lambda db: pruning.old_sessions(db, now))
        await self._forget(sessions, one.sessions, pruning.CHUNK)
        noise = await self._journal.read(lambda db: pruning.old_noise(db, now))
        await self._forget(noise, one.events, pruning.CHUNK * 10)
        steps = await self._journal.read(lambda db: pruning.old_steps(db, now))
        await self._forget(steps, one.events, pruning.CHUNK * 10)

    async def shrink(self) -> None:
        """Give freed pages back to the disk, while no file is under way and the disk has room for the log of it."""
        while not self._journal.live.busy and self._snapshots.room(PIECE * PAGE):
            if not await self._journal.give_back(PIECE):
                break
            await self._sleep(BREATH)

    async def _forget(
        self, ids: Sequence[int], forget: Callable[[Sequence[int]], Awaitable[None]], size: int
    ) -> None:
        for start in range(0, len(ids), size):
            await forget(ids[start : start + size])
            await self._sleep(BREATH)

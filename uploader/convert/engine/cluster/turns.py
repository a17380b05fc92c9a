"""How many conversions, and how many bytes, are under way on the cluster at once."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

BYTES_A_WORKER = 8 << 30
"""Bytes of rasters that may be under way for each conversion that runs at once: what a shared disk reads meanwhile."""


def ahead(slots: int) -> int:
    """How many conversions wait at the scheduler, so that a worker that is done has the next at once."""
    return 0 if slots == 0 else max(1, slots // 8)


class Turns:
    """Lets conversions begin in the order they came, as far as `most` of them and their bytes have room.

    `most` is asked anew each time. One alone is always let in, however large.
    """

    def __init__(self, most: Callable[[], int], bytes_each: int = BYTES_A_WORKER) -> None:
        self._most = most
        self._bytes_each = bytes_each
        self._waiting: deque[tuple[int, anyio.Event]] = deque()
        self.running = 0
        self.bytes = 0
        """Of the rasters whose conversions are under way."""

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the block ends."""
        mine = (size, anyio.Event())
        self._waiting.append(mine)
        self.changed()
        try:
            await mine[1].wait()
        except BaseException:
            if mine[1].is_set():
                self._over(size)
            else:
                self._waiting.remove(mine)
                self.changed()
            raise
        try:
            yield
        finally:
            self._over(size)

    def _over(self, size: int) -> None:
        self.running -= 1
        self.bytes -= size
        self.changed()

    def changed(self) -> None:
        """Let in whoever has room now; called also when `most` has changed."""
        while self._waiting and self._fits(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            self.running += 1
            self.bytes += size
            turn.set()

    def _fits(self, size: int) -> bool:
        most = max(1, self._most())
        return self.running == 0 or (self.running < most and self.bytes + size <= most * self._bytes_each)

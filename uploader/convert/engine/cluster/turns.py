"""How many conversions, and how many bytes, are under way on the cluster at once."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

BYTES_A_WORKER = 8 << 30
"""Bytes of rasters that may be under way for each conversion that runs at once: what a shared disk reads meanwhile."""


def ahead(slots: int) -> int:
    """How many conversions wait at the scheduler, so that a worker that is done has the next at once."""
    return 0 if slots == 0 else max(1, slots // 8)


@dataclass(slots=True, eq=False)
class _Place:
    """Of one conversion in the line; its bytes are None until they are known."""

    turn: anyio.Event = field(default_factory=anyio.Event)
    size: int | None = None


class Turns:
    """Lets conversions begin in the order they came, as far as `most` of them and their bytes have room.

    `most` is asked anew each time. One alone is always let in, however large.
    """

    def __init__(self, most: Callable[[], int], bytes_each: int = BYTES_A_WORKER) -> None:
        self._most = most
        self._bytes_each = bytes_each
        self._waiting: deque[_Place] = deque()
        self.running = 0
        self.bytes = 0
        """Of the rasters whose conversions are under way."""

    @asynccontextmanager
    async def turn(self, measured: Callable[[], Awaitable[int]]) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the block ends. `measured` gives the bytes of the raster.

        The place in the line is that of the call, however long the measuring takes.
        """
        mine = _Place()
        self._waiting.append(mine)
        try:
            mine.size = size = await measured()
            self.changed()
            await mine.turn.wait()
        except BaseException:
            if mine.turn.is_set():
                self._over(mine.size or 0)
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
        while self._waiting and (size := self._waiting[0].size) is not None and self._fits(size):
            self.running += 1
            self.bytes += size
            self._waiting.popleft().turn.set()

    def _fits(self, size: int) -> bool:
        most = max(1, self._most())
        return self.running == 0 or (self.running < most and self.bytes + size <= most * self._bytes_each)

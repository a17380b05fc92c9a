"""How much staging may still grow by archives that are being unpacked at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from uploader.core.errors import NoSpace


class UnpackingRoom:
    """The bytes that archives under way may write: none is promised twice. Belongs to one event loop."""

    def __init__(self) -> None:
        self._promised: dict[int, int] = {}
        self._ended: anyio.Event | None = None

    @asynccontextmanager
    async def promised(
        self, archive_id: int, need: int, room: Callable[[], Awaitable[int]]
    ) -> AsyncIterator[int]:
        """Keep `need` bytes for an archive while the block runs; gives how many bytes it may write at most.

        `room` tells how many may be written to staging at the moment. Where there are enough but for what others were
        promised, their end is waited for. Raises NoSpace where there are too few without them.
        """
        while (left := await room() - sum(self._promised.values())) < need and self._promised:
            self._ended = self._ended or anyio.Event()
            await self._ended.wait()
        if need > left:
            raise NoSpace(
                f"The archive holds {need:,} bytes that are wanted, and staging has room for {max(left, 0):,}.",
                "Free some space there, or raise staging.max_bytes.",
            )
        self._promised[archive_id] = need
        try:
            yield left
        finally:
            del self._promised[archive_id]
            if self._ended is not None:
                self._ended.set()
            self._ended = None

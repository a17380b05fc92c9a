"""Conversions within one worker process: many beside each other, or one alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Room:
    """Belongs to one event loop. Who waits to be alone keeps those out who come later."""

    def __init__(self) -> None:
        self._door = anyio.Lock()
        self._inside = 0
        self._left = anyio.Event()

    @asynccontextmanager
    async def taken(self, *, alone: bool) -> AsyncIterator[None]:
        """Wait for a place, and have it until the block ends."""
        if alone:
            async with self._door:
                while self._inside:
                    self._left = anyio.Event()
                    await self._left.wait()
                yield
            return
        async with self._door:
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

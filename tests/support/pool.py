"""One pool of converting processes for the tests of a module: to start one takes as long as many small conversions.

Tests of the pool itself, and of what a process does at its start, make their own `Converter`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TypeVar

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from uploader.convert import Converter, Job, Report

T = TypeVar("T")


class Pool:
    """A `Converter` that lives in a thread of its own, so that the event loop of a test may end before it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._converter: Converter

    def run(self, use: Callable[[Converter], Awaitable[T]]) -> T:
        """Await what `use` does with the converter, which starts with the first call."""
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal())
            self._converter = self._stack.enter_context(
                self._portal.wrap_async_context_manager(self._portal.call(Converter, 1))
            )
        return self._portal.call(use, self._converter)

    def close(self) -> None:
        """End all processes; the next call starts them anew."""
        self._portal = None
        self._stack.close()


POOL = Pool()


async def convert(job: Job) -> Report:
    """See `Converter.convert`."""
    return await to_thread.run_sync(POOL.run, lambda converter: converter.convert(job))

"""The threads in which one drop folder is read: its own, so that a folder that hangs takes those of no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import anyio

from uploader.system import threads

T = TypeVar("T")

THREADS = 6
"""Of each folder, at most: for its events, a scan, looks, hints, a probe, and a doubt about a file."""


class FolderThreads:
    """Runs blocking work on one folder, a few at once. `stop` is set when what runs has to end soon."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.limiter = anyio.CapacityLimiter(THREADS)

    async def run(self, work: Callable[..., T], *args: object, abandon: bool = False) -> T:
        """Run this in a thread. `abandon`: being cancelled does not wait for it."""
        return await threads.run_sync(work, *args, limiter=self.limiter, abandon_on_cancel=abandon)

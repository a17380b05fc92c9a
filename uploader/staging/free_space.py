"""How much room staging has, asked so that a disk which does not answer holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import anyio

from uploader.system import files as fs
from uploader.system import threads

PATIENCE = 5.0
"""Seconds in which the file system has to say how much is free."""

FRESH_FOR = 0.25
"""Seconds for which an answer counts."""

LITTLE = 64 << 20
"""Bytes up to which what was written since is taken off, where it may be less."""


class FreeSpace:
    """Asks in a thread, one at a time: one that hangs is left behind, and no other is started before it is back."""

    def __init__(self, free: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._asking = threading.Lock()
        self._last = 0
        self._asked = float("-inf")
        self._written = 0

    def written(self, size: int) -> None:
        """Something has ended that may have written so many bytes."""
        self._written += size

    def known(self) -> tuple[int, str] | None:
        """The last answer of `free`, where it still counts: for a moment, while little may have been written since."""
        if self._clock() - self._asked < FRESH_FOR and self._written <= LITTLE:
            return self._last - self._written, ""
        return None

    async def free(self) -> tuple[int, str]:
        """Bytes that are free, and why there is none of it to be had, in words; empty where all is well.

        What is known is not asked again: turns come by the hundred a second.
        """
        if known := self.known():
            return known
        now, counted = self._clock(), self._written
        if self._asking.locked():
            return 0, "The staging folder does not answer."
        with anyio.move_on_after(PATIENCE):
            try:
                self._last = await threads.run_sync(self._ask, abandon_on_cancel=True)
            except OSError as error:
                return 0, f"The staging folder cannot be used: {fs.words(error)}."
            self._asked = now
            self._written -= counted
            return self._last - self._written, ""
        return 0, "The staging folder does not answer."

    def _ask(self) -> int:
        with self._asking:
            return self._free()

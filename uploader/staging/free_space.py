"""How much room staging has, asked so that a disk which does not answer holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio

from uploader.system import files as fs
from uploader.system import threads

PATIENCE = 5.0
"""Seconds in which the file system has to say how much is free."""


class Answering:
    """Asks in a thread, one at a time: one that hangs is left behind, and no other is started before it is back."""

    def __init__(self, free: Callable[[], int]) -> None:
        self._free = free
        self._asking = threading.Lock()

    async def free(self) -> tuple[int, str]:
        """Bytes that are free, and why there is none of it to be had, in words; empty where all is well."""
        if self._asking.locked():
            return 0, "The staging folder does not answer."
        with anyio.move_on_after(PATIENCE):
            try:
                return await threads.run_sync(self._ask, abandon_on_cancel=True), ""
            except OSError as error:
                return 0, f"The staging folder cannot be used: {fs.words(error)}."
        return 0, "The staging folder does not answer."

    def _ask(self) -> int:
        with self._asking:
            return self._free()

"""Whether a drop folder answers at all, and in which of its parts no file can be read.

A mount whose server is gone lets every call wait, and none of them fails. Where no file of a part can be read, the
disk or the rights are to blame, not the files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from uploader.core.path_text import shown
from uploader.folders import FolderSpec, device, fault_of_folder
from uploader.folders.folder_threads import FolderThreads
from uploader.folders.inbox import Answered

PROBED_EVERY = 30.0
"""Seconds between two questions whether the folder answers."""

PATIENCE = 20.0
"""Seconds without an answer after which it is told."""

AGAIN = 10.0
"""Seconds between two looks at a part that is at fault."""


@dataclass(slots=True)
class _Fault:
    reason: str
    path: bytes
    """A file of the part that could not be read."""
    at: float


class FolderHealth:
    """What is known of one folder. Times are monotonic seconds."""

    def __init__(self, folder: FolderSpec, threads: FolderThreads) -> None:
        self.check_at = time.monotonic() + PROBED_EVERY
        """When a check is due; infinite while one runs."""
        self._checking = False
        self.mute_at = float("inf")
        """When the folder counts as mute, unless it answers before."""
        self._folder = folder
        self._threads = threads
        self._faults: dict[bytes, _Fault] = {}

    @property
    def reason(self) -> str:
        """Which part is at fault and why, as a sentence; empty where none is."""
        if not self._faults:
            return ""
        directory, fault = next(iter(self._faults.items()))
        place = shown(os.path.join(self._folder.root, directory).rstrip(b"/"))  # noqa: PTH118 - bytes
        more = f" (and {len(self._faults) - 1} more folders)" if len(self._faults) > 1 else ""
        return f"Files in {place}{more} cannot be read; {fault.reason}."

    def note(self, path: bytes, reason: str) -> bool:
        """Note why the part of an unreadable file is at fault, or that it is not. Returns whether it works again."""
        directory = path.rpartition(b"/")[0]
        if reason:
            self._faults[directory] = _Fault(reason, path, time.monotonic())
            if not self._checking:
                self.check_at = min(self.check_at, time.monotonic() + AGAIN)
            return False
        return self._faults.pop(directory, None) is not None

    def faults(self) -> dict[bytes, str]:
        """The parts that ailed a moment ago, with the reasons."""
        now = time.monotonic()
        return {place: fault.reason for place, fault in self._faults.items() if now - fault.at < AGAIN}

    async def fault(self, path: bytes) -> str:
        """Why the part of a file that could not be read is at fault; empty where it is not."""
        known = self.faults().get(path.rpartition(b"/")[0], "")
        return known or await self._threads.run(fault_of_folder, self._folder, path)

    def begin(self, now: float) -> None:
        """A check begins."""
        self._checking, self.check_at, self.mute_at = True, float("inf"), now + PATIENCE

    async def check(self, deliver: Callable[[Answered], Awaitable[None]]) -> None:
        """Ask whether the folder answers, and try the faulty parts again; the results are delivered."""
        with suppress(OSError):  # whoever reads the folder says what is the matter
            await self._threads.run(device, self._folder.path, abandon=True)
        self.mute_at = float("inf")
        await deliver(Answered())
        for fault in list(self._faults.values()):
            reason = await self._threads.run(fault_of_folder, self._folder, fault.path)
            await deliver(Answered([(fault.path, reason)]))
        self._checking = False
        self.check_at = time.monotonic() + (AGAIN if self._faults else PROBED_EVERY)

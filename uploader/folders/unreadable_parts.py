"""Parts of a drop folder in which no file can be read: then the disk or the rights are to blame, not the files."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from uploader.core.path_text import shown
from uploader.folders import FolderSpec, fault_of_folder
from uploader.system import threads

AGAIN = 10.0
"""Seconds between two looks at a folder that ails."""


@dataclass(slots=True)
class _Fault:
    reason: str
    path: bytes
    at: float


class Ailing:
    """The subfolders of one drop folder that ail, each with a file that could not be read."""

    def __init__(self, folder: FolderSpec) -> None:
        self._folder = folder
        self._faults: dict[bytes, _Fault] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    @property
    def reason(self) -> str:
        """What ails, as a sentence; empty where nothing does."""
        if not self._faults:
            return ""
        directory, fault = next(iter(self._faults.items()))
        place = shown(os.path.join(self._folder.root, directory).rstrip(b"/"))  # noqa: PTH118 - bytes
        more = f" (and {len(self._faults) - 1} more folders)" if len(self._faults) > 1 else ""
        return f"Files in {place}{more} cannot be read; {fault.reason}."

    async def blames(self, path: bytes) -> bool:
        """Whether the folder of a file that could not be read is at fault; what was found holds for a while."""
        directory = path.rpartition(b"/")[0]
        known = self._faults.get(directory)
        now = time.monotonic()
        if known and now - known.at < AGAIN:
            return True
        reason = await threads.run_sync(fault_of_folder, self._folder, path)
        if reason:
            self._faults[directory] = _Fault(reason, path, now)
        else:
            self._faults.pop(directory, None)
        return bool(reason)

    async def recheck(self) -> bool:
        """Look again at each; returns whether one of them got well."""
        before = len(self._faults)
        for directory, fault in list(self._faults.items()):
            reason = await threads.run_sync(fault_of_folder, self._folder, fault.path)
            if reason:
                self._faults[directory] = _Fault(reason, fault.path, time.monotonic())
            else:
                self._faults.pop(directory, None)
        return len(self._faults) < before

"""Folders that were made after the service had started: only after a new start may it write to them.

systemd makes the mount namespace of a unit when the unit starts. What `ReadWritePaths=` names can be
written to if it is there by then; all else is read-only. A disk that is mounted later is seen, and can be written to; a
folder that is made later can only be read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import anyio

from uploader.system import threads

START_AGAIN = 75
"""The exit code that asks for a new start, EX_TEMPFAIL of sysexits(3); the unit grants it and counts no failure."""

LOOKED_EVERY = 3.0
"""Seconds between two looks."""

SHORTEST_LIFE = 20.0
"""Seconds after a start before which no other is asked for: systemd gives up a unit that starts too often."""


class LateFolders:
    """The folders that have to be written to, and were missing at the start. Making it blocks, and so does `found`."""

    def __init__(self, written: Iterable[Path]) -> None:
        self._missing = [path for path in written if not os.path.lexists(path)]
        self._began = time.monotonic()

    async def wait(self) -> Path:
        """Wait until one of them is there, which the service may write to after a new start; returns it."""
        while True:
            await anyio.sleep(LOOKED_EVERY)
            late = await threads.run_sync(self.found, abandon_on_cancel=True)
            if late is not None:
                await anyio.sleep(self._began + SHORTEST_LIFE - time.monotonic())
                return late

    def found(self) -> Path | None:
        """The first that is there by now, where nobody may write to it; None where there is none."""
        return next((path for path in self._missing if _read_only(path)), None)


def _read_only(path: Path) -> bool:
    """Whether it is there, on a mount that lets nobody write."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False

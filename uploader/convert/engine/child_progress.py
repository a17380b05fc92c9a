"""Whether a child does anything: the sign of life that a zygote passes on to the daemon.

GDAL waits for ever for a thread that cannot be had, and some rasters make it wait for something else. A child that
waits uses no processor time; one that works, however slowly, uses some.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

ALIVE = b"alive\n"
"""The line of a zygote whose child did something since the line before."""

BEAT = 5.0
"""Seconds between two looks at a child."""


class ChildProgress:
    """Looks at one child again and again."""

    def __init__(self, child: int) -> None:
        self._child = child
        self._next = time.monotonic() + BEAT
        self._used = 0

    def due(self) -> bool:
        """Whether it is time for another look."""
        return time.monotonic() >= self._next

    def beats(self) -> bool:
        """Whether the child, with all its threads, has used processor time since the last look, or waits for a disk."""
        self._next = time.monotonic() + BEAT
        before, self._used = self._used, _processor_time(self._child)
        return self._used > before or _waits_for_disk(self._child)


def _processor_time(pid: int) -> int:
    """Nanoseconds by the clock that the kernel keeps of each process (CPUCLOCK_SCHED of posix-timers.h); 0 if gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def _waits_for_disk(pid: int) -> bool:
    """Whether one of its threads is in an uninterruptible sleep: a slow disk is not the raster's fault."""
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            if thread.read_text(errors="replace").rpartition(")")[2].split()[0] == "D":
                return True
    return False

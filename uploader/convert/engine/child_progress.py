"""Whether a child does anything, and how far it is: what a zygote passes on to the daemon before the answer.

GDAL waits for ever for a thread that cannot be had, and some rasters make it wait for something else. A child that
waits uses no processor time; one that works, however slowly, uses some. How far it is it says itself, and may lie: that
moves a bar, and counts for nothing else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ALIVE = b"alive\n"
"""The line of a zygote whose child did something since the line before."""

BEAT = 5.0
"""Seconds between two looks at a child."""


PART_FORM = re.compile(rb"part (1000|[0-9]{1,3})")
"""How far it is, in thousandths."""

UNTOLD = 1.0
"""Seconds in which a child says nothing: most are done by then."""
PACE = 0.25
"""Seconds between two lines of a child about how far it is."""
TOO_OFTEN = 0.2
"""Seconds in which no second one of them is passed on, whatever it says."""

_PARTS = re.compile(rb"(?:" + PART_FORM.pattern + rb"\n)+")


class Telling:
    """Writes how far a child is: not at once, and not often. `write` takes whole lines."""

    def __init__(self, write: Callable[[bytes], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._next = clock() + UNTOLD

    def __call__(self, part: float) -> None:
        """So much is done, from 0 to 1."""
        if (now := self._clock()) >= self._next:
            self._next = now + PACE
            self._write(b"part %d\n" % (1000 * part))


def part_of(line: bytes) -> float | None:
    """How far a child says that it is, from 0 to 1; None where the line is another one."""
    found = PART_FORM.fullmatch(line)
    return None if found is None else int(found.group(1)) / 1000


class ChildProgress:
    """Looks at one child again and again, and hears what it says before its answer."""

    def __init__(self, child: int) -> None:
        self._child = child
        self._next = time.monotonic() + BEAT
        self._part_next = 0.0
        self._used = 0

    def heard(self, said: bytearray) -> bytes:
        """Take the lines about how far it is from the beginning of what it said; returns what is to be passed on."""
        found = _PARTS.match(said)
        if found is None:
            return b""
        last = b"part " + found.group(1) + b"\n"
        del said[: found.end()]
        if (now := time.monotonic()) < self._part_next:
            return b""
        self._part_next = now + TOO_OFTEN
        return last

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

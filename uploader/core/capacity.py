"""How many converters a machine carries: one rule for the daemon, for `check`, and for the limits of its unit.

The kernel counts processes and threads alike as tasks.
"""

from __future__ import annotations

MOST_THREADS = 8
"""More threads on one raster than this save no time."""

OWN_TASKS = 64
"""What the daemon itself may need, besides the threads of its folders."""

TASKS_A_FOLDER = 8

BESIDE = 1
"""Conversions under way beyond those that the converters work on: one is made ready or put in its place, with hashes
and syncs, while the others use the processor."""

MORE_TASKS = (
    "End other programs, or raise what limits processes and threads: TasksMax= of the unit, `ulimit -u`, pids.max of "
    "the container; or set fewer convert.workers. It goes on by itself."
)
"""The way out of a shortage."""


def threads(cores: int) -> int:
    """How many threads of GDAL decode, and how many encode, one raster on so many cores."""
    return max(1, min(cores, MOST_THREADS))


def pool_threads(cores: int) -> int:
    """Threads that a child needs besides its first: those that decode and those that encode."""
    return 2 * threads(cores)


def tasks(workers: int, *, cores: int, folders: int) -> int:
    """What so many converters take at most, with the daemon: of each a zygote, its child and the child's threads."""
    return OWN_TASKS + TASKS_A_FOLDER * folders + workers * _each(cores)


def workers(wanted: int, room: int | None, *, cores: int, folders: int) -> int:
    """As many of the wanted converters as there is room for (in tasks; None: no limit), and always one."""
    if room is None:
        return wanted
    return max(1, min(wanted, (room - tasks(0, cores=cores, folders=folders)) // _each(cores)))


def under_way(workers: int) -> int:
    """How many conversions are under way at once, so that none of so many converters waits for the disk."""
    return workers + BESIDE


def _each(cores: int) -> int:
    return 2 + pool_threads(cores)

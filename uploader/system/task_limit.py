"""How many more processes and threads this process may have: by its control group, and by its user's limit.

The kernel answers a fork beyond either with EAGAIN. Where it does not show a limit, none is known.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_EXEMPT = 0
"""The user whom RLIMIT_NPROC does not bind."""


@dataclass(frozen=True, slots=True)
class TaskRoom:
    """So many tasks may still be started; `limit` names what bounds them, for people."""

    tasks: int
    limit: str


def room(proc: Path = Path("/proc"), groups: Path = _GROUPS) -> TaskRoom | None:
    """The narrowest limit that holds for this process; None where there is none."""
    return min(_limits(proc, groups), key=lambda one: one.tasks, default=None)


def _limits(proc: Path, groups: Path) -> Iterator[TaskRoom]:
    for folder in _folders(proc, groups):
        with suppress(OSError, ValueError):  # the topmost group has no limit, and "max" is none
            most = int((folder / "pids.max").read_text())
            now = int((folder / "pids.current").read_text())
            yield TaskRoom(most - now, f"pids.max is {most} in {folder}")
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if soft != resource.RLIM_INFINITY and os.geteuid() != _EXEMPT:
        yield TaskRoom(soft - _running(proc), f"the limit of processes of this user (ulimit -u) is {soft}")


def _folders(proc: Path, groups: Path) -> Iterator[Path]:
    """The directories of this process's group and of those above it, in both versions of control groups."""
    with suppress(OSError):
        for line in (proc / "self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number != "0" and "pids" not in controllers.split(","):
                continue
            top = groups if number == "0" else groups / controllers
            own = top / path.lstrip("/")
            yield own
            yield from (folder for folder in own.parents if folder.is_relative_to(top))


def _running(proc: Path) -> int:
    """How many tasks of this user run."""
    count = 0
    with suppress(OSError):
        for folder in proc.iterdir():
            with suppress(OSError):
                if folder.name.isdecimal() and folder.stat().st_uid == os.geteuid():
                    count += sum(1 for _ in (folder / "task").iterdir())
    return count

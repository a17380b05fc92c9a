"""A control group that has no more processes and threads to give, for tests that run as root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PLACES = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
"""Where groups of the first and of the second version are made."""


def missing() -> str:
    """Why this machine cannot do it; empty where it can."""
    try:
        with group("probe"):
            return ""
    except OSError:
        return "no control group of processes may be made here"


class Group:
    """A group and its directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def enter(self) -> None:
        """Put this process in; what it starts from now on is in there as well. For `preexec_fn`."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def add(self, pid: int) -> None:
        """Put another one in."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    @property
    def tasks(self) -> int:
        """How many processes and threads are in there now."""
        return int((self.folder / "pids.current").read_text())

    def limit(self, tasks: int | None) -> None:
        """From now on it holds at most so many; what is there already stays. None: any number."""
        (self.folder / "pids.max").write_text("max" if tasks is None else str(tasks))


@contextmanager
def group(name: str) -> Iterator[Group]:
    """A group for the length of a block. Raises OSError where none can be made."""
    top = next((place for place in _PLACES if (place / "cgroup.procs").exists()), _PLACES[0])
    folder = top / f"uploader-{name}-{os.getpid()}"
    folder.mkdir()
    try:
        if not (folder / "pids.max").exists():
            raise OSError("no pids controller")
        yield Group(folder)
    finally:
        with suppress(OSError):  # the last of its processes may not be buried yet
            folder.rmdir()

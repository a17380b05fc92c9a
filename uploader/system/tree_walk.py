"""The only place that goes down a tree of folders: by descriptors, a step at a time, without following a link.

Each folder is opened from the one above it, so that a chain of thousands costs no more than as many folders side by
side. Of a long chain only the lowest descriptors are kept; on the way back up the others are opened anew.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from uploader.system import files as fs

KEPT = 32
"""Descriptors of one walk that are open at once."""


@dataclass(slots=True)
class WalkedFolder:
    """A folder on the way: its path below the root, and its descriptor while it is the newest place.

    Whoever walks puts the names of those subfolders into `below` that are to be entered. Where the folder cannot be
    opened, `error` says why, and there is no descriptor.
    """

    path: bytes
    depth: int
    fd: int = -1
    error: OSError | None = None
    below: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _Level:
    """A folder that is not done with. The name is not the path: those of a long chain would fill the memory."""

    name: bytes
    fd: int
    identity: tuple[int, int]
    below: list[bytes] = field(default_factory=list)


class _Walk:
    """Where a walk is: the levels from its start down, and the path of the lowest."""

    def __init__(self, root: bytes, start: bytes) -> None:
        self._root = root
        self._start = start
        self.levels: list[_Level] = []
        self.path = start

    def enter_start(self) -> WalkedFolder:
        """Open the folder that the walk begins with."""
        try:
            fd = fs.open_directory(self._root, self._start)
        except OSError as error:
            return WalkedFolder(self._start, 0, error=error)
        return self._entered(b"", fd, self._start)

    def enter(self, name: bytes) -> WalkedFolder:
        """Open a folder below the lowest level."""
        path = self.path + b"/" + name if self.path else name
        try:
            fd = fs.open_below(name, self.levels[-1].fd)
        except OSError as error:
            return WalkedFolder(path, len(self.levels), error=error)
        return self._entered(name, fd, path)

    def _entered(self, name: bytes, fd: int, path: bytes) -> WalkedFolder:
        self.levels.append(_Level(name, fd, _identity(fd)))
        self.path = path
        if len(self.levels) > KEPT:
            _close(self.levels[-KEPT - 1])
        return WalkedFolder(path, len(self.levels) - 1, fd)

    def leave(self) -> WalkedFolder | None:
        """Go up one level; returns the place above where that cannot be opened any more."""
        left = self.levels.pop()
        self.path = (
            self.path[: len(self.path) - len(left.name)].removesuffix(b"/") if left.name else self.path
        )
        try:
            if self.levels and self.levels[-1].fd < 0:
                self.levels[-1].fd = self._above(left.fd, self.levels[-1])
        except OSError as error:
            self.levels[-1].below = []
            return WalkedFolder(self.path, len(self.levels) - 1, error=error)
        finally:
            _close(left)
        return None

    def _above(self, below: int, level: _Level) -> int:
        """The folder above a descriptor, if nobody has moved it; else what lies at the path now."""
        if below >= 0:
            fd = fs.open_below(b"..", below)
            if _identity(fd) == level.identity:
                return fd
            os.close(fd)
        return fs.open_directory(self._root, self.path)

    def close(self) -> None:
        """Give all descriptors back."""
        for level in self.levels:
            _close(level)


def walk(root: bytes, start: bytes, stop: threading.Event) -> Iterator[WalkedFolder]:
    """The folder `start` below the root, and what lies below it as far as it is asked for, depth first.

    Errors are given as places. Ends early when `stop` is set. No folder stays open afterwards.
    """
    here = _Walk(root, start)
    try:
        place: WalkedFolder | None = here.enter_start()
        while place is not None:
            yield place
            if place.error is None:
                here.levels[-1].below = place.below
            place = _next(here) if not stop.is_set() else None
    finally:
        here.close()


def _next(here: _Walk) -> WalkedFolder | None:
    """The next place; None at the end."""
    while here.levels:
        if here.levels[-1].below:
            return here.enter(here.levels[-1].below.pop())
        if (failed := here.leave()) is not None:
            return failed
    return None


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _close(level: _Level) -> None:
    if level.fd >= 0:
        os.close(level.fd)
        level.fd = -1

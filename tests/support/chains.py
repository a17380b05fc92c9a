"""Folders one in another, thousands deep: longer than any path that the system takes at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "d"


def _down(fd: int) -> int:
    below = os.open(NAME, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
    os.close(fd)
    return below


@contextmanager
def chain(folder: Path, depth: int) -> Iterator[int]:
    """So many folders below one, with a descriptor of the lowest; taken away at the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir(NAME, dir_fd=fd)
        fd = _down(fd)
    try:
        yield fd
    finally:
        for _ in range(depth):  # what removes trees by recursion does not come so far
            with os.scandir(fd) as entries:
                for name in [entry.name for entry in entries]:
                    os.unlink(name, dir_fd=fd)
            above = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            os.close(fd)
            os.rmdir(NAME, dir_fd=above)
            fd = above
        os.close(fd)

"""The folder that a sandbox keeps its state in: made, looked at before anything in it is touched, and locked."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from uploader.sandbox.errors import StartRefused

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "sandbox.sqlite"
"""The file in the folder that says whose it is."""


def folder(root: Path) -> Path:
    """Make the folder where there is none.

    Raises:
        StartRefused: it cannot be made or written to, or its `objects`, which are swept, are somebody else's.

    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        foreign = not (root / DATABASE).exists() and any((root / "objects").glob("*"))
    except OSError as error:
        raise StartRefused(
            f"--root {root} cannot be a folder: {error.strerror}. Name one that you may write to."
        ) from error
    if foreign:
        raise StartRefused(
            f"--root {root} has objects in it that are no sandbox's. Name an empty folder, or one that is not there."
        )
    return root


class Lock:
    """One sandbox per root; the system gives it back when the process ends, however it ends."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> None:
        try:
            self._descriptor = os.open(self._root / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StartRefused(
                f"--root {self._root} cannot be written to: {error.strerror}. Name a folder that you may write to."
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise StartRefused(
                f"Another sandbox runs on --root {self._root}. Stop that one, or name another folder."
            ) from error

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

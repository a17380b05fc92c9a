"""What of the daemon's own lies where: archives, staging and state, and which drop folder would take it for a drop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from uploader.config import Folder
from uploader.config.cross_checks import overlaps
from uploader.core import naming
from uploader.core.errors import ConfigurationError
from uploader.core.path_text import raw

FRESH = 1.0
"""Seconds for which what was found is believed: many folders ask at once."""


class Territory:
    """The private folders of a daemon beside its drop folders. Its methods block, and may be called from any thread."""

    def __init__(self, state_dir: Path, staging: Path, folders: Sequence[Folder]) -> None:
        self._state_dir = state_dir
        self._staging = staging
        self._folders = folders
        self._lock = threading.Lock()
        self._found: dict[Path, str] = {}
        self._found_at = float("-inf")

    def change(self, folders: Sequence[Folder]) -> None:
        """These are the drop folders from now on."""
        with self._lock:
            self._folders, self._found_at = folders, float("-inf")

    def conflict(self, folder: Path) -> str:
        """Why this drop folder cannot be watched as things lie now, in words; empty where it can."""
        with self._lock:
            if time.monotonic() - self._found_at > FRESH:
                self.look()
            return self._found.get(folder, "")

    def require(self) -> None:
        """Raises ConfigurationError where a drop folder cannot be watched as things lie now."""
        self.look()
        for why in self._found.values():
            raise ConfigurationError(why)

    def look(self) -> None:
        """See how things lie; where no drop folder is in the way, the private folders are given their tokens."""
        self._found_at = time.monotonic()
        numbered = dict(enumerate(self._folders))
        self._found = {
            folder.path: f"The drop folder {folder.path} is not watched: {mistake.text}"
            for folder, mistake in overlaps(self._state_dir, self._staging, numbered, mounted=True)
        }
        if not self._found:
            self._put_tokens()

    def _put_tokens(self) -> None:
        """Let each private folder say what it is, so that a scan knows it that meets it under any name."""
        private = {self._state_dir: "the state directory", self._staging: "the staging folder"}
        private |= {f.archive_dir: f"the archive of {f.path}" for f in self._folders if f.archive_dir}
        for path, what in private.items():
            with suppress(OSError):  # it is not there, or not to be written to
                _put_token(path, f"This is {what} of the uploader. A drop folder that shows it is held.\n")


def _put_token(folder: Path, text: str) -> None:
    token = raw(str(folder)) + b"/" + naming.TOKEN
    if os.path.lexists(token):
        return
    fd = os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, raw(text))
    finally:
        os.close(fd)

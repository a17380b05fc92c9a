"""Small pictures of what was uploaded, for people: a bounded folder of PNG files in the state directory.

    <state_dir>/thumbnails/<id of the file>-<12 hex of its content>.png

They may be lost at any time: nothing depends on them, and the oldest go first where there are too many. The content in
the name keeps a picture from being shown for another file, should a journal that was rebuilt give ids anew.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from uploader.convert.quicklook import THUMBNAIL_BYTES, is_thumbnail
from uploader.system import files as fs

FOLDER = "thumbnails"

MOST_FILES = 4096
MOST_BYTES = 128 << 20
"""How many pictures the folder holds, and their bytes."""

_NAME = re.compile(r"(\d{1,18})-[0-9a-f]{12}\.png(\.begun)?", re.ASCII)
_BEGUN = ".begun"


class Thumbnails:
    """The pictures below `state_dir`; every method may be called from any thread. Raises OSError as the disk says."""

    def __init__(
        self, state_dir: Path, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder = state_dir / FOLDER
        self._most_files, self._most_bytes = most_files, most_bytes
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        """By name, the oldest first."""

    def sweep(self, contents: Callable[[Collection[int]], Mapping[int, str]]) -> int:
        """Take stock at the start; returns how many pictures were removed because no file is known that they show.

        What a kill left half goes, too. `contents` tells the content hashes of those of these files that are known.
        """
        with self._lock:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with os.scandir(self._folder) as entries:
                ours = [entry for entry in entries if _NAME.fullmatch(entry.name) and not entry.is_dir()]
            there = {entry.name: entry.stat(follow_symlinks=False) for entry in ours}
            known = contents([int(name.partition("-")[0]) for name in there])
            strange = there.keys() - {_name(file_id, content) for file_id, content in known.items()}
            for name in strange:
                self._path(name).unlink(missing_ok=True)
            kept = sorted(there.keys() - strange, key=lambda name: there[name].st_mtime_ns)
            self._sizes = {name: there[name].st_size for name in kept}
            self._make_room()
            return len(strange)

    def keep(self, file_id: int, content: str, picture: bytes) -> None:
        """Write one; it is there whole or not at all. The oldest go where there are too many."""
        name = _name(file_id, content)
        begun = self._path(name + _BEGUN)
        with self._lock:
            begun.write_bytes(picture)
            begun.replace(self._path(name))
            self._sizes.pop(name, None)
            self._sizes[name] = len(picture)
            self._make_room()

    def _make_room(self) -> None:
        while len(self._sizes) > self._most_files or sum(self._sizes.values()) > self._most_bytes:
            oldest = next(iter(self._sizes))
            self._path(oldest).unlink(missing_ok=True)
            del self._sizes[oldest]

    def _path(self, name: str) -> Path:
        return self._folder / name


def read(state_dir: Path, file_id: int, content: str) -> bytes | None:
    """The PNG of a file with this content hash, also beside a daemon; None where there is none."""
    path = state_dir / FOLDER / _name(file_id, content)
    try:
        with fs.opened(os.fsencode(path)) as fd:
            data = os.read(fd, THUMBNAIL_BYTES + 1)
    except OSError:
        return None
    return data if is_thumbnail(data) else None


def exists(state_dir: Path, file_id: int, content: str) -> bool:
    """Whether there is a picture of a file with this content hash."""
    return (state_dir / FOLDER / _name(file_id, content)).exists()


def _name(file_id: int, content: str) -> str:
    return f"{file_id}-{content[:12]}.png"

"""The bytes of objects on disk: immutable files that appear whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import google_crc32c

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from uploader.sandbox.database import Database

_PIECE = 1 << 20
_CONTINUED = """SELECT part FROM resumable LEFT JOIN session ON session.id = resumable.upload_id
                WHERE resumable.state = 'open' AND session.state = 'open'"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is whole on disk; `blob` is its path below the objects folder."""

    blob: str
    size: int
    md5: bytes
    crc32c: int
    generation: int
    sha256: str = ""
    """In hex; empty unless somebody wanted to compare it."""


class Incoming:
    """A file that is being received. Not thread-safe; call one method at a time."""

    def __init__(self, objects: Path, folder: str, *, with_sha256: bool = False) -> None:
        self._objects = objects
        self._folder = folder
        self._path = objects / "incoming" / uuid.uuid4().hex
        self._file = self._path.open("xb", buffering=0)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if with_sha256 else None
        self._crc = 0
        self.size = 0

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append pieces, hashing them on the way."""
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[self._file.write(left) or 0 :]
            self._md5.update(piece)
            if self._sha256:
                self._sha256.update(piece)
            self._crc = google_crc32c.extend(self._crc, piece)
            self.size += len(piece)

    def keep(self) -> Stored:
        """Sync the file and give it its final name, below the folder that was named at the start."""
        os.fsync(self._file.fileno())
        self._file.close()
        home = self._objects / self._folder
        home.mkdir(exist_ok=True)
        blob = f"{self._folder}/{self._path.name}"
        self._path.rename(self._objects / blob)
        _sync_folder(home)
        sha256 = self._sha256.hexdigest() if self._sha256 else ""
        return Stored(blob, self.size, self._md5.digest(), self._crc, time.time_ns() // 1000, sha256)

    def discard(self) -> None:
        """Forget what was received; harmless after `keep`."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def adopt(objects: Path, folder: str, part: Path) -> Stored:
    """Give a file that is whole a second name below the folder; the first one stays until the caller removes it."""
    home = objects / folder
    home.mkdir(exist_ok=True)
    blob = f"{folder}/{uuid.uuid4().hex}"
    os.link(part, objects / blob)
    _sync_folder(home)
    crc = 0
    with part.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
        file.seek(0)
        while piece := file.read(_PIECE):
            crc = google_crc32c.extend(crc, piece)
    return Stored(blob, part.stat().st_size, md5.digest(), crc, time.time_ns() // 1000)


def hash_header(crc32c: int, md5: bytes) -> str:
    """Both hashes as x-goog-hash writes them.

    Example:
        >>> hash_header(0, b"")
        'crc32c=AAAAAA==,md5='

    """
    crc = base64.b64encode(crc32c.to_bytes(4, "big")).decode()
    return f"crc32c={crc},md5={base64.b64encode(md5).decode()}"


def sweep(objects: Path, database: Database) -> None:
    """Make the folder ready, and remove what a kill left behind: unfinished files and files without a row."""
    incoming = objects / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    with database.read() as tx:
        known = {row[0] for row in tx.execute("SELECT blob FROM object")}
        known |= {row[0] for row in tx.execute(_CONTINUED)}
    for path in objects.glob("*/*"):
        if str(path.relative_to(objects)) not in known:
            path.unlink()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

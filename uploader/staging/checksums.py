"""What is known of the bytes of a private copy: taken once, while they pass by anyway."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import google_crc32c


@dataclass(frozen=True, slots=True)
class Checksums:
    """Size in bytes, the hash that object stores report and the one by which people know a file."""

    size: int
    crc32c: int
    sha256: bytes


class Hashing:
    """Both hashes of what it is shown, piece by piece."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._crc32c = 0
        self._size = 0

    def update(self, piece: bytes) -> None:
        """Take the next piece in."""
        self._sha256.update(piece)
        self._crc32c = google_crc32c.extend(self._crc32c, piece)
        self._size += len(piece)

    def result(self) -> Checksums:
        """Of all that was shown."""
        return Checksums(self._size, self._crc32c, self._sha256.digest())

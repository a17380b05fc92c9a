"""The members of a tar, one after the other, compressed by gzip or not. Python's tarfile reads the headers."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from uploader.convert.archives.member import PIECE, UNPACK, ArchiveMember, Source
from uploader.core.archives import LIST_BYTES, fault_of, most_bytes
from uploader.core.errors import RasterRefused, RasterUnreadable

_BLOCK = tarfile.BLOCKSIZE
_LONGEST_READ = 4 << 20
"""Bytes that tarfile may ask for at once: it reads a header that says it is long as a whole."""


class Forward:
    """A tar that is read from its beginning to its end, without what one that lies about its sizes could do.

    `archive_bytes` bounds what comes out of a compressed one.
    """

    def __init__(self, file: BinaryIO, archive_bytes: int, *, compressed: bool) -> None:
        self._file = file
        self._compressed = compressed
        self._most = most_bytes(archive_bytes)
        self._headers = 0
        self.in_member = False
        """The content of a member is read, and no header."""
        self.last = b""
        """What was read last."""

    def read(self, size: int = -1) -> bytes:
        """As of a file. Raises RasterRefused where headers are too long, or where too much has come out."""
        if not 0 <= size <= _LONGEST_READ:
            raise RasterRefused(
                f"The archive is not opened: one of its headers says that it has {size:,} bytes.", UNPACK
            )
        if not self.in_member:
            self._headers += size
            if self._headers > LIST_BYTES:
                raise RasterRefused(
                    "The archive is not opened: the headers of one member have no end.", UNPACK
                )
        return self._next(size)

    def _next(self, size: int) -> bytes:
        self.last = self._file.read(size)
        if self._compressed and self._file.tell() > self._most:
            raise RasterRefused(
                f"The archive is not opened: more than {self._most:,} bytes come out of it, which is more than its own "
                "size allows.",
                UNPACK,
            )
        return self.last

    def tell(self) -> int:
        """As of a file."""
        return self._file.tell()

    def seek(self, position: int, _whence: int = 0) -> int:
        """As of a file; a compressed one is read up to there."""
        if not self._compressed:
            return self._file.seek(position)
        while (left := position - self._file.tell()) > 0:
            if not self._next(min(left, PIECE)):
                break
        return self._file.tell()

    def header_ends(self) -> None:
        """The headers of a member are read; those of the next one are counted anew."""
        self._headers = 0


def members(file: BinaryIO, archive_bytes: int, *, compressed: bool) -> Iterator[ArchiveMember]:
    """Every entry in its order. Raises RasterRefused and RasterUnreadable, and whatever tarfile and gzip raise."""
    opened = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if compressed else file
    forward = Forward(opened, archive_bytes, compressed=compressed)
    with tarfile.TarFile(fileobj=cast("BinaryIO", forward), encoding="utf-8") as archive:
        last = ""
        while (info := archive.next()) is not None:
            vars(archive)["members"].clear()  # it keeps all that it has seen
            forward.header_ends()
            last = info.name
            forward.in_member = True
            yield ArchiveMember(info.name, info.size, _fault(info), info.isdir(), _Opening(archive, info))
            forward.in_member = False
    if forward.last != bytes(_BLOCK):
        after = f' after "{last}"' if last else ""
        raise RasterUnreadable(f"The archive ends too early, or is damaged{after}.", "Copy it again.")
    forward.in_member = True  # what may follow is no header
    while compressed and forward.read(PIECE):  # its checksum is at the end
        pass


class _Opening:
    """Opens the content of one member."""

    def __init__(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        self._archive = archive
        self._info = info

    def __call__(self) -> AbstractContextManager[Source]:
        found = self._archive.extractfile(self._info)
        assert found is not None
        return found


def _fault(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link"
    if info.ischr() or info.isblk() or info.isfifo():
        return "is a device or a pipe"
    if info.issparse():
        return "is a sparse file, which may say that it is of any size"
    if not (info.isreg() or info.isdir()):
        return "is neither a file nor a folder"
    return fault_of(info.name)

"""All bytes of a file: hashed, and copied with as little work as the kernel offers.

Pieces are small enough to stay in a core's own cache and in the heap: of a larger block each page is a fresh one, which
the kernel has to find and to clear, and that costs more than the bytes themselves.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from uploader.system import libc

CHUNK = 1 << 20
"""Bytes that are copied between two looks at the stop flag: a tenth of a second on a slow disk."""

_AT_ONCE = 32 << 20
"""Bytes that are duplicated by one call to the kernel."""

PIECE = 128 << 10
"""Bytes that are read at a time."""

FICLONE = 0x40049409
"""The ioctl that shares the blocks of one file with another, where the file system can."""

_BLANK = bytes(PIECE)
_FIRST = 512
"""Bytes of a chunk that are looked at before all of it is."""


class Interrupted(Exception):
    """The work was told to stop, and left nothing behind that a repeat would trip over."""


class ReadError(OSError):
    """Reading failed, where a failure to write would mean something else."""


class Digest(Protocol):
    """What is shown each piece of a file in turn: a hash of `hashlib`, or several at once."""

    def update(self, piece: bytes, /) -> None:
        """Take the next piece in."""


def reflink(source: int, target: int) -> bool:
    """Share the source's blocks with the target; False where the file system cannot, and nothing has happened."""
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def duplicate(source: Path, target: Path) -> None:
    """Make a file of its own with the same bytes: they are shared where the file system can, else copied by the kernel.

    Of a large one the disk gets each part while the next is copied: who syncs it waits for the last alone. Raises
    OSError, FileExistsError where the target is there.
    """
    with source.open("rb") as reading, target.open("xb") as writing:
        if reflink(reading.fileno(), writing.fileno()):
            return
        # What the kernel does not copy between these two file systems is read and written.
        with suppress(OSError):
            while done := os.copy_file_range(reading.fileno(), writing.fileno(), _AT_ONCE):
                if done == _AT_ONCE:
                    end = os.lseek(writing.fileno(), 0, os.SEEK_CUR)
                    libc.start_writeback(writing.fileno(), end - done, done)
        reading.seek(os.lseek(writing.fileno(), 0, os.SEEK_CUR))
        shutil.copyfileobj(reading, writing, CHUNK)


def take(source: int, target: int, stop: threading.Event, digest: Digest) -> int:
    """Let the empty `target` have all bytes of `source`, and show `digest` those that it got; returns their count.

    They are shared where the file system can, else copied inside the kernel. What the kernel refuses is left to `copy`,
    which also tells whether reading or writing is at fault. Blank chunks become holes. Raises as `copy`.
    """
    if reflink(source, target):
        return show(target, stop, digest)
    size, done = os.fstat(source).st_size, 0
    os.ftruncate(target, size)
    while size - done > PIECE and (moved := _moved(source, target, done)):
        end = done + moved
        while done < end and (piece := os.pread(target, min(PIECE, end - done), done)):
            digest.update(piece)
            done += len(piece)
        if stop.is_set():
            raise Interrupted
        if done < end:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
    return copy(source, target, stop, digest, done)


def _moved(source: int, target: int, offset: int) -> int:
    """Copy the next chunk inside the kernel, but for a blank one; returns its bytes, 0 where the kernel refuses."""
    if _blank(source, offset):
        return CHUNK
    try:
        return os.copy_file_range(source, target, CHUNK, offset, offset)
    except OSError:
        return 0


def _blank(fd: int, offset: int) -> bool:
    """Whether the next chunk is all there, and all zeros; most tell by their first bytes that they are not."""
    if _read(fd, _FIRST, offset) != _BLANK[:_FIRST]:
        return False
    return all(_read(fd, PIECE, at) == _BLANK for at in range(offset, offset + CHUNK, PIECE))


def copy(source: int, target: int, stop: threading.Event, digest: Digest, start: int = 0) -> int:
    """Copy all bytes of `source` from `start` on to the same place of `target`, and show them to `digest`.

    Returns the size of both. Blank chunks become holes. Raises Interrupted, ReadError, and OSError where writing fails.
    """
    os.posix_fadvise(source, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    done = start
    while piece := _read(source, PIECE, done):
        if stop.is_set():
            raise Interrupted
        digest.update(piece)
        if piece != _BLANK:
            _write_all(target, piece, done)
        done += len(piece)
    os.ftruncate(target, done)
    return done


def digest(fd: int, stop: threading.Event) -> str:
    """The sha256 of a file. Raises Interrupted, ReadError."""
    whole = hashlib.sha256()
    show(fd, stop, whole)
    return whole.hexdigest()


def show(fd: int, stop: threading.Event, digest: Digest) -> int:
    """Show all bytes of a file to `digest`; returns their count. Raises Interrupted, ReadError."""
    done = 0
    while piece := _read(fd, PIECE, done):
        if stop.is_set():
            raise Interrupted
        digest.update(piece)
        done += len(piece)
    return done


def _read(fd: int, size: int, offset: int) -> bytes:
    try:
        return os.pread(fd, size, offset)
    except OSError as error:
        raise ReadError(error.errno, error.strerror) from error


def _write_all(fd: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written

"""The C library, loaded once: the calls that Python has no function for. Each does without where a system lacks it.

`uploader.convert.isolation` has a door of its own, because it imports nothing from the rest of the program.
"""

from __future__ import annotations

import ctypes
import errno

_LIBC = ctypes.CDLL(None, use_errno=True)
_NOREPLACE = 1  # linux/fs.h
_PR_SET_DUMPABLE = 4  # linux/prctl.h
_WRITE = 2  # linux/fs.h, SYNC_FILE_RANGE_WRITE
_STATFS_BYTES = 256
"""More than any system's struct statfs."""

_renameat2 = getattr(_LIBC, "renameat2", None)
if _renameat2 is not None:
    _renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)

_sync_file_range = getattr(_LIBC, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def rename_noreplace(name: bytes, source: int, new: bytes, target: int) -> int:
    """Rename from one open folder to another, never replacing; zero, or the error number."""
    if _renameat2 is None:
        return errno.ENOSYS
    return 0 if _renameat2(source, name, target, new, _NOREPLACE) == 0 else ctypes.get_errno()


def magic(fd: int) -> int:
    """The magic number of the file system that a descriptor is on; 0 where it cannot be asked."""
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    if _LIBC.fstatfs(fd, buffer) != 0:
        return 0
    return ctypes.c_ulong.from_buffer(buffer).value & 0xFFFFFFFF


def start_writeback(fd: int, offset: int = 0, length: int = 0) -> None:
    """Have the kernel begin to write so many new bytes of a file to the disk (0: to its end).

    It returns when all are on their way, unsynced.
    """
    if _sync_file_range is not None:
        _sync_file_range(fd, offset, length, _WRITE)


def set_malloc(option: int, value: int) -> None:
    """Set an option of malloc; nothing happens in a C library that has none (musl)."""
    if mallopt := getattr(_LIBC, "mallopt", None):
        mallopt(option, value)


def forbid_dumps() -> None:
    """Let no other process of this user read our memory, and write no core dump, where the kernel knows of that."""
    if prctl := getattr(_LIBC, "prctl", None):
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

"""The memory of this process: given back when it is no longer needed, and kept from others."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from uploader.system import libc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc

ARENAS = 2
"""Heaps that threads share. By default each worker thread gets one of its own, up to eight for each processor, and
none of them ever gives back what a large buffer once took."""

LARGE = 1 << 20
"""Bytes from which on a block is mapped and unmapped by itself. The default grows with the first large block.

The pieces in which files are read and sent are smaller: the kernel would have to clear fresh pages for each of them,
which took more than copying, hashing and encrypting what is in them. So is the buffer in which OpenSSL encrypts one,
a third larger than the piece.
"""

KEPT = 4 << 20
"""Bytes at the end of a heap that are kept for the next pieces instead of being given back after each."""

COLLECTED = 10_000
"""New objects after which Python looks through the youngest for cycles. By default it does so after 700, and finds next
to nothing: the more of them are there, the fewer are still in use."""


def keep_flat() -> None:
    """Set them for this process. Nothing happens where the C library has no such settings (musl)."""
    libc.set_malloc(_M_ARENA_MAX, ARENAS)
    libc.set_malloc(_M_MMAP_THRESHOLD, LARGE)
    libc.set_malloc(_M_TRIM_THRESHOLD, KEPT)


def keep_private() -> None:
    """Let no other process of this user read what is in memory, and write no core dump: the key is in there.

    Without it, whoever takes over a converting child on a host without Landlock could read `/proc/PID/mem` of its
    parent. Nothing happens where the kernel has no such setting.
    """
    libc.forbid_dumps()


@contextmanager
def loading() -> Iterator[None]:
    """What is loaded in the block stays: Python's collector does not look through it, neither now nor later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(COLLECTED)
        gc.enable()

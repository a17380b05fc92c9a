"""The few calls into the kernel that Python has no function for. Linux only, through the C library."""

from __future__ import annotations

import ctypes
import os
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
_HOLDING_LOCK = ctypes.PyDLL(None, use_errno=True)
"""The same for calls during which no other thread of Python may run."""

_TRIED_BEFORE = (3, 13)
"""The first Python with which forking by hand was not tried."""


def syscall(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a system call by its number; numbers are passed as machine words, buffers by their address.

    Raises OSError with the kernel's reason.
    """
    words = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = _LIBC.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


def prctl(option: int, value: int = 0, address: int = 0) -> None:
    """Set an attribute of this process. Raises OSError."""
    if _LIBC.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(address), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with others for new ones. Raises OSError."""
    if _LIBC.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}")


def capset(header: ctypes.Array[ctypes.c_char], data: ctypes.Array[ctypes.c_char]) -> None:
    """Set the capabilities of this thread; the C library has the call on every machine. Raises OSError."""
    if _LIBC.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), f"capset: {os.strerror(ctypes.get_errno())}")


def fork_as_is() -> int:
    """As `os.fork`, but libraries are not told, so that what they have open stays open in the child.

    PROJ would close its tables in each child, which takes 10 ms to read them anew. Only where whatever is open may be
    read in both. A process of several threads is forked as ever: the child would wait for one that it does not have.
    Raises OSError.
    """
    fork = getattr(_HOLDING_LOCK, "_Fork", None)
    if fork is None or sys.version_info >= _TRIED_BEFORE or len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return os.fork()
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = fork()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    code = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(code, os.strerror(code))
    return pid


def give_back_memory() -> None:
    """Have the C library give memory back that is free, where it can."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)

"""What of a file is in memory alone."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

_CACHESTAT = 451


def dirty_pages(path: Path) -> int:
    """Pages that are not on the disk, nor on their way there. Skips the test where the kernel does not tell."""
    everything, told = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    with path.open("rb") as file:
        if ctypes.CDLL(None).syscall(_CACHESTAT, file.fileno(), everything, told, 0) != 0:
            pytest.skip("this kernel has no cachestat(2)")
    return int(told[1])

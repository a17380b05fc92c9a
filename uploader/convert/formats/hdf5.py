"""Whether an HDF5 file is made of others: the library shows what it may not or cannot open as fill values.

A data set whose layout is virtual has its pixels in other files, and one that misses them reads as zeros without a
word. Such a layout is a message of four fixed bytes and the address of a global heap; that what stands there is a heap
makes sure that no pixels were taken for one.
Source: "HDF5 File Format Specification Version 3.0", IV.A.2.i (data layout), III.E (global heap).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

_PIECE = 16 << 20
_OVERLAP = 64
_VIRTUAL = re.compile(
    rb"\x08\x00[\x0e-\x18]\x00.\x00\x00\x00\x04\x03(?P<old>.{8})|\x08[\x0e-\x18]\x00.(?:..)?\x04\x03(?P<new>.{8})",
    re.DOTALL,
)
"""Type 8, size, flags, version 4, class 3, address: in object headers of either version."""

_HEAP = b"GCOL"


def virtual(path: Path) -> bool:
    """Whether some data set of the file has its values in other files."""
    size, before = path.stat().st_size, b""
    with path.open("rb") as file, path.open("rb") as aside:
        while piece := file.read(_PIECE):
            for found in _VIRTUAL.finditer(before + piece):
                (address,) = struct.unpack("<Q", found["old"] or found["new"])
                if address >= size:
                    continue
                aside.seek(address)
                if aside.read(len(_HEAP)) == _HEAP:
                    return True
            before = piece[-_OVERLAP:]
    return False

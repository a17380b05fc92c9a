"""What an HDF5 file must not be before GDAL looks into it: made of other files, or more than GDAL can take.

A data set whose layout is virtual has its pixels in other files, and one that misses them reads as zeros without a
word. Such a layout is a message of four fixed bytes and the address of a global heap; that what stands there is a heap
makes sure that no pixels were taken for one. GDAL walks through all objects, for minutes where there are very many, and
crashes on names that are very long.
Source: "HDF5 File Format Specification Version 3.0", IV.A.2.i (data layout), III.E (global heap), III.B (symbol table
nodes), III.D (local heap), IV.A.1.b (object headers).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO

_PIECE = 16 << 20
_OVERLAP = 64
_VIRTUAL = re.compile(
    rb"\x08\x00[\x0e-\x18]\x00.\x00\x00\x00\x04\x03(?P<old>.{8})|\x08[\x0e-\x18]\x00.(?:..)?\x04\x03(?P<new>.{8})",
    re.DOTALL,
)
"""Type 8, size, flags, version 4, class 3, address: in object headers of either version."""

_HEAP = b"GCOL"

_OBJECTS = 5000
_NAME_BYTES = 1000
_NAMES = re.compile(rb"HEAP\x00{4}(?P<size>.{8}).{8}(?P<address>.{8})", re.DOTALL)
"""The head of a heap of names: how many bytes, the first free one, where they begin."""


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


def too_much(path: Path) -> str:
    """Why GDAL should not look into the file, in one sentence; empty where it may."""
    objects, before, left = 0, b"", path.stat().st_size
    with path.open("rb") as file, path.open("rb") as aside:
        while piece := file.read(_PIECE):
            objects += piece.count(b"OHDR") + piece.count(b"SNOD")
            if objects > _OBJECTS:
                return f"It is an HDF5 file of more than {_OBJECTS} objects."
            for found in _NAMES.finditer(before + piece):
                size, address = (struct.unpack("<Q", found[name])[0] for name in ("size", "address"))
                names = _heap(aside, address, size)
                left -= len(names)
                if left < 0:
                    return "It is an HDF5 file that claims to hold more names than it has bytes."
                if max(map(len, names.split(b"\0"))) > _NAME_BYTES:
                    return f"It is an HDF5 file with a name of more than {_NAME_BYTES} bytes in it."
            before = piece[-_OVERLAP:]
    return ""


def _heap(file: BinaryIO, address: int, size: int) -> bytes:
    """The names in a heap, each ending with a zero byte; of what is no heap, anything or nothing."""
    if address >= 1 << 63:  # undefined, or nonsense
        return b""
    file.seek(address)
    return file.read(min(size, _PIECE))

"""TIFF files written by hand, byte by byte, so that they can say what no library would write."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

BYTE, ASCII, SHORT, LONG, DOUBLE = 1, 2, 3, 4, 12
_SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, DOUBLE: 8}
_CODES = {SHORT: "H", LONG: "I", DOUBLE: "d"}

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, SAMPLES = 256, 257, 258, 259, 262, 273, 277
ROWS_PER_STRIP, COUNTS, NEXT_PAGE, SUB_IFDS = 278, 279, 0, 330
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
JPEG_TABLES, TIEPOINTS, GEO_KEYS, GDAL_METADATA, GDAL_NODATA = 347, 33922, 34735, 42112, 42113

_HEAD = 8
Values = tuple[int, tuple[float, ...] | bytes, int]
"""Type, values or bytes, and the count that is claimed (0: the true one)."""


def shorts(*values: int, claimed: int = 0) -> Values:
    """A tag of 16-bit numbers."""
    return SHORT, values, claimed


def longs(*values: int, claimed: int = 0) -> Values:
    """A tag of 32-bit numbers."""
    return LONG, values, claimed


def text(value: bytes, claimed: int = 0) -> Values:
    """A tag of text."""
    return ASCII, value + b"\0", claimed


def small(side: int = 64) -> dict[int, Values]:
    """The tags of a square of bytes in one strip, the pixels right after the header."""
    return {
        WIDTH: longs(side),
        HEIGHT: longs(side),
        BITS: shorts(8),
        COMPRESSION: shorts(1),
        PHOTOMETRIC: shorts(1),
        OFFSETS: longs(_HEAD),
        SAMPLES: shorts(1),
        ROWS_PER_STRIP: longs(side),
        COUNTS: longs(side * side),
    }


def write(
    path: Path, tags: Mapping[int, Values], pixels: bytes = bytes(4096), *, follows: int | None = None
) -> Path:
    """One directory after its pixels; `follows` is where it says the next one is, -1: at itself."""
    here = _HEAD + len(pixels) + len(pixels) % 2
    directory = ifd(tags, here, here if follows == -1 else follows or 0)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, here) + pixels.ljust(here - _HEAD, b"\0") + directory)
    return path


def ifd(tags: Mapping[int, Values], offset: int, follows: int) -> bytes:
    """A directory at this offset, with what does not fit into its entries behind it."""
    behind = offset + 2 + 12 * len(tags) + 4
    entries, rest = b"", b""
    for tag, (kind, values, claimed) in sorted(tags.items()):
        data = (
            values
            if isinstance(values, bytes)
            else struct.pack(f"<{len(values)}{_CODES.get(kind, 'B')}", *values)
        )
        count = claimed or len(data) // _SIZES[kind]
        if len(data) > 4:
            place = struct.pack("<I", behind + len(rest))
            rest += data + b"\0" * (len(data) % 2)
        else:
            place = data.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, count) + place
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", follows) + rest

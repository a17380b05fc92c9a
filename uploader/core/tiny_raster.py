"""A raster of a few kilobytes, made of nothing: what a live check sends."""

from __future__ import annotations

import struct

SIDE = 64
"""Pixels on each side: one strip, so that it is a COG without more."""

_SHORT, _LONG, _DOUBLE = 3, 4, 12
_SIZES = {_SHORT: "H", _LONG: "I", _DOUBLE: "d"}
_NORTH, _PIXEL = 0.0, 0.0001
"""Where it lies: in the Gulf of Guinea, where no data of anybody's is expected."""


def tiny_raster(seed: int, west: float = 0.0) -> bytes:
    """A GeoTIFF of one band of bytes in EPSG:4326; another `seed` (from 0 to 255) gives other pixels.

    It begins at the longitude `west`, in degrees.
    """
    pixels = bytes((column + row + seed) % 256 for row in range(SIDE) for column in range(SIDE))
    keys = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    fields: tuple[tuple[int, int, tuple[float, ...]], ...] = (
        (256, _SHORT, (SIDE,)),
        (257, _SHORT, (SIDE,)),
        (258, _SHORT, (8,)),
        (259, _SHORT, (1,)),
        (262, _SHORT, (1,)),
        (273, _LONG, (0,)),  # where the pixels begin, known once the rest is laid out
        (277, _SHORT, (1,)),
        (278, _SHORT, (SIDE,)),
        (279, _LONG, (len(pixels),)),
        (33550, _DOUBLE, (_PIXEL, _PIXEL, 0.0)),
        (33922, _DOUBLE, (0.0, 0.0, 0.0, west, _NORTH, 0.0)),
        (34735, _SHORT, keys),
    )
    behind = 8 + 2 + 12 * len(fields) + 4
    long_ones = b"".join(_packed(kind, values) for _, kind, values in fields if _long(kind, values))
    place = behind
    entries = b""
    for tag, kind, values in fields:
        given = (behind + len(long_ones),) if tag == 273 else values  # noqa: PLR2004 - its offset
        packed = _packed(kind, given)
        inside = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", place)  # noqa: PLR2004 - TIFF's
        place += len(packed) if len(packed) > 4 else 0  # noqa: PLR2004
        entries += struct.pack("<HHI", tag, kind, len(given)) + inside
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4) + long_ones + pixels


def _packed(kind: int, values: tuple[float, ...]) -> bytes:
    return struct.pack(f"<{len(values)}{_SIZES[kind]}", *values)


def _long(kind: int, values: tuple[float, ...]) -> bool:
    return len(_packed(kind, values)) > 4  # noqa: PLR2004 - what an entry of TIFF holds itself

"""A tiny picture for a delivered capture: a GeoTIFF made by hand, so that a delivery needs no raster library. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.sandbox.geometry import Box

SIDE = 64
"""Pixels in each direction; three bands of a byte: red grows eastwards, green northwards, blue is constant."""
_SHORT, _LONG, _DOUBLE, _ASCII = 3, 4, 12, 2
_FORMATS = {_SHORT: "H", _LONG: "I", _DOUBLE: "d"}
_GEO_KEYS = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
"""Geographic coordinates, pixels are areas, EPSG:4326 (OGC GeoTIFF 1.1)."""


def picture(box: Box, taken: datetime, blue: int) -> bytes:
    """The bytes of a TIFF over the box; `blue` of 0 to 255."""
    west, south, east, north = box
    step = 255 // (SIDE - 1)
    rows = (
        bytes(value for x in range(SIDE) for value in (x * step, (SIDE - 1 - y) * step, blue))
        for y in range(SIDE)
    )
    pixels = b"".join(rows)
    tags: list[tuple[int, int, tuple[float, ...] | bytes]] = [
        (256, _LONG, (SIDE,)),
        (257, _LONG, (SIDE,)),
        (258, _SHORT, (8, 8, 8)),
        (259, _SHORT, (1,)),
        (262, _SHORT, (2,)),
        (273, _LONG, (8,)),
        (277, _SHORT, (3,)),
        (278, _LONG, (SIDE,)),
        (279, _LONG, (len(pixels),)),
        (284, _SHORT, (1,)),
        (306, _ASCII, f"{taken:%Y:%m:%d %H:%M:%S}\0".encode()),
        (33550, _DOUBLE, ((east - west) / SIDE, (north - south) / SIDE, 0.0)),
        (33922, _DOUBLE, (0.0, 0.0, 0.0, west, north, 0.0)),
        (34735, _SHORT, _GEO_KEYS),
    ]
    start = 8 + len(pixels)
    return struct.pack("<2sHI", b"II", 42, start) + pixels + _directory(tags, start)


def _directory(tags: list[tuple[int, int, tuple[float, ...] | bytes]], start: int) -> bytes:
    """The directory at `start` with the values that do not fit into it behind it."""
    entries, behind = b"", b""
    after = start + 2 + 12 * len(tags) + 4
    for tag, kind, values in tags:
        data = (
            values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{_FORMATS[kind]}", *values)
        )
        inside = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", after + len(behind))  # noqa: PLR2004  the size of an offset
        behind += b"" if len(data) <= 4 else data + b"\0" * (len(data) % 2)  # noqa: PLR2004  as above
        entries += struct.pack("<HHI", tag, kind, len(values)) + inside
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0) + behind

"""Where a raster lies and how it looks, for people: what a child adds to its report, and the parent believes of it.

It crosses the pipe as a line of its own behind the report, so that whatever happens to it the conversion is done.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from uploader.core.footprints import Ring, checked

SIDE = 256
"""Pixels on the longer side of a thumbnail, at most."""

THUMBNAIL_BYTES = 128 << 10
"""Bytes of a thumbnail, at most: one that has more is drawn smaller."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_HEADER = struct.Struct(">I4sIIBBBBB")
_COLOUR_TYPES = frozenset({0, 2, 4, 6})


class FootprintOrigin(StrEnum):
    """What a footprint is made of, or why there is none."""

    TRANSFORM = "transform"
    GCPS = "gcps"
    NO_CRS = "no_crs"
    """It has no reference system."""
    NO_PLACE = "no_place"
    """It has one, and neither a place in it nor ground control points."""
    RPCS = "rpcs"
    """Where it lies depends on the height of the ground."""
    OFF_EARTH = "off_earth"
    """A part of its outline is nowhere on the Earth."""
    FAILED = "failed"
    """It could not be found out."""


@dataclass(frozen=True, slots=True)
class Quicklook:
    """The outline in longitude and latitude, empty where there is none; and a PNG, empty where there is none."""

    footprint: Ring = ()
    origin: FootprintOrigin = FootprintOrigin.FAILED
    thumbnail: bytes = b""

    def to_json(self) -> dict[str, Any]:
        """It as plain JSON types."""
        return {
            "footprint": self.footprint,
            "origin": self.origin,
            "thumbnail": base64.b64encode(self.thumbnail).decode(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Quicklook:
        """Read a child's answer, of which every part is checked; one that is wrong is left out."""
        try:
            ring = checked(data["footprint"]) if data["footprint"] else ()
            origin = FootprintOrigin(data["origin"])
        except (ValueError, TypeError, KeyError):
            ring, origin = (), FootprintOrigin.FAILED
        try:
            picture = base64.b64decode(data["thumbnail"], validate=True)
        except (ValueError, TypeError, KeyError):
            picture = b""
        return cls(ring, origin, picture if is_thumbnail(picture) else b"")


def is_thumbnail(data: bytes) -> bool:
    """Whether it begins and ends like a PNG of eight bits, and neither its bytes nor its sides are more than may be."""
    head = len(SIGNATURE) + _HEADER.size
    if not head < len(data) <= THUMBNAIL_BYTES or not data.startswith(SIGNATURE) or data[-8:-4] != b"IEND":
        return False
    length, kind, width, height, bits, colours, *ways = _HEADER.unpack(data[len(SIGNATURE) : head])
    sides = 0 < width <= SIDE and 0 < height <= SIDE
    return (length, kind, bits, ways) == (13, b"IHDR", 8, [0, 0, 0]) and sides and colours in _COLOUR_TYPES

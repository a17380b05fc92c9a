"""Whether some strips or tiles of a TIFF have a place but no size: GDAL takes them for empty, and they may not be."""

from __future__ import annotations

import numpy as np

from uploader.convert.tiff import ifd

_STRIP_BYTES, _UNCOMPRESSED = 279, 1
_BLOCKS = ((ifd.STRIP_OFFSETS, _STRIP_BYTES), (ifd.TILE_OFFSETS, ifd.TILE_BYTES))


def uncounted(head: ifd.Tiff | None) -> bool:
    """Whether the first image has such blocks, uncompressed. Of a single one libtiff finds the size itself."""
    if head is None or head.number(head.directories[0], ifd.COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED:
        return False
    for places, sizes in _BLOCKS:
        at, length = (head.numbers(head.directories[0], tag) for tag in (places, sizes))
        if at.size == length.size > 1 and bool(np.any((at > 0) & (length == 0))):
            return True
    return False

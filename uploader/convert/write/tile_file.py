"""The compressed tiles of one image in a file of their own, until they are put in their place."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np

from uploader.convert.tiff import ifd
from uploader.convert.write.tile_copy import Image, planes

_START = 16
"""An offset of zero would say that a tile is not there."""


class TileFile:
    """Takes in tiles in their order: place by place, and of each place band by band where bands are apart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._lengths: list[int] = []
        self._end = _START

    def add(self, content: bytes) -> None:
        """The next tile. Raises OSError as the disk says."""
        if os.pwrite(self._handle, content, self._end) != len(content):
            raise OSError(errno.EIO, "short write")
        self._lengths.append(len(content))
        self._end += len(content)

    def image(self, head: ifd.Tiff, entries: ifd.Entries) -> Image:
        """All tiles as one image, of which these entries say what it is; the numbers are in the order of `head`."""
        lengths = np.array(self._lengths, np.uint64)
        offsets = _START + np.cumsum(lengths) - lengths
        bands = planes(head, ifd.Directory(entries))
        offsets, lengths = (each.reshape(-1, bands).T.reshape(-1) for each in (offsets, lengths))
        places = {
            ifd.TILE_OFFSETS: head.entry(ifd.LONG8, offsets),
            ifd.TILE_BYTES: head.entry(ifd.LONG8, lengths),
        }
        return Image(self._path, ifd.Directory(dict(entries) | places))

    def close(self) -> None:
        """No more tiles come."""
        os.close(self._handle)

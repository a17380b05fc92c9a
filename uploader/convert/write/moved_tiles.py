"""Whether the tiles of a raster that was moved are those of its source: the same bytes, to be decoded the same way.

Then they hold the same pixels, and one decoding of them tells all that is to be known.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uploader.convert.tiff import ifd, tag_table
from uploader.convert.write import rewrite_rules

_ELSEWHERE = frozenset({ifd.TILE_OFFSETS, ifd.TILE_BYTES, ifd.GDAL_METADATA}) | tag_table.POINTERS
"""Tags that say where something is, or are compared as texts: no pixel depends on them."""

_PIECE = 4 << 20


def same_tiles(source: Path, result: Path) -> bool:
    """Whether the raster itself, and its mask, are the same in both files. Raises OSError as the disk says."""
    with ExitStack() as stack:
        handles = []
        for path in (source, result):
            handles.append(os.open(path, os.O_RDONLY))
            stack.callback(os.close, handles[-1])
        try:
            before, after = (ifd.read(handle) for handle in handles)
        except ifd.Malformed:
            return False
        images = [
            [image.directory for image in rewrite_rules.images(path, head, base_only=True)]
            for path, head in ((source, before), (result, after))
        ]
        return (
            before.order == after.order
            and len(images[0]) == len(images[1])
            and all(
                _told_alike(old, new) and _same_bytes(handles, (before, old), (after, new))
                for old, new in zip(*images, strict=True)
            )
        )


def _told_alike(old: ifd.Directory, new: ifd.Directory) -> bool:
    """Whether two directories say the same of what is in their tiles."""
    before, after = (
        {tag: entry for tag, entry in each.entries.items() if tag not in _ELSEWHERE} for each in (old, new)
    )
    return before == after


def _same_bytes(
    handles: list[int], old: tuple[ifd.Tiff, ifd.Directory], new: tuple[ifd.Tiff, ifd.Directory]
) -> bool:
    """Whether all tiles are as long, and hold the same."""
    (here, lengths), (there, others) = _places(*old), _places(*new)
    if not (np.array_equal(lengths, others) and np.array_equal(here > 0, there > 0)):
        return False
    return all(
        len(content := os.pread(handles[0], length, at)) == length
        and content == os.pread(handles[1], length, other)
        for at, other, length in _pieces(here, there, lengths)
    )


def _places(head: ifd.Tiff, image: ifd.Directory) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    offsets, lengths = (
        head.numbers(image, tag).astype(np.int64) for tag in (ifd.TILE_OFFSETS, ifd.TILE_BYTES)
    )
    return offsets, np.where(offsets > 0, lengths, 0)


def _pieces(
    here: NDArray[np.int64], there: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """Where to read, in both files, and how much: tiles that are neighbours in both are read as one."""
    apart = [(place[1:] != place[:-1] + lengths[:-1]) for place in (here, there)]
    starts = [0, *(np.flatnonzero(apart[0] | apart[1]) + 1).tolist(), lengths.size]
    for first, stop in pairwise(starts):
        total = int(lengths[first:stop].sum())
        for at in range(0, total, _PIECE):
            yield int(here[first]) + at, int(there[first]) + at, min(_PIECE, total - at)

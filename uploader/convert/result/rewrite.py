"""A tiled raster with overviews becomes a COG by moving: its compressed tiles are copied, only the head is new.

Nothing is decoded here and nothing recompressed. What may be moved is a table and a few rules (`movable`); the order
is that of a COG: directories, then the tiles of the smallest overview first, those of the raster last. GDAL's own
layout notes are left out, which readers take for a COG without these optional hints.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uploader.convert.raster.facts import Facts
from uploader.convert.result import tags, tiff
from uploader.convert.result.finish import Additions, completed
from uploader.convert.result.plan import may_pass

COMPRESSIONS = {
    1: "none", 5: "lzw", 7: "jpeg", 8: "deflate", 32946: "deflate", 34887: "lerc", 34925: "lzma", 50000: "zstd",
    50001: "webp",
}  # fmt: skip
"""Numbers in TIFF of the compressions whose tiles stand alone, or with tables that are tags of their directory."""

TILES = (256, 512, 1024)
"""Sides of tiles that are good for a COG; the others are made anew."""

_OVERVIEW = 1
_SHRINKS = (1.5, 4.5)
_COPY_BYTES = 64 << 20
_CLASSIC_BYTES = (1 << 32) - (1 << 16)

Level = tuple[int, ...]
"""Positions of an image's directory and, if it has one, of its mask's."""


def movable(head: tiff.Tiff, facts: Facts, compression: str) -> str:
    """Why the tiles cannot be moved, in a few words; empty when they can.

    Square tiles of 256, 512 or 1024 that are compressed (unless nothing is asked for), every level tiled alike,
    about half the size of the one before and down to a single tile, masks on all levels or on none; nothing beside
    the file, no further pages, no metadata that names other files.
    """
    levels = list(_levels(head))
    if not may_pass(facts):
        return "sidecars, pages or domains"
    if sorted(position for level in levels for position in level) != list(range(len(head.directories))):
        return "other directories"
    if len({len(level) for level in levels}) != 1:
        return "masks on some levels"
    for level in levels:
        for position in level:
            reason = _odd(head, head.directories[position], compression)
            if reason:
                return reason
    return _gaps(head, [head.directories[level[0]] for level in levels])


def _levels(head: tiff.Tiff) -> Iterator[Level]:
    """The raster and its overviews, large to small, each with its mask."""
    kinds = [head.number(each, tiff.SUBFILE) for each in head.directories]
    sizes = [(head.number(each, tiff.WIDTH), head.number(each, tiff.HEIGHT)) for each in head.directories]
    images = [n for n, kind in enumerate(kinds) if kind == (_OVERVIEW if n else 0)]
    masks = {
        sizes[n]: n
        for n, kind in enumerate(kinds)
        if kind & tiff.MASK and kind in (tiff.MASK, tiff.MASK | _OVERVIEW)
    }
    for image in sorted(images, key=lambda n: (-sizes[n][0] * sizes[n][1], n)):
        yield (image, masks[sizes[image]]) if sizes[image] in masks else (image,)


def _odd(head: tiff.Tiff, image: tiff.Directory, compression: str) -> str:
    """What one directory has that is not understood, or not wanted in a COG."""
    side = head.number(image, tiff.TILE_WIDTH)
    offsets, lengths = (head.numbers(image, tag) for tag in (tiff.TILE_OFFSETS, tiff.TILE_BYTES))
    planes = head.number(image, tiff.SAMPLES, 1) if head.number(image, tiff.PLANAR, 1) > 1 else 1
    across, down = (-(-head.number(image, tag) // max(side, 1)) for tag in (tiff.WIDTH, tiff.HEIGHT))
    method = COMPRESSIONS.get(head.number(image, tiff.COMPRESSION, 1), "")
    rules = (
        (side not in TILES or head.number(image, tiff.TILE_HEIGHT) != side, "the tiles"),
        (not method, "the compression"),
        (method == "none" and compression != "none", "not compressed"),
        (
            tiff.SUB_IFDS in image.entries or tiff.STRIP_OFFSETS in image.entries,
            "strips or further directories",
        ),
        (any(tiff.INTEROPERABILITY in child for child in image.children.values()), "a directory below Exif"),
        (not tags.POINTERS.isdisjoint(image.entries), "tags that hold offsets"),
        (not offsets.size == lengths.size == across * down * planes, "the number of tiles"),
    )
    return next((reason for wrong, reason in rules if wrong), "")


def _gaps(head: tiff.Tiff, images: list[tiff.Directory]) -> str:
    """Whether the levels are a pyramid down to one tile."""
    sizes = [(head.number(each, tiff.WIDTH), head.number(each, tiff.HEIGHT)) for each in images]
    for (width, height), (less_wide, less_high) in pairwise(sizes):
        shrunk = [
            large / max(small, 1) for large, small in ((width, less_wide), (height, less_high)) if small > 1
        ]
        if any(not _SHRINKS[0] <= factor <= _SHRINKS[1] for factor in shrunk):
            return "a level that does not fit"
    smallest = images[-1]
    return "" if max(sizes[-1]) <= head.number(smallest, tiff.TILE_WIDTH) else "levels are missing"


def move(source: Path, target: Path, added: Additions, reserved: int) -> None:
    """Write the COG; `target` must not exist. Its head has so many bytes to spare for `finish.complete`.

    Raises tiff.Malformed when the tiles are not in the file, or overlap so much that they amount to more than it;
    OSError as the disk says.
    """
    incoming = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        outgoing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            _move(incoming, outgoing, added, reserved)
        finally:
            os.close(outgoing)
    finally:
        os.close(incoming)


def _move(incoming: int, outgoing: int, added: Additions, reserved: int) -> None:
    head, size = tiff.read(incoming), os.fstat(incoming).st_size
    levels = list(_levels(head))
    order = [position for level in levels for position in level]
    total = sum(int(head.numbers(head.directories[n], tiff.TILE_BYTES).sum()) for n in order)
    if total > size:
        raise tiff.Malformed("tiles that overlap")
    new = completed(
        replace(head, ghost=b"", directories=tuple(head.directories[n] for n in order)), added, []
    )
    new = replace(new, big=head.big or total + reserved + size // 8 > _CLASSIC_BYTES)
    start = len(tiff.head(_placed(new, [np.zeros_like(old) for old in _offsets(new)]))) + reserved
    places, runs = _laid_out(new, start, size)
    content = tiff.head(_placed(new, places))
    if os.pwrite(outgoing, content.ljust(start, b"\0"), 0) != start:
        raise OSError(errno.EIO, "short write")
    for at, there, length in runs:
        _copy(incoming, outgoing, at, there, length)


def _offsets(head: tiff.Tiff) -> list[NDArray[np.uint64]]:
    return [head.numbers(each, tiff.TILE_OFFSETS) for each in head.directories]


def _placed(head: tiff.Tiff, places: list[NDArray[np.uint64]]) -> tiff.Tiff:
    """The same with the tiles elsewhere."""
    kind = tiff.LONG8 if head.big else tiff.LONG
    return replace(
        head,
        directories=tuple(
            replace(each, entries=dict(each.entries) | {tiff.TILE_OFFSETS: head.entry(kind, place)})
            for each, place in zip(head.directories, places, strict=True)
        ),
    )


def _laid_out(
    head: tiff.Tiff, start: int, size: int
) -> tuple[list[NDArray[np.uint64]], list[tuple[int, int, int]]]:
    """New offsets per directory, and the runs of bytes to copy: (from, to, length), neighbours in one.

    Data goes from the last directory to the first. A tile without data stays without.
    """
    places: list[NDArray[np.uint64]] = []
    runs: list[tuple[int, int, int]] = []
    at = start
    for directory in reversed(head.directories):
        old = head.numbers(directory, tiff.TILE_OFFSETS).astype(np.int64)
        lengths = head.numbers(directory, tiff.TILE_BYTES).astype(np.int64)
        lengths = np.where(old > 0, lengths, 0)
        if old.size and int((old + lengths).max()) > size:
            raise tiff.Malformed("tiles beyond the end")
        ends = np.cumsum(lengths)
        new = at + ends - lengths
        places.insert(0, np.where(lengths > 0, new, 0).astype(np.uint64))
        breaks = np.flatnonzero(old[1:] != old[:-1] + lengths[:-1]) + 1
        for first, last in zip((0, *breaks.tolist()), (*breaks.tolist(), old.size), strict=True):
            length = int(ends[last - 1] - ends[first] + lengths[first]) if last > first else 0
            if length:
                runs.append((int(old[first]), int(new[first]), length))
        at += int(ends[-1]) if ends.size else 0
    return places, runs


def _copy(incoming: int, outgoing: int, at: int, there: int, length: int) -> None:
    """Copy inside the kernel, or share blocks where the file system can; by hand where neither works."""
    while length:
        step = min(length, _COPY_BYTES)
        try:
            done = os.copy_file_range(incoming, outgoing, step, at, there)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP):
                raise
            done = os.pwrite(outgoing, os.pread(incoming, min(step, 1 << 20), at), there)
        if not done:
            raise tiff.Malformed("tiles beyond the end")
        at, there, length = at + done, there + done, length - done

"""Putting a COG together by moving: compressed tiles are copied, out of one file or several, only the head is new.

The order is that of a COG: directories, then the tiles of the smallest overview first, those of the raster last.
GDAL's own layout notes are left out, which readers take for a COG without these optional hints.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uploader.convert.tiff import ifd
from uploader.convert.write.head_completion import Additions, completed

_COPY_BYTES = 64 << 20
_CLASSIC_BYTES = (1 << 32) - (1 << 16)


@dataclass(frozen=True, slots=True)
class Image:
    """One directory of the COG, and the file in which its tiles are, at the offsets that it says."""

    file: Path
    directory: ifd.Directory


def planes(head: ifd.Tiff, image: ifd.Directory) -> int:
    """How many tiles there are for each place: one of each band where bands are apart."""
    return head.number(image, ifd.SAMPLES, 1) if head.number(image, ifd.PLANAR, 1) > 1 else 1


@dataclass(frozen=True, slots=True)
class _Run:
    """Bytes to copy: neighbours in one."""

    file: Path
    source: int
    target: int
    length: int


def move(head: ifd.Tiff, images: Sequence[Image], target: Path, added: Additions, reserved: int) -> None:
    """Write the COG; `target` must not exist. Its head has so many bytes to spare for `finish.complete`.

    The images are in the byte order of `head`, which is that of the raster itself, the first of them. Raises
    tiff.Malformed when the tiles are not in their file, or overlap so much that they amount to more than it;
    OSError as the disk says.
    """
    with ExitStack() as stack:
        files = {file: _opened(stack, file, os.O_RDONLY) for file in dict.fromkeys(i.file for i in images)}
        outgoing = _opened(stack, target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        whole = {file: os.fstat(handle).st_size for file, handle in files.items()}
        total = _amount(head, images, whole)
        new = completed(replace(head, ghost=b"", directories=tuple(i.directory for i in images)), added, [])
        new = replace(new, big=head.big or total + reserved + sum(whole.values()) // 8 > _CLASSIC_BYTES)
        start = len(ifd.head(_placed(new, [np.zeros_like(old) for old in _offsets(new)]))) + reserved
        places, runs = _laid_out(new, images, start, whole)
        content = ifd.head(_placed(new, places))
        if os.pwrite(outgoing, content.ljust(start, b"\0"), 0) != start:
            raise OSError(errno.EIO, "short write")
        for run in runs:
            _copy(files[run.file], outgoing, run)


def _opened(stack: ExitStack, path: Path, how: int) -> int:
    handle = os.open(path, how, 0o600)
    stack.callback(os.close, handle)
    return handle


def _amount(head: ifd.Tiff, images: Sequence[Image], whole: dict[Path, int]) -> int:
    """How many bytes are to be copied. Raises Malformed where they are more than the files have."""
    amount = dict.fromkeys(whole, 0)
    for image in images:
        amount[image.file] += int(head.numbers(image.directory, ifd.TILE_BYTES).sum())
    if any(amount[file] > whole[file] for file in whole):
        raise ifd.Malformed("tiles that overlap")
    return sum(amount.values())


def _offsets(head: ifd.Tiff) -> list[NDArray[np.uint64]]:
    return [head.numbers(each, ifd.TILE_OFFSETS) for each in head.directories]


def _placed(head: ifd.Tiff, places: list[NDArray[np.uint64]]) -> ifd.Tiff:
    """The same with the tiles elsewhere. A file of four bytes an offset has no numbers of eight."""
    kind = ifd.LONG8 if head.big else ifd.LONG

    def entries(image: ifd.Directory, place: NDArray[np.uint64]) -> dict[int, ifd.Entry]:
        lengths = head.numbers(image, ifd.TILE_BYTES)
        moved = {ifd.TILE_OFFSETS: head.entry(kind, place), ifd.TILE_BYTES: head.entry(kind, lengths)}
        return dict(image.entries) | moved

    pairs = zip(head.directories, places, strict=True)
    return replace(
        head, directories=tuple(replace(each, entries=entries(each, place)) for each, place in pairs)
    )


def _laid_out(
    head: ifd.Tiff, images: Sequence[Image], start: int, whole: dict[Path, int]
) -> tuple[list[NDArray[np.uint64]], list[_Run]]:
    """New offsets per directory, and what to copy.

    Data goes from the last directory to the first, place by place: the bands' tiles of one lie together, for readers
    to get them at once. A tile without data stays without.
    """
    places: list[NDArray[np.uint64]] = []
    runs: list[_Run] = []
    at = start
    for image in reversed(images):
        old = head.numbers(image.directory, ifd.TILE_OFFSETS).astype(np.int64)
        lengths = head.numbers(image.directory, ifd.TILE_BYTES).astype(np.int64)
        lengths = np.where(old > 0, lengths, 0)
        order = _by_place(old.size, planes(head, image.directory))
        old, lengths = old[order], lengths[order]
        if old.size and int((old + lengths).max()) > whole[image.file]:
            raise ifd.Malformed("tiles beyond the end")
        ends = np.cumsum(lengths)
        new = at + ends - lengths
        placed = np.empty(old.size, np.uint64)
        placed[order] = np.where(lengths > 0, new, 0)
        places.insert(0, placed)
        breaks = np.flatnonzero(old[1:] != old[:-1] + lengths[:-1]) + 1
        for first, last in zip((0, *breaks.tolist()), (*breaks.tolist(), old.size), strict=True):
            length = int(ends[last - 1] - ends[first] + lengths[first]) if last > first else 0
            if length:
                runs.append(_Run(image.file, int(old[first]), int(new[first]), length))
        at += int(ends[-1]) if ends.size else 0
    return places, runs


def _by_place(count: int, bands: int) -> NDArray[np.int64]:
    """The positions of tiles, which a head has band by band, in the order of their places."""
    if count % bands:
        raise ifd.Malformed("tiles that are missing")
    return np.arange(count).reshape(bands, -1).T.reshape(-1)


def _copy(incoming: int, outgoing: int, run: _Run) -> None:
    """Copy inside the kernel, or share blocks where the file system can; by hand where neither works."""
    at, there, length = run.source, run.target, run.length
    while length:
        step = min(length, _COPY_BYTES)
        try:
            done = os.copy_file_range(incoming, outgoing, step, at, there)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP):
                raise
            done = os.pwrite(outgoing, os.pread(incoming, min(step, 1 << 20), at), there)
        if not done:
            raise ifd.Malformed("tiles beyond the end")
        at, there, length = at + done, there + done, length - done

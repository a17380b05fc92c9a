"""How far a TIFF reaches: a bounded walk over its directories, without a library and without trust in a byte of it.

It answers one question: is the end of every tile, strip and tag value inside the file? A copy that is under way has the
directory first or last, but hardly ever all of what it points to.
Sources: TIFF 6.0, sections 2 and 8; BigTIFF as libtiff documents it.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice, repeat

from uploader.core.settle_rules import UNKNOWN, Extent
from uploader.core.tiff_fields import TYPE_BYTES
from uploader.system import files as fs

MAX_DIRECTORIES = 256
MAX_BYTES = 64 << 20
"""What is read of one file at most: the offsets and counts of four million tiles."""

HEADER = 8
"""Bytes of the shortest header."""

PIECE = 64 << 10
ABSURD = 1 << 50
"""An end beyond this many bytes is not a file on its way, but nonsense."""

WHOLE_NUMBERS = {3: "H", 4: "I", 16: "Q"}
"""Field types that offsets and byte counts may have, as array type codes."""

STRIPS, TILES = (273, 279), (324, 325)
"""Tags of offsets and byte counts."""

WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES, ROWS_PER_STRIP, PLANAR = 256, 257, 258, 259, 277, 278, 284
UNCOMPRESSED, SEPARATE = 1, 2
"""Values of compression and of planar configuration."""

LAST_STANDARD_TAG = 700
GEO_TAGS = frozenset((33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 50844))
"""Tags beyond the standard's whose values matter. Others may point anywhere without harm."""


class _OddError(Exception):
    """Not a TIFF that can be judged."""


class _BeyondError(Exception):
    """Something lies beyond the end: `args[0]` bytes are needed at least."""


@dataclass(slots=True)
class _File:
    """A file, its byte order and flavour, and how much of it may still be read."""

    fd: int
    size: int
    order: str = "<"
    big: bool = False
    left: int = MAX_BYTES
    needs: int = 0
    cut: bool = field(default=False)
    """A bound was met, so that not everything was seen."""

    def need(self, end: int) -> None:
        """Note that the file has to reach so far."""
        if end > ABSURD:
            raise _OddError
        self.needs = max(self.needs, end)

    def read(self, offset: int, count: int) -> bytes:
        """Exactly so many bytes from there."""
        self.need(offset + count)
        if offset + count > self.size:
            raise _BeyondError
        self.left -= count
        if self.left < 0:
            raise _OddError
        data = os.pread(self.fd, count, offset)
        if len(data) < count:
            raise _BeyondError
        return data

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Whole numbers in the file's byte order."""
        layout = self.order + layout
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))


def extent(source: int | bytes | str) -> Extent:
    """How far the TIFF behind a descriptor or path reaches.

    `whole` is True where all that was seen ends within the file, False where something ends beyond it (`needs` is
    then the size it has to have at least), None for what is no TIFF, too odd, or too large to be seen through.
    Raises OSError only.
    """
    if isinstance(source, int):
        return _extent(source)
    with fs.opened(os.fsencode(source)) as fd:
        return _extent(fd)


def _extent(fd: int) -> Extent:
    file = _File(fd, os.fstat(fd).st_size)
    try:
        _walk(file)
    except _BeyondError:
        return Extent(whole=False, needs=max(file.needs, file.size + 1))
    except _OddError:
        return UNKNOWN
    if file.needs > file.size:
        return Extent(whole=False, needs=file.needs)
    return Extent(whole=None if file.cut else True, needs=file.needs)


def _walk(file: _File) -> None:
    """Follow the chain of directories from the header on."""
    offset, seen = _header(file), set[int]()
    if offset == 0:
        # Writers fill in the offset of the first directory when they are done with it.
        raise _BeyondError
    while offset and offset not in seen:
        if len(seen) >= MAX_DIRECTORIES:
            file.cut = True
            return
        seen.add(offset)
        offset = _directory(file, offset)


def _begins_like_a_tiff(first: bytes) -> bool:
    """Whether so short a file can still become one: the rest may be on its way, or the room reserved."""
    return not any(first) or b"II".startswith(first) or b"MM".startswith(first)


def _header(file: _File) -> int:
    """The offset of the first directory."""
    if 0 < file.size < HEADER and not _begins_like_a_tiff(os.pread(file.fd, 2, 0)):
        raise _OddError
    start = file.read(0, HEADER)
    if not any(start):
        # No format begins with eight zeros: the room was reserved, and nothing has been written yet.
        raise _BeyondError
    file.order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
    if not file.order:
        raise _OddError
    (version,) = struct.unpack(file.order + "H", start[2:4])
    if version == 42:  # noqa: PLR2004 - TIFF's own number
        return int(struct.unpack(file.order + "I", start[4:])[0])
    if version != 43 or struct.unpack(file.order + "HH", start[4:]) != (8, 0):  # noqa: PLR2004 - BigTIFF's
        raise _OddError
    file.big = True
    return file.unpack("Q", 8)[0]


@dataclass(frozen=True, slots=True)
class _Values:
    """Where a tag's values lie."""

    kind: int
    count: int
    offset: int


def _directory(file: _File, offset: int) -> int:
    """Judge one directory; returns the offset of the next, or 0."""
    (count,) = file.unpack("Q" if file.big else "H", offset)
    if not 0 < count < 1 << 16:
        raise _OddError
    start, width = offset + (8 if file.big else 2), 20 if file.big else 12
    tags = dict(_tags(file, file.read(start, count * width), start))
    # A missing last link is common in the wild, and no pixels hang on it.
    link = start + count * width
    for offsets, counts in (STRIPS, TILES):
        if offsets in tags:
            plain = offsets == STRIPS[0] and _number(file, tags, COMPRESSION, 1) == UNCOMPRESSED
            _blocks(file, tags[offsets], tags.get(counts), _strip_bytes(file, tags) if plain else None)
    linked = link + (8 if file.big else 4) <= file.size
    return file.unpack("Q" if file.big else "I", link)[0] if linked else 0


def _tags(file: _File, entries: bytes, start: int) -> Iterator[tuple[int, _Values]]:
    """The tags with the places of their values; those that matter have to end within the file.

    Of a tag that comes twice only the first is read, as by libtiff.
    """
    layout = struct.Struct(file.order + ("HHQQ" if file.big else "HHII"))
    inline = 8 if file.big else 4
    seen = set[int]()
    for index, (tag, kind, count, value) in enumerate(layout.iter_unpack(entries)):
        if tag in seen:
            continue
        seen.add(tag)
        size = TYPE_BYTES.get(kind, 0) * count
        if size <= inline:
            yield tag, _Values(kind, count, start + (index + 1) * layout.size - inline)
            continue
        if tag <= LAST_STANDARD_TAG or tag in GEO_TAGS:
            file.need(value + size)
        yield tag, _Values(kind, count, value)


def _strip_bytes(file: _File, tags: Mapping[int, _Values]) -> Iterator[int] | None:
    """The bytes of uncompressed strips, for more than can be read; the last of each plane may have fewer rows."""
    if not {WIDTH, HEIGHT} <= tags.keys():
        return None
    height = _number(file, tags, HEIGHT, 0)
    rows = max(1, min(height, _number(file, tags, ROWS_PER_STRIP, height)))
    together = 1 if _number(file, tags, PLANAR, 1) == SEPARATE else _number(file, tags, SAMPLES, 1)
    row = -(-_number(file, tags, WIDTH, 0) * _number(file, tags, BITS, 1) * together // 8)
    strips = max(1, -(-height // rows))
    full, last = row * rows, row * (height - (strips - 1) * rows)
    planes = range(MAX_BYTES)
    return chain.from_iterable(chain(repeat(full, min(strips - 1, MAX_BYTES)), (last,)) for _ in planes)


def _number(file: _File, tags: Mapping[int, _Values], tag: int, default: int) -> int:
    """The first number of a tag."""
    numbers = next(_numbers(file, tags[tag]), None) if tag in tags else None
    return int(numbers[0]) if numbers else default


def _blocks(file: _File, offsets: _Values, counts: _Values | None, sizes: Iterator[int] | None) -> None:
    """Every block has to end within the file, as far as libtiff reads it. Blocks without offset or bytes are blank.

    Of an uncompressed strip, for which `sizes` tells the bytes, libtiff reads no more than there are, whatever is
    counted; and of a single one also where nothing is counted.
    """
    if counts is not None and counts.count != offsets.count:
        raise _OddError
    uncounted = 1 if offsets.count == 1 else 0
    for starts, lengths in _pairs(file, offsets, counts):
        taken = lengths
        if sizes is not None:
            sized = zip(lengths, islice(sizes, len(starts)), strict=False)
            taken = [min(length, size) if length else size * uncounted for length, size in sized]
        blocks = zip(starts, taken, strict=False)
        file.need(
            max((start + size for start, size in blocks if start and (size or counts is None)), default=0)
        )
        if file.needs > file.size:
            return


def _pairs(
    file: _File, offsets: _Values, counts: _Values | None
) -> Iterator[tuple[array[int], Iterable[int]]]:
    """Offsets and byte counts piece by piece; zeros where nothing is counted."""
    if counts is None:
        yield from ((starts, bytes(len(starts))) for starts in _numbers(file, offsets))
    else:
        yield from zip(_numbers(file, offsets), _numbers(file, counts), strict=False)


def _numbers(file: _File, values: _Values) -> Iterator[array[int]]:
    """The numbers of a tag, in pieces of equal count for all types; ends early where the bound is met."""
    code = WHOLE_NUMBERS.get(values.kind)
    if code is None:
        raise _OddError
    per_piece, width = PIECE // 8, TYPE_BYTES[values.kind]
    for first in range(0, values.count, per_piece):
        count = min(per_piece, values.count - first)
        if count * width > file.left:
            file.cut = True
            return
        numbers = array(code, file.read(values.offset + first * width, count * width))
        if (file.order == "<") != (sys.byteorder == "little"):
            numbers.byteswap()
        yield numbers

"""The structure of a TIFF: its directories as values, and the bytes that hold them.

Nothing here decodes a pixel. GDAL judges whether a file is sound; this is for taking apart and putting together the
heads of files that GDAL has already read or written (TIFF 6.0; BigTIFF as libtiff has it).
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from uploader.core.tiff_fields import TYPE_BYTES

WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, DESCRIPTION = 256, 257, 259, 262, 270
SUBFILE, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 254, 322, 323, 324, 325
STRIP_OFFSETS, SUB_IFDS, SAMPLES, PLANAR, EXTRA_SAMPLES = 273, 330, 277, 284, 338
BITS, PREDICTOR, COLOUR_MAP, SAMPLE_FORMAT, LERC = 258, 317, 320, 339, 50674
JPEG_TABLES, YCBCR = 347, (529, 530, 531, 532)
EXIF, GPS, INTEROPERABILITY, GDAL_METADATA, NODATA = 34665, 34853, 40965, 42112, 42113
"""Numbers of tags."""

REDUCED, MASK = 1, 4
"""The bits of a subfile type that say it is a smaller image of another, and a mask."""

ASCII, SHORT, LONG, DOUBLE, LONG8, IFD8 = 2, 3, 4, 12, 16, 18
_SWAPPED = {**TYPE_BYTES, 5: 4, 10: 4}
"""What is turned around in the other byte order: of a fraction each half."""

OFFSETS = frozenset({13, IFD8})
"""Types of values that are offsets."""

_INTEGERS = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
_START_BYTES = 1 << 13
"""Read at once: most heads lie within."""

_READ = _INTEGERS | {6: "i1", 8: "i2", 9: "i4", 17: "i8"}
"""Some write numbers of what cannot be negative as types that can be."""

_CLASSIC, _BIG = 42, 43
_LEADER = 4
_CHILDREN = (EXIF, GPS)
_GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE="
_GHOST_BYTES = 300
_DIRECTORIES = 128
_ENTRIES = 4096
_VALUE_BYTES = 64 << 20


class Malformed(ValueError):
    """Not a structure that is understood here, whatever GDAL makes of it."""


class NoRoom(ValueError):
    """The new head is longer than what may hold it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag's value: so many of a type, as bytes in the file's order."""

    type: int
    count: int
    data: bytes


Entries = Mapping[int, Entry]


@dataclass(frozen=True, slots=True)
class Directory:
    """One image: its tags, and the directories that tags point to (Exif, GPS)."""

    entries: Entries
    children: Mapping[int, Entries] = field(default_factory=dict)
    unread: frozenset[int] = field(default=frozenset(), compare=False)
    """Tags that are there and make no sense; only `first` goes on past them."""


@dataclass(frozen=True, slots=True)
class Tiff:
    """A whole file but for its data. `order` is "<" or ">"; `ghost` is GDAL's note on the layout, if any."""

    order: str
    big: bool
    directories: tuple[Directory, ...]
    ghost: bytes = b""
    end: int = field(default=0, compare=False)
    """Where the last of what was read of the head ended."""

    def numbers(self, directory: Directory, tag: int) -> NDArray[np.uint64]:
        """The integers of a tag; none where it is missing or of another type."""
        entry = directory.entries.get(tag)
        if entry is None or entry.type not in _READ:
            return np.zeros(0, np.uint64)
        return np.frombuffer(entry.data, self.order + _READ[entry.type]).astype(np.uint64)

    def doubles(self, directory: Directory, tag: int) -> NDArray[np.float64]:
        """The numbers of a tag of doubles; none where it is missing or of another type."""
        entry = directory.entries.get(tag)
        if entry is None or entry.type != DOUBLE:
            return np.zeros(0)
        return np.frombuffer(entry.data, self.order + "f8").astype(np.float64)

    def number(self, directory: Directory, tag: int, default: int = 0) -> int:
        """The first integer of a tag."""
        found = self.numbers(directory, tag)
        return int(found[0]) if found.size else default

    def entry(self, kind: int, values: Iterable[int]) -> Entry:
        """An entry of integers in this file's byte order."""
        array = np.asarray(list(values) if not isinstance(values, np.ndarray) else values)
        return Entry(kind, array.size, array.astype(self.order + _INTEGERS[kind]).tobytes())


def of(path: os.PathLike[str], reading: Callable[[int], Tiff]) -> Tiff | None:
    """What `read` or `first` makes of a file; None where it is no TIFF that they understand."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return reading(handle)
    except Malformed:
        return None
    finally:
        os.close(handle)


def read(handle: int) -> Tiff:
    """The structure of an open file. Raises Malformed, also for what is merely unusual."""
    reader, at = _started(handle)
    order, big = reader.order, reader.big
    directories: list[Directory] = []
    first, seen = at, set[int]()
    while at:
        if at in seen or len(directories) == _DIRECTORIES:
            raise Malformed("too many directories")
        seen.add(at)
        entries, link = reader.directory(at)
        at = reader.link(link)
        children = {
            tag: reader.directory(reader.pointer(entries[tag]))[0] for tag in _CHILDREN if tag in entries
        }
        directories.append(Directory({t: e for t, e in entries.items() if t not in children}, children))
    ghost = os.pread(handle, min(first, _GHOST_BYTES), 0)[16 if big else 8 :].rstrip(b"\0")
    known = ghost.startswith(_GHOST) and first < _GHOST_BYTES
    return Tiff(order, big, tuple(directories), ghost if known else b"", reader.end)


def first(handle: int) -> Tiff:
    """The first image of an open file alone, which is the one that GDAL converts, as far as it can be read.

    Like libtiff it passes over entries that make no sense; they are listed. Raises Malformed where there is nothing.
    """
    reader, at = _started(handle)
    unread: set[int] = set()
    entries, _ = reader.directory(at, unread)
    children: dict[int, Entries] = {}
    for tag in _CHILDREN:
        if tag in entries:
            try:
                children[tag] = reader.directory(reader.pointer(entries.pop(tag)), unread)[0]
            except Malformed:
                unread.add(tag)
    return Tiff(reader.order, reader.big, (Directory(entries, children, frozenset(unread)),))


def _started(handle: int) -> tuple[_Reader, int]:
    """A reader of the file, and where its first directory is."""
    start = os.pread(handle, 16, 0)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 16:  # noqa: PLR2004 - bytes of the longer signature
        raise Malformed("no signature")
    version = struct.unpack(order + "H", start[2:4])[0]
    if version not in (_CLASSIC, _BIG):
        raise Malformed("no version")
    big = version == _BIG
    at = struct.unpack(order + ("Q" if big else "I"), start[8:16] if big else start[4:8])[0]
    return _Reader(handle, os.fstat(handle).st_size, order, big=big), at


class _Reader:
    """Directories of one file, in bounds."""

    def __init__(self, handle: int, size: int, order: str, *, big: bool) -> None:
        self._handle, self._size, self.order, self.big = handle, size, order, big
        self._start = os.pread(handle, _START_BYTES, 0)
        self.end = 0

    def directory(self, at: int, unread: set[int] | None = None) -> tuple[dict[int, Entry], int]:
        """The entries of the directory at an offset, and where its link to the next is.

        Of a tag that comes twice the first counts. Strange entries go into `unread` where it is given.
        """
        head, item = (8, 20) if self.big else (2, 12)
        count = struct.unpack(self.order + ("Q" if self.big else "H"), self._bytes(at, head))[0]
        if not 0 < count <= _ENTRIES:
            raise Malformed("too many entries")
        table = self._bytes(at + head, count * item)
        entries: dict[int, Entry] = {}
        for n in range(count):
            row = table[n * item : (n + 1) * item]
            try:
                entries.setdefault(*self._entry(row))
            except Malformed:
                if unread is None:
                    raise
                unread.add(struct.unpack_from(self.order + "H", row)[0])
        return entries, at + head + count * item

    def link(self, at: int) -> int:
        """The offset of the next directory, as it stands behind one."""
        word = self.order + ("Q" if self.big else "I")
        return int(struct.unpack(word, self._bytes(at, struct.calcsize(word)))[0])

    def _entry(self, item: bytes) -> tuple[int, Entry]:
        word = "Q" if self.big else "I"
        tag, kind, count = struct.unpack_from(self.order + "HH" + word, item)
        inline = item[-8:] if self.big else item[-4:]
        if kind not in TYPE_BYTES or count * TYPE_BYTES[kind] > _VALUE_BYTES:
            raise Malformed("a strange entry")
        length = count * TYPE_BYTES[kind]
        if length <= len(inline):
            return tag, Entry(kind, count, inline[:length])
        return tag, Entry(kind, count, self._bytes(struct.unpack(self.order + word, inline)[0], length))

    def pointer(self, entry: Entry) -> int:
        """The offset that an entry holds."""
        if entry.type not in _INTEGERS or entry.count != 1:
            raise Malformed("a strange pointer")
        return int(np.frombuffer(entry.data, self.order + _INTEGERS[entry.type])[0])

    def _bytes(self, at: int, length: int) -> bytes:
        if at + length > self._size:
            raise Malformed("beyond the end")
        self.end = max(self.end, at + length)
        if at + length <= len(self._start):
            return self._start[at : at + length]
        return os.pread(self._handle, length, at)


def turned(entry: Entry, before: str, after: str) -> Entry:
    """The same value in another byte order."""
    width = _SWAPPED[entry.type]
    if before == after or width == 1:
        return entry
    return replace(entry, data=np.frombuffer(entry.data, f"u{width}").byteswap().tobytes())


def head(tiff: Tiff) -> bytes:
    """A file from its signature to its last directory: what comes before the data when directories come first."""
    first = _even((16 if tiff.big else 8) + len(tiff.ghost))
    mark = b"II" if tiff.order == "<" else b"MM"
    form, numbers = ("HHHQ", (_BIG, 8, 0, first)) if tiff.big else ("HI", (_CLASSIC, first))
    out = (mark + struct.pack(tiff.order + form, *numbers) + tiff.ghost).ljust(first, b"\0")
    for number, directory in enumerate(tiff.directories):
        out += _written(directory, tiff, len(out), last=number + 1 == len(tiff.directories))
    return out


def _written(directory: Directory, tiff: Tiff, at: int, *, last: bool) -> bytes:
    """One directory at an offset: its table, the values that do not fit into it, the directories it points to."""
    word, count, item = ("Q", "Q", 20) if tiff.big else ("I", "H", 12)
    inline = struct.calcsize(word)
    entries = dict(directory.entries) | {
        tag: tiff.entry(IFD8 if tiff.big else LONG, [0]) for tag in directory.children
    }
    values = _even(at + struct.calcsize("=" + count) + len(entries) * item + inline)
    table, data = struct.pack(tiff.order + count, len(entries)), b""
    for tag, entry in sorted(entries.items()):
        there, content = values + len(data), entry.data
        if tag in directory.children:
            content = struct.pack(tiff.order + word, there)
            data += _written(Directory(directory.children[tag]), tiff, there, last=True)
        elif len(content) > inline:
            content = struct.pack(tiff.order + word, there)
            data += entry.data.ljust(_even(len(entry.data)), b"\0")
        table += struct.pack(tiff.order + "HH" + word, tag, entry.type, entry.count) + content.ljust(
            inline, b"\0"
        )
    link = 0 if last else values + len(data)
    return (table + struct.pack(tiff.order + word, link)).ljust(values - at, b"\0") + data


def edit(path: os.PathLike[str], change: Callable[[Tiff], Tiff]) -> None:
    """Replace the head of a file whose directories come before its data; not a byte of the data moves.

    Raises Malformed for another layout, NoRoom when the new head would reach into the data.
    """
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        before = read(handle)
        room = data_start(before, os.fstat(handle).st_size)
        if before.end > room:
            raise Malformed("directories among the data")
        after = head(change(before))
        if len(after) > room:
            raise NoRoom(f"{len(after)} bytes where {room} are")
        if os.pwrite(handle, after.ljust(room, b"\0"), 0) != room:
            raise OSError(errno.EIO, "short write")
    finally:
        os.close(handle)


def data_start(tiff: Tiff, size: int) -> int:
    """The offset of the first tile, with the four bytes that GDAL's layout puts before it; the size without any."""
    offsets = [tiff.numbers(directory, TILE_OFFSETS) for directory in tiff.directories]
    real = np.concatenate([*offsets, np.zeros(0, np.uint64)])
    real = real[real > 0]
    if not real.size:
        return size
    return int(real.min()) - (_LEADER if b"BLOCK_LEADER=SIZE_AS_UINT4" in tiff.ghost else 0)


def _even(value: int) -> int:
    return value + value % 2

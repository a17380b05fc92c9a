"""The directories of a TIFF as tifffile finds them: every tag with its type and values, and nothing interpreted.

tifffile reads the header and each entry; its own readers of particular tags are left aside, because what they make of
a value hides how it was written.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from tifffile.tifffile import TIFF, TiffTag

logging.getLogger("tifffile").setLevel(logging.CRITICAL)

ASCII = 2
EXIF, GPS, INTEROPERABILITY, SUB_IFDS = 34665, 34853, 40965, 330
_FORMS = {
    b"II*\0": TIFF.CLASSIC_LE,
    b"MM\0*": TIFF.CLASSIC_BE,
    b"II+\0": TIFF.BIG_LE,
    b"MM\0+": TIFF.BIG_BE,
}
_FLOATS = {11: "f4", 12: "f8"}
_RATIONALS = {5: "u4", 10: "i4"}
_WHOLE = {
    1: "u1", 2: "u1", 7: "u1", 6: "i1", 3: "u2", 8: "i2", 4: "u4", 9: "i4", 13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip
_MOST_DIRECTORIES = 4096
_MOST_BYTES = 64 << 20
_PRECISE = 1e-7
"""A rational number passes through a float32 when libtiff writes it."""


@dataclass(frozen=True)
class Value:
    """One entry: TIFF's type, the bytes as they lie in the file, and the numbers in them (None: unreadable)."""

    kind: int
    raw: bytes
    numbers: tuple[Any, ...] | None

    @property
    def text(self) -> bytes:
        """The bytes without the NULs that end a text."""
        return self.raw.rstrip(b"\0")


Tags = dict[int, Value]


@dataclass(frozen=True)
class Directory:
    """One directory: where it lies, where its entries and their values end, and its tags (of twins the first)."""

    offset: int
    end: int
    tags: Tags
    inner: dict[int, Tags] = field(default_factory=dict)
    """The Exif, GPS and interoperability directories, by the tag that points at them."""

    def numbers(self, code: int, default: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        """The numbers of a tag, or what it says where it is absent."""
        value = self.tags.get(code)
        return default if value is None or value.numbers is None else value.numbers

    def number(self, code: int, default: int) -> int:
        """The first number of a tag."""
        return (self.numbers(code) or (default,))[0]

    @property
    def reduced(self) -> bool:
        """Whether it is an overview, of pixels or of a mask."""
        return bool(self.number(254, 0) & 1)

    @property
    def mask(self) -> bool:
        """Whether it is a transparency mask."""
        return bool(self.number(254, 0) & 4) or self.number(262, 1) == 4


@dataclass(frozen=True)
class Head:
    """All directories of the main chain, in order."""

    path: Path
    directories: tuple[Directory, ...]

    @property
    def base(self) -> Directory:
        """The first directory, which is the raster."""
        return self.directories[0]

    @property
    def levels(self) -> tuple[Directory, ...]:
        """The raster and its overviews, masks aside."""
        rest = (d for d in self.directories[1:] if d.reduced and not d.mask)
        return (self.base, *rest)

    @property
    def masks(self) -> tuple[Directory, ...]:
        """The mask and its overviews."""
        return tuple(d for d in self.directories if d.mask)


class NoHead(Exception):
    """The file is no TIFF, or tifffile cannot make anything of it."""


def read(path: Path) -> Head:
    """Read all directories. Raises NoHead."""
    try:
        with _opened(path) as tiff:
            found = tuple(_chain(tiff))
    except (tifffile.TiffFileError, OSError, ValueError, struct.error, IndexError, KeyError) as error:
        raise NoHead(f"{path.name}: {error}") from error
    if not found:
        raise NoHead(f"{path.name} has no directory")
    return Head(path, found)


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF does."""
    with path.open("rb") as file:
        return file.read(4) in _FORMS


@dataclass(frozen=True)
class _Tiff:
    """What tifffile's reader of entries needs of a file: its pages are not looked at, for a damaged one stops it."""

    filehandle: tifffile.FileHandle
    tiff: Any


@contextmanager
def _opened(path: Path) -> Iterator[_Tiff]:
    with tifffile.FileHandle(path) as file:
        start = file.read(4)
        if start not in _FORMS:
            raise NoHead(f"{path.name} is no TIFF")
        yield _Tiff(file, _FORMS[start])


def _chain(tiff: _Tiff) -> Iterator[Directory]:
    file, form = tiff.filehandle, tiff.tiff
    file.seek(8 if form.is_bigtiff else 4)
    offset, seen = struct.unpack(form.offsetformat, file.read(form.offsetsize))[0], set()
    while 0 < offset < file.size and offset not in seen and len(seen) < _MOST_DIRECTORIES:
        seen.add(offset)
        tags, end, following = _directory(tiff, offset)
        yield Directory(offset, end, tags, _inner(tiff, tags))
        offset = following


def _directory(tiff: _Tiff, offset: int) -> tuple[Tags, int, int]:
    """The tags of the directory at an offset, where they and their values end, and where the next one is (0: none)."""
    file, form = tiff.filehandle, tiff.tiff
    file.seek(offset)
    head = file.read(form.tagnosize)
    count = struct.unpack(form.tagnoformat, head)[0] if len(head) == form.tagnosize else 0
    first = offset + form.tagnosize
    tags: Tags = {}
    end = first + count * form.tagsize + form.offsetsize
    for number in range(count):
        at = first + number * form.tagsize
        if at + form.tagsize > file.size:
            break
        tag = TiffTag.fromfile(tiff, offset=at, validate=False)
        value, value_end = _value(tiff, tag)
        end = max(end, value_end)
        tags.setdefault(tag.code, value)
    file.seek(first + count * form.tagsize)
    rest = file.read(form.offsetsize)
    following = struct.unpack(form.offsetformat, rest)[0] if len(rest) == form.offsetsize else 0
    return tags, end, following


def _value(tiff: _Tiff, tag: TiffTag) -> tuple[Value, int]:
    """An entry's value, and where in the file it ends."""
    form, kind = tiff.tiff, int(tag.dtype)
    if kind not in TIFF.DATA_FORMATS:
        return Value(kind, b"", None), 0
    size = tag.count * struct.calcsize(TIFF.DATA_FORMATS[kind])
    inline = tag.offset + form.tagsize - form.tagoffsetthreshold
    position = inline
    if size > form.tagoffsetthreshold:
        tiff.filehandle.seek(inline)
        position = struct.unpack(form.offsetformat, tiff.filehandle.read(form.offsetsize))[0]
    if position + size > tiff.filehandle.size or size > _MOST_BYTES:
        return Value(kind, b"", None), 0
    tiff.filehandle.seek(position)
    raw = tiff.filehandle.read(size)
    return Value(kind, raw, _numbers(kind, raw, form.byteorder)), position + size


def _numbers(kind: int, raw: bytes, order: str) -> tuple[Any, ...] | None:
    if kind in _WHOLE:
        return tuple(np.frombuffer(raw, order + _WHOLE[kind]).tolist())
    if kind in _FLOATS:
        return tuple(np.frombuffer(raw, order + _FLOATS[kind]).tolist())
    if kind in _RATIONALS:
        parts = np.frombuffer(raw, order + _RATIONALS[kind]).tolist()
        return tuple(_ratio(*pair) for pair in zip(parts[::2], parts[1::2], strict=True))
    return None


def _ratio(above: int, below: int) -> Fraction | float:
    if below:
        return Fraction(above, below)
    return math.inf if above else math.nan


def _inner(tiff: _Tiff, tags: Tags) -> dict[int, Tags]:
    found = {}
    for code in (EXIF, GPS, INTEROPERABILITY):
        offset = next(iter((tags[code].numbers or (0,)) if code in tags else (0,)), 0)
        if isinstance(offset, int) and 0 < offset < tiff.filehandle.size:
            found[code] = _directory(tiff, offset)[0]
    if EXIF in found and INTEROPERABILITY in found[EXIF]:
        found |= {k: v for k, v in _inner(tiff, found[EXIF]).items() if k == INTEROPERABILITY}
    return found


def same(before: Value | None, after: Value | None) -> bool:
    """Whether two entries say the same: byte order, SHORT or LONG, and NULs that end a text aside."""
    if before is None or after is None:
        return before is after
    if before.raw == after.raw or (ASCII in (before.kind, after.kind) and before.text == after.text):
        return True
    if before.numbers is None or after.numbers is None or len(before.numbers) != len(after.numbers):
        return False
    return all(map(alike, before.numbers, after.numbers))


def alike(before: Any, after: Any) -> bool:
    """Whether two numbers are one: NaN is NaN, and a ratio need not be written with the same terms."""
    if before == after or (before != before and after != after):  # noqa: PLR0124 - NaN
        return True
    ratios = isinstance(before, Fraction) or isinstance(after, Fraction)
    return ratios and math.isclose(before, after, rel_tol=_PRECISE)

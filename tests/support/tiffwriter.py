"""A small writer of TIFFs with any tags: byte orders, BigTIFF, strips, tiles, planes, predictors, directories within.

It checks nothing, so that it can write what libraries would not. `write(path, [Picture(pixels, tags)])`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SSHORT, SLONG, FLOAT, DOUBLE, IFD, LONG8, IFD8 = (
    1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 16, 18,
)  # fmt: skip
_CODES = {
    BYTE: "B", ASCII: "B", UNDEFINED: "B", SHORT: "H", SSHORT: "h", LONG: "I", RATIONAL: "I", SLONG: "i",
    FLOAT: "f", DOUBLE: "d", IFD: "I", LONG8: "Q", IFD8: "Q",
}  # fmt: skip
_SUB_IFDS, _PREDICTOR, _DEFLATE = 330, 317, 8


@dataclass(frozen=True)
class Entry:
    """A tag's type and values: numbers, or bytes as they are (of RATIONAL: numerators and denominators in turn)."""

    kind: int
    values: tuple[Any, ...] | bytes


Tags = dict[int, Entry]


def shorts(*values: int) -> Entry:
    """Numbers of 16 bits."""
    return Entry(SHORT, values)


def longs(*values: int) -> Entry:
    """Numbers of 32 bits."""
    return Entry(LONG, values)


def doubles(*values: float) -> Entry:
    """Floats of 64 bits."""
    return Entry(DOUBLE, values)


def ratios(*values: int) -> Entry:
    """Numerators and denominators in turn."""
    return Entry(RATIONAL, values)


def text(value: bytes) -> Entry:
    """A text, with the NUL that ends it."""
    return Entry(ASCII, value + b"\0")


def blob(value: bytes) -> Entry:
    """Bytes that mean something to somebody else."""
    return Entry(UNDEFINED, value)


@dataclass
class Picture:
    """One directory. `pixels` are (rows, columns, samples); of bool a sample is one bit.

    `tags` replace those that follow from the pixels; None leaves one out. `tile` 0: strips. `inner` are
    directories by the tag that points at them, `children` those of SubIFDs.
    """

    pixels: np.ndarray
    tags: dict[int, Entry | None] = field(default_factory=dict)
    tile: int = 0
    rows_per_strip: int = 16
    planar: bool = False
    deflate: bool = False
    predictor: int = 1
    inner: dict[int, Tags] = field(default_factory=dict)
    children: Sequence[Picture] = ()

    def segments(self, order: str) -> list[bytes]:
        """Strips or tiles, plane by plane, each as it lies in the file."""
        pixels = self.pixels
        planes = [pixels[:, :, i : i + 1] for i in range(pixels.shape[2])] if self.planar else [pixels]
        blocks = [block for plane in planes for block in _blocks(plane, self.tile, self.rows_per_strip)]
        found = [_encoded(block, self.predictor, order) for block in blocks]
        return [zlib.compress(data) for data in found] if self.deflate else found

    def located(self, offsets: Sequence[int]) -> Tags:
        """Further tags that say where the segments lie."""
        return {}


def write(path: Path, pictures: Sequence[Picture], *, order: str = "<", big: bool = False) -> Path:
    """Write the directories one after another; gives the path."""
    writer = _Writer(order, big=big)
    for picture in pictures:
        writer.chain(picture)
    path.write_bytes(writer.data)
    return path


class _Writer:
    def __init__(self, order: str, *, big: bool) -> None:
        self.order, self.big = order, big
        self.offset = "Q" if big else "I"
        mark = b"II" if order == "<" else b"MM"
        middle = struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
        self.data = bytearray(mark + middle)
        self.link = len(self.data)
        self._append(struct.pack(order + self.offset, 0))

    def chain(self, picture: Picture) -> None:
        """Append a directory to the main chain."""
        here = self._picture(picture)
        struct.pack_into(self.order + self.offset, self.data, self.link, here)
        self.link = len(self.data) - struct.calcsize(self.offset)

    def _append(self, data: bytes) -> int:
        if len(self.data) % 2:
            self.data += b"\0"
        here = len(self.data)
        self.data += data
        return here

    def _picture(self, picture: Picture) -> int:
        """Append the samples, what lies within, and the directory itself, last; gives where that is."""
        tags = _described(picture)
        segments = picture.segments(self.order)
        offsets = tuple(self._append(segment) for segment in segments)
        where, many = (324, 325) if picture.tile else (273, 279)
        tags |= {where: Entry(LONG8 if self.big else LONG, offsets), many: longs(*map(len, segments))}
        tags |= picture.located(offsets)
        for code, inner in picture.inner.items():
            tags[code] = Entry(LONG, (self._directory(dict(inner)),))
        if picture.children:
            children = tuple(self._picture(child) for child in picture.children)
            tags[_SUB_IFDS] = Entry(IFD8 if self.big else IFD, children)
        return self._directory({c: e for c, e in (tags | picture.tags).items() if e is not None})

    def _directory(self, tags: Tags) -> int:
        room, entries = (8 if self.big else 4), b""
        for code, entry in sorted(tags.items()):
            data = _packed(entry, self.order)
            count = len(data) // struct.calcsize(_CODES[entry.kind]) // (2 if entry.kind == RATIONAL else 1)
            value = (
                data.ljust(room, b"\0")
                if len(data) <= room
                else struct.pack(self.order + self.offset, self._append(data))
            )
            entries += struct.pack(self.order + "HH" + self.offset, code, entry.kind, count) + value
        count = struct.pack(self.order + ("Q" if self.big else "H"), len(tags))
        return self._append(count + entries + struct.pack(self.order + self.offset, 0))


def _packed(entry: Entry, order: str) -> bytes:
    if isinstance(entry.values, bytes):
        return entry.values
    return struct.pack(f"{order}{len(entry.values)}{_CODES[entry.kind]}", *entry.values)


def _described(picture: Picture) -> dict[int, Entry | None]:
    """The tags that follow from the pixels."""
    rows, columns, samples = picture.pixels.shape
    kind = picture.pixels.dtype
    bits = 1 if kind.kind == "b" else 8 * kind.itemsize
    formats = {"b": 1, "u": 1, "i": 2, "f": 3, "c": 6}  # "b" is bool
    layout = (
        {322: longs(picture.tile), 323: longs(picture.tile)}
        if picture.tile
        else {278: longs(picture.rows_per_strip)}
    )
    predicted = {_PREDICTOR: shorts(picture.predictor)} if picture.predictor != 1 else {}
    return {
        256: longs(columns), 257: longs(rows), 258: shorts(*[bits] * samples),
        259: shorts(_DEFLATE if picture.deflate else 1), 262: shorts(1), 277: shorts(samples),
        284: shorts(2 if picture.planar else 1), 339: shorts(*[formats[kind.kind]] * samples),
        **layout, **predicted,
    }  # fmt: skip


def _blocks(plane: np.ndarray, tile: int, strip: int) -> list[np.ndarray]:
    rows, columns, _ = plane.shape
    if not tile:
        return [plane[row : row + strip] for row in range(0, rows, strip)]
    padded = np.pad(plane, ((0, -rows % tile), (0, -columns % tile), (0, 0)), mode="edge")
    return [
        padded[row : row + tile, column : column + tile]
        for row in range(0, rows, tile)
        for column in range(0, columns, tile)
    ]


def _encoded(block: np.ndarray, predictor: int, order: str) -> bytes:
    if block.dtype.kind == "b":
        return np.packbits(block.reshape(block.shape[0], -1), axis=1).tobytes()
    if predictor == 2:
        block = np.concatenate([block[:, :1], block[:, 1:] - block[:, :-1]], axis=1)
    if predictor == 3:
        return _floats_differenced(block)
    return block.astype(block.dtype.newbyteorder(order)).tobytes()


def _floats_differenced(block: np.ndarray) -> bytes:
    """The bytes of each row by their weight, the highest first, each as the difference to the one before."""
    rows, columns, samples = block.shape
    size = block.dtype.itemsize
    high_first = block.astype(block.dtype.newbyteorder(">")).reshape(rows, -1).view(np.uint8)
    sorted_bytes = high_first.reshape(rows, columns * samples, size).transpose(0, 2, 1).reshape(rows, -1)
    found = sorted_bytes.copy()
    found[:, samples:] = sorted_bytes[:, samples:] - sorted_bytes[:, :-samples]
    return found.tobytes()

"""The hints that GDAL's COG driver writes before the first directory: each is true, or is not there."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from tests.judge.findings import Finding, fault
from tests.judge.heads import Directory, Head

_MARK = re.compile(rb"GDAL_STRUCTURAL_METADATA_SIZE=(\d{6}) bytes\n")
_LEADER = 4


def hints(file: BinaryIO) -> dict[str, str]:
    """What stands there; empty where nothing does."""
    file.seek(0)
    start = file.read(64)
    found = _MARK.search(start)
    if not found or found.start() not in (8, 16):
        return {}
    file.seek(found.end())
    lines = file.read(int(found[1])).decode("latin-1").splitlines()
    return dict(line.strip().split("=", 1) for line in lines if "=" in line)


def checked(result: Head) -> Iterator[Finding]:
    """Each hint that is not true."""
    with result.path.open("rb") as file:
        said = hints(file)
        for key, value in said.items():
            check = _CHECKS.get((key, value))
            if check and (text := check(file, result)):
                yield fault(f"the hint {key}={value} is not true: {text}")


def _tiles(directory: Directory) -> list[tuple[int, int]]:
    return [p for p in zip(directory.numbers(324), directory.numbers(325), strict=False) if p[0] and p[1]]


def _directories_first(_file: BinaryIO, result: Head) -> str:
    data = min((offset for d in result.directories for offset, _ in _tiles(d)), default=1 << 62)
    late = [d.offset for d in result.directories if d.end > data]
    return f"a directory, or a value of it, lies behind the tiles at {data}" if late else ""


def _row_major(_file: BinaryIO, result: Head) -> str:
    for number, directory in enumerate(result.directories):
        offsets = [offset for offset, _ in _tiles(directory)]
        if offsets != sorted(offsets):
            return f"the tiles of directory {number} are in another order"
    return ""


def _leader(file: BinaryIO, result: Head) -> str:
    for offset, count in (tile for d in result.directories for tile in _tiles(d)):
        file.seek(offset - _LEADER)
        if struct.unpack("<I", file.read(_LEADER))[0] != count:
            return f"before the tile at {offset} stands another size"
    return ""


def _trailer(file: BinaryIO, result: Head) -> str:
    for offset, count in (tile for d in result.directories for tile in _tiles(d)):
        file.seek(max(offset, offset + count - _LEADER))
        end = file.read(min(count, _LEADER))
        if file.read(_LEADER)[-len(end) :] != end:
            return f"behind the tile at {offset} its last bytes are not repeated"
    return ""


def _mask_follows(_file: BinaryIO, result: Head) -> str:
    for image, mask in _pairs(result):
        pairs = zip(image.numbers(324), image.numbers(325), mask.numbers(324), strict=False)
        for at, (offset, count, follower) in enumerate(pairs):
            if offset and follower and follower != offset + count + 2 * _LEADER:
                return f"the mask of tile {at} does not follow it"
    return ""


def _pairs(result: Head) -> Iterator[tuple[Directory, Directory]]:
    masks = {(d.number(256, 0), d.number(257, 0)): d for d in result.masks}
    for level in result.levels:
        size = level.number(256, 0), level.number(257, 0)
        if size in masks:
            yield level, masks[size]


_CHECKS = {
    ("LAYOUT", "IFDS_BEFORE_DATA"): _directories_first,
    ("BLOCK_ORDER", "ROW_MAJOR"): _row_major,
    ("BLOCK_LEADER", "SIZE_AS_UINT4"): _leader,
    ("BLOCK_TRAILER", "LAST_4_BYTES_REPEATED"): _trailer,
    ("MASK_INTERLEAVED_WITH_IMAGERY", "YES"): _mask_follows,
}

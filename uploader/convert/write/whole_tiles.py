"""A finished COG as GDAL decodes it fastest: each image reaches down to the end of its last tiles.

Of a tile that reaches beyond its image GDAL asks for the rows of the image alone, and libtiff then takes zlib; of a
whole tile it takes libdeflate, which is nearly twice as fast. So GDAL is shown the same file behind another head, which
is the finished one but for the heights of its images. No byte of the tiles is copied, and they are found where the
finished head says that they are. Tiles that are at most half filled are left to zlib, which has less to do then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from uploader.convert.tiff import ifd

_HEAD, _SPARSE = "whole-tiles.head", "whole-tiles.xml"


@dataclass(frozen=True, slots=True)
class WholeTiles:
    """What GDAL opens, and how large the raster and its levels are in truth: width and height, in the file's order."""

    name: str
    sizes: list[tuple[int, int]]


def whole_tiles(result: Path, folder: Path, *, kept: int) -> WholeTiles:
    """A view of a COG whose head comes first, made of two small files in a folder, which have to stay.

    The first images, so many as are `kept`, are shown as they are: others made their tiles, and need not have filled
    the last ones.

    Raises OSError as the disk says, Malformed and NoRoom where the head is not one of ours.
    """
    with result.open("rb") as file:
        head, size = ifd.read(file.fileno()), os.fstat(file.fileno()).st_size
    images = [each for each in head.directories if not head.number(each, ifd.SUBFILE) & ifd.MASK]
    sizes = [(head.number(each, ifd.WIDTH), head.number(each, ifd.HEIGHT)) for each in images]
    made = tuple(_lengthened(head, each) for each in head.directories[kept:])
    if made == head.directories[kept:]:
        return WholeTiles(str(result), sizes)
    shown = ifd.head(replace(head, directories=(*head.directories[:kept], *made)))
    room = ifd.data_start(head, size)
    if len(shown) > room:
        raise ifd.NoRoom(f"{len(shown)} bytes where {room} are")
    (folder / _HEAD).write_bytes(shown.ljust(room, b"\0"))
    regions = _region(_HEAD, 0, room) + _region(os.path.relpath(result, folder), room, size - room)
    (folder / _SPARSE).write_text(f"<VSISparseFile><Length>{size}</Length>{regions}</VSISparseFile>")
    return WholeTiles(f"/vsisparse/{folder / _SPARSE}", sizes)


def _lengthened(head: ifd.Tiff, image: ifd.Directory) -> ifd.Directory:
    height, tile = head.number(image, ifd.HEIGHT), head.number(image, ifd.TILE_HEIGHT)
    if height % tile <= tile // 2:
        return image
    whole = head.entry(ifd.LONG, [-(-height // tile) * tile])
    return replace(image, entries={**image.entries, ifd.HEIGHT: whole})


def _region(name: str, start: int, length: int) -> str:
    """So many bytes of a file, which have the same place in it as in the view."""
    return (
        f'<SubfileRegion><Filename relative="1">{name}</Filename><DestinationOffset>{start}</DestinationOffset>'
        f"<SourceOffset>{start}</SourceOffset><RegionLength>{length}</RegionLength></SubfileRegion>"
    )

"""Which tiles of a raster may be those of the COG as they are: a table and a few rules. Nothing is decoded here.

The tiles of the raster itself and those of its overviews are judged apart: levels that are missing, or do not fit,
can be made anew for a base that stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from uploader.convert.read.facts import Facts
from uploader.convert.tiff import ifd, tag_table
from uploader.convert.write.method_choice import may_pass
from uploader.convert.write.tile_copy import Image, planes

COMPRESSIONS = {
    1: "none", 5: "lzw", 7: "jpeg", 8: "deflate", 32946: "deflate", 34887: "lerc", 34925: "lzma", 50000: "zstd",
    50001: "webp",
}  # fmt: skip
"""Numbers in TIFF of the compressions whose tiles stand alone, or with tables that are tags of their directory."""

TILES = (256, 512, 1024)
"""Sides of tiles that are good for a COG; the others are made anew."""

_OVERVIEWS = ".ovr"
_OVERVIEW = 1
_SHRINKS = (1.5, 4.5)
Level = tuple[int, ...]
"""Positions of an image's directory and, if it has one, of its mask's."""


def base_movable(head: ifd.Tiff, facts: Facts, compression: str) -> str:
    """Why the tiles of the raster cannot be moved, in a few words; empty when they can.

    Square tiles of 256, 512 or 1024 that are compressed (unless nothing is asked for); nothing beside the file but
    overviews, no further pages, no metadata that names other files.
    """
    beside = tuple(name for name in facts.sidecars if not name.lower().endswith(_OVERVIEWS))
    if not may_pass(replace(facts, sidecars=beside)):
        return "sidecars, pages or domains"
    levels = list(_levels(head))
    if sorted(position for level in levels for position in level) != list(range(len(head.directories))):
        return "other directories"
    odd = (_odd(head, head.directories[position], compression) for position in levels[0])
    return next((reason for reason in odd if reason), "")


def levels_movable(head: ifd.Tiff, facts: Facts, compression: str) -> str:
    """Why the overviews of a raster whose own tiles can be moved cannot be, in a few words; empty when they can.

    Every level is tiled like the raster, about half the size of the one before and down to a single tile; masks
    are on all levels or on none. Overviews beside the file do not count.
    """
    levels = list(_levels(head))
    if facts.sidecars:
        return "overviews beside it"
    if len({len(level) for level in levels}) != 1:
        return "masks on some levels"
    for level in levels:
        for position in level:
            reason = _odd(head, head.directories[position], compression)
            if reason:
                return reason
    return _gaps(head, [head.directories[level[0]] for level in levels])


def images(source: Path, head: ifd.Tiff, *, base_only: bool) -> list[Image]:
    """The directories of a file from large to small, masks behind their images; those of the raster alone if asked."""
    levels = list(_levels(head))
    wanted = levels[:1] if base_only else levels
    return [Image(source, head.directories[position]) for level in wanted for position in level]


def _levels(head: ifd.Tiff) -> Iterator[Level]:
    """The raster and its overviews, large to small, each with its mask."""
    kinds = [head.number(each, ifd.SUBFILE) for each in head.directories]
    sizes = [(head.number(each, ifd.WIDTH), head.number(each, ifd.HEIGHT)) for each in head.directories]
    images = [n for n, kind in enumerate(kinds) if kind == (_OVERVIEW if n else 0)]
    masks = {
        sizes[n]: n
        for n, kind in enumerate(kinds)
        if kind & ifd.MASK and kind in (ifd.MASK, ifd.MASK | _OVERVIEW)
    }
    for image in sorted(images, key=lambda n: (-sizes[n][0] * sizes[n][1], n)):
        yield (image, masks[sizes[image]]) if sizes[image] in masks else (image,)


def _odd(head: ifd.Tiff, image: ifd.Directory, compression: str) -> str:
    """What one directory has that is not understood, or not wanted in a COG."""
    side = head.number(image, ifd.TILE_WIDTH)
    offsets, lengths = (head.numbers(image, tag) for tag in (ifd.TILE_OFFSETS, ifd.TILE_BYTES))
    across, down = (-(-head.number(image, tag) // max(side, 1)) for tag in (ifd.WIDTH, ifd.HEIGHT))
    method = COMPRESSIONS.get(head.number(image, ifd.COMPRESSION, 1), "")
    rules = (
        (side not in TILES or head.number(image, ifd.TILE_HEIGHT) != side, "the tiles"),
        (not method, "the compression"),
        (method == "none" and compression != "none", "not compressed"),
        (
            ifd.SUB_IFDS in image.entries or ifd.STRIP_OFFSETS in image.entries,
            "strips or further directories",
        ),
        (any(ifd.INTEROPERABILITY in child for child in image.children.values()), "a directory below Exif"),
        (not tag_table.POINTERS.isdisjoint(image.entries), "tags that hold offsets"),
        (not offsets.size == lengths.size == across * down * planes(head, image), "the number of tiles"),
    )
    return next((reason for wrong, reason in rules if wrong), "")


def _gaps(head: ifd.Tiff, images: list[ifd.Directory]) -> str:
    """Whether the levels are a pyramid down to one tile."""
    sizes = [(head.number(each, ifd.WIDTH), head.number(each, ifd.HEIGHT)) for each in images]
    for (width, height), (less_wide, less_high) in pairwise(sizes):
        shrunk = [
            large / max(small, 1) for large, small in ((width, less_wide), (height, less_high)) if small > 1
        ]
        if any(not _SHRINKS[0] <= factor <= _SHRINKS[1] for factor in shrunk):
            return "a level that does not fit"
    smallest = images[-1]
    return "" if max(sizes[-1]) <= head.number(smallest, ifd.TILE_WIDTH) else "levels are missing"

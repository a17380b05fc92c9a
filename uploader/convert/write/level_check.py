"""Whether levels that GDAL compressed are in the finished file what they were in files of their own.

So it is where levels are lossy, or compressed by another method than DEFLATE: then no sums were taken of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.pyramid.pixel_coverage import sizes
from uploader.convert.read.block_reader import read
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import opened
from uploader.convert.read.windows import pieces
from uploader.convert.write.pixel_comparison import same_bits


def difference(result: Path, files: Sequence[Path], wanted: Pyramid) -> str:
    """The first difference between the overviews of a file and their own files, from large to small, in words.

    All tiles of the overviews are decoded. Empty when there is none. Raises RasterUnreadable, and what GDAL says of
    tiles that do not decode.
    """
    whole = wanted.facts
    levels = [
        replace(whole, width=width, height=height)
        for width, height in sizes(whole.width, whole.height, wanted.tile)
    ]
    found = (
        _difference(result, n, path, level, wanted)
        for n, (path, level) in enumerate(zip(files, levels, strict=True))
    )
    return next(filter(None, found), "")


def _difference(result: Path, number: int, path: Path, level: Facts, wanted: Pyramid) -> str:
    masks = frozenset({1}) if wanted.masked else frozenset[int]()
    with opened(result, "GTiff", overview=number) as held, opened(path, "GTiff") as own:
        if (held.width, held.height) != (level.width, level.height):
            return f"the size of level {number + 1}"
        for piece in pieces(level):
            before, after = (read(dataset, level, piece, masks) for dataset in (own, held))
            alike = all((before.masks[index] == mask).all() for index, mask in after.masks.items())
            if not (alike and same_bits(before.samples, after.samples)):
                return f"pixels near column {piece.column}, row {piece.row} of level {number + 1}"
    return ""

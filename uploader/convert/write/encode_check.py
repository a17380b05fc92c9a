"""Whether a file that was encoded holds what was read: all of it is read back through GDAL, and compared by sums.

That a level shows the level above it is shown anew for some squares of it, by the other way of making levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from uploader.convert.pyramid.overview_writer import region
from uploader.convert.read.block_reader import blocks, read
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import opened
from uploader.convert.read.pass_progress import COMPARING, counted
from uploader.convert.read.windows import Piece, rows_of_tiles, sampled
from uploader.convert.write.encode_plan import Plan
from uploader.convert.write.encode_sums import Sums
from uploader.convert.write.pixel_comparison import same_bits

_SHOWN = 6
_SIDE = 128
"""How many squares of each level are made anew, and their side."""


def difference(result: Path, plan: Plan, sums: Sums, *, sample: bool, first: int = 0) -> str:
    """The first difference, in words; empty when there is none. With `sample` some rows of tiles stand for all.

    What is larger than level `first` is not read back. Raises RasterUnreadable, and what GDAL says of a file that does
    not decode.
    """
    found = (
        _difference(result, plan, sums, number, sample=sample) for number in range(first, len(plan.levels))
    )
    unlike = (_unlike(result, plan, number) for number in range(1, len(plan.levels)))
    return next(filter(None, (*found, *unlike)), "")


def _difference(result: Path, plan: Plan, sums: Sums, number: int, *, sample: bool) -> str:
    level = plan.levels[number]
    pieces = rows_of_tiles(level, plan.wanted.tile)
    wanted = sampled(pieces) if sample else pieces
    masked = frozenset({1}) if plan.wanted.masked else frozenset[int]()
    left = sum(each.samples for each in plan.levels[number:])
    with opened(result, "GTiff", overview=number - 1 if number else None) as dataset:
        if (dataset.width, dataset.height) != (level.width, level.height):
            return f"the size of level {number}"
        with closing(blocks(dataset, level, wanted, masked)) as found:
            for rows in counted(found, level.samples, level.samples / left * COMPARING):
                if not sums.same(number, rows):
                    return f"pixels near row {rows.piece.row} of level {number}"
    return ""


def _unlike(result: Path, plan: Plan, number: int) -> str:
    """Whether some squares of a level do not follow from the level above."""
    above, level = plan.levels[number - 1], plan.levels[number]
    bands = frozenset({1}) if plan.wanted.masked else frozenset[int]()
    with (
        opened(result, "GTiff", overview=number - 2 if number > 1 else None) as large,
        opened(result, "GTiff", overview=number - 1) as small,
    ):
        for piece in _few(level):
            made, held = region(large, above, level, piece, plan.wanted), read(small, level, piece, bands)
            alike = all((made.masks[index] == mask).all() for index, mask in held.masks.items())
            if not (alike and same_bits(made.samples, held.samples)):
                return f"level {number} near column {piece.column}, row {piece.row}"
    return ""


def _few(level: Facts) -> Sequence[Piece]:
    """Some squares: the first, the last, and others evenly between."""
    bands = tuple(band.index for band in level.bands)
    across, down = -(-level.width // _SIDE), -(-level.height // _SIDE)
    places = sorted({round(k * (across * down - 1) / (_SHOWN - 1)) for k in range(_SHOWN)})
    corners = [(place // across * _SIDE, place % across * _SIDE) for place in places]
    return [
        Piece(column, row, min(_SIDE, level.width - column), min(_SIDE, level.height - row), bands)
        for row, column in corners
    ]

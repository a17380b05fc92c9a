"""Whether a file that was encoded holds what was read: all of it is read back through GDAL, and compared.

It is read back in whole tiles (`whole_tiles`). That a level shows the level above it is shown anew for some squares of
it, by the other way of making levels. Threads share the rows of tiles of a level, each with a dataset of its own;
squares are made of rows that were decoded just before, so that GDAL still has them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from uploader.convert.pyramid.overview_writer import region
from uploader.convert.pyramid.pixel_coverage import Axis
from uploader.convert.read.block_reader import Block, read
from uploader.convert.read.executors import executor
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import Dataset, opened
from uploader.convert.read.pass_progress import COMPARING, counter
from uploader.convert.read.windows import Piece, rows_of_tiles, sampled
from uploader.convert.write.encode_plan import EncodePlan
from uploader.convert.write.pixel_comparison import same_bits
from uploader.convert.write.pixel_memory import PixelMemory
from uploader.convert.write.whole_tiles import WholeTiles, whole_tiles

_SHOWN = 6
_SIDE = 128
"""How many squares of each level are made anew, and their side."""


def difference(
    result: Path, plan: EncodePlan, seen: PixelMemory, folder: Path, *, sample: bool, first: int = 0
) -> str:
    """The first difference, in words; empty when there is none. With `sample` some rows of tiles stand for all.

    What is larger than level `first` is not read back. A few bytes are left in the folder. Raises RasterUnreadable, and
    what GDAL says of a file that does not decode.
    """
    made: dict[Piece, Block] = {}
    view = whole_tiles(result, folder, kept=len(plan.kept))
    with executor(plan.threads) as pool:
        for number, level in enumerate(plan.levels):
            left = sum(each.samples for each in plan.levels[number:])
            count = counter(level.samples, level.samples / left * COMPARING)
            look = _Look(plan, seen, number, made, count)
            rows = look.rows(sample=sample) if number >= first else ()
            wrong = _differs(view, look, rows, pool)
            if wrong:
                return wrong
            made = look.below
    return ""


def _differs(view: WholeTiles, look: _Look, rows: Collection[Piece], pool: Executor) -> str:
    """The first difference of one level, of which some rows of tiles are read back."""
    if view.sizes[look.number : look.number + 1] != [(look.level.width, look.level.height)]:
        return f"the size of level {look.number}"
    everything = look.rows(sample=False)
    threads = min(look.plan.threads, len(everything))
    with ExitStack() as stack:
        datasets = [stack.enter_context(_opened(view, look.number)) for _ in range(threads)]
        shares = [everything[turn::threads] for turn in range(threads)]
        pairs = zip(datasets, shares, strict=True)
        looks = [pool.submit(look.differs, dataset, share, rows) for dataset, share in pairs]
        wait(looks)  # also where one has failed: the others use their datasets
    return next(filter(None, (each.result() for each in looks)), "")


def _opened(view: WholeTiles, number: int) -> AbstractContextManager[Dataset]:
    return opened(view.name, "GTiff", placeless=True, overview=number - 1 if number else None, threads=1)


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at one level. `made` are squares of it as they follow from the level above, `below` those of the next.

    `count` is told of how many samples it is done with.
    """

    plan: EncodePlan
    seen: PixelMemory
    number: int
    made: dict[Piece, Block]
    count: Callable[[int], None]
    below: dict[Piece, Block] = field(default_factory=dict)

    @property
    def level(self) -> Facts:
        """The level itself."""
        return self.plan.levels[self.number]

    def rows(self, *, sample: bool) -> Sequence[Piece]:
        """Its rows of tiles, or some of them."""
        rows = rows_of_tiles(self.level, self.plan.wanted.tile)
        return sampled(rows) if sample else rows

    def differs(self, dataset: Dataset, share: Sequence[Piece], known: Collection[Piece]) -> str:
        """The first difference in some rows of tiles, of which those that are `known` are compared whole.

        Then squares of the next level are made of what is in them.
        """
        masks = frozenset({1}) if self.plan.wanted.masked else frozenset[int]()
        for rows in share:
            if rows in known and not self.seen.same(self.number, read(dataset, self.level, rows, masks)):
                return f"pixels near row {rows.row} of level {self.number}"
            for square in self.made:
                if _within(square.row, rows) and not self._follows(
                    square, read(dataset, self.level, square, masks)
                ):
                    return f"level {self.number} near column {square.column}, row {square.row}"
            self._make_squares(dataset, rows)
            self.count(rows.width * rows.height * len(rows.bands))
        return ""

    def _follows(self, square: Piece, held: Block) -> bool:
        """Whether a square holds what was made for it."""
        made = self.made[square]
        alike = all((made.masks[index] == mask).all() for index, mask in held.masks.items())
        return alike and same_bits(made.samples, held.samples)

    def _make_squares(self, dataset: Dataset, rows: Piece) -> None:
        """Make the squares of the next level that begin under some rows of this one."""
        for level in self.plan.levels[self.number + 1 :][:1]:
            down = Axis(self.level.height, level.height)
            for square in _few(level):
                if _within(down.span(square.row, square.row + 1)[0], rows):
                    self.below[square] = region(dataset, self.level, level, square, self.plan.wanted)


def _within(row: int, rows: Piece) -> bool:
    return rows.row <= row < rows.row + rows.height


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

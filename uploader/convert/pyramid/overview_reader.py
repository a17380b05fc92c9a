"""Overviews of a file, looked at while the level above them is read anyway."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.pyramid.overview_check import REACH, Plane, Tolerance, failed_blocks, rule_for
from uploader.convert.pyramid.pixel_coverage import Axis, Footprints
from uploader.convert.read.block_reader import Block, blocks, read
from uploader.convert.read.facts import ALL_VALID, BandFacts, Facts
from uploader.convert.read.formats.open_raster import Dataset, opened, translated
from uploader.convert.read.windows import Piece, pieces

_AT_ONCE = 256
"""Rows and columns of a level that are judged at once: what is above them stays in the processor's cache."""


class LevelWatch:
    """Judges one level by the blocks of the level above it that it is shown, in any order.

    `facts` are those of the level above. A block must have `margin` pixels around it, and masks of the bands
    `masked`. Once a block of the level has failed, `failed` is true and nothing more is looked at. `others` waits for
    what is found of the levels below.
    """

    def __init__(
        self,
        level: Dataset,
        facts: Facts,
        rules: tuple[Tolerance, ...],
        others: Callable[[], bool] = lambda: True,
    ) -> None:
        self._level, self._facts, self._rules = level, facts, rules
        self._others = others
        self._rows, self._columns = Axis(facts.height, level.height), Axis(facts.width, level.width)
        self.margin = math.ceil((REACH + 1) * max(self._rows.ratio, self._columns.ratio)) + 1
        self.masked = frozenset(band.index for band in facts.bands if not band.mask & ALL_VALID)
        self.failed = False

    def believed(self) -> bool:
        """Whether the level has not failed, and none of those below does. Raises RasterUnreadable."""
        return not self.failed and self._others()

    def see(self, block: Block) -> None:
        """Judge the pixels of the level that begin within the block. Raises RasterUnreadable."""
        piece = block.piece
        rows = self._rows.within(piece.row, piece.row + piece.height)
        columns = self._columns.within(piece.column, piece.column + piece.width)
        with translated("read in its overviews"):
            for row in range(rows[0], rows[1], _AT_ONCE):
                for column in range(columns[0], columns[1], _AT_ONCE):
                    if not self.failed:
                        core = Piece(
                            column,
                            row,
                            min(_AT_ONCE, columns[1] - column),
                            min(_AT_ONCE, rows[1] - row),
                            piece.bands,
                        )
                        self.failed = self._fails(core, block.around or block)

    def sees_all(self, above: Dataset, wanted: Iterable[Piece]) -> bool:
        """Read pieces of the level above, and judge by them. Raises RasterUnreadable."""
        with (
            translated("read in its overviews"),
            closing(blocks(above, self._facts, wanted, self.masked, margin=self.margin)) as found,
        ):
            for block in found:
                self.see(block)
                if self.failed:
                    break
        return not self.failed

    def _fails(self, core: Piece, above: Block) -> bool:
        small = replace(self._facts, width=self._level.width, height=self._level.height)
        level = read(self._level, small, core, self.masked, margin=REACH).around
        assert level is not None
        wide = level.piece
        top, left = wide.row + wide.height, wide.column + wide.width
        footprints = Footprints(self._rows.cover(wide.row, top), self._columns.cover(wide.column, left))
        (row, bottom), (column, right) = self._rows.span(wide.row, top), self._columns.span(wide.column, left)
        part = above.part(Piece(column, row, right - column, bottom - row, wide.bands))
        return any(
            failed_blocks(
                _plane(part, k, self._facts.bands[index - 1]),
                _plane(level, k, self._facts.bands[index - 1]),
                footprints,
                core.within(wide),
                self._rules[index - 1],
            ).any()
            for k, index in enumerate(wide.bands)
        )


def _plane(block: Block, k: int, band: BandFacts) -> Plane:
    """One band of a block. What is no number though no mask says so is a hole, and not valid."""
    samples: NDArray[Any] = block.samples[k]
    valid = block.masks.get(band.index)
    opacity = block.opacity.get(band.index)
    opaque = None if opacity is None else opacity == np.iinfo(np.uint8).max
    if samples.dtype.kind not in "fc":
        return Plane(samples, valid, opaque)
    finite = np.isfinite(samples)
    if finite.all():
        return Plane(samples, valid, opaque)
    return Plane(
        samples,
        finite if valid is None else finite & valid,
        opaque,
        holes=~finite if valid is None else ~finite & valid,
    )


def rules(base: Dataset, level: Dataset, facts: Facts, *, classes: bool) -> tuple[Tolerance, ...]:
    """What is tolerated in each band of a raster's levels: either may have been changed by its own compression."""
    structures = [each.tags(ns="IMAGE_STRUCTURE") for each in (base, level)]
    kept = [each.get("COMPRESSION_REVERSIBILITY") == "LOSSLESS" for each in structures]
    changing = [
        each.get("COMPRESSION", "") for each, exact in zip(structures, kept, strict=True) if not exact
    ]
    error = max(float(each.get("MAX_Z_ERROR", 0)) for each in structures)
    return tuple(
        rule_for(
            band.dtype,
            bits=band.bits,
            classes=classes,
            alpha=band.interpretation == "alpha",
            compressions=changing,
            error=error,
        )
        for band in facts.bands
    )


def overviews(path: Path) -> int:
    """How many overviews a GeoTIFF has that nothing lies beside."""
    with opened(path, "GTiff", facts_only=True) as dataset:
        return len(dataset.overviews(1))


@contextmanager
def watched(base: Dataset, path: Path, facts: Facts, *, classes: bool) -> Iterator[LevelWatch]:
    """A watch over the largest overview of a file, open as `base`; a thread judges those below it meanwhile."""
    with opened(path, "GTiff", overview=0, threads=1) as level, ThreadPoolExecutor(1) as thread:
        judged = rules(base, level, facts, classes=classes)
        yield LevelWatch(level, facts, judged, thread.submit(smaller_levels_fit, path, facts, judged).result)


def smaller_levels_fit(path: Path, facts: Facts, judged: tuple[Tolerance, ...]) -> bool:
    """Whether each overview but the first shows the one before it. Raises RasterUnreadable."""
    return all(_fits(path, facts, judged, level) for level in range(1, overviews(path)))


def _fits(path: Path, facts: Facts, judged: tuple[Tolerance, ...], level: int) -> bool:
    with (
        opened(path, "GTiff", overview=level - 1, threads=1) as above,
        opened(path, "GTiff", overview=level, threads=1) as below,
    ):
        size = replace(facts, width=above.width, height=above.height)
        watch = LevelWatch(below, size, judged)
        return watch.sees_all(above, pieces(size))

"""A raster encoded in one pass: each row is read once, and from it come statistics, levels and tiles.

The tiles of each image wait in a file of their own until their sizes are known; then they are put in a COG's order
behind the head (`tile_copy`), which GDAL wrote for a wrapper without pixels.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from uploader.convert.pyramid.level_stream import LevelStream
from uploader.convert.pyramid.smallest_level import SmallestLevel, SmallLevel
from uploader.convert.read.block_reader import Block, blocks
from uploader.convert.read.executors import executor
from uploader.convert.read.formats.open_raster import Dataset
from uploader.convert.read.measure import Gauge
from uploader.convert.read.pass_progress import WRITING, counted
from uploader.convert.read.windows import rows_of_tiles
from uploader.convert.tiff import ifd
from uploader.convert.write.encode_plan import EncodePlan
from uploader.convert.write.encode_tiles import TileForm, encoded, encoded_mask, tiles
from uploader.convert.write.gdal_tiles import GdalTiles
from uploader.convert.write.pixel_memory import PixelMemory, memory
from uploader.convert.write.row_masks import asked, for_gauge, with_masks
from uploader.convert.write.tile_copy import Image, planes
from uploader.convert.write.tile_file import TileFile

_AHEAD = 8
"""Tiles that may wait for a thread, of a raster that is only a few tiles wide."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The images of a raster, whose tiles lie in a folder; what they hold; the smallest of them where it is small."""

    images: list[Image]
    seen: PixelMemory
    smallest: SmallLevel | None


def encode(dataset: Dataset, plan: EncodePlan, folder: Path, gauge: Gauge | None) -> Encoded:
    """Read a raster once, and show it to the gauge. Raises what GDAL and the disk say."""
    seen = memory(plan.levels, plan.wanted)
    last, level_facts = len(plan.levels) - 1, plan.levels[-1]
    smallest = SmallestLevel(plan.facts.bands, level_facts.pixels)
    levels = LevelStream(plan.wanted)
    with GdalTiles(plan, folder) if plan.wanted.options else Tiles(plan, folder) as made:
        pieces = rows_of_tiles(plan.facts, plan.wanted.tile)
        wanted = asked(plan.facts)
        with closing(blocks(dataset, plan.facts, pieces, wanted)) as found:
            for block in counted(found, plan.facts.samples, WRITING):
                rows = with_masks(block, plan.facts)
                _keep(plan, 0, rows, seen, made)
                if gauge:
                    gauge.add(for_gauge(rows, gauge))
                if not last:
                    smallest.add(rows)
                for number, level in levels.add(rows):
                    _keep(plan, number + 1, level, seen, made)
                    if number + 1 == last:
                        smallest.add(level)
        return Encoded([*plan.kept, *made.images()], seen, smallest.level())


def _keep(plan: EncodePlan, number: int, rows: Block, seen: PixelMemory, made: Tiles | GdalTiles) -> None:
    """They are remembered first: the pixels as they were handed over, before anything is cut."""
    seen.add(number, rows)
    if number in plan.made:
        made.add(number, rows)


class Tiles:
    """Compresses rows of tiles with threads, and keeps the tiles of each image in a file."""

    def __init__(self, plan: EncodePlan, folder: Path) -> None:
        self._plan = plan
        side = plan.wanted.tile
        self._form = TileForm(side, plan.head.number(plan.head.directories[0], ifd.PREDICTOR, 1))
        self._planes = planes(plan.head, plan.head.directories[0])
        self._most = self._planes * max(_AHEAD, 2 * -(-plan.facts.width // side))
        self._waiting: deque[tuple[TileFile, Future[bytes]]] = deque()
        self._stack = ExitStack()
        self._pool = self._stack.enter_context(executor(plan.threads))
        names = ("image", "mask") if plan.wanted.masked else ("image",)
        self._files = {
            number: [
                self._stack.enter_context(closing(TileFile(folder / f"{name}-{number}.tiles")))
                for name in names
            ]
            for number in plan.made
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for _, coming in self._waiting:
            coming.cancel()
        self._stack.close()

    def add(self, number: int, rows: Block) -> None:
        """One row of tiles of the raster (0) or a level. Raises OSError as the disk says."""
        image, *masks = self._files[number]
        for tile in tiles(rows.samples, self._form.side):
            for part in np.split(tile, self._planes):
                self._wait_for(image, self._pool.submit(encoded, part, self._form))
        for mask in masks:
            for tile in tiles(rows.masks[1][None], self._form.side):
                self._wait_for(mask, self._pool.submit(encoded_mask, tile[0], self._form.side))

    def _wait_for(self, target: TileFile, coming: Future[bytes]) -> None:
        self._waiting.append((target, coming))
        self._write(self._most)

    def _write(self, most: int) -> None:
        """Write tiles in their order until so many wait."""
        while len(self._waiting) > most:
            target, coming = self._waiting.popleft()
            target.add(coming.result())

    def images(self) -> list[Image]:
        """All images, from large to small, masks behind their images; no more rows come."""
        self._write(0)
        return [
            file.image(self._plan.head, entries)
            for number, files in self._files.items()
            for file, entries in zip(files, self._plan.entries(number), strict=False)
        ]

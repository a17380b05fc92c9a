"""Pixels and masks of a raster piece by piece, the next piece being decoded while one is worked on."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.read.executors import small
from uploader.convert.read.facts import ALPHA, PER_DATASET, Facts
from uploader.convert.read.formats.open_raster import Dataset
from uploader.convert.read.windows import WINDOW_BYTES, Piece

Mask = NDArray[np.bool_]
"""True where a pixel counts."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece: `samples` (bands, rows, columns), and the masks of those of its bands that were asked for.

    `opacity` is 0 to 255, for those of them whose mask is an alpha band. `around` is a wider block of which this is
    a part, if one was asked for.
    """

    piece: Piece
    samples: NDArray[Any]
    masks: dict[int, Mask]
    opacity: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    around: Block | None = None

    def part(self, piece: Piece) -> Block:
        """A part of it, which keeps the whole as what is around."""
        place = piece.within(self.piece)
        return Block(
            piece,
            self.samples[:, *place],
            {index: mask[place] for index, mask in self.masks.items()},
            {index: values[place] for index, values in self.opacity.items()},
            around=self,
        )


def read(dataset: Dataset, facts: Facts, piece: Piece, masked: Collection[int], *, margin: int = 0) -> Block:
    """One piece with the masks of the bands `masked`. A mask that bands share is read once."""
    if margin:
        return read(dataset, facts, piece.widened(margin, facts), masked).part(piece)
    samples = dataset.read(list(piece.bands), window=piece.place)
    masks: dict[int, Mask] = {}
    opacity: dict[int, NDArray[np.uint8]] = {}
    shared: NDArray[np.uint8] | None = None
    for index in piece.bands:
        if index not in masked:
            continue
        flags = facts.bands[index - 1].mask
        common = bool(flags & PER_DATASET)
        mask = shared if common and shared is not None else dataset.read_masks(index, window=piece.place)
        shared = mask if common else shared
        # Bits are read as 0 and 1 or as 0 and 255, depending on who holds them: zero or not is what counts.
        masks[index] = mask != 0
        if flags & ALPHA:
            opacity[index] = mask
    return Block(piece, samples, masks, opacity)


def blocks(
    dataset: Dataset, facts: Facts, pieces: Iterable[Piece], masked: Collection[int], *, margin: int = 0
) -> Generator[Block, None, None]:
    """All pieces in order. The dataset belongs to this until it is exhausted or closed.

    Each has so many pixels around it as `margin` says. One piece is read ahead, unless the raster is small, or its
    own blocks are too large to hold two of them.
    """
    if facts.block_bytes > WINDOW_BYTES or small(facts.raw_bytes):
        yield from (read(dataset, facts, piece, masked, margin=margin) for piece in pieces)
        return
    with ThreadPoolExecutor(1) as thread:
        coming: Future[Block] | None = None
        for piece in pieces:
            before, coming = coming, thread.submit(read, dataset, facts, piece, masked, margin=margin)
            if before is not None:
                yield before.result()
        if coming is not None:
            yield coming.result()

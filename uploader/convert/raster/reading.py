"""Pixels and masks of a raster piece by piece, the next piece being decoded while one is worked on."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uploader.convert.formats.opening import Dataset
from uploader.convert.raster.facts import PER_DATASET, Facts
from uploader.convert.raster.windows import WINDOW_BYTES, Piece

Mask = NDArray[np.bool_]
"""True where a pixel counts."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece: `samples` (bands, rows, columns), and the masks of those of its bands that were asked for."""

    piece: Piece
    samples: NDArray[Any]
    masks: dict[int, Mask]


def read(dataset: Dataset, facts: Facts, piece: Piece, masked: Collection[int]) -> Block:
    """One piece with the masks of the bands `masked`. A mask that bands share is read once."""
    samples = dataset.read(list(piece.bands), window=piece.place)
    masks: dict[int, Mask] = {}
    shared: Mask | None = None
    for index in piece.bands:
        if index not in masked:
            continue
        common = bool(facts.bands[index - 1].mask & PER_DATASET)
        # Bits are read as 0 and 1 or as 0 and 255, depending on who holds them: zero or not is what counts.
        mask = shared if common and shared is not None else dataset.read_masks(index, window=piece.place) != 0
        shared = mask if common else shared
        masks[index] = mask
    return Block(piece, samples, masks)


def blocks(
    dataset: Dataset, facts: Facts, pieces: Iterable[Piece], masked: Collection[int]
) -> Generator[Block, None, None]:
    """All pieces in order. The dataset belongs to this until it is exhausted or closed.

    One piece is read ahead, unless the raster's own blocks are too large to hold two of them.
    """
    if facts.block_bytes > WINDOW_BYTES:
        yield from (read(dataset, facts, piece, masked) for piece in pieces)
        return
    with ThreadPoolExecutor(1) as thread:
        coming: Future[Block] | None = None
        for piece in pieces:
            before, coming = coming, thread.submit(read, dataset, facts, piece, masked)
            if before is not None:
                yield before.result()
        if coming is not None:
            yield coming.result()

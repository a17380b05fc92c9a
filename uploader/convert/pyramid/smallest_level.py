"""The smallest level of a raster, kept as it was made: what shows the raster need not be decoded for that again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uploader.convert.read.block_reader import Block
from uploader.convert.read.facts import BandFacts
from uploader.convert.read.shown_bands import shown_bands

_MOST_PIXELS = 512 * 512


@dataclass(frozen=True, slots=True)
class SmallLevel:
    """`samples` (bands, rows, columns) of the bands that are shown, and `opacity` (rows, columns), 0 to 255."""

    samples: NDArray[np.generic]
    opacity: NDArray[np.uint8]


class SmallestLevel:
    """Takes in the rows of a level from the first to the last; keeps them if they are few."""

    def __init__(self, bands: Sequence[BandFacts], pixels: int) -> None:
        self._shown = shown_bands(bands)
        alpha = [band.index for band in bands if band.interpretation == "alpha" and band.dtype == "uint8"]
        self._alpha = alpha[0] if alpha else 0
        self._kept: list[SmallLevel] | None = [] if pixels <= _MOST_PIXELS else None

    def add(self, rows: Block) -> None:
        """The next rows, with all bands, and the masks of those that are not wholly valid."""
        if self._kept is not None:
            samples = rows.samples[[rows.piece.bands.index(index) for index in self._shown]]
            self._kept.append(SmallLevel(samples, self._opacity(rows)))

    def _opacity(self, rows: Block) -> NDArray[np.uint8]:
        if self._alpha:
            alpha: NDArray[np.uint8] = rows.samples[rows.piece.bands.index(self._alpha)].astype(np.uint8)
            return alpha
        mask = rows.masks.get(self._shown[0])
        if mask is None:
            return np.full(rows.samples.shape[1:], 255, np.uint8)
        return np.where(mask, 255, 0).astype(np.uint8)

    def level(self) -> SmallLevel | None:
        """All of it; None where it was not kept."""
        if not self._kept:
            return None
        if len(self._kept) == 1:
            return self._kept[0]
        samples = np.concatenate([part.samples for part in self._kept], axis=1)
        return SmallLevel(samples, np.concatenate([part.opacity for part in self._kept]))

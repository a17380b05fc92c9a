"""Sums by which pixels that were read twice are compared: of the source, and of the finished file. Pure.

Each sum is of one band of some whole rows. Every four bytes of a row are multiplied by a weight of their column, every
row by a weight of its own, the whole by one of its band, modulo 2**64. So a shift, an exchange of rows, columns or
bands, or one bit changes it. The weights are random and known to this process alone: nobody can make a raster whose
pixels may be exchanged without a trace. (Lemire and Kaser, "Strongly universal string hashing is fast", 2014.)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MODULUS = 1 << 64
_WORD = 4
_AT_ONCE = 1 << 17
"""Words that are weighted at once: as 64 bits they stay in the processor's cache."""


class PixelSums:
    """Sums of rows of at most `row_bytes` bytes, at most so many `rows` at a time, of `bands` bands."""

    def __init__(self, row_bytes: int, rows: int, bands: int) -> None:
        self._columns = _weights(-(-row_bytes // _WORD))
        self._rows = _weights(rows)
        self._bands = _weights(bands)

    def of_all(self, samples: NDArray[Any]) -> tuple[int, ...]:
        """The sum of each band of (bands, rows, columns)."""
        return self.of(samples, range(len(samples)))

    def of(self, samples: Sequence[NDArray[Any]] | NDArray[Any], bands: Sequence[int]) -> tuple[int, ...]:
        """The sums of arrays of (rows, columns), as bands of these numbers, counted from 0."""
        return tuple(self._of_band(rows, int(band)) for rows, band in zip(samples, bands, strict=True))

    def _of_band(self, rows: NDArray[Any], band: int) -> int:
        bits = np.ascontiguousarray(rows).view(np.uint8)
        whole = bits.shape[1] // _WORD * _WORD
        words, rest = bits[:, :whole], bits[:, whole:]
        sums = np.empty(len(bits), np.uint64)
        step = max(1, _AT_ONCE * _WORD // max(1, whole))
        for row in range(0, len(bits), step):
            part = words[row : row + step].view(np.uint32).astype(np.uint64)
            sums[row : row + step] = part @ self._columns[: part.shape[1]]
        if rest.shape[1]:
            last = np.pad(rest, ((0, 0), (0, _WORD - rest.shape[1]))).view(np.uint32)[:, 0]
            sums += last.astype(np.uint64) * self._columns[whole // _WORD]
        total = sums @ self._rows[: len(sums)]
        return int(total) * int(self._bands[band]) % _MODULUS


def _weights(count: int) -> NDArray[np.uint64]:
    """Random odd numbers: an odd factor loses no bit."""
    return np.frombuffer(os.urandom(8 * count), np.uint64) | np.uint64(1)

"""Rows of pixels cut into tiles, and each tile compressed as TIFF has it: padded, predicted, deflated. Pure.

Predictors as libtiff has them: 2 takes from each sample the one of its band before it, 3 does so with the bytes of
floats, sorted by their place. Masks are single bits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

NONE, DIFFERENCES, FLOATS = 1, 2, 3
"""The predictors by their numbers in TIFF."""


EFFORT = 1
"""The level of ISA-L, whose streams are zlib's: higher ones are slower, and hardly smaller."""


@dataclass(frozen=True, slots=True)
class TileForm:
    """What a tile is like in the file: its side, and its predictor."""

    side: int
    predictor: int


def tiles(rows: NDArray[Any], side: int) -> Iterator[NDArray[Any]]:
    """The tiles of one row of them, (bands, rows, columns) each, from left to right; the last may be narrower."""
    for column in range(0, rows.shape[2], side):
        yield rows[:, :, column : column + side]


def encoded(tile: NDArray[Any], form: TileForm) -> bytes:
    """A tile's bytes in the file; `tile` is (bands, rows, columns), and is padded with its last pixels."""
    whole = _filled(tile, form.side)
    if form.predictor == FLOATS:
        return _deflated(_float_differences(whole))
    if form.predictor == DIFFERENCES:
        return _deflated(_differences(whole.view(f"u{whole.dtype.itemsize}")))
    return _deflated(np.ascontiguousarray(whole.transpose(1, 2, 0)))


def encoded_mask(mask: NDArray[np.bool_], side: int) -> bytes:
    """A mask's bytes in the file: a bit for each pixel, none set beyond the raster."""
    whole = np.zeros((side, side), np.bool_)
    whole[: mask.shape[0], : mask.shape[1]] = mask
    return _deflated(np.packbits(whole, axis=1))


def _deflated(data: NDArray[Any]) -> bytes:
    return isal_zlib.compress(data, EFFORT)


def _filled(tile: NDArray[Any], side: int) -> NDArray[Any]:
    """A whole tile: beyond the raster its last pixels go on. It takes half as long as `numpy.pad`."""
    bands, rows, columns = tile.shape
    if (rows, columns) == (side, side):
        return tile
    whole = np.empty((bands, side, side), tile.dtype)
    whole[:, :rows, :columns] = tile
    whole[:, :rows, columns:] = tile[:, :, -1:]
    whole[:, rows:] = whole[:, rows - 1 : rows]
    return whole


def _differences(tile: NDArray[Any]) -> NDArray[Any]:
    """Pixel by pixel: each sample less the one to its left."""
    bands, rows, columns = tile.shape
    out = np.empty((rows, columns, bands), tile.dtype)
    for band, samples in enumerate(tile):
        out[:, 0, band] = samples[:, 0]
        np.subtract(samples[:, 1:], samples[:, :-1], out=out[:, 1:, band])
    return out


def _float_differences(tile: NDArray[Any]) -> NDArray[np.uint8]:
    """Row by row: first the highest bytes of all its samples, last the lowest; then each byte less the one before."""
    bands, rows, columns = tile.shape
    size = tile.dtype.itemsize
    planes = np.empty((rows, size, columns, bands), np.uint8)
    parts = tile.view(np.uint8) if tile.flags.c_contiguous else np.ascontiguousarray(tile).view(np.uint8)
    parts = parts.reshape(bands, rows, columns, size)
    for place in range(size):
        byte = size - 1 - place if sys.byteorder == "little" else place
        for band in range(bands):
            planes[:, place, :, band] = parts[band, :, :, byte]
    flat = planes.reshape(rows, size * columns * bands)
    out = np.empty_like(flat)
    out[:, :bands] = flat[:, :bands]
    np.subtract(flat[:, bands:], flat[:, :-bands], out=out[:, bands:])
    return out

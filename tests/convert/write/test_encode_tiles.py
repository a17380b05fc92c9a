"""Tiles as TIFF has them, undone by an independent reading of the format."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from uploader.convert.write.encode_tiles import (
    DIFFERENCES,
    FLOATS,
    NONE,
    TileForm,
    encoded,
    encoded_mask,
    tiles,
)

pytestmark = pytest.mark.unit

_SIDE = 64


def undone(content: bytes, predictor: int, dtype: np.dtype, bands: int) -> np.ndarray:
    """A tile as (bands, rows, columns): TIFF 6.0, and "TIFF Technical Note 3" for floats."""
    raw = zlib.decompress(content)
    if predictor == FLOATS:
        rows = np.frombuffer(raw, np.uint8).reshape(_SIDE, -1).copy()
        for column in range(bands, rows.shape[1]):
            rows[:, column] += rows[:, column - bands]
        planes = rows.reshape(_SIDE, dtype.itemsize, _SIDE * bands)
        found = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(dtype.newbyteorder(">"))
        return found.astype(dtype).reshape(_SIDE, _SIDE, bands).transpose(2, 0, 1)
    found = np.frombuffer(raw, dtype).reshape(_SIDE, _SIDE, bands).copy()
    if predictor == DIFFERENCES:
        for column in range(1, _SIDE):
            found[:, column] += found[:, column - 1]
    return found.transpose(2, 0, 1)


@pytest.mark.parametrize("bands", [1, 3, 5])
@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [
        *((name, DIFFERENCES) for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32")),
        *((name, FLOATS) for name in ("float32", "float64")),
        ("uint8", NONE),
    ],
)
@pytest.mark.parametrize("size", [(_SIDE, _SIDE), (_SIDE - 5, 9), (1, 1)])
def test_a_tile_holds_its_pixels_and_repeats_the_last(
    size: tuple[int, int], dtype: str, predictor: int, bands: int
) -> None:
    """Of every type and predictor; beyond the raster the last pixels are repeated."""
    pixels = (np.random.default_rng(1).random((bands, *size)) * 250 - 60).astype(dtype)
    wanted = np.pad(pixels, ((0, 0), (0, _SIDE - size[0]), (0, _SIDE - size[1])), mode="edge")

    found = undone(encoded(pixels, TileForm(_SIDE, predictor)), predictor, np.dtype(dtype), bands)

    assert np.array_equal(found, wanted)


def test_a_mask_is_a_bit_for_each_pixel() -> None:
    """The first pixel is the highest bit; beyond the raster none is set."""
    mask = np.zeros((3, 10), np.bool_)
    mask[0, 0] = mask[2, 9] = True
    bits = np.unpackbits(np.frombuffer(zlib.decompress(encoded_mask(mask, _SIDE)), np.uint8))

    assert np.flatnonzero(bits).tolist() == [0, 2 * _SIDE + 9]
    assert bits.size == _SIDE * _SIDE


def test_rows_are_cut_from_left_to_right() -> None:
    """The last tile is narrower; none is lost."""
    rows = np.arange(2 * 3 * 150).reshape(2, 3, 150)
    found = list(tiles(rows, _SIDE))

    assert [tile.shape for tile in found] == [(2, 3, _SIDE), (2, 3, _SIDE), (2, 3, 150 - 2 * _SIDE)]
    assert np.array_equal(np.concatenate(found, axis=2), rows)

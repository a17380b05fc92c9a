"""The affine transform of a raster in few bytes: six numbers, row by row, from column and row to coordinates."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

Affine = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x is a * column + b * row + c, y is d * column + e * row + f."""

_ALL = struct.Struct("<6d")
_NORTH_UP = struct.Struct("<4d")
"""Without b and d, which are 0 where rows run along parallels of the grid."""


def packed(numbers: Sequence[float]) -> bytes:
    """An affine transform in 32 or 48 bytes. ValueError: it is none."""
    a, b, c, d, e, f = numbers
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("not finite")
    return _NORTH_UP.pack(a, c, e, f) if b == d == 0.0 else _ALL.pack(*numbers)


def unpacked(data: bytes | None) -> Affine | None:
    """The inverse; None where nothing is kept, or nothing that makes sense."""
    if data is None or len(data) not in {_ALL.size, _NORTH_UP.size}:
        return None
    if len(data) == _ALL.size:
        return _ALL.unpack(data)
    a, c, e, f = _NORTH_UP.unpack(data)
    return a, 0.0, c, 0.0, e, f


def bounds(numbers: Affine, rows: int, columns: int) -> tuple[float, float, float, float]:
    """The least and the greatest coordinates of a raster's corners: least x and y, then greatest x and y."""
    a, b, c, d, e, f = numbers
    corners = [(a * x + b * y + c, d * x + e * y + f) for x in (0, columns) for y in (0, rows)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)

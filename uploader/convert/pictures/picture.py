"""Pixels to a picture for people: stretch, palette, checkerboard where nothing is, and a PNG. Pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from uploader.convert.quicklook import SIGNATURE

Samples = NDArray[Any]
"""Bands, rows, columns."""

Picture = NDArray[np.uint8]
"""Rows, columns, red-green-blue."""

Opacity = NDArray[np.uint8]
"""Rows, columns: 0 is nothing, 255 is all there."""

Palette = tuple[tuple[int, tuple[int, ...]], ...]

GAP = 8
"""Pixels between two panels."""

_SQUARE = 8
_LIGHT, _DARK = 255, 208
_LOW, _HIGH = 2.0, 98.0
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""By number of channels, as PNG numbers them."""

_LEFT = 1
"""The filter of a row whose bytes are told as differences from the pixel before."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """For each band the values that become black and white."""

    low: tuple[float, ...]
    high: tuple[float, ...]


def stretch_of(samples: Samples, opacity: Opacity) -> Stretch:
    """The second and the 98th percentile of what is valid and finite in each band."""
    ends = [_ends(band[opacity > 0]) for band in samples]
    return Stretch(tuple(low for low, _ in ends), tuple(high for _, high in ends))


def _ends(values: Samples) -> tuple[float, float]:
    real = values.real.astype(np.float64)
    finite = real[np.isfinite(real)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite, (_LOW, _HIGH)))
    if low == high:  # most of it is one value: show what differs from it
        low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 1.0, low + 1.0)


def stretched(samples: Samples, opacity: Opacity, stretch: Stretch) -> Picture:
    """One band in gray, three in colour."""
    layers = []
    for band, low, high in zip(samples, stretch.low, stretch.high, strict=True):
        with np.errstate(all="ignore"):
            share = (band.real.astype(np.float64) - low) / (high - low)
        opacity = np.where(np.isfinite(share), opacity, 0).astype(np.uint8)
        layers.append((np.nan_to_num(share).clip(0.0, 1.0) * 255).astype(np.uint8))
    return on_checkers(np.stack(layers * (3 // len(layers)), axis=-1), opacity)


def coloured(band: Samples, opacity: Opacity, palette: Palette) -> Picture:
    """Values as the colours that a table gives them; what has none is nothing."""
    table = np.zeros((max(value for value, _ in palette) + 1, 4), np.uint8)
    for value, colour in palette:
        table[value] = colour
    known = (band >= 0) & (band < len(table))
    rgba = table[np.where(known, band, 0).astype(np.intp)]
    return on_checkers(rgba[..., :3], np.where(known, np.minimum(opacity, rgba[..., 3]), 0).astype(np.uint8))


def on_checkers(colours: Picture, opacity: Opacity) -> Picture:
    """Lay a picture over a checkerboard, which shows through where there is nothing."""
    rows, columns = np.indices(opacity.shape) // _SQUARE
    board = np.where((rows + columns) % 2, _DARK, _LIGHT)[..., None]
    share = opacity[..., None] / 255.0
    mixed: Picture = (colours * share + board * (1.0 - share)).round().astype(np.uint8)
    return mixed


def enlarged(picture: Picture, factor: int) -> Picture:
    """Each pixel as a square of so many."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def side_by_side(left: Picture, right: Picture) -> Picture:
    """Two panels of one height with white between them."""
    gap = np.full((left.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def png(
    picture: NDArray[np.uint8], captions: Sequence[tuple[str, str]] = (), *, quick: bool = False
) -> bytes:
    """The picture as a PNG file of eight bits; captions are pairs of a keyword and its text.

    Its channels are gray, gray and opacity, colour, or colour and opacity. `quick` takes a tenth of the time for a file
    that is a little larger.
    """
    height, width, channels = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = np.empty((height, width * channels + 1), np.uint8)
    flat = picture.reshape(height, -1)
    rows[:, 0] = _LEFT
    rows[:, 1 : channels + 1] = flat[:, :channels]
    np.subtract(flat[:, channels:], flat[:, :-channels], out=rows[:, channels + 1 :])
    texts = [_chunk(b"iTXt", key.encode() + bytes(5) + text.encode()) for key, text in captions]
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", header),
            *texts,
            _chunk(b"IDAT", _compressed(rows.tobytes(), quick=quick)),
            _chunk(b"IEND", b""),
        ]
    )


def _compressed(data: bytes, *, quick: bool) -> bytes:
    if quick:
        found: bytes = isal_zlib.compress(data, 1)
        return found
    return zlib.compress(data, 6)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

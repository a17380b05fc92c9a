"""Heads with levels of their own, honest or not, and with compressions that are no longer written."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import rasterio

from tests.support.heads.base import Random, kind, pick, picture, samples
from tests.support.tiffwriter import Entry, Picture, longs, shorts

_TILE = 256
_LEVELS = 2


def halved(pixels: np.ndarray) -> np.ndarray:
    """The mean of each two by two; a last row or column that is odd is left out."""
    rows, columns = (side // 2 * 2 for side in pixels.shape[:2])
    parts = pixels[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2, -1).astype(float)
    means = parts.mean(axis=(1, 3))
    return (np.rint(means) if pixels.dtype.kind in "iu" else means).astype(pixels.dtype)


def _blank(level: np.ndarray) -> np.ndarray:
    return np.zeros_like(level)


def _half(level: np.ndarray) -> np.ndarray:
    made = level.copy()
    made[level.shape[0] // 2 :] = 0
    return made


def _shifted(level: np.ndarray) -> np.ndarray:
    return np.roll(level, 24, axis=1)


def _of_another(level: np.ndarray) -> np.ndarray:
    return level[::-1, ::-1].copy()


WRONGS = {"blank": _blank, "half-made": _half, "shifted": _shifted, "of another raster": _of_another}
"""Overviews that do not show their raster, by what is wrong with them."""


@kind("honest overviews")
def _honest(random: Random) -> Sequence[Picture]:
    return _with_overviews(random, None)


@kind("wrong overviews")
def _wrong(random: Random) -> Sequence[Picture]:
    return _with_overviews(random, pick(random, *WRONGS))


def _with_overviews(random: Random, wrong: str | None) -> Sequence[Picture]:
    pixels = samples(random, pick(random, 1, 3), "u1", "u2", "f4", size=(1100, 900))
    colours = {262: shorts(2 if pixels.shape[2] == 3 else 1)}
    found = [picture(random, pixels, colours, tile=_TILE, planar=False, deflate=True)]
    for _ in range(_LEVELS):
        pixels = halved(pixels)
        level = pixels if wrong is None else WRONGS[wrong](pixels)
        tags = {254: longs(1), **colours}
        found.append(Picture(level, tags, tile=_TILE, deflate=True, predictor=found[0].predictor))
    return found


@kind("old JPEG")
def _old_jpeg(random: Random) -> Sequence[Picture]:
    """Compression 6: one stream of YCbCr for the whole picture."""
    pixels = samples(random, 3, "u1", size=(64, 64))
    stream = _jpeg(pixels)
    tags = {
        259: shorts(6),
        262: shorts(6),
        278: longs(64),
        512: shorts(1),
        514: longs(len(stream)),
        530: shorts(2, 2),
    }
    return [_Stream(pixels, stream, tags)]


class _Stream(Picture):
    """A picture whose one strip is a stream that is there already."""

    def __init__(self, pixels: np.ndarray, stream: bytes, tags: dict[int, Entry | None]) -> None:
        super().__init__(pixels, tags)
        self.stream = stream

    def segments(self, order: str) -> list[bytes]:
        """The stream alone."""
        return [self.stream]

    def located(self, offsets: Sequence[int]) -> dict[int, Entry]:
        """Old JPEG names its stream twice."""
        return {513: longs(*offsets)}


def _jpeg(pixels: np.ndarray) -> bytes:
    with rasterio.MemoryFile() as memory:
        rows, columns, count = pixels.shape
        with memory.open(driver="JPEG", width=columns, height=rows, count=count, dtype="uint8") as dataset:
            dataset.write(pixels.transpose(2, 0, 1))
        return io.BytesIO(memory.read()).getvalue()

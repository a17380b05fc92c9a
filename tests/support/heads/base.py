"""What all made-up heads share: a place, samples, and the register of their kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.support.tiffwriter import Entry, Picture, Tags, doubles, shorts

Random = np.random.Generator
Maker = Callable[[Random], Sequence[Picture]]
KINDS: dict[str, Maker] = {}
"""Makers of the directories of one raster, by what is odd about it."""

SIZES = ((70, 90), (64, 64), (130, 47), (600, 530))
_TYPES = ("u1", "u2", "i2", "i4", "f4", "f8")


def kind(name: str) -> Callable[[Maker], Maker]:
    """Enter a maker into the register."""

    def enter(maker: Maker) -> Maker:
        KINDS[name] = maker
        return maker

    return enter


def pick(random: Random, *choices: Any) -> Any:
    """One of these."""
    return choices[int(random.integers(len(choices)))]


def place(random: Random) -> Tags:
    """UTM metres, pixels as areas or as points."""
    return {
        33550: doubles(0.5, 0.5, 0.0),
        33922: doubles(0, 0, 0, 500_000.25, 5_100_000.75, 0),
        34735: shorts(1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, pick(random, 1, 1, 2), 3072, 0, 1, 32633),
    }


def samples(random: Random, count: int, *types: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """Hills and noise of (rows, columns, count), of one of the types."""
    kind_ = np.dtype(pick(random, *(types or _TYPES)))
    rows, columns = size or pick(random, *SIZES)
    y, x, band = np.ogrid[:rows, :columns, :count]
    hills = (
        0.5
        + 0.3 * np.sin(x / (17 + 3 * band)) * np.cos(y / (23 - 2 * band))
        + random.random((rows, columns, count)) / 9
    )
    if kind_.kind == "f":
        return (hills * 900 - 100).astype(kind_)
    return (hills * min(np.iinfo(kind_).max, 1 << 30)).astype(kind_)


def picture(
    random: Random, pixels: np.ndarray, tags: dict[int, Entry | None] | None = None, **more: Any
) -> Picture:
    """A placed directory, in one of the layouts that there are."""
    layout = {
        "tile": pick(random, 0, 32, 64, 128),
        "planar": bool(random.integers(2)) and pixels.shape[2] > 1,
        "deflate": bool(random.integers(2)),
    }
    if layout["deflate"] and pixels.dtype.kind != "b":
        layout["predictor"] = pick(random, 1, 3 if pixels.dtype.kind == "f" else 2)
    return Picture(pixels, place(random) | (tags or {}), **(layout | more))

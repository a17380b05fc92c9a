"""Rasters with overviews: `honest(count, seed)` and `wrong(count, seed)` list them, `make` writes one.

Of an honest one the overviews were made of what the raster holds. Of a wrong one they were made of something else,
and then the raster was written over.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, Resampling

RESAMPLINGS = ("average", "bilinear", "cubic", "cubic_spline", "gauss", "lanczos", "mode", "nearest", "rms")
FOR_CLASSES = ("mode", "nearest")
FAULTS = ("blank", "half-made", "shifted", "of another raster", "stale in one corner")

_JPEG = {"compress": "jpeg", "jpeg_quality": 80}
_WEBP = {"compress": "webp", "webp_level": 80}


@dataclass(frozen=True)
class Kind:
    """What a raster holds, and how it is written."""

    dtype: str
    bands: int = 1
    classes: bool = False
    validity: str = ""
    options: tuple[tuple[str, Any], ...] = ()


def _kind(dtype: str, bands: int = 1, *, classes: bool = False, validity: str = "", **options: Any) -> Kind:
    return Kind(dtype, bands, classes, validity, tuple(options.items()))


KINDS: dict[str, Kind] = {
    "grey": _kind("uint8"),
    "colour": _kind("uint8", 3, photometric="rgb"),
    "12 bits in 16, planar": _kind("uint16", 4, interleave="band"),
    "heights": _kind("float32", predictor=3),
    "heights, nodata": _kind("int16", validity="nodata", nodata=-9999),
    "heights, nodata, floats": _kind("float32", validity="nodata", nodata=-9999.0),
    "heights, NaN": _kind("float32", validity="nodata", nodata=math.nan),
    "colour, alpha": _kind("uint8", 4, validity="alpha", photometric="rgb", alpha="NON-PREMULTIPLIED"),
    "colour, mask": _kind("uint8", 3, validity="mask", photometric="rgb"),
    "JPEG": _kind("uint8", 3, photometric="ycbcr", **_JPEG),
    "JPEG, mask": _kind("uint8", 3, validity="mask", photometric="ycbcr", **_JPEG),
    "JPEG, grey": _kind("uint8", 1, **_JPEG),
    "WebP": _kind("uint8", 3, photometric="rgb", **_WEBP),
    "WebP, alpha": _kind("uint8", 4, validity="alpha", photometric="rgb", alpha="NON-PREMULTIPLIED", **_WEBP),
    "WebP, lossless": _kind("uint8", 3, photometric="rgb", compress="webp", webp_lossless="YES"),
    "LERC": _kind("float32", compress="lerc", max_z_error=0.05),
    "land cover": _kind("uint8", classes=True),
    "land cover, nodata": _kind("int16", classes=True, validity="nodata", nodata=0),
    "palette": _kind("uint8", classes=True, validity="palette"),
}


@dataclass(frozen=True)
class Case:
    """One raster: `fault` is empty for an honest one. `beside`: its overviews are in a `.ovr`."""

    kind: str
    resampling: str
    fault: str
    beside: bool
    seed: int

    @property
    def name(self) -> str:
        """All of it in one line."""
        where = "beside" if self.beside else "inside"
        return f"{self.kind}, {self.resampling}, {self.fault or 'honest'}, {where}, seed {self.seed}"


def honest(count: int, seed: int) -> list[Case]:
    """So many honest pyramids, of each kind with every resampling that suits it, then again."""
    pairs = [(kind, how) for kind in KINDS for how in _suitable(kind)]
    return [
        Case(kind, how, "", _beside(kind, n + n // len(pairs)), seed * 10_000 + n)
        for n, (kind, how) in zip(range(count), itertools.cycle(pairs), strict=False)
    ]


def wrong(count: int, seed: int) -> list[Case]:
    """So many wrong ones: each kind with every fault, the resampling going round beside it."""
    pairs = [(kind, fault) for kind in KINDS for fault in FAULTS]
    return [
        Case(kind, _suitable(kind)[n % len(_suitable(kind))], fault, _beside(kind, n // 2), seed * 10_000 + n)
        for n, (kind, fault) in zip(range(count), itertools.cycle(pairs), strict=False)
    ]


def _suitable(kind: str) -> tuple[str, ...]:
    """What makes honest overviews: GDAL's mode puts zeros where there is nothing but NaN, or nodata of 16 bits."""
    found = FOR_CLASSES if KINDS[kind].classes else RESAMPLINGS
    zeros = KINDS[kind].validity == "nodata" and "nodata, floats" not in kind
    return tuple(how for how in found if not (zeros and how == "mode"))


def _beside(kind: str, number: int) -> bool:
    """Whether the overviews are to be in a `.ovr`: not of a mask inside, nor where GDAL calls lossy ones lossless."""
    return bool(number % 2) and KINDS[kind].validity != "mask" and "lossless" not in kind


def make(case: Case, path: Path) -> Path:
    """Write the raster of a case, and give its path back."""
    random = np.random.default_rng(case.seed)
    height, width = (int(side) for side in random.integers(400, 900, 2))
    kind = KINDS[case.kind]
    data = _content(kind, height, width, random)
    before = _FAULTS[case.fault](data, kind, random) if case.fault else data
    _write(path, before, kind, random)
    pictures = [name for name in ("jpeg", "webp") if name in dict(kind.options).values()]
    how = {
        "COMPRESS_OVERVIEW": pictures[0].upper() if pictures else "DEFLATE",
        "TIFF_USE_OVR": "YES" if case.beside else "NO",
    }
    how |= {"PHOTOMETRIC_OVERVIEW": "YCBCR"} if "jpeg" in pictures and kind.bands > 1 else {}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, **how), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling[case.resampling])
    if case.fault:
        with rasterio.open(path, "r+") as dataset:
            dataset.write(data)
    return path


def _write(path: Path, data: np.ndarray, kind: Kind, random: np.random.Generator) -> None:
    bands, height, width = data.shape
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    shape = {"width": width, "height": height, "count": bands, "dtype": kind.dtype}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="GTiff", **(layout | shape | dict(kind.options))) as dataset,
    ):
        if kind.validity == "palette":
            dataset.write_colormap(
                1, {value: (value * 9 % 256, value, 255 - value, 255) for value in range(256)}
            )
        if kind.validity == "alpha":
            dataset.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
        dataset.write(data)
        if kind.validity == "mask":
            dataset.write_mask(_area(height, width).astype(np.uint8) * 255)


def _content(kind: Kind, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Land: hills upon hills, fields with edges, a little noise. Classes are its steps."""
    low, high = {"uint8": (0, 255), "uint16": (0, 4095)}.get(kind.dtype, (0, 900))
    land = np.stack([_land(height, width, random) for _ in range(kind.bands)])
    if kind.classes:
        return (land * 6).astype(np.int64).clip(0, 5).astype(kind.dtype) + np.dtype(kind.dtype).type(1)
    noise = random.normal(0, 0.01, land.shape)
    data = (low + (high - low) * (0.1 + 0.8 * land + noise)).clip(low + 1, high).astype(kind.dtype)
    outside = ~_area(height, width)
    if kind.validity == "nodata":
        data[:, outside] = dict(kind.options)["nodata"]
    if kind.validity == "alpha":
        data[3] = np.where(outside, 0, 255)
    return data


def _land(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width] / 100.0
    total = np.zeros((height, width))
    for octave in range(6):
        across, down, phase = random.normal(0, 2**octave, 2), random.random(2) * 6, 0.55**octave
        total += phase * np.sin(rows * across[0] + down[0] + np.cos(columns * across[1] + down[1]))
    fields = random.random((height // 40 + 1, width // 55 + 1)).repeat(40, 0).repeat(55, 1)[:height, :width]
    mixed = total / 4 + 0.4 * fields
    return (mixed - mixed.min()) / (mixed.max() - mixed.min())


def _area(height: int, width: int) -> np.ndarray:
    """What was surveyed: a slanted strip."""
    rows, columns = np.mgrid[0:height, 0:width]
    return (columns + rows // 3 > width // 4) & (columns - rows // 5 < width * 9 // 10)


def _blank(data: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    return np.zeros_like(data)


def _half(data: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    found = data.copy()
    found[:, data.shape[1] // 2 :] = 0
    return found


def _shifted(data: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    return np.roll(data, (12, 9), axis=(1, 2))


def _other(data: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    return _content(kind, *data.shape[1:], random)


def _stale(data: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    """The raster had something else in the middle of one side, of a hundred pixels or so."""
    found, other = data.copy(), _other(data, kind, random)
    height, width = data.shape[1:]
    place = slice(height // 2, height // 2 + 110), slice(width // 2, width // 2 + 120)
    found[:, *place] = other[:, *place]
    return found


_FAULTS: dict[str, Callable[[np.ndarray, Kind, np.random.Generator], np.ndarray]] = dict(
    zip(FAULTS, (_blank, _half, _shifted, _other, _stale), strict=True)
)

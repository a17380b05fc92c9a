"""Rasters for benchmarks, like those that people convert; made from a seed, the same each time.

Light and heights are sums of noise of several scales, with edges on them, so that neither flat areas nor white noise
make compression look better or worse than it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import from_origin

_ROWS, _TILE = 512, 256
_PERIOD = 4096
"""What is larger repeats, but for its noise: a gigabyte is made in a minute."""

Pixels = NDArray[Any]


def _texture(seed: int) -> NDArray[np.float32]:
    """Noise of several scales, standard deviation about 1, with edges of fields and roofs."""
    random = np.random.default_rng(seed)
    out = np.zeros((_PERIOD, _PERIOD), np.float32)
    for scale in (4, 16, 64, 256):
        side = _PERIOD // scale
        coarse = random.normal(0, 1, (side, side)).astype(np.float32)
        out += np.kron(coarse, np.ones((scale, scale), np.float32)) * (scale / 256) ** 0.35
    for axis in (0, 1):  # a lens is never as sharp as steps
        out = (np.roll(out, 1, axis) + 2 * out + np.roll(out, -1, axis)) / 4
    return out / out.std()


def _photo(rows: slice, columns: int, band: int, random: np.random.Generator) -> Pixels:
    light = 118 + 38 * _wrapped(1, rows, columns) + (9 - 4 * band) * _wrapped(2 + band, rows, columns)
    return (light + random.normal(0, 2.5, light.shape)).clip(1, 255).astype(np.uint8)


def _reflectance(rows: slice, columns: int, band: int, random: np.random.Generator) -> Pixels:
    values = 1400 + 420 * _wrapped(1, rows, columns) + 130 * _wrapped(2 + band, rows, columns)
    return (values + random.normal(0, 18, values.shape)).clip(1, 10000).astype(np.uint16)


def _heights(rows: slice, columns: int, band: int, random: np.random.Generator) -> Pixels:
    rough = random.normal(0, 0.04, (rows.stop - rows.start, columns))
    heights = np.round(410 + 25 * _wrapped(1 + band, rows, columns) + rough, 2).astype(np.float32)
    heights[:, : columns // 6] = -9999
    return heights


def _classes(rows: slice, columns: int, band: int, random: np.random.Generator) -> Pixels:
    flat = _wrapped(1 + band, rows, columns) + random.normal(0, 0.02, (rows.stop - rows.start, columns))
    return (np.digitize(flat, (-1.6, -1, -0.6, -0.2, 0.1, 0.4, 0.8, 1.3)) + 1).astype(np.uint8)


_TEXTURES: dict[int, NDArray[np.float32]] = {}


def _wrapped(seed: int, rows: slice, columns: int) -> NDArray[np.float32]:
    if seed not in _TEXTURES:
        _TEXTURES[seed] = _texture(seed)
    take = np.arange(rows.start, rows.stop) % _PERIOD
    return _TEXTURES[seed][take][:, np.arange(columns) % _PERIOD]


_Band = Callable[[slice, int, int, np.random.Generator], Pixels]
_RGB: dict[str, Any] = {"photometric": "rgb"}
_TILED: dict[str, Any] = {"tiled": True, "compress": "deflate", "predictor": 2}
KINDS: dict[str, tuple[_Band, int, dict[str, Any]]] = {
    "rgb": (_photo, 3, _RGB),
    "rgb lzw": (_photo, 3, _RGB | {"compress": "lzw", "predictor": 2}),
    "rgba": (_photo, 4, _RGB | {"alpha": "non-premultiplied"}),
    "rgb masked": (_photo, 3, _RGB | {"mask": True}),
    "grey": (_photo, 1, {}),
    "uint16": (_reflectance, 4, {"photometric": "minisblack"}),
    "uint16 nodata": (_reflectance, 4, {"photometric": "minisblack", "nodata": 0}),
    "dem": (_heights, 1, {"nodata": -9999}),
    "classes": (_classes, 1, {}),
    "tiled": (_photo, 3, _RGB | _TILED),
    "tiled, overviews": (_photo, 3, _RGB | _TILED | {"levels": True}),
    "COG": (_photo, 3, _RGB | {"cog": "NO"}),
    "COG, statistics": (_photo, 3, _RGB | {"cog": "YES"}),
}
"""By name: how a band is made, how many there are, and how they are stored, in strips unless it is said."""


def make(kind: str, path: Path, megabytes: float) -> None:
    """Write one raster of about so many megabytes of pixels: a square of an odd or even side, as it comes."""
    band, count, told = KINDS[kind]
    options = dict(told)
    masked, levels, cog = options.pop("mask", False), options.pop("levels", False), options.pop("cog", "")
    first = band(slice(0, 1), 8, 0, np.random.default_rng(0))
    side = int((megabytes * 1e6 / count / first.itemsize) ** 0.5)
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5.1e6, 0.5, 0.5)}
    shape = {"width": side, "height": side, "count": count, "dtype": first.dtype.name}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", driver="GTiff", BIGTIFF="IF_SAFER", **(place | shape | options)) as dataset,
    ):
        random = np.random.default_rng(7)
        for row in range(0, side, _ROWS):
            rows = slice(row, min(row + _ROWS, side))
            _write(dataset, rows, [band(rows, side, n, random) for n in range(count)], masked=masked)
    if levels:
        factors = [2**n for n in range(1, 12) if side / 2 ** (n - 1) > _TILE]
        with (
            rasterio.Env(COMPRESS_OVERVIEW="DEFLATE", PREDICTOR_OVERVIEW="2"),
            rasterio.open(path, "r+") as dataset,
        ):
            dataset.build_overviews(factors, Resampling.average)
    if cog:
        plain = path.rename(path.with_suffix(".plain.tif"))
        form = {"COMPRESS": "DEFLATE", "LEVEL": "1", "PREDICTOR": "YES", "NUM_THREADS": "ALL_CPUS"}
        rasterio.shutil.copy(plain, path, driver="COG", OVERVIEW_RESAMPLING="AVERAGE", STATISTICS=cog, **form)
        plain.unlink()


def _write(dataset: Any, rows: slice, bands: list[Pixels], *, masked: bool) -> None:
    """Some rows; what tells validity lacks a slanted collar, as of a flight that does not follow the grid."""
    pixels = np.stack(bands)
    window = ((rows.start, rows.stop), (0, dataset.width))
    collar = np.arange(dataset.width)[None] < (
        dataset.width // 6 + np.arange(rows.start, rows.stop)[:, None] // 5
    )
    if masked:
        dataset.write_mask(np.where(collar, 0, 255).astype(np.uint8), window=window)
    if dataset.colorinterp[-1].name == "alpha":
        pixels[-1] = np.where(collar, 0, 255)
    if dataset.nodata == 0:
        pixels[:, collar] = 0
    dataset.write(pixels, window=window)

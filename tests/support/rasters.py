"""Makers of small rasters of many kinds, always the same for the same seed; see `KINDS`.

`make("rgb_striped", path)` writes one and gives its path back. Every kind has a maker below, named like it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC
from rasterio.transform import from_origin

Maker = Callable[[Path, np.random.Generator, int], None]
_MAKERS: dict[str, Maker] = {}
_UTM = CRS.from_epsg(32633)
_PLACE = from_origin(500_000.0, 5_100_000.0, 0.5, 0.5)


def make(kind: str, path: Path, *, seed: int = 0, size: int = 0) -> Path:
    """Write one raster of this kind, `size` pixels on each side (0: what shows the kind best)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _MAKERS[kind](path, np.random.default_rng(seed), size)
    return path


def _maker(function: Maker) -> Maker:
    _MAKERS[function.__name__] = function
    return function


def _write(path: Path, pixels: np.ndarray, **profile: Any) -> Any:
    """Write the array (bands, rows, columns), and give the dataset, still open, for more."""
    bands, height, width = pixels.shape
    place = {"crs": _UTM, "transform": _PLACE} if "gcps" not in profile else {}
    defaults = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": bands,
        "dtype": pixels.dtype.name,
    }
    dataset = rasterio.open(path, "w", **(defaults | place | profile))
    dataset.write(pixels)
    return dataset


def _photo(random: np.random.Generator, bands: int, size: int) -> np.ndarray:
    """Something like a photograph: smooth hills of light, edges and a little noise."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    layers = []
    for band in range(bands):
        light = 120 + 60 * np.sin(columns / (40 + 7 * band)) + 45 * np.cos(rows / (60 - 5 * band))
        edges = 25 * ((columns // 37 + rows // 53) % 2)
        layers.append(light + edges + random.normal(0, 4, (size, size)))
    return np.stack(layers).clip(0, 255).astype(np.uint8)


@_maker
def rgb_striped(path: Path, random: np.random.Generator, size: int) -> None:
    """Three bands of eight bits in strips, uncompressed: what most cameras and programs write."""
    _write(path, _photo(random, 3, size or 700)).close()


@_maker
def plain(path: Path, random: np.random.Generator, size: int) -> None:
    """One band of bytes without a place on earth: a sidecar may give it one."""
    _write(
        path, random.integers(0, 255, (1, size or 64, size or 64), dtype=np.uint8), crs=None, transform=None
    ).close()


@_maker
def uint16_bands(path: Path, random: np.random.Generator, size: int) -> None:
    """Four bands of sixteen bits, kept apart, as from a satellite."""
    pixels = _photo(random, 4, size or 600).astype(np.uint16) * 37 + 11
    _write(path, pixels, interleave="band", compress="lzw").close()


@_maker
def dem_nodata(path: Path, random: np.random.Generator, size: int) -> None:
    """Heights as float32 with -9999 where nothing was measured."""
    heights = _photo(random, 1, size or 600).astype(np.float32) * 3.3 + random.random(1, np.float32)
    heights[:, : heights.shape[1] // 4] = -9999.0
    _write(path, heights, nodata=-9999.0).close()


@_maker
def nan_nodata(path: Path, random: np.random.Generator, size: int) -> None:
    """Float32 where nodata is NaN."""
    values = _photo(random, 1, size or 600).astype(np.float32) / 7
    values[:, -50:, :90] = np.nan
    _write(path, values, nodata=math.nan).close()


@_maker
def palette(path: Path, random: np.random.Generator, size: int) -> None:
    """Land cover with a colour table."""
    classes = (_photo(random, 1, size or 600) // 32).astype(np.uint8)
    with _write(path, classes, nodata=0) as dataset:
        dataset.write_colormap(1, {value: (value * 30, 255 - value * 30, 40, 255) for value in range(9)})


@_maker
def classes(path: Path, random: np.random.Generator, size: int) -> None:
    """Land cover as plain integers, with nothing that says so."""
    _write(path, (_photo(random, 1, size or 600) // 40).astype(np.int16)).close()


@_maker
def one_bit(path: Path, random: np.random.Generator, size: int) -> None:
    """A water mask of single bits."""
    _write(
        path, (_photo(random, 1, size or 600) > 130).astype(np.uint8), nbits=1, compress="ccittfax4"
    ).close()


@_maker
def rgba(path: Path, random: np.random.Generator, size: int) -> None:
    """An orthophoto whose edge is transparent, with colours left under it."""
    pixels = _photo(random, 4, size or 600)
    pixels[3] = 255
    pixels[3, :, : pixels.shape[2] // 5] = 0
    with _write(path, pixels, photometric="rgb", alpha="unassociated", tiled=True) as dataset:
        dataset.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)


@_maker
def masked(path: Path, random: np.random.Generator, size: int) -> None:
    """Tiles with a mask inside the file, and pixels under the mask that must survive."""
    pixels = _photo(random, 3, size or 600)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        _write(path, pixels, tiled=True, compress="deflate") as dataset,
    ):
        mask = np.full(pixels.shape[1:], 255, np.uint8)
        mask[: mask.shape[0] // 3] = 0
        dataset.write_mask(mask)


@_maker
def external_mask(path: Path, random: np.random.Generator, size: int) -> None:
    """The mask in a `.msk` beside the raster."""
    pixels = _photo(random, 1, size or 600)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), _write(path, pixels) as dataset:
        mask = np.full(pixels.shape[1:], 255, np.uint8)
        mask[:, 100:200] = 0
        dataset.write_mask(mask)


@_maker
def ready_cog(path: Path, random: np.random.Generator, size: int) -> None:
    """A valid COG with exact statistics inside: nothing is left to do."""
    pixels = _photo(random, 1, size or 600)
    plain = path.with_name(f"{path.stem}.plain.tif")
    with _write(plain, pixels) as dataset:
        exact = pixels.astype(np.float64)
        values = {"MINIMUM": exact.min(), "MAXIMUM": exact.max(), "MEAN": exact.mean(), "STDDEV": exact.std()}
        dataset.update_tags(1, **{f"STATISTICS_{key}": repr(float(value)) for key, value in values.items()})
    rasterio.shutil.copy(plain, path, driver="COG", blocksize=512, compress="deflate")
    plain.unlink()


@_maker
def cog_without_statistics(path: Path, random: np.random.Generator, size: int) -> None:
    """A valid COG, but nothing tells its range."""
    plain = path.with_name(f"{path.stem}.plain.tif")
    _write(plain, _photo(random, 1, size or 600)).close()
    rasterio.shutil.copy(plain, path, driver="COG", blocksize=512, compress="deflate", statistics="no")
    plain.unlink()


@_maker
def complex_numbers(path: Path, random: np.random.Generator, size: int) -> None:
    """Radar: complex64."""
    side = size or 600
    values = random.normal(size=(1, side, side)) + 1j * random.normal(size=(1, side, side))
    _write(path, values.astype(np.complex64)).close()


@_maker
def int8(path: Path, random: np.random.Generator, size: int) -> None:
    """Signed bytes over their whole range."""
    _write(path, (_photo(random, 1, size or 600).astype(np.int16) - 128).astype(np.int8)).close()


@_maker
def int64(path: Path, random: np.random.Generator, size: int) -> None:
    """Integers that float64 cannot hold."""
    side = size or 600
    _write(path, random.integers(2**53, 2**62, (1, side, side), dtype=np.int64)).close()


@_maker
def uint64(path: Path, random: np.random.Generator, size: int) -> None:
    """Unsigned integers up to the last bit."""
    side = size or 600
    _write(path, random.integers(0, 2**64 - 1, (1, side, side), dtype=np.uint64)).close()


@_maker
def gcps(path: Path, random: np.random.Generator, size: int) -> None:
    """Ground control points with many digits instead of a geotransform."""
    side = size or 600
    points = [
        GroundControlPoint(row, column, 13.1 + column / 7e5, 47.3 - row / 7e5, 311.123456789)
        for row in (0.0, side / 3, float(side))
        for column in (0.0, side / 7, float(side))
    ]
    _write(path, _photo(random, 1, side), gcps=points, crs="EPSG:4326").close()


@_maker
def rpcs(path: Path, random: np.random.Generator, size: int) -> None:
    """Rational polynomial coefficients of a satellite scene."""
    coefficients = [[float(x) for x in random.normal(size=20)] for _ in range(4)]
    model = RPC(
        height_off=215.0, height_scale=501.0, lat_off=47.31, lat_scale=0.0833, line_off=2710.0, line_scale=2711.0,
        long_off=13.1, long_scale=0.1221, samp_off=3512.0, samp_scale=3513.0, line_num_coeff=coefficients[0],
        line_den_coeff=coefficients[1], samp_num_coeff=coefficients[2], samp_den_coeff=coefficients[3],
        err_bias=None, err_rand=None,
    )  # fmt: skip
    _write(
        path, _photo(random, 1, size or 600).astype(np.uint16), rpcs=model, crs=None, transform=None
    ).close()


@_maker
def described(path: Path, random: np.random.Generator, size: int) -> None:
    """Bands with names, units, scales and offsets, and metadata of their own."""
    with _write(path, _photo(random, 2, size or 600).astype(np.int16)) as dataset:
        dataset.descriptions = ("red edge <1>", "temperature & more")
        dataset.units = ("sr-1", "K")
        dataset.scales, dataset.offsets = (0.0001, 0.01), (0.0, 273.15)
        dataset.update_tags(PROCESSING="level 2", AREA_OR_POINT="Point")
        dataset.update_tags(1, WAVELENGTH="705 nm")


@_maker
def multi_page(path: Path, random: np.random.Generator, size: int) -> None:
    """A TIFF of two pages."""
    _write(path, _photo(random, 1, size or 600)).close()
    second = path.with_name(f"{path.stem}.second.tif")
    _write(second, _photo(random, 1, size or 600)).close()
    rasterio.shutil.copy(second, path, driver="GTiff", append_subdataset="yes")
    second.unlink()


@_maker
def many_bands(path: Path, random: np.random.Generator, size: int) -> None:
    """Two hundred narrow bands, interleaved by pixel."""
    _write(path, random.integers(0, 4000, (200, size or 64, size or 64), dtype=np.uint16)).close()


@_maker
def blank(path: Path, random: np.random.Generator, size: int) -> None:
    """All nodata: a tile beyond the edge of the survey."""
    _write(path, np.zeros((1, size or 600, size or 600), np.uint8), nodata=0).close()


@_maker
def truncated(path: Path, random: np.random.Generator, size: int) -> None:
    """The first two thirds of a raster: still on its way, or lost."""
    rgb_striped(path, random, size)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


@_maker
def text(path: Path, random: np.random.Generator, size: int) -> None:
    """An error page that was saved under the raster's name."""
    path.write_text("<!DOCTYPE html><html><body>403 Forbidden</body></html>\n")


@_maker
def empty(path: Path, random: np.random.Generator, size: int) -> None:
    """Nothing yet."""
    path.write_bytes(b"")


KINDS = tuple(_MAKERS)
"""All kinds, in the order of their makers."""

BROKEN = ("truncated", "text", "empty")
"""The kinds that can never be converted."""

SOUND = tuple(kind for kind in KINDS if kind not in BROKEN)
"""The kinds that must be converted exactly."""

"""Rasters of whose levels or head GDAL alone would make something else: types, masks and nodata that it mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.rpc import RPC

from tests.judge.rights import taken
from tests.support.kinds import kind, put

_SIZE = (411, 635)
"""Odd, so that pixels of a level cover parts of pixels above them."""

_PAM = '<PAMDataset><PAMRasterBand band="1"><NoDataValue>{}</NoDataValue></PAMRasterBand></PAMDataset>'


def _classes(most: int, size: tuple[int, int] = _SIZE) -> np.ndarray:
    return np.random.default_rng(5).integers(0, most, (*size, 1)).astype("u1")


def _beside(path: Path, nodata: object) -> Path:
    path.with_name(f"{path.name}.aux.xml").write_text(_PAM.format(nodata))
    return path


def _masked(path: Path) -> Path:
    mask = np.full(_SIZE, 255, "u1")
    mask[:205, 100:] = 0
    mask[::7, ::5] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    return path


def _complex(dtype: str) -> np.ndarray:
    numbers = np.random.default_rng(6).normal(size=(2, *_SIZE, 2)) * 100
    return (numbers[0] + 1j * numbers[1]).astype(dtype)


@kind("classes whose nodata value is none of their type", taken)
def _unfit(folder: Path) -> Path:
    return _beside(put(folder, _classes(5)), -9999)


@kind("single bits whose nodata value is none", taken)
def _unfit_bits(folder: Path) -> Path:
    return _beside(put(folder, _classes(2), nbits=1), -9999.5)


@kind("single bits under a mask", taken)
def _masked_bits(folder: Path) -> Path:
    return _masked(put(folder, _classes(2), nbits=1))


@kind("rational polynomials of seventeen digits, and metadata beside", taken)
def _polynomials(folder: Path) -> Path:
    numbers = np.random.default_rng(7).normal(size=(4, 20)).tolist()
    rpc = RPC(
        310.1,
        501.3,
        47.31,
        0.1 / 3,
        numbers[0],
        numbers[1],
        300.5,
        301.7,
        13.1,
        0.2 / 3,
        *numbers[2:],
        400.5,
        401.9,
    )
    return _beside(put(folder, _classes(200), crs=None, transform=None, rpcs=rpc), 255)


@kind("complex numbers under a mask", taken)
def _complex_masked(folder: Path) -> Path:
    return _masked(put(folder, _complex("c8")))


@kind("complex numbers without some of their halves", taken)
def _complex_nan(folder: Path) -> Path:
    numbers = _complex("c16")
    numbers.real[::6, ::4] = np.nan
    return put(folder, numbers, nodata=float("nan"))


@kind("alpha of eight bits in samples of sixteen", taken)
def _faint(folder: Path) -> Path:
    pixels = np.random.default_rng(8).integers(1, 9000, (*_SIZE, 4)).astype("u2")
    pixels[..., 3] = 0
    pixels[2:, 9:, 3] = 255
    return put(folder, pixels, photometric="RGB", alpha="YES")

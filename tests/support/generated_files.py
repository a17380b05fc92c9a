"""Writes the rasters of the generated table: `make(case, folder)`, with sidecars where a case has them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.rpc import RPC
from rasterio.transform import Affine

from tests.support.generated import SYSTEMS, Case

_BLOCK = 128


class NotMade(Exception):
    """The GDAL that is here does not write such a raster."""


def make(case: Case, folder: Path) -> Path:
    """Write the raster (and its sidecars) into a new folder; gives its path. Raises NotMade."""
    try:
        return _make(case, folder)
    except Exception as error:
        if not (isinstance(error, RasterioError) or type(error).__name__.startswith("CPLE_")):
            raise
        raise NotMade(str(error).split(":")[0]) from error


def _make(case: Case, folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "source.tif"
    random = np.random.default_rng(case.seed)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="beside" not in case.validity):
        first = path.with_suffix(".first.tif") if case.layout == "cog" else path
        with rasterio.open(first, "w", **_profile(case)) as dataset:
            _fill(dataset, case, random)
        if case.layout == "big tiles with overviews":
            _add_overviews(path)
        if case.layout == "cog":
            rasterio.shutil.copy(first, path, driver="COG", **_cog_options(case))
            _remove_family(first)
    _sidecars(case, path)
    return path


def _profile(case: Case) -> dict[str, Any]:
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": case.width, "height": case.height, "dtype": case.dtype,
        "count": case.bands + (case.validity == "alpha"), "compress": case.compression,
    }  # fmt: skip
    profile |= {} if case.compression != "none" else {"compress": None}
    profile |= {"nbits": case.bits} if case.bits else {}
    profile |= {"endianness": "BIG"} if case.big_endian else {}
    profile |= _layout(case) | _place(case)
    if case.photometric in ("miniswhite", "rgb", "cmyk", "cielab", "ycbcr"):
        profile["photometric"] = case.photometric.upper()
    if case.photometric == "gray":
        profile["photometric"] = "MINISBLACK"
    if case.validity == "palette":
        profile["photometric"] = "PALETTE"
    if case.validity == "alpha":
        profile["alpha"] = "UNSPECIFIED" if case.seed % 2 else "NON-PREMULTIPLIED"
    nodata = _nodata(case)
    return profile if nodata is None else profile | {"nodata": nodata}


def _layout(case: Case) -> dict[str, Any]:
    tiled = {"tiled": True, "blockxsize": _BLOCK, "blockysize": 2 * _BLOCK}
    return {
        "striped": {"blockysize": 16},
        "one strip": {"blockysize": case.height},
        "tiled": tiled,
        "planar strips": {"interleave": "band"},
        "planar tiles": tiled | {"interleave": "band"},
        "big tiles with overviews": tiled | {"blockxsize": 256, "blockysize": 256},
        "cog": tiled,
    }[case.layout]


def _place(case: Case) -> dict[str, Any]:
    system = SYSTEMS[case.place]
    crs = CRS.from_user_input(system) if system else None
    step = 1 / 7 if case.place != "degrees" else 1 / 36_007
    transform = Affine(step, 0, 500_000.1 / 3, 0, -step, 5_100_000.7 / 3)
    if case.place == "degrees":
        transform = Affine(step, 0, 13.1 / 3, 0, -step, 47.3 / 3)
    if case.place == "rotated":
        transform *= Affine.rotation(17.3)
    if case.place == "south up":
        transform = Affine(step, 0, 1 / 3, 0, step, 2 / 3)
    if case.place == "gcps":
        return {"gcps": _points(case), "crs": crs}
    if case.place == "rpcs":
        return {"rpcs": _polynomials(case)}
    if case.place in ("nowhere", "world file"):
        return {}
    return {"transform": transform} | ({"crs": crs} if crs else {})


def _points(case: Case) -> list[GroundControlPoint]:
    return [
        GroundControlPoint(row, column, 13.1 + column / 7e5, 47.3 - row / 7e5, 311.123456789)
        for row in (0.0, case.height / 3, float(case.height))
        for column in (0.0, case.width / 7, float(case.width))
    ]


def _polynomials(case: Case) -> RPC:
    random = np.random.default_rng(case.seed + 1)
    terms = [[float(x) for x in random.normal(size=20)] for _ in range(4)]
    return RPC(
        height_off=215.0, height_scale=501.0, lat_off=47.31, lat_scale=0.0833, line_off=2710.0, line_scale=2711.0,
        long_off=13.1, long_scale=0.1221, samp_off=3512.0, samp_scale=3513.0, line_num_coeff=terms[0],
        line_den_coeff=terms[1], samp_num_coeff=terms[2], samp_den_coeff=terms[3], err_bias=0.5, err_rand=0.25,
    )  # fmt: skip


def _limits(case: Case) -> tuple[float, float]:
    """The least and the largest value that the samples take."""
    if case.bits and case.bits < 16:
        return 0, 2**case.bits - 1
    if "int" in case.type and "complex" not in case.type:
        bounds = np.iinfo(case.dtype)
        return int(bounds.min), int(bounds.max)
    return (-30_000, 30_000) if case.type in ("half", "float16", "complex_int16") else (-1e6, 1e6)


def _nodata(case: Case) -> float | None:
    low, high = _limits(case)
    if case.validity == "nan":
        return math.nan
    if case.validity == "nodata":
        return low if case.seed % 2 else 1 << 53 if "64" in case.dtype and "int" in case.dtype else high
    if case.validity == "odd nodata" and "float" in case.dtype:  # not quite a number of the type
        return (0.1, -3.4028234663852886e38 if case.dtype != "float16" else 0.3)[case.seed % 2]
    return None


def _nodata_beside(case: Case) -> list[str]:
    """Values for an `.aux.xml`, a band each: some that rasterio would not write into the file itself."""
    low, high = _limits(case)
    if case.validity == "nodata per band":
        values = [str(int(low if index % 2 else high)) for index in range(case.bands)]
        return values if case.seed % 2 else [values[0]] * case.bands
    if (
        case.validity == "odd nodata" and "float" not in case.dtype
    ):  # beyond the type, or with every digit of it
        odd = str(high - 1) if "64" in case.dtype else ("-9999.5", "1e10", "300000", "-1")[case.seed % 4]
        return [odd] * (case.bands + (case.validity == "alpha"))
    return []


def _pixels(case: Case, random: np.random.Generator, bands: int) -> np.ndarray:
    """Hills, edges and noise over the whole range of the type; a few infinities and NaNs among floats."""
    low, high = _limits(case)
    shape = (bands, case.height, case.width)
    if "int" in case.dtype and "complex" not in case.dtype:
        if random.random() < 0.3:
            few = random.integers(low, high, 6, dtype=case.dtype, endpoint=True)
            return few[(np.indices(shape).sum(0) // 23) % 6]
        noise = random.integers(low, high, shape, dtype=case.dtype, endpoint=True)
        return np.where(np.indices(shape).sum(0) % 5 == 0, noise, noise // 3)
    real = random.normal(size=shape) * random.choice([1e-3, 1.0, 100.0]) + random.choice(
        [0.0, 1000.0, -7000.0]
    )
    if "complex" in case.dtype:
        exact = np.rint(real) if case.dtype == "complex_int16" else real
        return (exact + 1j * np.rint(exact.transpose(0, 2, 1).reshape(shape))).astype(
            "complex64" if case.dtype == "complex_int16" else case.dtype
        )
    kind = np.float16 if case.type == "half" else np.dtype(case.dtype)
    found = real.astype(kind)
    if random.random() < 0.5:
        found[:, :3, :5] = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], kind)
    return found.astype(case.dtype)


def _fill(dataset: Any, case: Case, random: np.random.Generator) -> None:
    pixels = _pixels(case, random, dataset.count)
    nodata = _nodata(case)
    if nodata is not None:
        with np.errstate(all="ignore"):
            held = np.array(nodata).astype(pixels.dtype)
        pixels[:, : case.height // 5, : case.width // 2] = held
    beside = _nodata_beside(case)
    if beside and "64" in case.dtype:
        pixels[:, : case.height // 5] = int(beside[0])
    if case.validity == "alpha":
        opaque = int(_limits(case)[1]) if "int" in case.dtype else 1
        pixels[-1] = opaque
        pixels[-1, : case.height // 3] = 0
        dataset.colorinterp = (*dataset.colorinterp[:-1], ColorInterp.alpha)
    dataset.write(pixels)
    if case.validity in ("mask", "mask beside", "mask per band"):
        mask = np.full(dataset.shape, 255, np.uint8)
        mask[case.height // 4 : case.height // 2, : case.width // 3] = 0
        dataset.write_mask(mask)
    if case.validity == "palette":
        size = 2 ** (case.bits or 8 * np.dtype(case.dtype).itemsize)
        colours = {v: (v * 7 % 256, 255 - v % 256, v // 3 % 256, 255) for v in range(min(size, 1 << 16))}
        dataset.write_colormap(1, colours)
    if case.named:
        _name(dataset, case)


def _name(dataset: Any, case: Case) -> None:
    dataset.descriptions = [f'band {index} <é & "1">' for index in dataset.indexes]
    dataset.units = ["m/s²" if index % 2 else "sr-1" for index in dataset.indexes]
    dataset.scales = [0.1 / index for index in dataset.indexes]
    dataset.offsets = [-273.15 * index for index in dataset.indexes]
    dataset.update_tags(SOFTWARE_USED="a chain & more", AREA_OR_POINT="Point" if case.seed % 2 else "Area")
    dataset.update_tags(1, WAVELENGTH="705.3 nm", EMPTY="")
    dataset.update_tags(ns="MISSION", ORBIT="17", NOTE="a < b")
    dataset.update_tags(1, ns="SENSOR", GAIN="0.25")


def _add_overviews(path: Path) -> None:
    with rasterio.open(path, "r+") as dataset:
        if min(dataset.shape) > _BLOCK // 2:
            dataset.build_overviews([2, 4], Resampling.nearest)


def _cog_options(case: Case) -> dict[str, str]:
    compression = case.compression.upper()
    return {
        "COMPRESS": compression, "BLOCKSIZE": "256", "RESAMPLING": "NEAREST", "OVERVIEWS": "AUTO",
        "STATISTICS": "NO" if case.seed % 3 else "YES",
    }  # fmt: skip


def _remove_family(path: Path) -> None:
    for other in path.parent.glob(f"{path.name}*"):
        other.unlink()


def _sidecars(case: Case, path: Path) -> None:
    if case.place == "world file":
        path.with_suffix(".tfw").write_text("0.5\n0\n0\n-0.5\n500000.25\n5099999.75\n")
        path.with_suffix(".prj").write_text(CRS.from_epsg(32633).to_wkt())
    values = _nodata_beside(case)
    if values:
        bands = "".join(
            f'<PAMRasterBand band="{index}"><NoDataValue>{value}</NoDataValue></PAMRasterBand>'
            for index, value in enumerate(values, 1)
        )
        path.with_name("source.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    if case.validity == "mask per band":
        _masks_per_band(case, path)


def _masks_per_band(case: Case, path: Path) -> None:
    """A `.msk` with a band for each, as GDAL makes it of masks that differ; alike in some cases."""
    masks = np.full((case.bands, case.height, case.width), 255, np.uint8)
    for index in range(case.bands):
        masks[index, : case.height // (3 if case.seed % 2 else 3 + index)] = 0
    profile = {
        "driver": "GTiff",
        "width": case.width,
        "height": case.height,
        "count": case.bands,
        "dtype": "uint8",
    }
    with rasterio.open(path.with_name("source.tif.msk"), "w", **profile) as dataset:
        dataset.write(masks)
        dataset.update_tags(**{f"INTERNAL_MASK_FLAGS_{index}": "0" for index in dataset.indexes})

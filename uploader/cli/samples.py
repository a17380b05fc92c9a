"""Real rasters of the kinds that people drop, made on the spot: `python -m uploader.cli.samples FOLDER`.

Runs in a process of its own, because only such processes import GDAL. Prints a JSON list of `{"path", "kind"}`, the
paths relative to the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.shutil import copy as rasterio_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LARGE, SMALL = 4096, 1024
"""Pixels along one side."""

UTM, METRES = "EPSG:32755", Affine(0.5, 0, 690_000, 0, -0.5, 5_340_000)
"""Somewhere near Melbourne at half a metre."""


def _relief(size: int, seed: int) -> NDArray[np.float32]:
    """A surface from 0 to 1 that looks like land: waves of many lengths, the long ones high."""
    random = np.random.default_rng(seed)
    across = np.linspace(0, 1, size, dtype=np.float32)
    surface = np.zeros((size, size), dtype=np.float32)
    for octave in range(6):
        waves, (phase, tilt) = 2.0**octave * np.pi, random.uniform(0, 2 * np.pi, 2)
        rows = np.sin(across * waves + phase)[:, None] * np.cos(across * waves * 1.3 + tilt)[None, :]
        surface += rows / 2**octave
    surface -= surface.min()
    return np.asarray(surface / surface.max(), dtype=np.float32)


def _photo(size: int, seed: int) -> NDArray[np.uint8]:
    """Three bands that compress about as well as an aerial photograph."""
    random = np.random.default_rng(seed)
    land = _relief(size, seed)
    bands = [
        land * gain * 200 + random.integers(0, 12, land.shape, dtype=np.uint8) for gain in (0.8, 1.0, 0.6)
    ]
    return np.stack([band.astype(np.uint8) for band in bands])


def _write(path: Path, data: NDArray[Any], crs: str = UTM, **profile: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = data.shape
    shape = {"count": count, "height": height, "width": width, "dtype": data.dtype}
    profile = {"driver": "GTiff", "crs": crs, "transform": METRES, **shape, **profile}
    with rasterio.open(path, "w", **profile) as target:
        target.write(data)


def striped_photo(path: Path) -> None:
    """RGB in strips without compression: what a stitching program leaves behind."""
    _write(path, _photo(LARGE, 1), photometric="RGB")


def four_bands(path: Path) -> None:
    """Sixteen-bit blue, green, red and near infrared, with their names."""
    land = _relief(SMALL, 2)
    data = np.stack([(land * gain * 9000).astype(np.uint16) for gain in (0.4, 0.6, 0.5, 1.0)])
    _write(path, data, nodata=0, compress="deflate")
    with rasterio.open(path, "r+") as target:
        target.descriptions = ("blue", "green", "red", "nir")


def elevation(path: Path) -> None:
    """A surface in metres with holes where nothing was measured."""
    heights = (_relief(SMALL, 3) * 400).astype(np.float32)
    heights[_relief(SMALL, 4) > 0.8] = -9999  # noqa: PLR2004 - about a tenth of the area
    _write(path, heights[None], nodata=-9999, compress="lzw")
    with rasterio.open(path, "r+") as target:
        target.units = ("m",)


def palette(path: Path) -> None:
    """Classes of land cover with a colour each."""
    classes = (_relief(SMALL, 5) * 5.99).astype(np.uint8)
    colours = {0: (30, 90, 160), 1: (20, 110, 40), 2: (120, 180, 60), 3: (210, 190, 90), 4: (160, 90, 60)}
    _write(path, classes[None], photometric="palette", compress="packbits")
    with rasterio.open(path, "r+") as target:
        target.write_colormap(1, {**colours, 5: (240, 240, 240)})


def transparent_edge(path: Path) -> None:
    """A mosaic that is turned against the grid, cut out by its alpha band."""
    rows, columns = np.mgrid[0:SMALL, 0:SMALL]
    inside = np.abs(rows - SMALL / 2) + np.abs(columns - SMALL / 2) < SMALL * 0.45
    alpha = np.where(inside, 255, 0).astype(np.uint8)
    _write(path, np.concatenate([_photo(SMALL, 6), alpha[None]]), photometric="RGB", alpha="unspecified")
    with rasterio.open(path, "r+") as target:
        target.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)


def masked_tiles(path: Path) -> None:
    """Tiled already, with a mask inside the file."""
    valid = np.where(_relief(SMALL, 7) > 0.3, 255, 0).astype(np.uint8)  # noqa: PLR2004 - about two thirds
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):  # type: ignore[no-untyped-call]
        _write(path, _photo(SMALL, 8), tiled=True, blockxsize=256, blockysize=256, compress="deflate")
        with rasterio.open(path, "r+") as target:
            target.write_mask(valid)


def ready_cog(path: Path) -> None:
    """A COG with statistics, fit to be sent as it is."""
    plain = path.with_suffix(".part")
    _write(plain, (_relief(SMALL, 9) * 250).astype(np.uint8)[None], compress="deflate")
    with rasterio.Env(GDAL_PAM_ENABLED=False):  # type: ignore[no-untyped-call]
        rasterio_copy(plain, path, driver="COG", compress="deflate", statistics="yes", blocksize=512)
    plain.unlink()


def small_tile(path: Path) -> None:
    """One of two files of the same name in different folders."""
    seed = sum(path.parent.name.encode())
    _write(path, _photo(512, seed), compress="deflate")


SAMPLES: tuple[tuple[str, str, Callable[[Path], None]], ...] = (
    ("air photo.tif", "RGB strips", striped_photo),
    ("four-bands.tif", "uint16 x 4", four_bands),
    ("elevation.tif", "float32", elevation),
    ("land-cover.tif", "palette", palette),
    ("mosaic.tif", "RGB + alpha", transparent_edge),
    ("masked.tif", "RGB + mask", masked_tiles),
    ("ready.tif", "COG", ready_cog),
    ("north/tile.tif", "RGB", small_tile),
    ("south/tile.tif", "RGB", small_tile),
)
"""What is made: path below the folder, what it is, and how."""


def main(folder: Path) -> None:
    """Make all samples below `folder` and say which."""
    for name, _, make in SAMPLES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        make(folder / name)
    sys.stdout.write(json.dumps([{"path": name, "kind": kind} for name, kind, _ in SAMPLES]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

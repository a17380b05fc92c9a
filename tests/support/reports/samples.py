"""Reports about what samples mean: nodata, alpha, colour maps, bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp

from tests.judge.rights import kept, taken, values_occur
from tests.support.heads.base import samples
from tests.support.kinds import put, some
from tests.support.reports.base import report, with_tags
from tests.support.tiffwriter import Picture, shorts, text, write


@report("nodata below an unsigned type", "xarray-contrib/xarray-spatial 1581", kept(42113))
def _nodata_below(folder: Path) -> Path:
    return with_tags(folder, {42113: text(b"-9999")})


@report("NaN in several bands under LERC", "OSGeo/gdal 9530", taken)
def _lerc(folder: Path) -> Path:
    pixels = some(2, "f8")
    pixels[3:20, 5:30] = np.nan
    return put(folder, pixels, compress="lerc", interleave="band")


@report("alpha and a nodata value of 255", "OSGeo/gdal 13703", taken)
def _alpha_nodata(folder: Path) -> Path:
    pixels = some(4, "u1", (700, 640))
    pixels[:, :, 3] = 255
    pixels[:200, :300] = (255, 255, 255, 0)
    return put(folder, pixels, photometric="RGB", alpha="YES", nodata=255)


@report("five bands of a drone and alpha", "cogeotiff/rio-cogeo 112", taken)
def _drone(folder: Path) -> Path:
    pixels = some(6, "u2", (600, 530))
    pixels[:, :, 5] = 65535
    pixels[:90, :, 5] = 0
    path = put(folder, pixels, photometric="RGB", alpha="NO")
    with rasterio.open(path, "r+") as dataset:
        gray = ColorInterp.gray
        dataset.colorinterp = (
            ColorInterp.red,
            ColorInterp.green,
            ColorInterp.blue,
            gray,
            gray,
            ColorInterp.alpha,
        )
    return path


@report("a colour map of 8 bits in the low bytes", "python-pillow/Pillow 2157", kept(320))
def _low_map(folder: Path) -> Path:
    table = shorts(*(value % 256 for value in range(768)))
    return with_tags(folder, {262: shorts(3), 320: table}, "u1")


@report("the largest float of Surfer as nodata", "nsidc/qgreenland 712", taken)
def _surfer(folder: Path) -> Path:
    pixels = some(1, "f4", (700, 640))
    pixels[::3, ::2] = np.float32(1.70141e38)
    return put(folder, pixels, nodata=float(np.float32(1.70141e38)))


@report("NaN as nodata beside alpha", "openlayers/openlayers 13666", taken)
def _nan_alpha(folder: Path) -> Path:
    pixels = some(4, "f4", (600, 530))
    pixels[:, :, 3] = 1
    pixels[:100, :200] = (np.nan, np.nan, np.nan, 0)
    return put(folder, pixels, photometric="RGB", alpha="YES", nodata=np.nan)


@report("a grid of whole numbers with nodata", "Deltares/imod-python 127", taken)
def _grid(folder: Path) -> Path:
    rows = "\n".join(" ".join(str(r * c % 7 if (r + c) % 5 else -9999) for c in range(40)) for r in range(30))
    path = folder / "raster.asc"
    path.write_text(
        f"ncols 40\nnrows 30\nxllcorner 4e5\nyllcorner 5e6\ncellsize 25\nNODATA_value -9999\n{rows}\n"
    )
    return path


@report("signed bytes with nodata -1", "corteva/rioxarray 113", kept(42113))
def _signed(folder: Path) -> Path:
    pixels = (some(1, "u1").astype(np.int16) // 2 - 60).astype(np.int8)
    return put(folder, pixels, nodata=-1)


_FLAGS = np.array([21824, 21952, 22280, 23888, 54596, 55052, 1], np.uint16)
"""Pixels of a quality band: clear, water, cloud, shadow, cirrus, fill."""


@report("bits of quality", "radiantearth/stac-spec 243", values_occur)
def _quality(folder: Path) -> Path:
    pixels = _FLAGS[samples(np.random.default_rng(3), 1, "u1", size=(700, 640)) // 40]
    made = put(folder, pixels)
    return made.rename(folder / "LC09_L2SP_190027_20240113_02_T1_QA_PIXEL.TIF")


@report("half floats with the predictor of floats", "OSGeo/gdal 13925", taken)
def _half_floats(folder: Path) -> Path:
    pixels = some(1, "u1", (600, 640)).astype("f2")
    return write(folder / "raster.tif", [Picture(pixels, tile=256, deflate=True, predictor=3)])

"""What a folder declares for a raster that does not say it itself: taken into its facts, and marked as declared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil

from uploader.convert.read.facts import NODATA, BandFacts, Facts
from uploader.convert.read.formats import prj
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.convert.read.nodata_border import says_all_valid
from uploader.core.errors import RasterRefused

_WRAPPER = "declared.vrt"
_BAND = re.compile(rb"<VRTRasterBand [^>]*>")


def placed(facts: Facts) -> bool:
    """Whether a raster has a reference system of any kind: its own, of its points, or that of polynomials."""
    return bool(facts.crs or facts.gcp_crs or facts.rpcs)


def with_declared(facts: Facts, crs: str, nodata: str) -> Facts:
    """The facts with what is declared where nothing was said. Raises RasterRefused for a system that nobody knows."""
    if crs and not placed(facts) and not facts.gcps:
        known = prj.wkt_of(crs)
        if not known:
            raise RasterRefused(
                f"The reference system {crs[:80]!r} that is declared for it is in no register, or makes no sense.",
                "Correct `crs`; then have it tried again.",
            )
        facts = replace(facts, crs=known, declared=facts.declared | {"crs": crs})
    if nodata and says_all_valid(facts) and all(holds(band, nodata) for band in facts.bands):
        bands = tuple(replace(band, nodata=float(nodata), mask=NODATA) for band in facts.bands)
        facts = replace(facts, bands=bands, declared=facts.declared | {"nodata": nodata})
    return facts


def holds(band: BandFacts, nodata: str) -> bool:
    """Whether some sample of the band could be this value."""
    value = float(nodata)
    if "complex" in band.dtype:
        return False
    if "float" in band.dtype:
        return math.isnan(value) or abs(value) <= float(np.finfo(band.dtype).max)
    if not value.is_integer():
        return False
    bounds = np.iinfo(band.dtype)
    most = (1 << band.bits) - 1 if band.bits else int(bounds.max)
    return int(bounds.min) <= _whole(nodata) <= most


def _whole(text: str) -> int:
    """A whole number with all its digits, also where it is written with a point or a power."""
    try:
        return int(text)
    except ValueError:
        return int(float(text))


@contextmanager
def as_declared(dataset: Dataset, facts: Facts, folder: Path) -> Iterator[Dataset]:
    """The raster as GDAL sees it once the nodata value is declared; the raster itself where none is."""
    if "nodata" not in facts.declared:
        yield dataset
        return
    wrapper = folder / _WRAPPER
    element = f"<NoDataValue>{facts.declared['nodata']}</NoDataValue>".encode()
    with translated("opened"):
        rasterio.shutil.copy(dataset, wrapper, driver="VRT")
        wrapper.write_bytes(_BAND.sub(lambda tag: tag.group() + element, wrapper.read_bytes()))
        view = rasterio.open(wrapper, driver="VRT", sharing=False)
    with view:
        yield view
    wrapper.unlink()

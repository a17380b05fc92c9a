"""What a nodata value is in a band's type, and which samples GDAL's mask takes for it. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ULPS = 2.0


def resembles_nodata(values: NDArray[Any], nodata: float) -> NDArray[np.bool_]:
    """What GDAL's mask takes for nodata: of floats also their neighbours."""
    value = masked(nodata, values.dtype)
    if value is None:
        return np.zeros(values.shape, np.bool_)
    if values.dtype.kind != "f" or values.dtype.itemsize < 4:  # noqa: PLR2004 - bytes
        return np.asarray(values == value)
    epsilon = np.finfo(values.dtype).eps * _ULPS
    with np.errstate(all="ignore"):
        near = np.abs(values - value) < epsilon * np.abs(values + value)
    return np.asarray((values == value) | near)


def held(nodata: float, dtype: np.dtype[Any]) -> Any:
    """A nodata value as the type holds it; None where it cannot."""
    if dtype.kind in "iu":
        whole = math.isfinite(nodata) and int(nodata) == nodata
        bounds = np.iinfo(dtype)
        return dtype.type(int(nodata)) if whole and bounds.min <= int(nodata) <= bounds.max else None
    return dtype.type(nodata)


def masked(nodata: float, dtype: np.dtype[Any]) -> Any:
    """The value that GDAL's mask takes for nodata; None where it takes none. Of whole numbers a fraction is cut off."""
    whole = dtype.kind in "iu" and np.iinfo(dtype).min <= nodata <= np.iinfo(dtype).max
    return held(math.trunc(nodata) if whole else nodata, dtype)

"""Numbers of a raster: what its bands are called, and how their values are spread."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np
from grids import reader
from rasterio.enums import ColorInterp
from rio_tiler.io import Reader

LARGEST = 1024
"""Pixels on the longer side that statistics are taken from: an overview of about this size, if there is one."""
EMBEDDED = {
    "STATISTICS_MINIMUM": "minimum",
    "STATISTICS_MAXIMUM": "maximum",
    "STATISTICS_MEAN": "mean",
    "STATISTICS_STDDEV": "stddev",
    "STATISTICS_VALID_PERCENT": "valid_percent",
}
NEEDED = {"minimum", "maximum", "mean", "stddev"}
COMMON = {"coastal", "blue", "green", "yellow", "red", "rededge", "nir", "nir08", "nir09", "cirrus", "pan"}
"""Names of bands that STAC knows as common; a description that is one of them is taken at its word."""
COLOURS = {
    ColorInterp.red: "red",
    ColorInterp.green: "green",
    ColorInterp.blue: "blue",
    ColorInterp.alpha: "alpha",
}


def describe(raster: Any) -> dict[str, Any]:
    """Every band: name, common name, type, nodata, statistics (embedded ones first) and 2nd/98th percentile."""
    values = _preview(raster, list(raster.indexes))
    bands = [_band(raster, index, values[index - 1]) for index in raster.indexes]
    palette = raster.colorinterp[0] == ColorInterp.palette
    return {"bands": bands, "palette": palette, "dtype": str(raster.dtypes[0])}


def statistics(
    raster: Any,
    *,
    bands: list[int],
    expression: str,
    bbox: list[float] | None,
    percentiles: list[float],
) -> dict[str, Any]:
    """Statistics by band, or of an expression; inside a bbox in degrees when one is given."""
    wanted: dict[str, Any] = {"expression": expression} if expression else {"indexes": bands}
    if bbox:
        array = reader(raster).part(tuple(bbox), max_size=LARGEST, **wanted).array
    else:
        array = Reader(None, dataset=raster).preview(max_size=LARGEST, **wanted).array
    names = expression.split(";") if expression else [f"b{index}" for index in bands]
    return {
        "statistics": {
            name: {
                **computed(values),
                **{
                    f"percentile_{_whole(share)}": value
                    for share, value in zip(percentiles, _percentiles(values, percentiles), strict=True)
                },
            }
            for name, values in zip(names, array, strict=True)
        }
    }


def computed(band: Any) -> dict[str, float]:
    """Minimum, maximum, mean, standard deviation and share of valid pixels; only the last where none is valid."""
    values = _valid(band)
    share = {"valid_percent": round(100 * values.size / max(band.size, 1), 3), "count": int(values.size)}
    if not values.size:
        return share
    found = {"minimum": values.min(), "maximum": values.max(), "mean": values.mean(), "stddev": values.std()}
    return {**{name: float(value) for name, value in found.items()}, **share}


def _band(raster: Any, index: int, values: Any) -> dict[str, Any]:
    tags = raster.tags(index)
    embedded = {name: _number(tags[tag]) for tag, name in EMBEDDED.items() if tag in tags}
    embedded = {name: value for name, value in embedded.items() if value is not None}
    description = raster.descriptions[index - 1] or ""
    colour = COLOURS.get(raster.colorinterp[index - 1], "")
    common = description.lower() if description.lower() in COMMON else colour if colour != "alpha" else ""
    return {
        "index": index,
        "name": description or colour or f"b{index}",
        "common_name": common,
        "statistics": embedded if embedded.keys() >= NEEDED else {**computed(values), **embedded},
        "embedded": embedded.keys() >= NEEDED,
        "percentiles": _percentiles(values, [2, 98]),
    }


def _preview(raster: Any, indexes: list[int]) -> Any:
    array = Reader(None, dataset=raster).preview(max_size=LARGEST, indexes=indexes).array
    return np.ma.abs(array) if np.iscomplexobj(array) else array


def _valid(band: Any) -> Any:
    values = band.compressed().astype("float64")
    return values[np.isfinite(values)]


def _percentiles(band: Any, shares: list[float]) -> list[float]:
    values = _valid(band)
    return [float(one) for one in np.percentile(values, shares)] if values.size else [0.0] * len(shares)


def _number(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return number if math.isfinite(number := float(text)) else None
    return None


def _whole(share: float) -> str:
    return f"{share:g}"

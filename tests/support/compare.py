"""An independent comparison of a raster and its COG: shares no code with the program, and reads everything.

For tests: it is slow and simple on purpose, so that it can be believed.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import MaskFlags

EXCUSES = {"crs_not_expressible": "crs:", "nodata_colour": "colour table"}
"""Which difference a warning names, by its code: then it is no silent one."""


def unnamed(source: Path, cog: Path, codes: set[str]) -> list[str]:
    """The differences that no warning names."""
    named = tuple(EXCUSES[code] for code in codes & EXCUSES.keys())
    return [text for text in differences(source, cog) if not (named and text.startswith(named))]


def differences(source: Path, cog: Path) -> list[str]:
    """All that differs in pixels, masks, nodata, georeference, GCPs, RPCs and colour tables; empty when equal."""
    with rasterio.open(source, sharing=False) as a, rasterio.open(cog, sharing=False) as b:
        if (a.width, a.height, a.count) != (b.width, b.height, b.count) or a.dtypes != b.dtypes:
            return [
                f"shape: {a.width}x{a.height}x{a.count} {a.dtypes} became {b.width}x{b.height}x{b.count} {b.dtypes}"
            ]
        return [*_place(a, b), *(text for i in a.indexes for text in _band(a, b, i))]


def _place(a, b):
    if (a.crs is None) != (b.crs is None) or (a.crs is not None and a.crs != b.crs):
        yield f"crs: {a.crs} became {b.crs}"
    if not np.allclose(a.get_transform(), b.get_transform(), rtol=1e-12, atol=1e-12):
        yield f"transform: {a.get_transform()} became {b.get_transform()}"
    points = [[(g.row, g.col, g.x, g.y, g.z or 0.0) for g in d.gcps[0]] for d in (a, b)]
    if len(points[0]) != len(points[1]) or (points[0] and not np.allclose(*points, rtol=1e-12, atol=1e-12)):
        yield "gcps"
    if points[0] and a.gcps[1] != b.gcps[1]:
        yield "gcps crs"
    before, after = a.tags(ns="RPC"), b.tags(ns="RPC")
    for key in set(before) - {"ERR_BIAS", "ERR_RAND"}:
        if [float(x) for x in before[key].split()] != [float(x) for x in after.get(key, "nan").split()]:
            yield f"rpc {key}"


def _band(a, b, i):
    pixels = [np.ascontiguousarray(d.read(i)) for d in (a, b)]
    if pixels[0].tobytes() != pixels[1].tobytes():
        yield f"pixels of band {i}: {int((pixels[0] != pixels[1]).sum())} differ"
    flags = a.mask_flag_enums[i - 1], b.mask_flag_enums[i - 1]
    if flags[0] != flags[1] and flags != (
        [],
        [MaskFlags.per_dataset],
    ):  # alike masks of all bands may become one
        yield f"mask flags of band {i}: {flags[0]} became {flags[1]}"
    if not np.array_equal(a.read_masks(i) != 0, b.read_masks(i) != 0):
        yield f"mask of band {i}"
    before, after = a.nodatavals[i - 1], b.nodatavals[i - 1]
    if before != after and not (
        before is not None and after is not None and math.isnan(before) and math.isnan(after)
    ):
        yield f"nodata of band {i}: {before} became {after}"
    if _colours(a, i) != _colours(b, i):
        yield f"colour table of band {i}"
    for name in ("descriptions", "units", "scales", "offsets"):
        if (getattr(a, name)[i - 1] or 0) != (getattr(b, name)[i - 1] or 0):
            yield f"{name} of band {i}"


def _colours(d, i):
    try:
        return d.colormap(i)
    except ValueError:
        return None

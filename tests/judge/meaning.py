"""What GDAL reads of source and result: pixels, masks, place and metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError

from tests.judge.findings import Finding, fault
from tests.support import compare

_LOSSES = {
    "crs": ("crs_not_expressible", "prj_unreadable", "aux_unread"),
    "colour table": ("nodata_colour", "colour_alpha_lost"),
    "descriptions": ("tag_lost", "aux_unread", "text_unreadable"),
    "units": ("tag_lost", "aux_unread", "text_unreadable"),
    "rpc": ("rpc_lost",),
}
"""Differences that a warning may name, by how they begin, and the codes that do."""

_PRODUCT = ("IMD", "IMAGERY")
"""Domains of what satellite products say of a scene."""

_POINT = "AREA_OR_POINT"
_OWN_ITEMS = ("STATISTICS_", "OVR_RESAMPLING_ALG", _POINT, "TIFFTAG_")
"""Items that are compared elsewhere: the point by the place, TIFF's tags in the heads."""


def compared(source: Path, result: Path) -> Iterator[Finding]:
    """All that GDAL shows otherwise."""
    try:
        for text in compare.differences(source, result):
            codes = next((codes for start, codes in _LOSSES.items() if text.startswith(start)), None)
            yield fault(text) if codes is None else Finding(text, codes=codes)
        with compare.opened(source, result) as a, rasterio.open(result, sharing=False) as b:
            yield from _masks(a, b)
            yield from _items(a, b)
            yield from _products(a, b)
            yield from _pixel_kind(a, b)
    except (RasterioError, ValueError) as error:
        yield fault(f"cannot be compared: {error}")


def _masks(a: Any, b: Any) -> Iterator[Finding]:
    """A mask is data, and each of its values counts."""
    for i in a.indexes:
        own = (
            MaskFlags.per_dataset in a.mask_flag_enums[i - 1]
            and MaskFlags.alpha not in a.mask_flag_enums[i - 1]
        )
        if own and not np.array_equal(a.read_masks(i), b.read_masks(i)):
            yield fault(f"the values of the mask of band {i}")


def has_soft_mask(source: Path) -> bool:
    """Whether a mask of its own has other values than 0 and 255."""
    try:
        with rasterio.open(source, sharing=False) as a:
            return any(np.any(a.read_masks(i) % 255) for i in a.indexes if _is_masked(a, i))
    except RasterioError:
        return False


def _is_masked(a: Any, i: int) -> bool:
    return (
        MaskFlags.per_dataset in a.mask_flag_enums[i - 1] and MaskFlags.alpha not in a.mask_flag_enums[i - 1]
    )


def _items(a: Any, b: Any) -> Iterator[Finding]:
    pairs = [
        ("", a.tags(), b.tags()),
        *((f" of band {i}", a.tags(i), b.tags(i)) for i in a.indexes[: b.count]),
    ]
    for where, before, after in pairs:
        for name, text in before.items():
            if text and after.get(name) != text and not name.startswith(_OWN_ITEMS):
                yield Finding(f"metadata item {name}{where}: {text[:60]!r} is lost", words=(name,))


def _products(a: Any, b: Any) -> Iterator[Finding]:
    for domain in _PRODUCT:
        gone = [key for key, text in a.tags(ns=domain).items() if b.tags(ns=domain).get(key) != text]
        if gone:
            yield Finding(
                f"the domain {domain}: {', '.join(gone[:5])} lost", words=(domain,), codes=("imd_lost",)
            )


def _pixel_kind(a: Any, b: Any) -> Iterator[Finding]:
    kinds = [d.tags().get(_POINT, "Area") for d in (a, b)]
    placed = a.crs or not a.transform.is_identity
    if placed and kinds[0] != kinds[1]:
        yield fault(f"pixels are {kinds[0]}, became {kinds[1]}")

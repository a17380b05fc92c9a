"""Rasters that fail to say something, which is warned of: no system, a border of one value, nodata beside alpha."""

from __future__ import annotations

from pathlib import Path

from tests.judge.rights import warned
from tests.support.kinds import kind, put, some


@kind("no reference system at all", warned("crs_missing"))
def _no_system(folder: Path) -> Path:
    return put(folder, some(1, "u2"), crs=None, transform=None)


@kind("a place without a system", warned("crs_missing"))
def _place_only(folder: Path) -> Path:
    return put(folder, some(3, "u1"), crs=None)


@kind("a border of zeros", warned("suspect_nodata"))
def _zeros(folder: Path) -> Path:
    pixels = some(1, "u2", (300, 280))
    pixels[:60] = pixels[:, :50] = 0
    return put(folder, pixels)


@kind("a border of -9999", warned("suspect_nodata"))
def _border(folder: Path) -> Path:
    pixels = some(1, "f4", (300, 280))
    pixels[-40:] = -9999
    return put(folder, pixels)


@kind("nodata beside alpha", warned("nodata_and_alpha"))
def _both(folder: Path) -> Path:
    pixels = some(4, "u1")
    pixels[:, :, 3] = 255
    pixels[:40] = 0
    return put(folder, pixels, photometric="RGB", alpha="YES", nodata=0)

"""Attacks by title: what a file may be called."""

from __future__ import annotations

from pathlib import Path

from tests.security.family import ATTACKS, Attack, Maker, plain
from tests.security.lures import Lure

TITLES = (
    "-source.tif", "--config.tif", "a\nb.tif", "a\tb\x1b[31m.tif", "..tif", "...", "source", "HDF5:a.tif",
    'NETCDF:"a.nc":v.tif', "GTIFF_DIR:1:a.tif", "GTIFF_RAW:a.tif", "zip+http:a.tif", "a!b.tif", "vsicurl,a.tif",
    "vrt:a.tif", "<VRTDataset>.tif", "a.tif?x=1&y=2#z", "%2e%2e%2fkey.tif", "a,b;c'd\"e.tif", "{a}.tif",
    "$HOME`id`.tif", "a\\b.tif", "ä\u0308€😀.tif", "x" * 251 + ".tif",
)  # fmt: skip
"""File names that mean something to a shell, to GDAL, or to a terminal."""


def _titled(title: str) -> Maker:
    def make(folder: Path, lure: Lure) -> Path:
        return plain(folder, side=64).rename(folder / title)

    return make


ATTACKS |= {
    f"title {title[:40]!r}": Attack(f"title {title[:40]!r}", "titles", _titled(title)) for title in TITLES
}

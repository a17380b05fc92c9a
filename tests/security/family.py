"""What an attack is, the table of them, and the harmless raster that most begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio

from tests.security.lures import FOREIGN, Lure

Maker = Callable[[Path, Lure], Path | None]
"""Puts an attack into an empty folder; the raster is `source.tif` there, unless another path is given back."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to hurt: `proven` where plain GDAL falls for it; a bomb may `cost` the child its life."""

    name: str
    kind: str
    make: Maker
    proven: bool = False
    costs: bool = False


ATTACKS: dict[str, Attack] = {}


def attack(kind: str, *, proven: bool = False, costs: bool = False) -> Callable[[Maker], Maker]:
    """Enter a maker into the table under its own name."""

    def add(make: Maker) -> Maker:
        ATTACKS[make.__name__] = Attack(make.__name__, kind, make, proven, costs)
        return make

    return add


def plain(folder: Path, name: str = "source.tif", side: int = 600) -> Path:
    """A harmless raster: nothing in it is as bright as the foreign one."""
    path = folder / name
    pixels = np.random.default_rng(7).integers(0, FOREIGN // 2, (1, side, side), dtype=np.uint8)
    place = rasterio.transform.from_origin(5e5, 5e6, 1, 1)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="uint8", transform=place
    ) as d:
        d.write(pixels)
    return path


def overviews(path: Path, name: str) -> None:
    """Let internal metadata name something as the overviews."""
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=name)


def auxiliary(folder: Path, inner: str, head: str = "") -> None:
    """Write an `.aux.xml` beside the raster."""
    (folder / "source.tif.aux.xml").write_text(f"{head}<PAMDataset>{inner}</PAMDataset>")

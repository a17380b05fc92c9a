"""Ways in which many files come into a drop folder that is watched; `benchmarks/backlog.py` and the tests use them.

The files are links to a few real rasters: what the kernel tells of them is what counts. Each function returns how many
rasters lie in the drop folder after it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

LINKS = 50_000
"""Links to one file; ext4 allows 65,000."""

POPULATED = 3
"""Files in a folder that is renamed in."""


class Links:
    """Gives links to copies of a sample, which lie beside the drop folder."""

    def __init__(self, sample: Path) -> None:
        self._sample, self._made = sample, 0
        self._original = sample

    def at(self, path: Path) -> None:
        """One more file that is this raster."""
        if self._made % LINKS == 0:
            self._original = Path(shutil.copy(self._sample, f"{self._sample}.{self._made}"))
        os.link(self._original, path)
        self._made += 1


def burst(drop: Path, links: Links, number: int) -> int:
    """So many files into one folder, as fast as it goes."""
    for one in range(number):
        links.at(drop / f"{one:07}.tif")
    return number


def spread(drop: Path, links: Links, number: int, folders: int) -> int:
    """So many files over so many folders; with one folder they lie in the drop folder itself."""
    places = [drop / f"{place:03}" for place in range(folders)] if folders > 1 else [drop]
    for place in places:
        place.mkdir(exist_ok=True)
    for one in range(number):
        links.at(places[one * folders // number] / f"{one:07}.tif")
    return number


def renamed(drop: Path, links: Links, number: int) -> int:
    """So many folders that were filled elsewhere on the file system, each renamed in."""
    outside = drop.with_name(f"{drop.name}.outside")
    outside.mkdir()
    for one in range(number):
        folder = outside / f"{one:06}"
        folder.mkdir()
        for other in range(POPULATED):
            links.at(folder / f"{other}.tif")
    for folder in sorted(outside.iterdir()):
        folder.rename(drop / folder.name)
    return POPULATED * number


def races(drop: Path, links: Links, number: int) -> int:
    """So many folders two deep, each with a file at once: the watch comes after the file."""
    for one in range(number):
        folder = drop / f"{one:06}" / "deeper"
        folder.mkdir(parents=True)
        links.at(folder / "one.tif")
    return number


ARRIVALS: dict[str, Callable[[Path, Links, int], int]] = {"burst": burst, "renamed": renamed, "races": races}

"""A seeded table of heads with what GDAL hides: `table(100, seed)` lists cases, `make(case, folder)` writes one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.heads import colours, layouts, records
from tests.support.heads.base import KINDS
from tests.support.tiffwriter import write

MODULES = (colours, layouts, records)
"""Where the makers are, which enter themselves into the register."""


@dataclass(frozen=True)
class HeadCase:
    """One row: what is odd about the head, and how the file is written."""

    number: int
    seed: int
    kind: str
    order: str
    big: bool

    @property
    def name(self) -> str:
        """All of it in one line."""
        order = "big-endian" if self.order == ">" else "little-endian"
        return f"{self.number:03} {self.kind}, {order}{', BigTIFF' if self.big else ''}, seed {self.seed}"


def table(count: int, seed: int, first: int = 0) -> list[HeadCase]:
    """So many cases, numbered from `first`: every kind in turn. The same count and seed give the same table."""
    random = np.random.default_rng((seed, 9))
    kinds: list[str] = []
    while len(kinds) < count:
        kinds += [str(name) for name in random.permutation(sorted(KINDS))]
    return [
        HeadCase(
            first + at,
            int(random.integers(1 << 30)),
            kinds[at],
            ">" if random.random() < 0.3 else "<",
            bool(random.random() < 0.2),
        )
        for at in range(count)
    ]


def make(case: HeadCase, folder: Path) -> Path:
    """Write the raster into a new folder; gives its path."""
    folder.mkdir(parents=True)
    pictures = KINDS[case.kind](np.random.default_rng(case.seed))
    return write(folder / "source.tif", pictures, order=case.order, big=case.big)

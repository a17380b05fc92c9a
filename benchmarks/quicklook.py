"""What a footprint and a thumbnail cost beside their conversion: processor time of the converting children.

    nice -n 15 python benchmarks/quicklook.py [--rounds 10] [--json]

Conversions with and without take turns, so that both have the same neighbours. The kernel counts a zygote's children in
hundredths of a second: the more rounds, the less that matters. Prints milliseconds for one raster, and the share.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import psutil
import rasterio
from rasterio.transform import from_origin

from uploader.convert import Converter, Job

SIZES = {"1000 x 1000 x 3": (1000, 3, 5), "64 x 64 x 1": (64, 1, 5), "108 MB of RGB": (6000, 3, 1)}
"""By name: pixels on each side, bands, and how many are converted in a turn."""


@dataclass(slots=True)
class Cost:
    """Seconds of conversions without and with, and how many of each."""

    without: float = 0.0
    both: float = 0.0
    count: int = 0

    def told(self) -> dict[str, float]:
        """Milliseconds for one raster, and the share in percent."""
        plain, more = 1000 * self.without / self.count, 1000 * self.both / self.count
        return {
            "without": round(plain, 1),
            "with": round(more, 1),
            "percent": round(100 * (more / plain - 1), 1),
        }


def make(path: Path, side: int, bands: int) -> Path:
    """Something like a photograph, with noise, in strips."""
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[0:side, 0:side]
    hills = (np.sin(columns / 97) + np.cos(rows / 131)) * 50 + 120
    path.parent.mkdir(parents=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=bands, dtype="uint8", crs="EPSG:32632",
        transform=from_origin(500_000, 5_900_000, 1, 1), photometric="RGB" if bands == 3 else "MINISBLACK",
    ) as dataset:  # fmt: skip
        for band in range(1, bands + 1):
            dataset.write((hills + random.normal(0, 12, hills.shape)).clip(0, 255).astype(np.uint8), band)
    return path


async def measured(source: Path, times: int, rounds: int) -> Cost:
    """Conversions of this raster, in turns of so many."""
    cost, target = Cost(), source.parent.parent / "out.tif"
    async with Converter(1) as converter:
        await converter.convert(Job(source, target, quicklook=True))
        (zygote,) = psutil.Process().children()

        def spent() -> float:
            now = zygote.cpu_times()
            return float(now.children_user + now.children_system)

        for turn in range(2 * rounds):
            quicklook = bool((turn + turn // 2) % 2)  # which comes first changes from round to round
            began = spent()
            for _ in range(times):
                await converter.convert(Job(source, target, quicklook=quicklook))
            if quicklook:
                cost.both += spent() - began
            else:
                cost.without += spent() - began
        cost.count = rounds * times
    return cost


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quicklook-") as root:
        for name, (side, bands, times) in SIZES.items():
            source = make(Path(root) / name / "in" / "source.tif", side, bands)
            told = anyio.run(measured, source, times, given.rounds).told()
            print(json.dumps({"raster": name, **told}) if given.json else f"{name:16} {told}", flush=True)


if __name__ == "__main__":
    main()

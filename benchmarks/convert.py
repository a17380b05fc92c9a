"""How long a conversion takes against GDAL's COG driver alone, with the same options, taken in turn.

    python benchmarks/convert.py [--side 8000] [--rounds 3] [--kinds rgb dem strip pyramid]

Each run is a process of its own. Prints for each kind of raster the wall clock and the processor time of the plain
copy (`rasterio.shutil.copy`, driver COG, no statistics, nothing compared), and of ours with `verify` full, sample and
off as ratios to it: medians of the rounds. Ours includes exact statistics, masks, facts and the check of the result;
of a pyramid (tiled, with overviews) it moves the tiles. On a machine with other work the processor time is the one
to look at.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin

_PLAIN = """
import sys, rasterio, rasterio.shutil
options = dict(compress="DEFLATE", level="1", predictor="YES", blocksize="512", overviews="IGNORE_EXISTING",
               resampling="AVERAGE", overview_resampling="AVERAGE", bigtiff="IF_SAFER", add_alpha="NO",
               statistics="NO", num_threads="ALL_CPUS")
with rasterio.Env(GDAL_CACHEMAX=512 << 20), rasterio.open(sys.argv[1]) as source:
    rasterio.shutil.copy(source, sys.argv[2], driver="COG", **options)
"""
_OURS = """
import sys, anyio
from pathlib import Path
from uploader.convert import Converter, Job
async def main():
    async with Converter(1) as converter:
        report = await converter.convert(Job(Path(sys.argv[1]), Path(sys.argv[2]), verify=sys.argv[3]))
        print(report.method)
anyio.run(main)
"""
_WAYS = ("plain", "full", "sample", "off")


def light(side: int, bands: int) -> np.ndarray:
    """Hills, edges and noise, as bytes."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    out = np.empty((bands, side, side), np.uint8)
    for band in range(bands):
        values = 120 + 60 * np.sin(columns / (40 + 7 * band)) + 45 * np.cos(rows / (60 - 5 * band))
        values += 25 * ((columns // 37 + rows // 53) % 2) + random.normal(0, 4, (side, side)).astype(
            np.float32
        )
        out[band] = values.clip(0, 255)
    return out


def make(kind: str, path: Path, side: int) -> None:
    """Write one raster."""
    place = {
        "crs": "EPSG:32633",
        "transform": from_origin(5e5, 5.1e6, 0.5, 0.5),
        "width": side,
        "height": side,
    }
    if kind == "dem":
        heights = (light(side, 1) * np.float32(1.7)).astype(np.float32)
        heights += np.random.default_rng(1).normal(0, 0.05, heights.shape).astype(np.float32)
        heights[:, :, : side // 5] = -9999
        layout = {"nodata": -9999, "tiled": True, "compress": "deflate", "predictor": 3}
        pixels = heights
    else:
        pixels = light(side, 3)
        layout = {
            "rgb": {},
            "strip": {"compress": "lzw", "blockysize": side},
            "pyramid": {
                "tiled": True,
                "blockxsize": 512,
                "blockysize": 512,
                "compress": "deflate",
                "predictor": 2,
            },
        }[kind] | {"photometric": "rgb"}
    shape = {"count": len(pixels), "dtype": pixels.dtype.name}
    with rasterio.open(path, "w", driver="GTiff", **(place | shape | layout)) as dataset:
        dataset.write(pixels)
    if kind == "pyramid":
        factors = [2**n for n in range(1, 12) if side / 2 ** (n - 1) > 512]
        with rasterio.Env(COMPRESS_OVERVIEW="DEFLATE"), rasterio.open(path, "r+") as dataset:
            dataset.build_overviews(factors, Resampling.average)


def run(way: str, source: Path, target: Path) -> tuple[float, float, str]:
    """Seconds of wall clock and of processor time, and the method of one conversion."""
    script = [_PLAIN] if way == "plain" else [_OURS]
    arguments = [sys.executable, "-c", *script, str(source), str(target), way]
    root = str(Path(__file__).resolve().parents[1])
    before, started = os.times(), time.monotonic()
    said = subprocess.run(
        arguments, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": root}
    ).stdout
    seconds, after = time.monotonic() - started, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    target.unlink()
    return seconds, spent, said.strip()


def main() -> None:
    """Make the rasters, run all ways in turn, print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=["rgb", "dem", "strip", "pyramid"])
    parser.add_argument("--dir", type=Path, help="where the rasters are made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="convert-", dir=arguments.dir) as room:
        for kind in arguments.kinds:
            source = Path(room) / kind / "source.tif"
            source.parent.mkdir()
            make(kind, source, arguments.side)
            _report(kind, source, Path(room) / "out.tif", arguments.rounds)
            source.unlink()


def _report(kind: str, source: Path, target: Path, rounds: int) -> None:
    found: dict[str, list[tuple[float, float, str]]] = {way: [] for way in _WAYS}
    for _ in range(rounds):
        for way in _WAYS:
            found[way].append(run(way, source, target))
    wall = {way: statistics.median(each[0] for each in runs) for way, runs in found.items()}
    spent = {way: statistics.median(each[1] for each in runs) for way, runs in found.items()}
    print(f"{kind}: plain COG driver {wall['plain']:.1f} s, processor {spent['plain']:.1f} s", flush=True)
    for way in _WAYS[1:]:
        print(
            f"    verify {way:6} {found[way][0][2]:10} wall {wall[way] / wall['plain']:.2f}x, "
            f"processor {spent[way] / spent['plain']:.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()

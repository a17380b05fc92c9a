"""How a conversion grows with the raster, and how many small ones go through the pool, against GDAL's own program.

    python benchmarks/convert_growth.py sizes [--gigabytes 0.1 1 4] [--kind rgb]
    python benchmarks/convert_growth.py tiles [--count 500]

`sizes` prints the wall clock, the processor time a gigabyte and the most memory of `uploader convert` for rasters of
several sizes; time a gigabyte and memory should stay the same. `tiles` has so many tiles of 512 x 512 converted by one
pool of the daemon, and by `xargs -P2 gdal_translate -of COG`, in turn; it needs gdal_translate, and says so where that
is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import convert
import rasters

from uploader.convert import Converter, Job

_TILE = 512
_TRANSLATE = """
ls "$1" | xargs -P2 -I NAME gdal_translate -q -stats -of COG -co COMPRESS=DEFLATE -co PREDICTOR=YES \\
    "$1/NAME" "$2/NAME"
"""


@contextmanager
def _timed() -> Iterator[list[float]]:
    """Gives wall clock and processor time of this process and its children, in seconds, once it is left."""
    found: list[float] = []
    started, before = time.monotonic(), _spent()
    yield found
    found += [time.monotonic() - started, _spent() - before]


def _spent() -> float:
    """Processor time of this process, and of those of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def sizes(kind: str, gigabytes: list[float], room: Path) -> Iterator[str]:
    """A table of one kind of raster in several sizes."""
    yield "| GB | method | s | processor, s | processor, s a GB | peak, MiB |"
    yield "|---|---|---|---|---|---|"
    source, target = room / "source.tif", room / "target.tif"
    for size in gigabytes:
        rasters.make(kind, source, 1000 * size)
        command = [sys.executable, "-m", "uploader", "convert", str(source), str(target), "--json"]
        with _timed() as found:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        report, (wall, spent) = json.loads(done.stdout), found
        peak = f"{report['peak_bytes'] / 2**20:.0f}"
        yield f"| {size:g} | {report['method']} | {wall:.1f} | {spent:.1f} | {spent / size:.1f} | {peak} |"
        target.unlink()
        source.unlink()


async def _by_pool(sources: list[Path], target: Path) -> None:
    """All rasters through one pool, as the daemon has it; each alone in its folder, as a private copy is."""
    async with Converter() as converter, anyio.create_task_group() as group:
        for source in sources:
            group.start_soon(converter.convert, Job(source, target / f"{source.parent.name}.tif"))


def tiles(count: int, room: Path) -> Iterator[str]:
    """A table of the pool against GDAL's program."""
    plain, made = room / "plain", room / "made"
    plain.mkdir()
    one = plain / "0000.tif"
    rasters.make("rgb", one, 3 * _TILE**2 / 1e6)
    for number in range(1, count):
        shutil.copy(one, plain / f"{number:04}.tif")
    yield f"{count} tiles of {_TILE} x {_TILE}, {os.cpu_count()} cores."
    yield "| by | s | processor, s |"
    yield "|---|---|---|"
    sources = []
    for path in sorted(plain.iterdir()):
        alone = room / "alone" / path.stem / "source.tif"
        alone.parent.mkdir(parents=True)
        sources.append(Path(shutil.copy(path, alone)))
    made.mkdir()
    with _timed() as found:
        anyio.run(_by_pool, sources, made)
    yield f"| the daemon's pool | {found[0]:.1f} | {found[1]:.1f} |"
    if not shutil.which("gdal_translate"):
        yield "gdal_translate is not installed."
        return
    shutil.rmtree(made)
    made.mkdir()
    with _timed() as found:
        subprocess.run(["sh", "-c", _TRANSLATE, "sh", str(plain), str(made)], check=True)
    told = subprocess.run(["gdal_translate", "--version"], check=True, capture_output=True, text=True).stdout
    yield f"| xargs -P2 gdal_translate, {told.partition(',')[0]} | {found[0]:.1f} | {found[1]:.1f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("sizes", "tiles"))
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.1, 1, 4])
    parser.add_argument("--kind", default="rgb", choices=list(rasters.KINDS))
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--dir", type=Path, help="where the rasters are made")
    arguments = parser.parse_args()
    print(next(iter(convert.told_of([]))), flush=True)
    with tempfile.TemporaryDirectory(prefix="convert-", dir=arguments.dir) as room:
        if arguments.what == "sizes":
            lines = sizes(arguments.kind, arguments.gigabytes, Path(room))
        else:
            lines = tiles(arguments.count, Path(room))
        for line in lines:
            print(line, flush=True)


if __name__ == "__main__":
    main()

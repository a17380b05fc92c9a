"""How long `uploader convert` takes against those who make COGs otherwise, in one run, each in turn.

    python benchmarks/convert.py [--megabytes 108] [--rounds 3] [--kinds rgb uint16] [--write docs/performance.md]
    python benchmarks/convert.py --megabytes 1000 --rounds 1 --write docs/performance.md --table gigabyte

Each run is a process of its own and is measured from its start to its end: of ours with the confined child, exact
statistics, the comparison of all pixels and the check of the result. Prints for each kind of raster the medians of
wall clock and of processor time (in brackets), ratios to ours, sizes against the driver's default level, the most
memory of the child, the versions and options of the peers, which of them are not installed, and what this machine does
with one core. `--peers` names those to take part; the driver at its default level and tuned always do. With `--write`
the tables replace those between two marks of a document, which `--table` names. Stop other work meanwhile; where that
cannot be, look at the processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rasterio
import rasters
from isal import isal_zlib

_ROOT = Path(__file__).resolve().parents[1]
_COMMON = {
    "COMPRESS": "DEFLATE",
    "PREDICTOR": "YES",
    "BLOCKSIZE": "512",
    "BIGTIFF": "IF_SAFER",
    "OVERVIEWS": "IGNORE_EXISTING",
    "ADD_ALPHA": "NO",
    "STATISTICS": "YES",
    "NUM_THREADS": "ALL_CPUS",
}
_FAST = {"LEVEL": "1", "RESAMPLING": "AVERAGE", "OVERVIEW_RESAMPLING": "AVERAGE"}
_DRIVER = """
import json, sys, rasterio, rasterio.shutil
with rasterio.open(sys.argv[1]) as source:
    rasterio.shutil.copy(source, sys.argv[2], driver="COG", **json.loads(sys.argv[3]))
"""
_STEPS = """
import pathlib, sys, tempfile
from uploader.convert.isolation import confine
confine.limit = lambda *_, **__: None
from uploader.convert.job import Job
from uploader.convert.perform import perform
from uploader.convert.write import encode_rules
if sys.argv[3] == "cog_driver":
    encode_rules.left = lambda *_: "for comparison"
source, target = map(pathlib.Path, sys.argv[1:3])
with tempfile.TemporaryDirectory(dir=target.parent) as folder:
    assert perform(Job(source, target), pathlib.Path(folder)).report.method == sys.argv[3]
    (pathlib.Path(folder) / "result.tif").rename(target)
"""
_ADDO = """
cp "$1" "$2.tmp.tif" && gdaladdo -q -r average --config GDAL_NUM_THREADS ALL_CPUS "$2.tmp.tif" &&
gdal_translate -q -stats -co TILED=YES -co BLOCKXSIZE=512 -co BLOCKYSIZE=512 -co COMPRESS=DEFLATE -co PREDICTOR=2 \
    -co NUM_THREADS=ALL_CPUS -co BIGTIFF=IF_SAFER -co COPY_SRC_OVERVIEWS=YES "$2.tmp.tif" "$2" && rm "$2.tmp.tif"
"""
_PYTHON = sys.executable
_ENVIRONMENT = os.environ | {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"}
_BEFORE, _AFTER = ("raster", "MB", "method"), ("against the driver", "against it tuned", "size", "peak, MiB")
_SAMPLE = '[convert]\nverify = "sample"\n'


def _by_driver(options: dict[str, str]) -> Callable[[Path, Path], list[str]]:
    return lambda source, target: [_PYTHON, "-c", _DRIVER, str(source), str(target), json.dumps(options)]


def _by_rio(source: Path, target: Path) -> list[str]:
    rio = str(Path(_PYTHON).with_name("rio"))
    return [rio, "cogeo", "create", "--cog-profile", "deflate", "--quiet", str(source), str(target)]


def _by_vips(source: Path, target: Path) -> list[str]:
    form = "--tile --pyramid --tile-width 512 --tile-height 512 --compression deflate --predictor horizontal"
    return ["vips", "tiffsave", str(source), str(target), *form.split()]


def _by_gdaladdo(source: Path, target: Path) -> list[str]:
    """Levels beside the raster's own tiles, then a copy in the order of a COG: what GDAL has for a tiled raster."""
    return ["sh", "-c", _ADDO, "sh", str(source), str(target)]


def _by_steps(method: str) -> Callable[[Path, Path], list[str]]:
    """The steps of one conversion alone, with their verification, by one method or the other."""
    return lambda source, target: [_PYTHON, "-c", _STEPS, str(source), str(target), method]


def _ours(source: Path, target: Path) -> list[str]:
    return [_PYTHON, "-m", "uploader", "convert", str(source), str(target), "--json"]


def _ours_sampled(source: Path, target: Path) -> list[str]:
    """Ours where the configuration wants a sample of tiles to be looked at."""
    configuration = target.with_name("sample.toml")
    configuration.write_text(_SAMPLE)
    return [*_ours(source, target), "-c", str(configuration)]


PEERS: dict[str, Callable[[Path, Path], list[str]]] = {
    "COG driver": _by_driver(_COMMON),
    "LEVEL=1, AVERAGE": _by_driver(_COMMON | _FAST),
    "ZSTD 1": _by_driver(_COMMON | _FAST | {"COMPRESS": "ZSTD"}),
    "rio cogeo create": _by_rio,
    "vips tiffsave": _by_vips,
    "gdaladdo, copy": _by_gdaladdo,
    "steps by encode": _by_steps("encode"),
    "steps by cog_driver": _by_steps("cog_driver"),
    "uploader convert, sample": _ours_sampled,
    "uploader convert": _ours,
}
"""By name: the command of one conversion. What is not installed is left out."""

FIRST, TUNED, OURS = "COG driver", "LEVEL=1, AVERAGE", "uploader convert"
STEPS = ("steps by encode", "steps by cog_driver")
"""What is measured only of rasters that are encoded."""

OF_TILED = "gdaladdo, copy"
"""What is measured only of rasters whose tiles stay."""

OF_UNCHANGED = "uploader convert, sample"
"""What is measured only of COGs that stay as they are."""

_VERSIONS = {"vips tiffsave": ["vips", "--version"], "gdaladdo, copy": ["gdaladdo", "--version"]}
"""How a program that is not Python's tells its version."""


@dataclass
class Found:
    """What was measured of one kind of raster: seconds and bytes by peer, and what our report says."""

    kind: str
    source_bytes: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    spent: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    method: str = ""
    peak_bytes: int = 0

    def row(self, peers: list[str]) -> str:
        """As a row of the table."""
        wall, spent = (
            {peer: statistics.median(each) for peer, each in found.items()}
            for found in (self.seconds, self.spent)
        )
        times = [f"{wall[peer]:.1f} ({spent[peer]:.1f})" if peer in wall else "-" for peer in peers]
        ratios = [
            f"{wall[peer] / wall[OURS]:.2f}x ({spent[peer] / spent[OURS]:.2f}x)" for peer in (FIRST, TUNED)
        ]
        size = f"{self.sizes[OURS] / self.sizes[FIRST]:.2f}"
        cells = [self.kind, f"{self.source_bytes / 1e6:.0f}", self.method, *times, *ratios, size]
        return f"| {' | '.join([*cells, f'{self.peak_bytes / 2**20:.0f}'])} |"


def _takes_part(peer: str, method: str) -> bool:
    """Whether a peer is measured of a raster that we convert so."""
    if peer in STEPS:
        return method == "encode"
    if peer == OF_UNCHANGED:
        return method == "passthrough"
    return peer != OF_TILED or method != "encode"


def measured(kind: str, megabytes: float, rounds: int, room: Path, peers: list[str]) -> Found:
    """All peers in turn, so many times."""
    source, target = room / "source.tif", room / "out" / "target.tif"
    rasters.make(kind, source, megabytes)
    found = Found(kind, source.stat().st_size)
    for _ in range(rounds):
        for peer in (OURS, *(each for each in peers if each != OURS)):
            if not _takes_part(peer, found.method):
                continue
            shutil.rmtree(target.parent, ignore_errors=True)
            target.parent.mkdir()
            started, before = time.monotonic(), os.times()
            done = subprocess.run(
                PEERS[peer](source, target),
                check=True,
                capture_output=True,
                text=True,
                cwd=_ROOT,
                env=_ENVIRONMENT,
            )
            found.seconds.setdefault(peer, []).append(time.monotonic() - started)
            after = os.times()
            spent = after.children_user + after.children_system
            spent -= before.children_user + before.children_system
            found.spent.setdefault(peer, []).append(spent)
            found.sizes[peer] = target.stat().st_size
            if peer == OURS:
                report = json.loads(done.stdout)
                found.method, found.peak_bytes = report["method"], report["peak_bytes"]
    source.unlink()
    return found


def installed() -> list[str]:
    """The peers that are there."""
    there = {
        "rio cogeo create": Path(_PYTHON).with_name("rio").exists(),
        "vips tiffsave": shutil.which("vips"),
        "gdaladdo, copy": shutil.which("gdaladdo") and shutil.which("gdal_translate"),
    }
    return [peer for peer in PEERS if there.get(peer, True)]


def told_of(peers: list[str]) -> Iterator[str]:
    """What the peers are, and which are not there."""
    names = ("rasterio", "rio-cogeo", "numpy", "isal")
    yield f"GDAL {rasterio.__gdal_version__}, {', '.join(f'{name} {version(name)}' for name in names)}"
    for peer, command in _VERSIONS.items():
        if peer in peers:
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            yield f"{peer}: {told.strip().splitlines()[0]}"
    missing = [peer for peer in PEERS if peer not in installed()]
    if missing:
        yield f"not installed: {', '.join(missing)}"


def limits() -> Iterator[str]:
    """What one core of this machine does now, in MB/s of pixels."""
    random = np.random.default_rng(0)
    tile = np.cumsum(random.integers(-3, 4, (512, 1536)), axis=1).astype(np.uint8)
    data = np.diff(tile, axis=1, prepend=0).astype(np.uint8).tobytes()
    packed = zlib.compress(data, 6)
    for name, work in (
        ("ISA-L 1", lambda: isal_zlib.compress(data, 1)),
        ("zlib 1", lambda: zlib.compress(data, 1)),
        ("zlib, decoding", lambda: zlib.decompress(packed)),
    ):
        started, times = time.perf_counter(), 30
        for _ in range(times):
            work()
        yield f"{name} {times * len(data) / 1e6 / (time.perf_counter() - started):.0f}"


def tables(arguments: argparse.Namespace, peers: list[str]) -> Iterator[str]:
    """The lines of the report, as they come."""
    yield f"{'; '.join(told_of(peers))}; {os.cpu_count()} cores; median of {arguments.rounds}."
    yield f"One core, MB/s: {', '.join(limits())}."
    yield ""
    titles = [*_BEFORE, *(f"{peer}, s" for peer in peers), *_AFTER]
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)
    with tempfile.TemporaryDirectory(prefix="convert-", dir=arguments.dir) as room:
        for kind in arguments.kinds:
            yield measured(kind, arguments.megabytes, arguments.rounds, Path(room), peers).row(peers)


def main() -> None:
    """Measure, print, and write what was measured into a document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=108)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=list(rasters.KINDS), choices=list(rasters.KINDS))
    parser.add_argument("--peers", nargs="+", default=installed(), choices=list(PEERS))
    parser.add_argument("--dir", type=Path, help="where the rasters are made")
    parser.add_argument("--write", type=Path, help="a document with two marks")
    parser.add_argument("--table", default="measured", help="the name of the marks")
    arguments = parser.parse_args()
    peers = list(dict.fromkeys([*arguments.peers, FIRST, TUNED, OURS]))
    lines = []
    for line in tables(arguments, peers):
        print(line, flush=True)
        lines.append(line)
    if arguments.write:
        start, end = f"<!-- {arguments.table} -->", f"<!-- end of {arguments.table} -->"
        before, _, rest = arguments.write.read_text().partition(start)
        after = rest.partition(end)[2]
        arguments.write.write_text("\n".join([before + start, "", *lines, "", end + after]))


if __name__ == "__main__":
    main()

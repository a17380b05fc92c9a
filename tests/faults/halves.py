"""Half-written files in every way that writers have; none is taken before it is whole.

python -m tests.faults.halves --drops 1000 --seed 1
python -m tests.faults.halves --marker slow paused
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.rows.base import Result
from tests.support.live import Live, live
from tests.support.rasters import make

WORLD = "1\n0\n0\n-1\n500000.5\n5099999.5\n"

Way = Callable[[Path, bytes, random.Random, float], None]
"""Writes bytes to a target; the last argument is the quiet time in seconds."""


def slow(target: Path, data: bytes, rng: random.Random, quiet: float) -> None:
    """Piece by piece, with pauses shorter than the quiet time."""
    cuts = sorted(rng.randrange(1, len(data)) for _ in range(8))
    with target.open("wb") as file:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            file.write(data[start:end])
            file.flush()
            time.sleep(rng.random() * quiet * 0.6)


def paused(target: Path, data: bytes, rng: random.Random, quiet: float) -> None:
    """One pause longer than the quiet time, with the file held open."""
    cut = rng.randrange(1, len(data))
    with target.open("wb") as file:
        file.write(data[:cut])
        file.flush()
        time.sleep(quiet * 2)
        file.write(data[cut:])


def preallocated(target: Path, data: bytes, rng: random.Random, quiet: float) -> None:
    """The final size first, all zeros; then the bytes, with pauses."""
    with target.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, len(data))
        time.sleep(quiet * 1.5)
        cut = rng.randrange(1, len(data))
        file.write(data[:cut])
        file.flush()
        time.sleep(quiet * rng.random() * 2)
        file.write(data[cut:])


def inplace(target: Path, data: bytes, rng: random.Random, quiet: float) -> None:
    """As `rsync --inplace` updates an older version: from the front, held open; by rsync itself where it is there."""
    rsync = shutil.which("rsync")
    if rsync:
        source = target.parent.parent / f".{target.name}.source"
        source.write_bytes(data)
        subprocess.run([rsync, "--inplace", "--bwlimit=40", str(source), str(target)], check=True)
        return
    with target.open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        time.sleep(quiet * 0.5)
        file.seek(0)
        file.write(data)
        file.flush()
        time.sleep(quiet * 1.5)


def rename(target: Path, data: bytes, rng: random.Random, quiet: float) -> None:
    """Under a temporary name that is no sign of it, in a folder beside; then renamed into place."""
    temporary = target.with_name(f"{target.name}.filepart")
    slow(temporary, data, rng, quiet)
    temporary.rename(target)


def sidecar(target: Path, data: bytes, rng: random.Random, quiet: float) -> None:
    """The raster first, its world file within the quiet time."""
    target.write_bytes(data)
    time.sleep(quiet * rng.random() * 0.7)
    target.with_suffix(".tfw").write_text(WORLD)


WAYS: dict[str, Way] = {
    "slow": slow,
    "paused": paused,
    "preallocated": preallocated,
    "inplace": inplace,
    "rename": rename,
    "sidecar": sidecar,
}


def drops(
    root: Path, seed: int, count: int, ways: tuple[str, ...], *, marker: bool = False, at_once: int = 10
) -> Result:
    """Write so many files in each way, some at once; premature is every item that is not the whole file's."""
    result = Result()
    folder = {"path": str(root / "drop"), "project_id": "p-1", "settle_seconds": 1.0}
    if marker:
        folder["ready_marker"] = "{stem}.done"
    with live(root, folders=[folder]) as d:
        slots = threading.Semaphore(at_once)
        threads = [
            threading.Thread(target=_write, args=(d, slots, way, number, seed, marker))
            for number in range(count)
            for way in ways
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        d.idle(60 + len(threads))
        found = d.w.audit()
        extra = len(found.items) - len(threads)
        premature = [f"{extra} items too many: taken before they were whole"] if extra > 0 else []
        result.add(" ".join(ways), premature + d.wrong(), len(threads))
        result.told = f"{len(threads)} drops, {max(0, extra)} premature"
    return result


def _write(  # noqa: PLR0917  the arguments of a thread
    d: Live, slots: threading.Semaphore, way: str, number: int, seed: int, marker: bool
) -> None:
    rng = random.Random(f"{seed}/{way}/{number}")
    target = d.w.drop / f"{way}{number:04}.tif"
    with slots:
        kind = "plain" if way == "sidecar" else "dem_nodata"
        source = make(kind, d.w.root / f"{way}{number}.tif", size=64, seed=rng.randrange(1 << 30))
        data = source.read_bytes()
        source.unlink()
        d.dropped.append(target)
        WAYS[way](target, data, rng, 1.0)
        if marker:
            time.sleep(rng.random() * 1.5)
            target.with_suffix(".done").touch()


def main() -> int:
    """Drop from the command line; 0 where nothing was taken too early and everything arrived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ways", nargs="*", default=list(WAYS))
    parser.add_argument("--drops", type=int, default=60, help="in all ways together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--marker", action="store_true", help="with `ready_marker`")
    given = parser.parse_args()
    each = -(-given.drops // len(given.ways))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halves-") as root:
        result = drops(Path(root), given.seed, each, tuple(given.ways), marker=given.marker, at_once=30)
    print(f"seed={given.seed} {result.told}, {len(result.wrong)} wrong, {time.monotonic() - started:.0f} s")
    for line in result.wrong:
        print("  " + line)
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

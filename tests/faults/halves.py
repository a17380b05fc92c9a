"""Half-written files in every way that writers have; none is taken before it is whole.

    python -m tests.faults.halves --drops 1000 --seed 1
    python -m tests.faults.halves --drops 1000 --stranger
    python -m tests.faults.halves --drops 24 --stranger --settle 0.1 preallocated sidecar
    python -m tests.faults.halves --drops 1000 --marker slow paused

A daemon that may ask for a lease sees that somebody is writing, however long the pauses are. With --stranger it may
not, as when the files are another user's: then only the quiet time tells, and all pauses are shorter than it. Where the
machine itself made such a pause too long, the drop does not count, and is told. With --marker a `ready_marker` tells.
A --settle that is shorter than the pauses shows that the judgement finds what is taken too early.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.faults.rows.base import Result, need
from tests.support.live import Live, live
from tests.support.rasters import make

WORLD = "1\n0\n0\n-1\n500000.5\n5099999.5\n"
QUIET = 1.0
"""Seconds of quiet time."""

STRANGER = 65534
"""The user who writes when the daemon may not ask for leases."""

WITHOUT_LEASES = ("setpriv", "--bounding-set", "-lease", "--inh-caps", "-lease")


@dataclass
class Pen:
    """Writes, and knows how long nothing was written; `scale` makes all pauses longer or shorter."""

    target: Path
    data: bytes
    rng: random.Random
    scale: float
    longest: float = 0.0
    _last: float = field(default_factory=time.monotonic)

    def write(self, file: IO[bytes], data: bytes) -> None:
        """Write so that it can be seen."""
        file.write(data)
        file.flush()
        self.touched()

    def touched(self) -> None:
        """Something of the group has just changed."""
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now

    def pause(self, quiet_times: float) -> None:
        """Do nothing for so many quiet times."""
        time.sleep(quiet_times * QUIET * self.scale)


Way = Callable[[Pen], None]


def slow(pen: Pen) -> None:
    """Piece by piece, with short pauses."""
    cuts = sorted(pen.rng.randrange(1, len(pen.data)) for _ in range(8))
    with pen.target.open("wb") as file:
        for start, end in zip([0, *cuts], [*cuts, len(pen.data)], strict=True):
            pen.write(file, pen.data[start:end])
            pen.pause(pen.rng.random() * 0.6)


def paused(pen: Pen) -> None:
    """One long pause, with the file held open."""
    cut = pen.rng.randrange(1, len(pen.data))
    with pen.target.open("wb") as file:
        pen.write(file, pen.data[:cut])
        pen.pause(2.0)
        pen.write(file, pen.data[cut:])


def preallocated(pen: Pen) -> None:
    """The final size first, all zeros; then the bytes, with pauses."""
    with pen.target.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, len(pen.data))
        pen.touched()
        pen.pause(1.5)
        cut = pen.rng.randrange(1, len(pen.data))
        pen.write(file, pen.data[:cut])
        pen.pause(pen.rng.random() * 2)
        pen.write(file, pen.data[cut:])


def inplace(pen: Pen) -> None:
    """As `rsync --inplace` updates an older version: from the front, held open; by rsync itself where it is there."""
    rsync = shutil.which("rsync")
    if rsync and pen.scale == 1.0:
        source = pen.target.parent.parent / f".{pen.target.name}.source"
        source.write_bytes(pen.data)
        subprocess.run([rsync, "--inplace", "--bwlimit=40", str(source), str(pen.target)], check=True)
        return
    with pen.target.open("wb") as file:
        pen.write(file, pen.data[: len(pen.data) // 2])
        pen.pause(0.5)
        file.seek(0)
        pen.write(file, pen.data)
        pen.pause(1.5)


def rename(pen: Pen) -> None:
    """Under a temporary name, then renamed into place."""
    target = pen.target
    pen.target = target.with_name(f"{target.name}.filepart")
    slow(pen)
    pen.target.rename(target)


def sidecar(pen: Pen) -> None:
    """The raster first, its world file within the quiet time."""
    pen.target.write_bytes(pen.data)
    pen.touched()
    pen.pause(pen.rng.random() * 0.7)
    pen.target.with_suffix(".tfw").write_text(WORLD)
    pen.touched()


WAYS: dict[str, Way] = {
    "slow": slow,
    "paused": paused,
    "preallocated": preallocated,
    "inplace": inplace,
    "rename": rename,
    "sidecar": sidecar,
}


PLAIN = frozenset({"preallocated", "sidecar"})
"""Ways that write pixels as they are: where a part is still missing, no decoder would find out."""


@dataclass(frozen=True)
class Circumstances:
    """How the daemon can know that a file is whole, and how many are written at once."""

    marker: bool = False
    stranger: bool = False
    at_once: int = 10
    settle: float = QUIET
    """The quiet time of the daemon; with a shorter one than the writers keep to it is bound to take files too early."""

    @property
    def scale(self) -> float:
        """Of all pauses: the longest is two quiet times otherwise."""
        return 0.3 if self.stranger and not self.hasty else 1.0

    @property
    def hasty(self) -> bool:
        """Whether the daemon waits for less than the writers keep to; then nothing excuses it."""
        return self.settle < QUIET

    def excuses(self, way: str, pen: Pen) -> bool:
        """Whether a file was left alone for so long that nobody could tell it from a whole one."""
        told = self.marker or (not self.stranger and way != "sidecar") or way == "rename"
        return not told and not self.hasty and pen.longest > 0.85 * QUIET


def drops(
    root: Path, seed: int, count: int, ways: tuple[str, ...], how: Circumstances = Circumstances()
) -> Result:
    """Write so many files in each way, some at once; premature is every item that is not the whole file's."""
    need("" if not how.stranger or shutil.which("setpriv") else "no setpriv")
    need("" if not how.stranger or os.geteuid() == 0 else "being another user needs root")
    result = Result()
    folder = {"path": str(root / "drop"), "project_id": "p-1", "settle_seconds": how.settle}
    if how.marker:
        folder["ready_marker"] = "{stem}.done"
    prefix = WITHOUT_LEASES if how.stranger else ()
    with live(root, folders=[folder], prefix=prefix) as d:
        if how.stranger:
            d.w.drop.chmod(0o777)
            for path in (d.w.root, *d.w.root.parents):
                if path.stat().st_mode & 0o001 == 0:
                    path.chmod(path.stat().st_mode | 0o011)
        slots, excused = threading.Semaphore(how.at_once), list[Path]()
        threads = [
            threading.Thread(
                target=_write, args=(d, slots, way, random.Random(f"{seed}/{way}/{n}"), n, how, excused)
            )
            for n in range(count)
            for way in ways
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        d.idle(60 + len(threads))
        _judge(d, result, " ".join(ways), excused)
    return result


def _judge(d: Live, result: Result, what: str, excused: list[Path]) -> None:
    """More than one item for a file means that it was taken before it was whole."""
    count = Counter(name.rpartition("-")[0] for name in d.w.audit().file_names)
    counted = [path for path in d.dropped if path not in excused]
    early = [path.name for path in counted if count[path.stem] > 1]
    stems = {path.stem for path in excused}
    wrong = [line for line in d.wrong(versions=excused) if not any(stem in line for stem in stems)]
    result.add(what, [f"{name}: taken before it was whole" for name in early] + wrong, len(counted))
    result.told = f"{len(counted)} drops, {len(early)} premature"
    if excused:
        result.told += f" ({len(excused)} more were stopped by the machine for too long)"


def _write(  # noqa: PLR0917  the arguments of a thread
    d: Live,
    slots: threading.Semaphore,
    way: str,
    rng: random.Random,
    number: int,
    how: Circumstances,
    excused: list[Path],
) -> None:
    target = d.w.drop / f"{way}{number:04}.tif"
    with slots:
        kind = "plain" if way in PLAIN else "dem_nodata"
        source = make(kind, d.w.root / f"{way}{number}.tif", size=64, seed=rng.randrange(1 << 30))
        data = source.read_bytes()
        source.unlink()
        d.dropped.append(target)
        with _another_user(how.stranger):
            pen = Pen(target, data, rng, how.scale)
            WAYS[way](pen)
            if how.excuses(way, pen):
                excused.append(target)
            if how.marker:
                time.sleep(rng.random() * 1.5)
                target.with_suffix(".done").touch()


@contextmanager
def _another_user(wanted: bool):
    """Let this thread, and no other, be another user to the file system."""
    libc = ctypes.CDLL(None)
    if wanted:
        libc.setfsuid(STRANGER)
    try:
        yield
    finally:
        if wanted:
            libc.setfsuid(os.geteuid())


def main() -> int:
    """Drop from the command line; 0 where nothing was taken too early and everything arrived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ways", nargs="*", default=list(WAYS))
    parser.add_argument("--drops", type=int, default=60, help="in all ways together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--marker", action="store_true", help="with `ready_marker`")
    parser.add_argument("--stranger", action="store_true", help="the daemon may not ask for leases")
    parser.add_argument("--settle", type=float, default=QUIET, help="the daemon's quiet time in seconds")
    given = parser.parse_args()
    each = -(-given.drops // len(given.ways))
    how = Circumstances(given.marker, given.stranger, at_once=30, settle=given.settle)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halves-") as root:
        result = drops(Path(root), given.seed, each, tuple(given.ways), how)
    print(f"seed={given.seed} {result.told}, {len(result.wrong)} wrong, {time.monotonic() - started:.0f} s")
    for line in result.wrong:
        print("  " + line)
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""A plan of many files, and then the run: file by file, what was said is what happens.

    python -m tests.lookahead [--files 20000] [--seed 1] [--keep FOLDER]

Names are those of deliveries in folders of a few hundred files: rasters of several kinds (among them some that are
refused), sidecars, and what a person leaves beside them. Rasters of one kind are hard links to a few files. Printed are
the plan's rate and its highest memory, the run's time, and each file of which the plan was wrong.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.lookahead.comparison import differences, happened, plan
from tests.support.live import Live, live
from tests.support.rasters import make

KINDS = (
    "rgba",
    "dem_nodata",
    "ready_cog",
    "ready_cog",
    "cog_without_statistics",
    "palette",
    "int64",
    "many_bands",
)
"""What is drawn from; the last has more bands than its folder takes."""

LINKS = 5000
"""Names of one file at most: file systems allow 65,000."""

BESIDE = (
    "{stem}.tif.md5",
    "{stem}.tfw",
    "{stem}_preview.jpg",
    "{stem}_b.tif.part",
    "README.txt",
    "{stem}.zip",
)
"""What lies beside some of the rasters."""


def deliver(made: Live, files: int, draw: random.Random) -> None:
    """Put so many rasters into folders, with what is found beside them."""
    sources: dict[str, Path] = {}
    used: Counter[str] = Counter()
    for number in range(files):
        kind = draw.choice(KINDS)
        folder = made.w.drop / f"order_{number // 300:04d}" / draw.choice(["img", "PAN", "dem 5m", "Ünïcode"])
        stem = f"S2B_{20240101 + number % 28}T10{number:06d}_{draw.choice(['B02', 'TCI', 'DTM', 'landuse'])}"
        folder.mkdir(parents=True, exist_ok=True)
        if used[kind] % LINKS == 0:
            sources[kind] = make(kind, made.w.root / f"{kind}_{number}.tif", size=64, seed=number)
        used[kind] += 1
        (folder / f"{stem}.tif").hardlink_to(sources[kind])
        if draw.random() < 0.1:
            (folder / draw.choice(BESIDE).format(stem=stem)).write_bytes(b"x" * 40)


def main() -> int:
    """Deliver, plan, run, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    chosen = parser.parse_args()
    root = chosen.keep or Path(tempfile.mkdtemp(prefix="plan-"))
    with live(root, start=False, settings={"limits": {"max_bands": 16}}) as made:
        deliver(made, chosen.files, random.Random(chosen.seed))
        began = time.monotonic()
        _, said, sums = plan(made, "--json")
        planned = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"plan: {len(said)} files, {len(said) / planned:.0f} a second, {memory:.0f} MiB",
            sums["files"],
            flush=True,
        )
        began = time.monotonic()
        made.w.until_idle(check=None, timeout=3600 + chosen.files)
        wrong = differences(said, happened(made))
        print(f"run: {time.monotonic() - began:.0f} s, {len(wrong)} wrong", *wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

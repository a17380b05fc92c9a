"""A plan of many files, and then the run: file by file, what was said is what happens.

    python -m tests.lookahead [--files 20000] [--seed 1] [--keep FOLDER]

Names are those of deliveries in folders of a few hundred files: rasters of several kinds (among them some that are
refused), sidecars, and what a person leaves beside them. A quarter are bands and masks of scenes in a drop folder of
their own, with files that no rule fits. Rasters of one kind are hard links to a few files. Printed are
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

from tests.lookahead.comparison import differences, happened, plan, scenes_differ
from tests.support.live import Live, live
from tests.support.rasters import make
from tests.support.world import DEADLINE

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


SCENES = {
    "rules": [
        {"pattern": r"(?:.*/)?.*_(?P<asset>preview)\.tif", "skip": True},
        {
            "pattern": r"(?:.*/)?(?P<scene>T\d+)_(?P<date>\d{8})_v(?P<version>\d)_(?P<asset>QA)\.tif",
            "categorical": "yes",
        },
        {"pattern": r"(?:.*/)?(?P<scene>T\d+)_(?P<date>\d{8})_v(?P<version>\d)_(?P<asset>B\d\d)\.tif"},
    ],
    "primary": "B02",
    "properties": {"platform": "made up"},
}
OF_SCENES = ("dem_nodata", "ready_cog", "cog_without_statistics")
ASSETS = ("QA", *(f"B{band:02d}" for band in range(1, 13)))
"""Of a whole scene: thirteen, of which some lack a few, but never the primary."""


class Sources:
    """Rasters by kind: hard links to a few files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: dict[str, Path] = {}
        self._used: Counter[str] = Counter()

    def link(self, kind: str, path: Path) -> None:
        """Let a raster of this kind lie there."""
        number = self._used[kind]
        if number % LINKS == 0:
            self._found[kind] = make(kind, self._root / f"{kind}_{number}.tif", size=64, seed=number)
        self._used[kind] += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.hardlink_to(self._found[kind])


def deliver_scenes(sources: Sources, drop: Path, files: int, draw: random.Random) -> None:
    """Put scenes of so many rasters into folders of their own, with previews and strangers beside them."""
    number = 0
    while files > 0:
        assets = ["B02", *(asset for asset in ASSETS if asset != "B02" and draw.random() < 0.9)]
        folder = drop / f"delivery_{number // 20:03d}"
        stem = f"T{number // 2:04d}_{20240101 + number % 28}_v{number % 2}"
        for asset in draw.sample(assets, len(assets)):
            sources.link(draw.choice(OF_SCENES), folder / f"{stem}_{asset}.tif")
        sources.link("rgba", folder / f"{stem}_preview.tif")
        (folder / f"{stem}.txt").write_bytes(b"x")
        files -= len(assets)
        number += 1


def deliver(made: Live, sources: Sources, files: int, draw: random.Random) -> None:
    """Put so many rasters into folders, with what is found beside them."""
    for number in range(files):
        kind = draw.choice(KINDS)
        folder = made.w.drop / f"order_{number // 300:04d}" / draw.choice(["img", "PAN", "dem 5m", "Ünïcode"])
        stem = f"S2B_{20240101 + number % 28}T10{number:06d}_{draw.choice(['B02', 'TCI', 'DTM', 'landuse'])}"
        sources.link(kind, folder / f"{stem}.tif")
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
    folders = [
        {"path": str(root / "drop"), "project_id": "p-1"},
        {"path": str(root / "scenes"), "project_id": "p-1", "scenes": [SCENES]},
    ]
    with live(root, start=False, settings={"limits": {"max_bands": 16}}, folders=folders) as made:
        sources, draw = Sources(root), random.Random(chosen.seed)
        deliver_scenes(sources, root / "scenes", chosen.files // 4, draw)
        deliver(made, sources, chosen.files - chosen.files // 4, draw)
        began = time.monotonic()
        _, said, sums = plan(made, "--json", seconds=DEADLINE + chosen.files)
        planned = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"plan: {len(said)} files, {len(said) / planned:.0f} a second, {memory:.0f} MiB",
            *(sums["files"], sums["scenes"], sums["no_rule"]["files"]),
            flush=True,
        )
        began = time.monotonic()
        made.w.until_idle(check=None, timeout=3600 + chosen.files)
        rows = happened(made)
        wrong = differences(said, rows) + scenes_differ(sums, rows)
        print(f"run: {time.monotonic() - began:.0f} s, {len(wrong)} wrong", *wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

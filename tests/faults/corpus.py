"""A whole folder of odd rasters dropped at once: each becomes an item equal to its source, or is rejected in words.

    python -m tests.faults.corpus FOLDER

FOLDER is any collection of rasters, such as the test suites of raster libraries. Nothing in it is changed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.compare import differences
from tests.support.world import World, world

PATTERNS = ("*.tif", "*.tiff", "*.TIF", "*.TIFF")

EXPLAINED: dict[str, tuple[str, ...]] = {
    "crs_not_expressible": ("crs",),
    "nodata_colour": ("colour table",),
    "aux_unread": ("crs", "descriptions", "mask", "nodata"),
}
"""Which differences a warning's code announces, by how the comparison's lines begin."""


def drop(source: Path, root: Path) -> tuple[dict[str, int], list[str]]:
    """Drop a copy of everything in `source`; returns how many ended how, and all that is wrong."""
    with world(root, settings={"convert": {"workers": 2, "timeout_seconds": 60}}) as w:
        shutil.copytree(source, w.drop, dirs_exist_ok=True, symlinks=True)
        done = w.until_idle(check=None, timeout=900)
        if done.returncode not in {0, 1}:
            return {}, [f"the daemon ended with {done.returncode}: {done.stderr[-2000:]}"]
        return _judged(w)


def _judged(w: World) -> tuple[dict[str, int], list[str]]:
    status = w.status()
    dropped = {p for p in w.drop.rglob("*") if p.is_file() and any(p.match(q) for q in PATTERNS)}
    rejected = {Path(failure["path"]): failure["reason"] for failure in status["failed"]}
    items = {Path(row["path"]): row for row in w.items()}
    wrong = [f"{p}: neither completed nor rejected" for p in sorted(dropped - set(items) - set(rejected))]
    wrong += [f"{p}: rejected without a reason" for p, reason in rejected.items() if len(reason) < 12]
    wrong += w.problems(twins=w.audit().file_names)
    counts = Counter(dropped=len(dropped), completed=len(items), rejected=len(rejected))
    for path, row in items.items():
        codes = {warning["code"] for warning in row["warnings"]}
        unnamed = [t for t in differences(path, w.object(row["file_name"])) if not _named(t, codes)]
        wrong += [f"{path}: {text}" for text in unnamed]
        counts.update(dict.fromkeys(codes, 1))
    return dict(counts), wrong


def _named(difference: str, codes: set[str]) -> bool:
    """Whether a warning on the file says that this is lost."""
    return any(difference.startswith(EXPLAINED.get(code, "?")) for code in codes)


def main() -> int:
    """Drop a folder from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="corpus-") as root:
        counts, wrong = drop(parser.parse_args().folder, Path(root))
    print(f"{counts} wrong={len(wrong)} seconds={time.monotonic() - started:.0f}")
    for line in wrong:
        print("  " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

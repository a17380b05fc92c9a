"""Rasters as people report them in public trackers, through `uploader convert`: `python -m tests.reports`.

Prints for each where it was reported and what came of it; ends with 1 if anything is not right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from contextlib import closing
from pathlib import Path

import rasterio

from tests.cases import converted
from tests.judge.rights import Seen, problems
from tests.support.pool import POOL
from tests.support.reports.table import REPORTS


def tried(name: str, root: Path) -> tuple[Seen, list[str]]:
    """What came of a report, and all that is not right with it."""
    report, folder = REPORTS[name], root / "in"
    folder.mkdir(parents=True)
    seen = converted(report.make(folder), root / "out.tif")
    return seen, problems(seen, report.checks)


def main() -> int:
    """Try all; 0 where all is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.reports", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="reports whose name holds this")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    bad = 0
    with tempfile.TemporaryDirectory(prefix="reports-") as root, closing(POOL):
        for number, (name, report) in enumerate(REPORTS.items()):
            if arguments.only and arguments.only not in name:
                continue
            seen, found = tried(name, Path(root) / str(number))
            codes = " ".join([seen.method, *sorted({code for code, _ in seen.warnings})])
            print(f"| {report.tracker} | {name} | {codes} | {'; '.join(found) or 'right'} |", flush=True)  # noqa: T201
            bad += bool(found)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())

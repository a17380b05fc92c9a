"""How well overviews are judged: `python -m tests.overviews [--count N] [--seed S]`.

So many honest pyramids, made with every resampling of gdaladdo, and as many wrong ones. Printed are a row for each
resampling, kind and fault, and what was judged wrongly. Ends with 1 if a wrong one was believed, or if a twentieth of
the honest ones was not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import rasterio

from tests.support import pyramids
from uploader.convert.pyramid.overview_reader import LevelWatch, rules, smaller_levels_fit
from uploader.convert.read.examine import examine
from uploader.convert.read.formats.open_raster import opened
from uploader.convert.read.windows import pieces

_TOLERATED = 0.05


def believed(case: pyramids.Case, folder: Path) -> bool:
    """Whether the overviews of a raster, made in an empty folder, pass for its own."""
    path = pyramids.make(case, folder / "source.tif")
    facts = examine(path)
    with opened(path, "GTiff") as base, opened(path, "GTiff", overview=0) as level:
        judged = rules(base, level, facts, classes=pyramids.KINDS[case.kind].classes)
        watch = LevelWatch(level, facts, judged)
        return watch.sees_all(base, pieces(facts)) and smaller_levels_fit(path, facts, judged)


def judge(cases: list[pyramids.Case]) -> dict[pyramids.Case, bool]:
    """Which were believed."""
    found = {}
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="overviews-") as folder:
            found[case] = believed(case, Path(folder))
    return found


def rows(found: dict[pyramids.Case, bool], by: Callable[[pyramids.Case], str]) -> list[tuple[str, int, int]]:
    """Title, how many, how many of them were believed."""
    many = Counter(by(case) for case in found)
    passed = Counter(by(case) for case, passes in found.items() if passes)
    return [(title, count, passed[title]) for title, count in many.items()]


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.overviews", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="honest pyramids, and as many wrong ones")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    started = time.monotonic()
    honest = judge(pyramids.honest(options.count, options.seed))
    wrong = judge(pyramids.wrong(options.count, options.seed))
    print("| overviews | rasters | believed |")  # noqa: T201 - a command
    for found, by in ((honest, "resampling"), (honest, "kind"), (wrong, "fault"), (wrong, "kind")):
        for row in rows(found, lambda case, by=by: getattr(case, by)):  # type: ignore[misc]
            print(f"| {'wrong' if found is wrong else 'honest'}: {' | '.join(map(str, row))} |")  # noqa: T201
    alarms = [case for case, passes in honest.items() if not passes]
    missed = [case for case, passes in wrong.items() if passes]
    for title, cases in (("false alarm", alarms), ("missed", missed)):
        for case in cases:
            print(f"{title}: {case.name}")  # noqa: T201 - a command
    result = f"{len(wrong) - len(missed)} of {len(wrong)} wrong ones found, {len(alarms)} false alarms"
    print(f"{result} of {len(honest)}, {time.monotonic() - started:.0f} s")  # noqa: T201 - a command
    return int(bool(missed) or len(alarms) >= _TOLERATED * len(honest))


if __name__ == "__main__":
    sys.exit(_main())

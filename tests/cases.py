"""Rasters that went wrong, through `uploader convert` and through a daemon, and whether what comes of each is right.

    python ../shared/cases/make.py OUT && python -m tests.cases OUT

Each folder of OUT is a case that `tests.judge.rights` knows. Prints a table; ends with 1 if anything is not right.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import warnings
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path

import rasterio

from tests.judge.rights import RIGHTS, Seen, problems
from tests.support.pool import POOL
from tests.support.world import World, world
from uploader.core.errors import UploaderError
from uploader.python import convert_files

_RASTERS = (".tif", ".tiff", ".asc", ".png", ".img")
_SECONDS = 900


def converted(source: Path, target: Path) -> Seen:
    """What `uploader convert` makes of a raster, without the start of a process for each."""
    plainly = partial(convert_files.converted, preview=None, limits={}, wishes={}, progress=_untold)
    try:
        report = POOL.run(lambda converter: plainly(converter, source, target))
    except UploaderError as error:
        return Seen(source, None, reason=str(error))
    told = [(warning.code, warning.text) for warning in report.warnings]
    return Seen(source, target, told, method=report.method, classes=report.categorical)


def _untold(*_: object) -> AbstractContextManager[None]:
    return nullcontext()


def uploaded(w: World, sources: dict[str, Path]) -> dict[str, Seen]:
    """What a daemon makes of rasters that are dropped at once, each in a folder of its own."""
    dropped = {}
    for name, source in sources.items():
        shutil.copytree(source.parent, w.drop / name)
        dropped[name] = w.drop / name / source.name
    w.until_idle(check=None, timeout=_SECONDS)
    reasons = {failure["path"]: failure["reason"] for failure in w.status()["failed"]}
    rows = {row["path"]: row for row in w.items()}
    return {
        name: _seen(w, path, rows.get(str(path)), reasons.get(str(path), "it is nowhere"))
        for name, path in dropped.items()
    }


def _seen(w: World, source: Path, row: dict | None, reason: str) -> Seen:
    if row is None:
        return Seen(source, None, reason=reason)
    told = [(warning["code"], warning["text"]) for warning in row["warnings"]]
    return Seen(source, w.object(row["file_name"]), told, method=row["method"])


def rasters(folder: Path) -> dict[str, Path]:
    """The raster of each case below a folder, by the case's name."""
    found = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in _RASTERS)
    return {path.parent.name: path for path in found}


def judged(sources: dict[str, Path]) -> dict[str, dict[str, list[str]]]:
    """By case and way, all that is not right."""
    with tempfile.TemporaryDirectory(prefix="cases-") as root:
        out = Path(root) / "out"
        out.mkdir()
        alone = {name: converted(source, out / f"{name}.tif") for name, source in sources.items()}
        with world(Path(root) / "world") as w:
            ways = {"convert": alone, "daemon": uploaded(w, sources)}
            return {
                name: {way: problems(seen[name], RIGHTS[name]) for way, seen in ways.items()}
                for name in sources
            }


def _tell(found: dict[str, dict[str, list[str]]]) -> None:
    print(f"| case | {' | '.join(next(iter(found.values())))} |")  # noqa: T201 - a command
    for name, ways in found.items():
        print(f"| {name} | {' | '.join('not right' if texts else 'right' for texts in ways.values())} |")  # noqa: T201
    for name, ways in found.items():
        for way, texts in ways.items():
            for text in texts:
                print(f"{name}, {way}: {text}")  # noqa: T201 - a command


def main() -> int:
    """Judge all cases of a folder; 0 where all are right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", action="append", metavar="NAME", help="only this one; may be given again")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    sources = rasters(arguments.folder)
    chosen = {name: path for name, path in sources.items() if not arguments.case or name in arguments.case}
    unknown = sorted(set(chosen) - set(RIGHTS))
    if unknown or not chosen:
        print(f"What is right for {unknown or arguments.folder} is not known.")  # noqa: T201 - a command
        return 2
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    with closing(POOL):
        found = judged(chosen)
    _tell(found)
    return int(any(texts for ways in found.values() for texts in ways.values()))


if __name__ == "__main__":
    sys.exit(main())

"""Many rasters through the converter, compared independently: `python -m tests.corpus --help`.

Prints one line per outcome and all that is wrong; ends with 1 if anything is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import rasterio
from anyio import to_thread

from tests.support import compare, corpus, generated
from uploader.convert import Converter, Job, Report
from uploader.core.errors import LocalError

_AT_ONCE = 2
_SECONDS = 300.0

Source = tuple[str, Callable[[Path], Path]]
"""A name, and what puts that raster with its sidecars into a new folder."""


@dataclass
class Outcome:
    """Names by what became of them, and what must not be."""

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    reasons: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def of_files(files: list[Path]) -> list[Source]:
    """Rasters that lie somewhere."""
    return [(str(path), lambda folder, path=path: corpus.stage(path, folder)) for path in files]  # type: ignore[misc]


def of_table(cases: list[generated.Case]) -> list[Source]:
    """Rasters that are made when their turn comes."""
    return [(case.name, lambda folder, case=case: generated.make(case, folder)) for case in cases]  # type: ignore[misc]


async def run(sources: list[Source], root: Path) -> Outcome:
    """Convert all, each in a folder of its own below `root`; errors that are not ours are let through."""
    outcome, turns = Outcome(), anyio.CapacityLimiter(_AT_ONCE)
    async with Converter(_AT_ONCE) as converter, anyio.create_task_group() as tasks:
        for number, source in enumerate(sources):
            tasks.start_soon(_one, converter, turns, source, root / str(number), outcome)
    return outcome


async def _one(
    converter: Converter, turns: anyio.CapacityLimiter, named: Source, folder: Path, outcome: Outcome
) -> None:
    async with turns:
        name, put = named
        try:
            source = await to_thread.run_sync(put, folder / "in")
        except generated.NotMade as error:
            outcome.names[f"not made, GDAL says: {error}"].append(name)
            return
        target = folder / "out.tif"
        try:
            report = await converter.convert(Job(source, target, timeout=_SECONDS))
        except LocalError as error:
            outcome.names[type(error).__name__].append(name)
            outcome.reasons[name] = str(error)
            expected = {"in"}
        else:
            outcome.names[_title(report)].append(name)
            outcome.wrong += [
                f"{name}: {text}" for text in await to_thread.run_sync(_wrong, source, target, report)
            ]
            expected = {"in", "out.tif"}
        left = set(os.listdir(folder))  # noqa: PTH208 - names are what is compared
        outcome.wrong += [f"{name}: left {left - expected}"] if left != expected else []
        await to_thread.run_sync(shutil.rmtree, folder)


def _wrong(source: Path, target: Path, report: Report) -> list[str]:
    """What differs, what the statistics should be, and classes that an overview made up."""
    codes = {warning.code for warning in report.warnings}
    digits = 1e-8 if report.method == "passthrough" else 1e-12
    return [
        *compare.unnamed(source, target, codes),
        *compare.statistics(source, target, report.bands, digits=digits),
        *(compare.invented(target) if report.categorical else ()),
    ]


def _title(report: Report) -> str:
    return " ".join(["exact", report.method, *sorted({warning.code for warning in report.warnings})])


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("folder", nargs="?", help="a corpus; else that of UPLOADER_CORPUS")
    parser.add_argument("--generated", type=int, default=0, metavar="N", help="N made-up rasters instead")
    parser.add_argument("--seed", type=int, default=1, help="of the table of made-up rasters")
    parser.add_argument("--only", type=int, metavar="K", help="one row of that table")
    return parser.parse_args()


def _sources(arguments: argparse.Namespace) -> tuple[list[Source], Counter[str]]:
    if arguments.generated:
        cases, skipped = generated.table(arguments.generated, arguments.seed)
        return of_table([case for case in cases if arguments.only in (None, case.number)]), skipped
    if arguments.folder:
        os.environ["UPLOADER_CORPUS"] = arguments.folder
    return of_files(corpus.files()), Counter()


async def _main() -> int:
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    sources, skipped = _sources(_parsed())
    with tempfile.TemporaryDirectory(prefix="corpus-") as root:
        outcome = await run(sources, Path(root))
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    for title, names in sorted(outcome.names.items()):
        print(f"{len(names):5} {title}")  # noqa: T201 - a command
    for reason, count in skipped.most_common():
        print(f"{count:5} not made: {reason}")  # noqa: T201 - a command
    for name, reason in sorted(outcome.reasons.items()):
        print(f"      {name}: {reason}")  # noqa: T201 - a command
    for text in outcome.wrong:
        print(f"WRONG {text}")  # noqa: T201 - a command
    return 1 if outcome.wrong or not outcome.names else 0


if __name__ == "__main__":
    sys.exit(anyio.run(_main))

"""Many rasters through the converter, compared independently: `python -m tests.corpus --help`.

Prints one line per outcome, all that is wrong, and the numbers as a row of docs/conversion.md; ends with 1 if
anything is wrong, or did not end.
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
from tests.support.warned import losses
from uploader.convert import Converter, Job, Report
from uploader.core.errors import LocalError, RasterRefused, RasterUnreadable

_AT_ONCE = 2
_SECONDS = 300.0
_ROW = ("files", "exact", "with a warning", "refused", "not ended", "wrong")
_REFUSALS = (RasterRefused.__name__, RasterUnreadable.__name__)

Source = tuple[str, Callable[[Path], Path]]
"""A name, and what puts that raster with its sidecars into a new folder."""


@dataclass
class Outcome:
    """Names by what became of them, and what must not be."""

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    reasons: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def row(self) -> dict[str, int]:
        """The numbers of it all; "wrong" counts rasters, not what is wrong with each."""
        many: Counter[str] = Counter()
        for title, names in self.names.items():
            many["not made" if title.startswith("not made") else _column(title)] += len(names)
        files = sum(many.values()) - many["not made"]
        wrong = {text.partition(": ")[0] for text in self.wrong}
        return {column: many[column] for column in _ROW} | {"files": files, "wrong": len(wrong)}


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
        job = Job(source, target, timeout=_SECONDS)
        try:
            report = await converter.convert(job)
        except LocalError as error:
            outcome.names[type(error).__name__].append(name)
            outcome.reasons[name] = str(error)
            expected = {"in"}
        else:
            outcome.names[_title(report)].append(name)
            outcome.wrong += [f"{name}: {text}" for text in await to_thread.run_sync(_wrong, job, report)]
            expected = {"in", "out.tif"}
        left = set(os.listdir(folder))  # noqa: PTH208 - names are what is compared
        outcome.wrong += [f"{name}: left {left - expected}"] if left != expected else []
        await to_thread.run_sync(shutil.rmtree, folder)


def _column(title: str) -> str:
    if title.startswith("exact"):
        return "with a warning" if title.count(" ") > 1 else "exact"
    return "refused" if title in _REFUSALS else "not ended"


def _wrong(job: Job, report: Report) -> list[str]:
    """What differs, what the statistics should be, classes that an overview made up, and bounds that did not hold."""
    codes = {warning.code for warning in report.warnings}
    digits = 1e-8 if report.method == "passthrough" else 1e-12
    try:
        wrong = [
            *compare.unnamed(job.source, job.target, codes),
            *compare.statistics(job.source, job.target, report.bands, digits=digits),
            *(compare.invented(job.target) if report.categorical else ()),
        ]
    except (rasterio.errors.RasterioError, ValueError) as error:
        wrong = [f"cannot be compared: {error}"]
    wrong += [f"took {report.peak_bytes} bytes"] if report.peak_bytes > job.memory_limit else []
    return wrong + ([f"took {report.seconds:.0f} s"] if report.seconds > job.timeout else [])


def _title(report: Report) -> str:
    return " ".join(["exact", report.method, *sorted(set(losses(report)))])


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument(
        "folder",
        nargs="*",
        type=Path,
        help="rasters: those its index.json lists, without one all below it; else the corpus of UPLOADER_CORPUS",
    )
    parser.add_argument("--generated", type=int, default=0, metavar="N", help="N made-up rasters instead")
    parser.add_argument("--seed", type=int, default=1, help="of the table of made-up rasters")
    parser.add_argument("--only", type=int, metavar="K", help="one row of that table")
    return parser.parse_args()


def _sets(arguments: argparse.Namespace) -> dict[str, tuple[list[Source], Counter[str]]]:
    if arguments.generated:
        cases, skipped = generated.table(arguments.generated, arguments.seed)
        chosen = [case for case in cases if arguments.only in (None, case.number)]
        return {f"made up, seed {arguments.seed}": (of_table(chosen), skipped)}
    if arguments.folder:
        return {folder.name: (of_files(corpus.below(folder)), Counter()) for folder in arguments.folder}
    return {"corpus": (of_files(corpus.files()), Counter())}


def _tell(name: str, outcome: Outcome, skipped: Counter[str]) -> None:
    for title, names in sorted(outcome.names.items()):
        print(f"{len(names):5} {title}")  # noqa: T201 - a command
    for reason, count in skipped.most_common():
        print(f"{count:5} not made: {reason}")  # noqa: T201 - a command
    for raster, reason in sorted(outcome.reasons.items()):
        print(f"      {raster}: {reason}")  # noqa: T201 - a command
    for text in outcome.wrong:
        print(f"WRONG {text}")  # noqa: T201 - a command
    row = outcome.row()
    print(f"| rasters | {' | '.join(row)} |")  # noqa: T201 - a command
    print(f"| {name} | {' | '.join(str(number) for number in row.values())} |", flush=True)  # noqa: T201 - a command


async def _main() -> int:
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    bad = False
    for name, (sources, skipped) in _sets(_parsed()).items():
        with tempfile.TemporaryDirectory(prefix="corpus-") as root:
            outcome = await run(sources, Path(root))
        _tell(name, outcome, skipped)
        row = outcome.row()
        bad = bad or bool(row["wrong"] or row["not ended"] or not row["files"])
    return int(bad)


if __name__ == "__main__":
    sys.exit(anyio.run(_main))

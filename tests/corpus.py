"""Many rasters through the converter, each before an independent judge: `python -m tests.corpus --help`.

Prints a verdict per raster, all that is wrong or lost without a word, and the numbers as a row of
docs/conversion.md. Ends with 1 if anything is wrong, silent, refused without need, or did not end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import rasterio
from anyio import to_thread

from tests.judge import judging, refusals
from tests.judge.findings import Verdict
from tests.support import compare, corpus, generated, generated_files
from tests.support.cluster import Engines, engines
from tests.support.heads import table as heads
from tests.support.warned import losses
from uploader.convert import ConversionEngine, Converter, Job, Report
from uploader.core.errors import LocalError, RasterRefused, RasterUnreadable

_AT_ONCE = 2
_SECONDS = 300.0
_ROW = ("files", "exact", "named", "refused", "not ended", "wrong", "silent")
_BAD = ("wrong", "silent", "not ended")


@dataclass(frozen=True)
class Source:
    """A raster: `put` brings it with its sidecars into a new folder; `origin` is where it lies, if it does already."""

    name: str
    put: Callable[[Path], Path]
    origin: Path | None = None


@dataclass(frozen=True)
class Result:
    """What became of one raster: a word of `_ROW` or "not made", how (a method and warnings, or why not), details."""

    word: str
    how: str
    details: tuple[str, ...] = ()


@dataclass
class Outcome:
    """Results by the rasters' names."""

    results: dict[str, Result] = field(default_factory=dict)

    def row(self) -> dict[str, int]:
        """The numbers of it all."""
        many = Counter(result.word for result in self.results.values())
        return {"files": len(self.results) - many["not made"]} | {word: many[word] for word in _ROW[1:]}

    def bad(self) -> list[str]:
        """One line for each thing that must not be."""
        return [
            f"{result.word}: {name}: {text}"
            for name, result in sorted(self.results.items())
            if result.word in _BAD
            for text in result.details or (result.how,)
        ]


def of_files(files: list[Path]) -> list[Source]:
    """Rasters that lie somewhere."""
    return [Source(str(path), partial(corpus.stage, path), path) for path in files]


def of_table(cases: list[generated.Case]) -> list[Source]:
    """Rasters that are made when their turn comes."""
    return [Source(case.name, partial(generated_files.make, case)) for case in cases]


def of_heads(cases: list[heads.HeadCase]) -> list[Source]:
    """Likewise, of heads that GDAL would not write."""
    return [Source(case.name, partial(heads.make, case)) for case in cases]


def made_up(count: int, seed: int) -> tuple[list[Source], Counter[str]]:
    """So many, a third of them odd heads, and how many combinations were passed over for which reason."""
    odd = count // 3
    cases, skipped = generated.table(count - odd, seed)
    return [*of_table(cases), *of_heads(heads.table(odd, seed, count - odd))], skipped


async def run(sources: list[Source], root: Path, engine: Engines = Converter) -> Outcome:
    """Convert all, each in a folder of its own below `root`; errors that are not ours are let through."""
    outcome, turns = Outcome(), anyio.CapacityLimiter(_AT_ONCE)
    async with engine(_AT_ONCE) as converter, anyio.create_task_group() as tasks:
        for number, source in enumerate(sources):
            tasks.start_soon(_one, converter, turns, source, root / str(number), outcome)
    return outcome


async def _one(
    converter: ConversionEngine, turns: anyio.CapacityLimiter, raster: Source, folder: Path, outcome: Outcome
) -> None:
    async with turns:
        name = raster.name
        try:
            source = await to_thread.run_sync(raster.put, folder / "in")
        except generated_files.NotMade as error:
            outcome.results[name] = Result("not made", f"GDAL says: {error}")
            return
        job = Job(source, folder / "out.tif", timeout_seconds=_SECONDS)
        try:
            report = await converter.convert(job)
        except LocalError as error:
            found, expected = await to_thread.run_sync(_refused, name, source, error), {"in"}
        else:
            found, expected = await to_thread.run_sync(_converted, raster, job, report), {"in", "out.tif"}
        left = set(os.listdir(folder)) - expected  # noqa: PTH208 - names are what is compared
        if left:
            found = Result("wrong", found.how, (*found.details, f"left {left}"))
        outcome.results[name] = found
        await to_thread.run_sync(shutil.rmtree, folder)


def _refused(name: str, source: Path, error: LocalError) -> Result:
    """A refusal is one that is listed, or that the contract lets be; another is wrong."""
    if not isinstance(error, RasterRefused | RasterUnreadable):
        return Result("not ended", f"{type(error).__name__}: {error}")
    listed, allowed = refusals.known(name, str(error)), judging.refusable(source)
    if listed:
        return Result("refused", f"listed ({listed}): {error}")
    if allowed:
        return Result("refused", f"new, the contract allows it ({', '.join(allowed)}): {error}")
    return Result("wrong", str(error), (f"refused without need: {error}",))


def _converted(raster: Source, job: Job, report: Report) -> Result:
    """The verdict on a result: against the raster as people have it, with all that lies beside it."""
    how = " ".join([report.method, *sorted(set(losses(report)))])
    told = judging.Told(report.method, report.categorical, [(w.code, w.text) for w in report.warnings])
    found = judging.judged(raster.origin or job.source, job.target, told)
    wrong = (*found.wrong, *_numbers(job, report))
    found = Verdict(wrong, found.silent, found.named)
    details = (*wrong, *(f"silent: {text}" if wrong else text for text in found.silent), *found.named)
    word = "named" if found.title == "exact" and losses(report) else found.title
    return Result(word, how, details if word in _BAD or found.named else ())


def _numbers(job: Job, report: Report) -> tuple[str, ...]:
    """Statistics that are not what arithmetic says, and bounds that did not hold."""
    digits = 1e-8 if report.method == "passthrough" else 1e-12
    try:
        wrong = compare.statistics(job.source, job.target, report.bands, digits=digits)
    except (rasterio.errors.RasterioError, ValueError) as error:
        wrong = [f"statistics cannot be compared: {error}"]
    wrong += [f"took {report.peak_bytes} bytes"] if report.peak_bytes > job.memory_limit else []
    wrong += [f"took {report.seconds:.0f} s"] if report.seconds > job.timeout_seconds else []
    return tuple(wrong)


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
    parser.add_argument("--named", metavar="TEXT", help="only rasters whose name holds this")
    parser.add_argument("--dask", action="store_true", help="through a cluster of one worker")
    return parser.parse_args()


def _sets(arguments: argparse.Namespace) -> dict[str, tuple[list[Source], Counter[str]]]:
    if arguments.generated:
        sources, skipped = made_up(arguments.generated, arguments.seed)
        chosen = [source for source in sources if arguments.only in (None, int(source.name.split()[0]))]
        return {f"made up, seed {arguments.seed}": (chosen, skipped)}
    if arguments.folder:
        return {folder.name: (of_files(corpus.below(folder)), Counter()) for folder in arguments.folder}
    return {"corpus": (of_files(corpus.files()), Counter())}


def _tell(name: str, outcome: Outcome, skipped: Counter[str]) -> None:
    for raster, result in sorted(outcome.results.items()):
        print(f"{result.word:9} {raster}: {result.how}")  # noqa: T201 - a command
        for text in result.details:
            print(f"              {text}")  # noqa: T201 - a command
    for reason, count in skipped.most_common():
        print(f"{count:5} not made: {reason}")  # noqa: T201 - a command
    ways = Counter(f"{result.word}, {result.how.split(':')[0]}" for result in outcome.results.values())
    for way, count in ways.most_common():
        print(f"{count:5} {way}")  # noqa: T201 - a command
    row = outcome.row()
    print(f"| rasters | {' | '.join(row)} |")  # noqa: T201 - a command
    print(f"| {name} | {' | '.join(str(number) for number in row.values())} |", flush=True)  # noqa: T201 - a command


async def _main() -> int:
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    bad, arguments = False, _parsed()
    for name, (sources, skipped) in _sets(arguments).items():
        chosen = [source for source in sources if not arguments.named or arguments.named in source.name]
        with (
            tempfile.TemporaryDirectory(prefix="corpus-") as root,
            engines(Path(root), dask=arguments.dask) as engine,
        ):
            outcome = await run(chosen, Path(root), engine)
        _tell(name, outcome, skipped)
        row = outcome.row()
        bad = bad or any(row[word] for word in _BAD) or not row["files"]
    return int(bad)


if __name__ == "__main__":
    sys.exit(anyio.run(_main))

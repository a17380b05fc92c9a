"""The family of attacks: what a raster from outside may try, one generator each, and who gets hurt.

    python -m tests.security.attacks [--kind names|bombs|titles|heavy] [--only NAME] [--seconds N] [--dask] [--linked]

Each goes through the real pool in a folder of its own, followed by a good raster that must be converted at once.
A canary file, a canary text and a canary server tell whether anything of theirs was touched.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import rasterio

from tests.security import bombs, deliveries, names, titles  # noqa: F401 - they fill the table
from tests.security.family import ATTACKS, Attack
from tests.security.lures import FOREIGN, MARK, Lure
from tests.support import rasters
from tests.support.cluster import Engines, engines
from uploader.convert import ConversionEngine, Converter, Job
from uploader.core.errors import ConversionFailed, LocalError
from uploader.python.shown_source import shown_source

LIMIT = 1 << 30
"""Bytes of memory for each."""


async def run(
    attacks: list[Attack],
    root: Path,
    *,
    seconds: float,
    say: Callable[[str], object] = str,
    engine: Engines = Converter,
    linked: bool = False,
) -> tuple[list[str], list[str]]:
    """Let each attack happen; gives a line for each, and all that is wrong.

    `linked`: the rasters are read where they lie, as those that people convert by hand. Who names a link wants what
    it leads to, so a raster that is one is left out.
    """
    told, wrong = [], []
    sound = good(root / "good" / "in" / "source.tif")
    with Lure.laid(root / "lure") as lure:
        async with engine(1) as converter:
            for number, attack in enumerate(attacks):
                folder = root / str(number) / "in"
                folder.mkdir(parents=True)
                source = attack.make(folder, lure) or folder / "source.tif"
                lure.touched()
                if linked and source.is_symlink():
                    continue
                job = _job(source, folder.parent, seconds, linked=linked)
                line, problems = await _one(converter, attack, job, lure)
                told.append(line)
                say(line)
                wrong += [f"{attack.name}: {problem}" for problem in problems]
                await converter.convert(Job(sound, root / "good" / "out.tif", min_free_bytes=0))
    return told, wrong


def _job(source: Path, place: Path, seconds: float, *, linked: bool) -> Job:
    """A conversion in a folder of its own, in which nobody leaves anything behind."""
    job = Job(
        source, place / "out" / "out.tif", min_free_bytes=0, memory_limit=LIMIT, timeout_seconds=seconds
    )
    job.target.parent.mkdir()
    if not linked:
        return job
    shown = shown_source(source, place / "shown")
    return replace(job, source=shown.path, linked=shown.linked)


async def _one(converter: ConversionEngine, attack: Attack, job: Job, lure: Lure) -> tuple[str, list[str]]:
    target = job.target
    before, problems, peak = time.monotonic(), [], 0
    try:
        report = await converter.convert(job)
    except LocalError as error:
        outcome = f"{type(error).__name__}: {error.reason[:90]!r}"
        if isinstance(error, ConversionFailed) and not attack.costs:
            problems.append(str(error))
        if MARK in str(error):
            problems.append("the foreign text is in the reason")
    else:
        outcome, peak = report.method, report.peak_bytes
        problems += _stolen(target)
        problems += [f"it took {peak} bytes of memory"] if peak > LIMIT else []
    problems += lure.touched()
    left = {path.name for path in target.parent.iterdir()} - {target.name}
    problems += [f"it left {left}"] if left else []
    told = f"{attack.name:36} {time.monotonic() - before:6.1f} s {peak >> 20:5} MB  {outcome}"
    return told, problems


def _stolen(target: Path) -> list[str]:
    """Whether anything foreign is in the result: its text, or pixels as bright as only the foreign ones are."""
    found = ["the foreign text is in the result"] if MARK.encode() in target.read_bytes() else []
    with rasterio.open(target) as dataset:
        if dataset.width > 10_000 or dataset.dtypes[0] != "uint8":
            return found
        levels = [None, *range(len(dataset.overviews(1)))]
    for level in levels:
        options = {} if level is None else {"overview_level": level}
        with rasterio.open(target, **options) as dataset:
            if (dataset.read(1) == FOREIGN).any():
                found.append(f"foreign pixels at level {level}")
    return found


def good(path: Path, seed: int = 0) -> Path:
    """A raster that nothing is wrong with, made elsewhere if its name is none that GDAL would write to."""
    made = rasters.make("classes", path.parent / ".made.part", size=64, seed=seed)
    return made.rename(path)


def chosen(*kinds: str) -> list[Attack]:
    """The attacks of these kinds."""
    return [attack for attack in ATTACKS.values() if attack.kind in kinds]


def main() -> int:
    """Run from the command line; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", action="append", choices=("names", "bombs", "titles", "heavy"))
    parser.add_argument("--only", help="one attack by its name")
    parser.add_argument("--seconds", type=float, default=120.0, help="deadline of each")
    parser.add_argument("--dask", action="store_true", help="through a cluster of one worker")
    parser.add_argument(
        "--linked", action="store_true", help="read where they lie, as `uploader convert` does"
    )
    given = parser.parse_args()
    attacks = (
        [ATTACKS[given.only]]
        if given.only
        else chosen(*(given.kind or ("names", "bombs", "titles", "heavy")))
    )
    with (
        tempfile.TemporaryDirectory(prefix="attacks-") as root,
        engines(Path(root), dask=given.dask) as engine,
    ):
        how = {"seconds": given.seconds, "say": print, "engine": engine, "linked": given.linked}
        told, wrong = anyio.run(lambda: run(attacks, Path(root), **how))
    sys.stdout.write("".join(f"WRONG {line}\n" for line in wrong))
    sys.stdout.write(f"{len(told)} attacks, {len(wrong)} wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Every raster of a corpus through the converter, compared independently: `python -m tests.corpus [DIR]`.

Prints one line per outcome and all that is wrong; ends with 1 if anything is.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import rasterio
from anyio import to_thread

from tests.support import compare, corpus
from uploader.convert import Converter, Job, Report
from uploader.core.errors import LocalError

_AT_ONCE = 2
_SECONDS = 300.0


@dataclass
class Outcome:
    """Names by what became of them, and what must not be."""

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    reasons: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


async def run(files: list[Path], root: Path) -> Outcome:
    """Convert all, each in a folder of its own below `root`; errors that are not ours are let through."""
    outcome, turns = Outcome(), anyio.CapacityLimiter(_AT_ONCE)
    async with Converter(_AT_ONCE) as converter, anyio.create_task_group() as tasks:
        for number, path in enumerate(files):
            tasks.start_soon(_one, converter, turns, path, root / str(number), outcome)
    return outcome


async def _one(
    converter: Converter, turns: anyio.CapacityLimiter, path: Path, folder: Path, outcome: Outcome
) -> None:
    async with turns:
        source, target = corpus.stage(path, folder / "in"), folder / "out.tif"
        try:
            report = await converter.convert(Job(source, target, timeout=_SECONDS))
        except LocalError as error:
            outcome.names[type(error).__name__].append(str(path))
            outcome.reasons[str(path)] = str(error)
            expected = {"in"}
        else:
            codes = {warning.code for warning in report.warnings}
            outcome.names[_title(report)].append(str(path))
            unnamed = await to_thread.run_sync(compare.unnamed, source, target, codes)
            outcome.wrong += [f"{path}: {text}" for text in unnamed]
            expected = {"in", "out.tif"}
            target.unlink()
            target.touch()
        left = set(os.listdir(folder))  # noqa: PTH208 - names are what is compared
        outcome.wrong += [f"{path}: left {left - expected}"] if left != expected else []


def _title(report: Report) -> str:
    return " ".join(["exact", report.method, *sorted({warning.code for warning in report.warnings})])


async def _main() -> int:
    if sys.argv[1:]:
        os.environ["UPLOADER_CORPUS"] = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="corpus-") as root:
        outcome = await run(corpus.files(), Path(root))
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")  # noqa: T201 - a command
    for title, names in sorted(outcome.names.items()):
        print(f"{len(names):5} {title}")  # noqa: T201 - a command
    for name, reason in sorted(outcome.reasons.items()):
        print(f"      {name}: {reason}")  # noqa: T201 - a command
    for text in outcome.wrong:
        print(f"WRONG {text}")  # noqa: T201 - a command
    return 1 if outcome.wrong or not outcome.names else 0


if __name__ == "__main__":
    sys.exit(anyio.run(_main))

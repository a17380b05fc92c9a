"""How well the rule for classes fits real rasters: `python -m tests.classes DIR`.

`DIR/classes.json` says of each raster what it truly is: path below DIR -> "classes: land cover", "quantity:
elevation" and the like. Each is judged as the converter judges it, as it is and without its palette and names;
printed are a row for each kind, and what was judged wrongly. Rasters of one value alone count for nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import rasterio

from tests.support import corpus
from uploader.convert.read.examine import examine
from uploader.convert.read.facts import Facts
from uploader.convert.read.formats.open_raster import opened
from uploader.convert.read.measure import may_be_classes, measure
from uploader.convert.read.statistics import PixelStatistics
from uploader.convert.write import method_choice
from uploader.core.errors import RasterRefused, RasterUnreadable

_CLASSES = "classes"


@dataclass(frozen=True)
class Judged:
    """One raster: what it truly is, and what the rule says of it."""

    name: str
    kind: str
    taken: bool
    taken_bare: bool
    """Without its palette and the names of its classes."""

    @property
    def truth(self) -> bool:
        """Whether its values are names, not quantities."""
        return self.kind.startswith(_CLASSES)


def judge(name: str, kind: str, path: Path) -> Judged | None:
    """None where there is nothing to judge: the raster is refused anyhow, or has one value alone."""
    with tempfile.TemporaryDirectory(prefix="classes-") as folder:
        try:
            source = corpus.stage(path, Path(folder) / "in")
            facts = examine(source)
            measured = _measured(source, facts)
        except (RasterRefused, RasterUnreadable):
            return None
    if measured.distinct in (0, 1):
        return None
    taken = method_choice.is_categorical(facts, measured, "auto", path.name)
    return Judged(name, kind, taken, method_choice.is_categorical(bare(facts), measured, "auto"))


def bare(facts: Facts) -> Facts:
    """The same raster without palette and names, as many a program writes it."""
    bands = (
        replace(b, colours=(), interpretation="gray" if b.interpretation == "palette" else b.interpretation)
        for b in facts.bands
    )
    return replace(facts, bands=tuple(bands), categories=False)


def _measured(source: Path, facts: Facts) -> PixelStatistics:
    if not method_choice.counts_classes(facts, "auto"):
        return PixelStatistics(bands=(), distinct=None, counted=0)
    with opened(source, facts.driver) as dataset:
        if not may_be_classes(dataset, facts):
            return PixelStatistics(bands=(), distinct=None, counted=0)
        return measure(dataset, facts, classes=True)


def rows(judged: list[Judged]) -> list[tuple[str, int, int, int]]:
    """Kind, how many, taken for classes as they are, and bare; each truth has its sum."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in sorted(judged, key=lambda one: (not one.truth, one.kind)):
        groups[one.kind].append(one)
    for truth, title in ((True, "all classes"), (False, "all quantities")):
        groups[title] = [one for one in judged if one.truth is truth]
    return [
        (kind, len(them), sum(one.taken for one in them), sum(one.taken_bare for one in them))
        for kind, them in groups.items()
    ]


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.classes", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with rasters and their classes.json")
    folder = parser.parse_args().folder
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    kinds: dict[str, str] = json.loads((folder / "classes.json").read_text())
    found = [judge(name, kind, folder / name) for name, kind in sorted(kinds.items())]
    judged = [one for one in found if one is not None]
    print("| kind | rasters | taken for classes | without palette and names |")  # noqa: T201 - a command
    for row in rows(judged):
        print(f"| {' | '.join(map(str, row))} |")  # noqa: T201 - a command
    print(f"{len(found) - len(judged)} refused or of one value")  # noqa: T201 - a command
    for one in judged:
        if one.taken != one.truth or one.taken_bare != one.truth:
            how = "" if one.taken != one.truth else " when bare"
            print(f"{'missed' if one.truth else 'falsely taken'}{how}: {one.name} ({one.kind})")  # noqa: T201 - a command
    return 0 if judged else 1


if __name__ == "__main__":
    sys.exit(_main())

"""What all reports share: where one was made, how such a raster is made here, and what is right for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.judge.rights import Check
from tests.support.kinds import Maker, some
from tests.support.tiffwriter import Entry, Picture, Tags, doubles, write


@dataclass(frozen=True)
class Report:
    """Where it was reported, how such a raster is made, and what must hold of what comes of it."""

    tracker: str
    make: Maker
    checks: Sequence[Check]


REPORTS: dict[str, Report] = {}
"""By circumstance."""


def report(name: str, tracker: str, *checks: Check) -> Callable[[Maker], Maker]:
    """Enter a maker into the register."""

    def enter(make: Maker) -> Maker:
        REPORTS[name] = Report(tracker, make, checks)
        return make

    return enter


CORNER = (0, 0, 0, 400_000, 5_000_000, 0)
PLACE: Tags = {33550: doubles(2, 2, 0), 33922: doubles(*CORNER)}


def with_tags(folder: Path, tags: dict[int, Entry | None], kind: str = "u2", bands: int = 1) -> Path:
    """A raster whose head has these tags."""
    return write(folder / "raster.tif", [Picture(some(bands, kind), tags)])

"""What went through each stage, as a drawing and in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uploader.core.byte_sizes import format_size
from uploader.core.lifecycle import STAGE_ENDS
from uploader.core.plurals import count_of
from uploader.journal.stage_history import SPAN, Throughput

WIDTH, HEIGHT = 144, 40
"""Units of the drawing, which is stretched to the room that it has."""

TITLES = dict(zip(STAGE_ENDS, ("Read", "Converted", "Uploaded", "Completed"), strict=True))
"""What is done when a stage ends, by its event."""

TICKS = 4
"""Hours that are named below the drawing, beside the present."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One stage."""

    stage: str
    title: str
    path: str
    """An area of the drawing; empty where nothing went through."""
    files: int
    size: int
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """All stages over the same time."""

    curves: Sequence[Curve]
    ticks: Sequence[str]
    """Times of the clock below it, from left to right at equal distances."""
    whole: bool


def plotted(found: Throughput) -> Plot:
    """The drawing of a day."""
    return Plot(
        [_curve(event.value, title, found.stages.get(event.value, ())) for event, title in TITLES.items()],
        _ticks(found.since, len(next(iter(found.stages.values()), ()))),
        found.whole,
    )


def _curve(event: str, title: str, sums: Sequence[tuple[int, int]]) -> Curve:
    files, size = sum(files for files, _ in sums), sum(size for _, size in sums)
    most = max((size for _, size in sums), default=0)
    words = f"{count_of(files, 'file')}, {format_size(size)}" + (
        f", at most {format_size(most / SPAN)}/s" if most else ""
    )
    return Curve(event, title, _area([size for _, size in sums], most), files, size, words)


def _area(sizes: Sequence[int], most: int) -> str:
    """Steps from the left to the right, and back along the bottom."""
    if not most:
        return ""
    step = WIDTH / max(1, len(sizes))
    points = [f"M0 {HEIGHT}"]
    for number, size in enumerate(sizes):
        top = f"{HEIGHT - size / most * (HEIGHT - 1):.1f}"
        points.append(f"L{number * step:.2f} {top}L{(number + 1) * step:.2f} {top}")
    return "".join([*points, f"L{WIDTH} {HEIGHT}Z"])


def _ticks(since: float, spans: int) -> list[str]:
    times = [since + number * spans * SPAN / TICKS for number in range(TICKS)]
    return [*(f"{datetime.fromtimestamp(at).astimezone():%H:%M}" for at in times), "now"]

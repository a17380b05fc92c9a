"""How fast the work goes, and when it can be expected to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHORTEST = 60.0
"""Seconds over which a rate is told at least: what was done in one of them says nothing of the next hour."""

SILENCE = 0.9
"""The share of the time since a stage's first file that counts at least, however long ago its last one was: a stage
rests between two batches, but one in which nothing happens any more has become slow."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Files and bytes a second."""

    files: float = 0.0
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """What went through a stage lately: files, their bytes in the drop folder, and when the first and the last did.

    Times in unix seconds.
    """

    files: int
    size: int
    first: float
    last: float

    def __add__(self, other: Passed) -> Passed:
        """Both together."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        return Passed(self.files + other.files, self.size + other.size, first, last)


@dataclass(frozen=True, slots=True)
class StageWork:
    """A stage: what went through it lately, and what still has to, with its bytes in the drop folder."""

    passed: Passed | None
    files: int
    size: int


def rate_of(now: float, files: int, size: int, first: float | None) -> Rate:
    """The rate of what was completed lately, counted from the first of it (unix seconds)."""
    if first is None or not files:
        return Rate()
    seconds = max(now - first, SHORTEST)
    return Rate(files / seconds, size / seconds)


def expected_end(now: float, work: Sequence[StageWork], *, held: bool) -> float | None:
    """When all stages are through with what is left (unix seconds): they work at once, so the slowest decides.

    None where nothing is left, where no stage has done two files, and where something is held: nobody knows how long.
    """
    if held:
        return None
    times = [seconds for stage in work if (seconds := _seconds_left(now, stage)) is not None]
    return now + max(times) if times else None


def _seconds_left(now: float, stage: StageWork) -> float | None:
    """Seconds that a stage needs for what is left, at its own pace between the first and the last that it did.

    So the pace of a stage that has to wait for the one before it is that of its bursts, and does not decide.
    """
    done = stage.passed
    if not stage.files or done is None or done.files < 2:  # noqa: PLR2004 - between two files lies one
        return None
    seconds = max(done.last - done.first, SILENCE * (now - done.first))
    again = 1 - 1 / done.files  # the first one only began it
    by_size = stage.size / done.size if done.size else 0.0
    return seconds * max(stage.files / done.files, by_size) / again

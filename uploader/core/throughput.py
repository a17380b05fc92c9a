"""How fast the work goes, and when it can be expected to be done."""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST = 60.0
"""Seconds over which a rate is told at least: what was done in one of them says nothing of the next hour."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Files and bytes a second."""

    files: float = 0.0
    size: float = 0.0


def rate_of(now: float, files: int, size: int, first: float | None) -> Rate:
    """The rate of what was completed lately, counted from the first of it (unix seconds)."""
    if first is None or not files:
        return Rate()
    seconds = max(now - first, SHORTEST)
    return Rate(files / seconds, size / seconds)


def expected_end(now: float, files: int, size: int, rate: Rate, *, held: bool) -> float | None:
    """When so many pending files and bytes are done at this rate (unix seconds).

    None where nothing is pending, where it is not known, and where something is held: nobody knows how long.
    """
    if held or not files or not rate.files or (size and not rate.size):
        return None
    return now + max(files / rate.files, size / rate.size if size else 0.0)

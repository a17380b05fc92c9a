"""What a row of the fault matrix is, and what its run gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class Skipped(Exception):
    """The fault cannot be injected on this machine; the text says why."""


@dataclass
class Result:
    """What one run of a row found."""

    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    told: str = ""
    """Numbers worth knowing, for the table."""

    def add(self, what: str, wrong: list[str], trials: int = 1) -> None:
        """Count trials; each thing that is wrong is told with what was tried."""
        self.trials += trials
        self.wrong += [f"{what}: {line}" for line in wrong]


Run = Callable[[Path, int], Result]
"""Injects the fault below a folder, seeded, and judges from the platform's side."""


@dataclass(frozen=True)
class Row:
    """One row of the matrix. `short`: it belongs into the suite."""

    number: int
    fault: str
    how: str
    run: Run | None = None
    short: bool = False
    refers: str = ""
    """Where else it is tested, beside or instead of `run`."""


def need(reason: str) -> None:
    """Skip with this reason, unless it is empty."""
    if reason:
        raise Skipped(reason)


def after_another(*runs: Run) -> Run:
    """Runs that make one row together."""

    def run(root: Path, seed: int) -> Result:
        result, told = Result(), []
        for one in runs:
            folder = root / one.__name__
            folder.mkdir()
            found = one(folder, seed)
            result.add(one.__name__, found.wrong, found.trials)
            told += [found.told] if found.told else []
        result.told = "; ".join(told)
        return result

    return run

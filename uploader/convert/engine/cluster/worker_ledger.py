"""What each worker of a cluster does for this daemon: what it has begun, what it has done, how often it was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from uploader.convert.engine.api import WorkerFacts

MOST_NAMES = 8
"""Rasters that are told of one worker, which runs few at once."""


class WorkerLedger:
    """By address. A worker that has left is forgotten, so that a cluster that comes and goes costs no memory."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, str]] = {}
        """By attempt: the worker that has begun with it, as far as that is known, and the raster."""
        self._done: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def began(self, attempt: str, worker: str, raster: str) -> None:
        """A worker has begun with an attempt; may be repeated."""
        if worker:
            self._begun[attempt] = (worker, raster)

    def ended(self, attempt: str, *, lost: bool = False) -> None:
        """An attempt is over, or its worker was `lost` with it."""
        worker, _ = self._begun.pop(attempt, ("", ""))
        if worker and lost:
            self._lost[worker] += 1

    def done(self, worker: str) -> None:
        """A worker has converted a raster."""
        self._done[worker] += 1

    def facts(self, workers: Mapping[str, int], avoided: Collection[str]) -> tuple[WorkerFacts, ...]:
        """Of the workers that are there, with the conversions that each runs at once."""
        for counts in (self._done, self._lost):
            for gone in counts.keys() - workers.keys():
                del counts[gone]
        at_work: dict[str, list[str]] = {}
        for worker, raster in self._begun.values():
            at_work.setdefault(worker, []).append(raster)
        return tuple(
            WorkerFacts(
                address,
                threads,
                tuple(at_work.get(address, ())[:MOST_NAMES]),
                self._done[address],
                self._lost[address],
                address in avoided,
            )
            for address, threads in workers.items()
        )

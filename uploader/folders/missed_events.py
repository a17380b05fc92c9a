"""The only place that counts what events failed to tell and the scan found."""

from __future__ import annotations

from collections.abc import Iterable

GRACE = 10.0
"""Seconds within which the event of a change that the scan saw first may still come in."""

REMEMBERED = 200_000
"""Paths that are kept at most; a burst beyond it is not judged."""


class Missed:
    """Counts files that a rescan found new or changed and no event told of. Times are monotonic seconds.

    The event may come shortly before or after the scan passes, so a finding is judged only after `GRACE`.
    """

    def __init__(self) -> None:
        self.limited = False
        """The kernel's limits refused the watches, so that the folder is polled."""
        self.ended = ""
        """Why there are no events at the moment although there should be, so that the folder is polled."""
        self._told: dict[bytes, float] = {}
        self._found: dict[bytes, float] = {}
        self._total = 0

    def told(self, paths: Iterable[bytes], now: float) -> None:
        """Events named these paths."""
        for path in paths:
            self._found.pop(path, None)
            self._told.pop(path, None)
            if len(self._told) < REMEMBERED:
                self._told[path] = now
        self._forget(now)

    def found(self, path: bytes, now: float) -> None:
        """A rescan found this path new or changed. Not for the first scan: nothing was watched before it."""
        self._forget(now)
        if path not in self._told and len(self._found) < REMEMBERED:
            self._found.setdefault(path, now)

    def total(self, now: float) -> int:
        """How many were missed so far."""
        self._forget(now)
        return self._total

    def _forget(self, now: float) -> None:
        # Both are in the order of time, so that only the oldest need a look.
        while self._told and next(iter(self._told.values())) < now - 2 * GRACE:
            del self._told[next(iter(self._told))]
        while self._found and next(iter(self._found.values())) < now - GRACE:
            del self._found[next(iter(self._found))]
            self._total += 1

"""Staging that has room and takes nothing all the same: a quota of its disk, or a disk that fails each write."""

from __future__ import annotations

LASTING = 30.0
"""Seconds for which everything must have been refused before it is told: a smaller file may pass meanwhile."""


class Refusals:
    """Since when nothing could be written to staging, and why; the first copy or conversion that succeeds ends it."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._reason = ""

    def refused(self, reason: str, now: float) -> None:
        """A copy or a conversion could not be written; `now` in unix seconds."""
        self._since = now if self._since is None else min(self._since, now)
        self._reason = reason

    def took(self) -> None:
        """One was written."""
        self._since, self._reason = None, ""

    def trouble(self, now: float) -> str:
        """What has lasted long enough to be told, in words; empty where all is well."""
        return self._reason if self._since is not None and now - self._since >= LASTING else ""

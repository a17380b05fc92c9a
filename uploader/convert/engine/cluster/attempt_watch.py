"""When an attempt is given up; a table of times, without a clock of its own."""

from __future__ import annotations

from uploader.convert.engine.cluster.answers import WorkerLost

SILENCE = 150.0
"""Seconds without a sign of life after which a worker is lost: those of a child, and what a shared disk is late."""

GRACE = 60.0
"""Seconds that a worker has beyond the deadline of a job to say that it is over."""


class AttemptWatch:
    """Is told of each look at an attempt; times in seconds of any clock that does not jump."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._begun: float | None = None
        self._sign: int | None = None
        self._signed = 0.0

    def saw(self, sign: int | None, now: float) -> bool:
        """Whether a sign of life is a new one. Raises WorkerLost where none came for too long."""
        if sign is not None and sign != self._sign:
            self._sign, self._signed = sign, now
            self._begun = now if self._begun is None else self._begun
            return True
        if self._begun is None:
            return False
        if now - self._signed > SILENCE:
            raise WorkerLost(f"No sign of life for {SILENCE:g} seconds.")
        if now - self._begun > self._timeout + GRACE:
            raise WorkerLost(f"No answer {GRACE:g} seconds after the deadline.")
        return False

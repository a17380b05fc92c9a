"""When the platform is asked although there is nothing to upload: else the next file would find a revoked key."""

from __future__ import annotations

from collections.abc import Iterable

from uploader.core.failure_policy import PROBE_EVERY, PROBE_REFUSED
from uploader.core.model import Hold, Scope

IDLE = 900.0
"""Seconds without a call after which there is a probe."""

HELD = 1.5 * PROBE_EVERY
"""The same while the platform is held, or a target by a probe: files that wait are tried more often, and go first."""

FAILING = 30.0
"""The same while it does not answer."""

FIRST = 60.0
"""Seconds from the start to the first probe, if nothing was called meanwhile."""

TWICE = 2
"""Probes in a row that fail before it is told."""


def probe_after(holds: Iterable[Hold], failures: int) -> float:
    """Seconds without a call after which the platform is asked, after so many probes in a row that failed."""
    if failures:
        return FAILING
    return HELD if any(hold.scope is Scope.PLATFORM or by_probe(hold) for hold in holds) else IDLE


def by_probe(hold: Hold) -> bool:
    """Whether a probe made this hold: then a probe that is answered ends it."""
    return hold.scope is Scope.TARGET and hold.reason.startswith(PROBE_REFUSED)

"""Days of the machine's calendar, of 23 to 25 hours. Times in unix seconds."""

from __future__ import annotations

import time


def midnight(now: float) -> float:
    """When the day began."""
    return _day(now, 0)


def next_midnight(now: float) -> float:
    """When it ends."""
    return _day(now, 1)


def _day(now: float, days: int) -> float:
    local = time.localtime(now)
    return time.mktime((local.tm_year, local.tm_mon, local.tm_mday + days, 0, 0, 0, 0, 0, -1))

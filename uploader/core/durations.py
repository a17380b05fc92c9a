"""The only place that reads spans of time as people spell them."""

from __future__ import annotations

import re

UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
"""Seconds by unit, in lower case."""

LONGEST = 10 * 366 * 86400.0
"""Seconds of the longest span that means anything."""

_PART = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(s|min|m|h|d|w)\s*", re.IGNORECASE | re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of "90s", "30m", "1h 30min" or "2d"; raises ValueError with one sentence that a person can act on."""
    seconds, at = 0.0, 0
    while at < len(text) and (part := _PART.match(text, at)):
        seconds += float(part[1]) * UNITS[part[2].lower()]
        at = part.end()
    if not text or at < len(text):
        raise ValueError(f'"{text}" is not a span of time; write for example 90s, 30m, 2h, 1h30m or 2d')
    if not 0 < seconds <= LONGEST:
        raise ValueError(
            f'"{text}" is no span that can be waited for; write at least 1s and at most ten years'
        )
    return seconds

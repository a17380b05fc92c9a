"""The only place that reads and tells moments: ISO 8601 for programs, and what a person writes for "since"."""

from __future__ import annotations

from datetime import UTC, datetime

from uploader.core.durations import parse_duration


def iso(seconds: float | None) -> str | None:
    """A time in unix seconds as JSON tells it: ISO 8601 in UTC, to the millisecond; None where there is none."""
    return None if not seconds else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def parse_since(text: str, now: float) -> float:
    """The moment that "2h", "7d", "2026-11-28" or "2026-11-28T08:30" means, in unix seconds.

    A span counts back from `now`; a day or a time without an offset is that of this machine. Raises ValueError with one
    sentence that a person can act on.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f'"{text}" is no moment; write for example 2h, 7d, 2026-11-28 or 2026-11-28T08:30+01:00'
        ) from None

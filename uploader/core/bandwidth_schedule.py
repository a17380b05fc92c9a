"""The only place that knows how fast bytes may leave at which time of the week.

A timetable is written as entries of an optional day, a time and a rate, in force from then until the next:

    bandwidth_limit = "50MB/s"                                        # always
    bandwidth_limit = "08:00 10MB/s, 18:00 off"                       # every day
    bandwidth_limit = "Mon 08:00 10MB/s, Fri 18:00 off"               # once a week
    bandwidth_limit = ["08:00 10MB/s", "18:00 off"]                   # the same, as a list

`off` means no limit. Times are the machine's local time; the caller asks with the weekday and minute of now.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uploader.core.byte_sizes import parse_rate

if TYPE_CHECKING:
    from collections.abc import Iterable

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes of a day."""

_ENTRY = re.compile(r"(?:(\w+)[ -]+)?([01]?\d|2[0-3]):([0-5]\d)[ ,]+(\S.*)")

Timetable = tuple[tuple[int, int | None], ...]
"""(minute of the week, bytes per second or None) in order; empty means no limit at any time."""


@dataclass(frozen=True, slots=True)
class _Entry:
    day: int | None
    minute: int
    rate: int | None


def parse_timetable(text: str | Iterable[str]) -> Timetable:
    """A timetable from its written form; raises ValueError with a sentence that names the entry."""
    parts = text.split(",") if isinstance(text, str) else list(text)
    entries = [part.strip() for part in parts if part.strip()]
    if not entries:
        return ()
    if len(entries) == 1 and _ENTRY.fullmatch(entries[0]) is None:
        rate = _rate(entries[0])
        return () if rate is None else ((0, rate),)
    slots: dict[int, int | None] = {}
    # A named day wins over "every day" at the same minute, wherever it stands in the text.
    for entry in sorted(map(_entry, entries), key=lambda e: e.day is not None):
        for day in range(7) if entry.day is None else (entry.day,):
            slots[day * DAY + entry.minute] = entry.rate
    return tuple(sorted(slots.items()))


def limit_at(timetable: Timetable, weekday: int, minute: int) -> int | None:
    """Bytes per second that may leave now, None for no limit.

    `weekday` counts from Monday = 0 as `datetime.weekday` does, `minute` from midnight. Before the first
    entry of the week the last one still holds.
    """
    if not timetable:
        return None
    at = bisect_right([start for start, _ in timetable], weekday * DAY + minute)
    return timetable[at - 1][1]


def _entry(text: str) -> _Entry:
    match = _ENTRY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not an entry of a timetable; write for example "Mon 08:00 10MB/s"')
    day, hour, minute, rate = match.groups()
    if day is not None and day[:3].lower() not in DAYS:
        raise ValueError(f'"{day}" is not a day of the week; write Mon, Tue, Wed, Thu, Fri, Sat or Sun')
    weekday = DAYS.index(day[:3].lower()) if day else None
    return _Entry(weekday, int(hour) * 60 + int(minute), _rate(rate))


def _rate(text: str) -> int | None:
    return None if text.strip().lower() == "off" else parse_rate(text.strip())

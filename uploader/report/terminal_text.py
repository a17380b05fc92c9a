"""The only place that makes foreign text fit for a terminal, a log line or a page.

File names are bytes and may hold newlines, escape sequences and broken UTF-8. What is shown of them is printable,
on one line, and can be told apart from any other name.
"""

from __future__ import annotations

from datetime import datetime

from uploader.core.path_text import shown


def printable(text: str | bytes) -> str:
    """`text` with everything that a terminal would act upon written as an escape."""
    told = shown(text)
    return told if told.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in told)


def moment(iso: str) -> tuple[str, str]:
    """A moment as status and log carry it ("2026-01-31T23:59:58.123+00:00"), as its day and its time where we are.

    The time tells its offset: "00:59:58+01:00".
    """
    day, _, clock = datetime.fromisoformat(iso).astimezone().isoformat(timespec="seconds").partition("T")
    return day, clock


def duration(seconds: float) -> str:
    """A span of seconds as a person would say it: "850 ms", "12 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _escaped(char: str) -> str:
    return ascii(char)[1:-1]

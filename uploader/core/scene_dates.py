"""The only place that makes a time of what a name says: by strptime's directives, in the C locale, in a zone.

What a name leaves open is an interval: a day without a time is that local day, from its first moment to its last
millisecond, as long as it is there. Nothing is guessed, and file times have no say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
"""As the C locale spells them."""

_DIRECTIVES = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>1[0-2]|0?[1-9])",
    "b": f"(?P<b>{'|'.join(month[:3] for month in MONTHS)})",
    "B": f"(?P<B>{'|'.join(MONTHS)})",
    "d": r"(?P<d>3[01]|[12][0-9]|0?[1-9])",
    "j": r"(?P<j>36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0?[1-9][0-9]|0{0,2}[1-9])",
    "H": r"(?P<H>2[0-3]|[01]?[0-9])",
    "M": r"(?P<M>[0-5]?[0-9])",
    "S": r"(?P<S>6[01]|[0-5]?[0-9])",
    "f": r"(?P<f>[0-9]{1,6})",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-5][0-9])",
    "%": "%",
}
"""By directive: what it stands for."""

ISO_FORMATS = (
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y%m%dT%H%M%S%z",
    "%Y%m%dT%H%M%S",
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y-%m",
    "%Y",
)
"""What is read where no format is named: ISO 8601, in full and without its hyphens."""

_PIVOT = 69
"""Two digits from here on are a year of the last century, as POSIX has it."""
_MINUTE = timedelta(minutes=1)
_LAST = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """When a scene was taken, in UTC: one moment (`start == end`), or what is known of it."""

    start: datetime
    end: datetime

    @property
    def properties(self) -> dict[str, str | None]:
        """As STAC has it: `datetime`, or without one `start_datetime` and `end_datetime`."""
        if self.start == self.end:
            return {"datetime": _stac(self.start)}
        return {"datetime": None, "start_datetime": _stac(self.start), "end_datetime": _stac(self.end)}


def format_mistake(written: str) -> str:
    """What is wrong with a format; empty where nothing is."""
    used = re.findall(r"%(.?)", written)
    unknown = [f"%{each}" for each in used if each not in _DIRECTIVES]
    if unknown:
        return f"holds {unknown[0]}; known are {', '.join(f'%{name}' for name in _DIRECTIVES)}"
    twice = next((each for each in used if each != "%" and used.count(each) > 1), "")
    if twice:
        return f"holds %{twice} twice"
    if not {"Y", "y"} & set(used):
        return "holds no year, %Y"
    if {"H"} & set(used) and not _has_day(set(used)):
        return "holds an hour and no day, %m with %d, or %j"
    return ""


def read(text: str, written: str, zone: tzinfo) -> Interval | None:
    """The time that a text tells in a format, or in one of `ISO_FORMATS` where that is empty. None: it tells none.

    `zone` is that of a time which names none itself.
    """
    for each in (written,) if written else ISO_FORMATS:
        found = _pattern(each).fullmatch(text)
        if found is not None:
            try:
                return _interval(found.groupdict(), zone)
            except (ValueError, OverflowError):  # 31 February, or beyond the calendar
                return None
    return None


@cache
def _pattern(written: str) -> re.Pattern[str]:
    parts = re.split("%(.)", written)
    made = (re.escape(part) if place % 2 == 0 else _DIRECTIVES[part] for place, part in enumerate(parts))
    return re.compile("".join(made), re.IGNORECASE)


def _has_day(used: set[str]) -> bool:
    return "j" in used or ("d" in used and bool({"m", "b", "B"} & used))


def _interval(said: dict[str, str], zone: tzinfo) -> Interval:
    year = int(said["Y"]) if "Y" in said else _century(int(said["y"]))
    if "H" in said:
        moment = _moment(said, _day(said, year), zone)
        return Interval(moment, moment)
    if _has_day(set(said)):
        first = _day(said, year)
        after = first + timedelta(days=1)
    elif {"m", "b", "B"} & set(said):
        month = _month(said)
        first = datetime(year, month, 1)  # noqa: DTZ001 - its zone is added in `_at`
        after = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001
    else:
        first, after = datetime(year, 1, 1), datetime(year + 1, 1, 1)  # noqa: DTZ001
    start, end = _at(first, zone), _at(after, zone) - _LAST
    return Interval(start, max(start, end))  # a day that a zone left out has no length


def _century(two: int) -> int:
    return two + (1900 if two >= _PIVOT else 2000)


def _month(said: dict[str, str]) -> int:
    if "m" in said:
        return int(said["m"])
    word = said.get("b", said.get("B", ""))[:3].lower()
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(word))


def _day(said: dict[str, str], year: int) -> datetime:
    """Local midnight, without a zone. Raises ValueError for a day that the year does not have."""
    if "j" not in said:
        return datetime(year, _month(said), int(said["d"]))  # noqa: DTZ001 - see `_interval`
    day = datetime(year, 1, 1) + timedelta(days=int(said["j"]) - 1)  # noqa: DTZ001
    if day.year != year:
        raise ValueError("no such day")
    return day


def _moment(said: dict[str, str], day: datetime, zone: tzinfo) -> datetime:
    """A leap second is the last that datetime has."""
    moment = day.replace(
        hour=int(said["H"]),
        minute=int(said.get("M", 0)),
        second=min(int(said.get("S", 0)), 59),
        microsecond=int(said.get("f", "0").ljust(6, "0")),
    )
    return _at(moment, _offset(said["z"]) if "z" in said else zone)


def _offset(text: str) -> tzinfo:
    if text.upper() == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(_MINUTE * (-minutes if text[0] == "-" else minutes))


def _at(local: datetime, zone: tzinfo) -> datetime:
    """Where a zone has the time twice, the first; where it skips the time, as if the clock had not been put forward."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def _stac(moment: datetime) -> str:
    kind = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=kind).replace("+00:00", "Z")

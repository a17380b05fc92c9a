"""Statistics of a band as the metadata items in which GDAL keeps them, and whether such items are true. Pure."""

from __future__ import annotations

import math

from uploader.convert.job import BandStatistics

_KEYS = ("STATISTICS_MINIMUM", "STATISTICS_MAXIMUM", "STATISTICS_MEAN", "STATISTICS_STDDEV")
VALID_PERCENT = "STATISTICS_VALID_PERCENT"
STATISTICS_KEYS = frozenset({*_KEYS, VALID_PERCENT, "STATISTICS_APPROXIMATE"})
"""The metadata items in which GDAL keeps the statistics of a band."""

_EXACT = 1e-9
_ROUNDED_PERCENT = 0.01
_DEFAULTS = (*((key, "") for key in _KEYS), (VALID_PERCENT, "100"))


def to_tags(statistics: BandStatistics) -> dict[str, str]:
    """Statistics as the metadata items that GDAL reads."""
    values = (statistics.min, statistics.max, statistics.mean, statistics.std)
    tags = {key: _text(value) for key, value in zip(_KEYS, values, strict=True) if value is not None}
    return tags | {VALID_PERCENT: _text(statistics.valid_percent)}


def from_tags(tags: dict[str, str]) -> BandStatistics | None:
    """The inverse of `to_tags`; None where something is missing, is no number, or is marked as an estimate.

    Where nobody says how much is valid, all is.
    """
    if tags.get("STATISTICS_APPROXIMATE", "NO").upper() not in ("NO", "FALSE", "0"):
        return None
    try:
        low, high, mean, deviation, valid = (float(tags.get(key, default)) for key, default in _DEFAULTS)
    except ValueError:
        return None
    if not all(map(math.isfinite, (low, high, mean, deviation, valid))):
        return None
    return BandStatistics(low, high, mean, deviation, valid)


def contradicts(told: BandStatistics, seen: BandStatistics) -> bool:
    """Whether statistics of some samples cannot be of a band of which these are told."""
    if told.min is None or told.max is None or told.mean is None or not told.min <= told.mean <= told.max:
        return True
    if seen.min is None or seen.max is None:
        return False
    slack = _EXACT * max(abs(told.min), abs(told.max))
    return seen.min < told.min - slack or seen.max > told.max + slack


def embedded(tags: dict[str, str], statistics: BandStatistics) -> bool:
    """Whether metadata items say exactly this (to nine digits, for writers round).

    A missing percentage is no lie; a missing extreme or moment is a lack.
    """
    wanted = to_tags(statistics)
    scale = max(abs(value) for value in (statistics.min or 0.0, statistics.max or 0.0, statistics.std or 0.0))
    keys = [key for key in (*_KEYS, VALID_PERCENT) if key in wanted and (key != VALID_PERCENT or key in tags)]
    if tags.get("STATISTICS_APPROXIMATE") or any(key in tags and key not in wanted for key in _KEYS):
        return False
    return all(_near(tags.get(key, ""), wanted[key], _slack(key, tags.get(key, ""), scale)) for key in keys)


def _slack(key: str, found: str, scale: float) -> float:
    """How far a number may be off; of percentages GDAL itself keeps four digits."""
    if key != VALID_PERCENT:
        return _EXACT * scale
    return _ROUNDED_PERCENT if "." in found else _EXACT


def _near(found: str, wanted: str, slack: float) -> bool:
    try:
        return abs(float(found) - float(wanted)) <= slack
    except ValueError:
        return False


def _text(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1 << 53):
        return str(int(value))
    return repr(value)

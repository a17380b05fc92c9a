"""Tests of times in names: by format, by zone, and never more exact than what is written."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from uploader.core.scene_dates import format_mistake, read

pytestmark = pytest.mark.unit


def told(text: str, written: str, zone: str = "UTC") -> str:
    """Start and end, without what is the same in all of them; empty where it tells no time."""
    found = read(text, written, UTC if zone == "UTC" else ZoneInfo(zone))
    return "" if found is None else "/".join(str(each or "") for each in found.properties.values())


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("20240607T103021", "", "2024-06-07T10:30:21Z"),
        ("2024-06-07T10:30:21.5+02:00", "", "2024-06-07T08:30:21.500Z"),
        ("20240607", "", "/2024-06-07T00:00:00Z/2024-06-07T23:59:59.999Z"),
        ("2024-06", "", "/2024-06-01T00:00:00Z/2024-06-30T23:59:59.999Z"),
        ("2024", "%Y", "/2024-01-01T00:00:00Z/2024-12-31T23:59:59.999Z"),
        ("202412", "%Y%m", "/2024-12-01T00:00:00Z/2024-12-31T23:59:59.999Z"),
        ("07jun24", "%d%b%y", "/2024-06-07T00:00:00Z/2024-06-07T23:59:59.999Z"),
        ("7 March 1999", "%d %B %Y", "/1999-03-07T00:00:00Z/1999-03-07T23:59:59.999Z"),
        ("2024366", "%Y%j", "/2024-12-31T00:00:00Z/2024-12-31T23:59:59.999Z"),
        ("A2024001.1015", "A%Y%j.%H%M", "2024-01-01T10:15:00Z"),
        ("990101", "%y%m%d", "/1999-01-01T00:00:00Z/1999-01-01T23:59:59.999Z"),
        ("20161231T235960Z", "%Y%m%dT%H%M%S%z", "2016-12-31T23:59:59Z"),
        ("100%20240607", "100%%%Y%m%d", "/2024-06-07T00:00:00Z/2024-06-07T23:59:59.999Z"),
        ("2023366", "%Y%j", ""),
        ("20240230", "%Y%m%d", ""),
        ("20241301", "%Y%m%d", ""),
        ("00000101", "%Y%m%d", ""),
        ("99991231", "%Y%m%d", ""),
        ("\u0662\u0660\u0662\u06640607", "%Y%m%d", ""),
        ("20240607x", "%Y%m%d", ""),
        ("07Mai24", "%d%b%y", ""),
    ],
)
def test_a_text_tells_a_time_or_none(text: str, written: str, expected: str) -> None:
    """Months are English, digits are ASCII, and a day that no calendar has is no time."""
    assert told(text, written) == expected


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("20240607", "Europe/Berlin", "/2024-06-06T22:00:00Z/2024-06-07T21:59:59.999Z"),
        ("20240331", "Europe/Berlin", "/2024-03-30T23:00:00Z/2024-03-31T21:59:59.999Z"),
        ("20241027", "Europe/Berlin", "/2024-10-26T22:00:00Z/2024-10-27T22:59:59.999Z"),
        ("20181104", "America/Sao_Paulo", "/2018-11-04T03:00:00Z/2018-11-05T01:59:59.999Z"),
        ("20111230", "Pacific/Apia", "/2011-12-30T10:00:00Z/2011-12-30T09:59:59.999Z"),
        ("20240607T103021", "Asia/Kolkata", "2024-06-07T05:00:21Z"),
        ("20241027T023000", "Europe/Berlin", "2024-10-27T00:30:00Z"),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(text: str, zone: str, expected: str) -> None:
    """23 or 25 hours where the clock changes, even at midnight; an hour that comes twice is the first."""
    if zone == "Pacific/Apia":  # that zone left the day out
        expected = "2011-12-30T10:00:00Z"

    assert told(text, "", zone) == expected


@pytest.mark.parametrize("written", ["%Q", "%m%d", "%Y%H", "%Y%Y", "x", "%", "%Y%d%H"])
def test_a_format_that_tells_no_time_is_told(written: str) -> None:
    """With what is missing in it."""
    assert format_mistake(written)


def test_what_is_read_without_a_format_is_in_order() -> None:
    """The formats that stand for ISO 8601 are formats."""
    assert not any(format_mistake(each) for each in ("%Y%m%d", "%Y%j", "%Y-%m-%dT%H:%M:%S%z", "%Y", "%d%b%y"))

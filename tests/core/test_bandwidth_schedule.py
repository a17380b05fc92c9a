"""Timetables of bandwidth as people write them."""

from __future__ import annotations

import pytest

from uploader.core.bandwidth_schedule import DAY, limit_at, parse_timetable

pytestmark = pytest.mark.unit


def test_no_timetable_is_no_limit():
    """At any time of the week."""
    assert limit_at(parse_timetable(""), 3, 600) is None
    assert limit_at(parse_timetable("off"), 3, 600) is None


def test_one_rate_holds_always():
    """Also in the first minute of the week."""
    table = parse_timetable("50MB/s")
    assert {limit_at(table, day, minute) for day in range(7) for minute in (0, 1, DAY - 1)} == {50 * 10**6}


def test_a_daily_timetable_holds_every_day_and_over_midnight():
    """Before the first entry of a day the last one of the day before holds."""
    table = parse_timetable("08:00 1MB/s, 18:00 off")
    for day in range(7):
        assert limit_at(table, day, 8 * 60 - 1) is None
        assert limit_at(table, day, 8 * 60) == 10**6
        assert limit_at(table, day, 18 * 60 - 1) == 10**6
        assert limit_at(table, day, 18 * 60) is None


def test_a_weekly_timetable_goes_round_the_week():
    """On Monday morning the entry of Friday evening still holds."""
    table = parse_timetable(["Mon 08:00 1MB/s", "Fri 18:00 off"])
    assert limit_at(table, 0, 0) is None
    assert limit_at(table, 3, 0) == 10**6
    assert limit_at(table, 6, DAY - 1) is None


def test_a_named_day_wins_over_every_day():
    """Wherever it is written."""
    for entries in (["Sun 08:00 off", "08:00 1MB/s"], ["08:00 1MB/s", "Sun 08:00 off"]):
        table = parse_timetable(entries)
        assert limit_at(table, 6, 9 * 60) is None
        assert limit_at(table, 5, 9 * 60) == 10**6


@pytest.mark.parametrize("text", ["25:00 1MB/s", "Mun 08:00 1MB/s", "08:00", "Mon 1MB/s", "1MB/s, 2MB/s"])
def test_a_wrong_entry_is_named(text):
    """The sentence quotes what it complains of."""
    with pytest.raises(ValueError, match=r'^"'):
        parse_timetable(text)

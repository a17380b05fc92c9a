"""Sizes and timetables as people write them."""

from __future__ import annotations

import pytest

from uploader.core.bandwidth_schedule import DAY, limit_at, parse_timetable
from uploader.core.byte_sizes import format_size, parse_rate, parse_size

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("1_000", 1000),
        ("20GB", 20 * 10**9),
        ("200GiB", 200 * 2**30),
        ("1.5 MiB", 3 * 2**19),
    ],
)
def test_a_size_is_read(text, size):
    """Decimal and binary units, with or without a space."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1", "1G", "1 2", "1..5GB", "inf", "1e3", "1.2.3"])
def test_what_is_not_a_size_is_refused_in_words(text):
    """No guess is made, also not about a bare G."""
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["50MB", "50MB/min", "0MB/s", "/s"])
def test_a_rate_needs_its_second_and_something_to_let_through(text):
    """A limit of nothing would stop everything silently."""
    with pytest.raises(ValueError, match=r"rate|size|nothing"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (200 * 2**30, "200 GiB"), (2**41, "2 TiB")],
)
def test_a_size_is_shown_short(size, text):
    """Three digits are enough for people."""
    assert format_size(size) == text


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

"""Moments as programs read them and as people write them."""

from __future__ import annotations

import pytest

from uploader.core.moments import iso, parse_since

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def test_a_moment_is_told_in_utc_to_the_millisecond() -> None:
    """And nothing where there is none."""
    assert iso(NOW + 0.0625) == "2027-01-15T08:00:00.062+00:00"
    assert iso(None) is iso(0.0) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", NOW - 7200),
        ("1d 12h", NOW - 129600),
        ("2026-11-28T08:30:00+01:00", 1_795_851_000.0),
        ("2026-11-28T07:30:00Z", 1_795_851_000.0),
    ],
)
def test_a_moment_is_a_span_back_or_a_date(text: str, seconds: float) -> None:
    """As people write it after `--since`."""
    assert parse_since(text, NOW) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "-2h", "2026-13-01", "99999999999d", "0001-01-01"])
def test_what_is_no_moment_is_told_in_words(text: str) -> None:
    """With what to write in its place."""
    with pytest.raises(ValueError, match=r"is no moment; write for example 2h, 7d"):
        parse_since(text, NOW)

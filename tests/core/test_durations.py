"""Spans of time as people write them."""

from __future__ import annotations

import pytest

from uploader.core.durations import parse_duration

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("30 min", 1800),
        ("1h30m", 5400),
        ("1.5 H", 5400),
        ("2d", 172800),
        ("1w", 604800),
    ],
)
def test_a_span_has_a_unit(text: str, seconds: float) -> None:
    """One, or several after each other; letter case and spaces are of no matter."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "soon", "1y", "-5m", "0s", "1h later", "999999999w", "٣m", "m"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    """With what to write instead; a number without a unit could mean anything."""
    with pytest.raises(ValueError, match="write "):
        parse_duration(text)

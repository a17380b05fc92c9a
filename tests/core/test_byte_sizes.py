"""Sizes and rates as people write them."""

from __future__ import annotations

import pytest

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

"""How fast the work goes, and when it is done."""

from __future__ import annotations

import pytest

from uploader.core.throughput import Rate, expected_end, rate_of

pytestmark = pytest.mark.unit

NOW = 10_000.0


def test_a_rate_counts_from_the_first_file() -> None:
    """Ten minutes into the work nobody waits for the hour to pass; one file in a second is no rate."""
    assert rate_of(NOW, 60, 6000, NOW - 600) == Rate(0.1, 10.0)
    assert rate_of(NOW, 1, 60, NOW - 1) == Rate(1 / 60, 1.0)
    assert rate_of(NOW, 0, 0, None) == Rate()


def test_the_end_is_that_of_the_slower_count() -> None:
    """Ten large files take longer than ten of the usual ones."""
    assert expected_end(NOW, 10, 0, Rate(0.1, 10.0), held=False) == NOW + 100
    assert expected_end(NOW, 10, 5000, Rate(0.1, 10.0), held=False) == NOW + 500


@pytest.mark.parametrize(
    ("files", "rate", "held"), [(0, Rate(1, 1), False), (5, Rate(), False), (5, Rate(1, 1), True)]
)
def test_what_nobody_knows_is_not_guessed(files: int, rate: Rate, held: bool) -> None:
    """Nothing to do, nothing done lately, or something held."""
    assert expected_end(NOW, files, 10, rate, held=held) is None

"""What becomes of times when the clock is set back."""

from __future__ import annotations

import pytest

from uploader.core.transitions.clock_events import set_back

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("seconds", "last_event", "expected"),
    [(60.0, None, 60.0), (None, 1300.0, 300.0), (None, 900.0, 0.0), (None, None, 0.0), (-5.0, 2000.0, 0.0)],
)
def test_the_clock_is_set_back_as_far_as_is_told_or_seen(
    seconds: float | None, last_event: float | None, expected: float
) -> None:
    """An event that lies ahead tells of a clock that was set back while nothing ran."""
    assert set_back(1000.0, seconds, last_event).set_back == expected

"""When a folder is scanned next: as often as is configured at least, also after it was slow or did not answer."""

from __future__ import annotations

import pytest

from uploader.folders.scanning import HELD_AGAIN, RESCAN_PAUSE, REST, ScanTimes

pytestmark = pytest.mark.unit


def asked_during_a_scan(length: float, rescan_seconds: float) -> ScanTimes:
    """A scan from 0 on that has taken so long, while another one was asked for."""
    times = ScanTimes(rescan_seconds)
    times.begin(0.0)
    times.ask(length / 2)
    times.end(length, held=False)
    return times


@pytest.mark.parametrize(
    ("length", "rescan_seconds", "rest"),
    [
        (0.1, 300.0, RESCAN_PAUSE),
        (20.0, 300.0, REST * 20.0),
        (600.0, 300.0, 300.0),
        (49.0, 1.0, RESCAN_PAUSE),
    ],
)
def test_who_asks_does_not_wait_longer_than_who_does_not(
    length: float, rescan_seconds: float, rest: float
) -> None:
    """A scan that was asked for rests after a slow one, and never longer than from scan to scan."""
    assert asked_during_a_scan(length, rescan_seconds).due == length + rest


def test_a_folder_that_answers_again_is_scanned_soon() -> None:
    """An hour in which its server did not answer is no length of a scan."""
    times = ScanTimes(300.0)
    times.begin(0.0)
    times.goes_on(3600.0)
    times.ask(3600.0)
    times.end(3600.5, held=False)

    assert times.due == 3600.5 + RESCAN_PAUSE


def test_a_held_folder_is_scanned_more_often() -> None:
    """Within seconds of its coming back."""
    times = ScanTimes(300.0)
    times.begin(0.0)
    assert times.due == float("inf")
    times.end(1.0, held=True)

    assert times.due == 1.0 + HELD_AGAIN

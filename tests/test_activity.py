"""What runs right now, and the signs of life that it gives."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from uploader import activity as module
from uploader.activity import Activity
from uploader.system import file_content

pytestmark = pytest.mark.unit


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as its only entry."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_bytes_that_are_sent_are_a_sign_of_life(clock: list[float]) -> None:
    """Of their kind of work alone."""
    activity = Activity()
    with activity.track("put", "a.tif", 10) as running:
        clock[0] = 160.0
        activity.sender(running)(5)

    clock[0] = 170.0
    assert activity.silence() == {"put": 10.0}
    assert activity.bytes_sent == 5


def test_a_conversion_comes_to_a_part_of_its_bytes() -> None:
    """What its child says of itself is counted as bytes of its source."""
    activity = Activity()
    with activity.track("convert", "a.tif", 1000) as running:
        running.come_to(0.25)
        assert [(one.done, one.total) for one in activity.snapshot()] == [(250, 1000)]


def test_work_on_a_large_file_gives_signs_of_life(clock: list[float], tmp_path: Path) -> None:
    """With each piece it asks whether to end, and still ends when it is told to."""
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(1 << 20))
    activity, stop = Activity(), threading.Event()
    clock[0] = 200.0
    with path.open("rb") as reading:
        file_content.digest(reading.fileno(), activity.watched("claim", stop))
    stop.set()
    clock[0] = 203.0

    assert activity.silence() == {"claim": 3.0}
    assert activity.watched("claim", stop).is_set()

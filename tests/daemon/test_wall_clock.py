"""A clock that people set, and a zone that they change."""

from __future__ import annotations

import time
from collections.abc import Iterator

import anyio
import pytest

from uploader.daemon.wall_clock import WallClock

pytestmark = [pytest.mark.anyio, pytest.mark.unit]


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The process is in this zone; afterwards in its own again."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC0")
        time.tzset()
        yield changed
    time.tzset()


async def test_a_zone_that_is_changed_holds_from_the_next_turn(in_utc: pytest.MonkeyPatch) -> None:
    """Timetables and days go by it, and nobody restarts a daemon for that."""
    clock = WallClock(None)  # type: ignore[arg-type]  # asks it for nothing, unless the clock was set
    in_utc.setenv("TZ", "XYZ-3")
    assert time.localtime(0).tm_hour == 0
    async with anyio.create_task_group() as background:
        clock.look(background)

    assert time.localtime(0).tm_hour == 3

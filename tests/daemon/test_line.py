"""What has left today, and how fast more may."""

from __future__ import annotations

import pytest

from uploader.daemon.line import Line
from uploader.net.rate_limit import Bandwidth
from uploader.system.days import midnight, next_midnight

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

NOON = midnight(1_790_000_000.0) + 43_200


async def test_the_journal_and_what_was_sent_since_make_the_day() -> None:
    """Until midnight; then the count begins anew."""
    bandwidth = Bandwidth(None)
    line = Line(bandwidth, 70, NOON)
    await bandwidth(30)

    assert line.today(NOON + 60) == (100, next_midnight(NOON))
    tomorrow = next_midnight(NOON) + 1
    assert line.today(tomorrow)[0] == 0
    await bandwidth(5)
    assert line.today(tomorrow)[0] == 5


async def test_a_clock_that_is_set_to_another_day_begins_it() -> None:
    """Nothing is known of how much was sent on it."""
    bandwidth = Bandwidth(None)
    line = Line(bandwidth, 70, NOON)

    assert line.today(NOON - 3 * 86_400)[0] == 0


async def test_what_is_sent_tells_how_many_files_are() -> None:
    """Each look counts the bytes that were let through: where more files carry more, more are sent."""
    now = 0.0
    bandwidth = Bandwidth(None)
    line = Line(bandwidth, 0, NOON, clock=lambda: now)
    before = line.parallel_transfers
    for _ in range(60):
        line.sending(line.parallel_transfers)
        await bandwidth(1000 * line.parallel_transfers)
        now += 1.0

    assert line.parallel_transfers > before


def test_the_rate_is_that_of_the_timetable() -> None:
    """Whatever it was before."""
    bandwidth = Bandwidth(None)
    line = Line(bandwidth, 0, NOON)
    line.keep_to(((0, 5),))
    assert bandwidth.rate == 5
    line.keep_to(())
    assert bandwidth.rate is None

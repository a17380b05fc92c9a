"""Calls and bytes wait for their turn, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import itertools

import anyio
import pytest

from uploader.net.rate_limit import Bandwidth, RateLimit

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await anyio.lowlevel.checkpoint()


async def turns(limit: RateLimit, clock: Clock, count: int) -> list[float]:
    """When each of `count` calls got its turn."""
    times = []
    for _ in range(count):
        await limit.wait()
        times.append(clock.now)
    return times


async def test_a_window_never_holds_more_than_allowed() -> None:
    """In any 60 seconds there are at most `per_minute` calls, and the first ones go out at once."""
    clock = Clock()

    times = await turns(RateLimit(5, clock=clock, sleep=clock.sleep), clock, 23)

    assert times[4] == times[0]
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[5:], strict=False))
    assert 4 * 60 <= times[-1] - times[0] <= 4 * 60 / 0.99  # 99 % of the window are used


async def test_a_window_is_kept_though_a_call_is_late() -> None:
    """A call that arrives half a second late may fall into the next window, with those that go out promptly then."""
    clock = Clock()

    times = await turns(RateLimit(5, clock=clock, sleep=clock.sleep), clock, 23)

    late = [at + 0.5 for at in times]
    assert all(later - earlier >= 60 for earlier, later in zip(late, times[5:], strict=False))


async def test_no_limit_means_no_wait() -> None:
    """With 0 nobody waits."""
    clock = Clock()

    times = await turns(RateLimit(0, clock=clock, sleep=clock.sleep), clock, 1000)

    assert set(times) == {1000.0}


async def test_a_retry_after_holds_back_everybody() -> None:
    """The longest order counts, also for those who wait already, also without a limit."""
    clock = Clock()
    limit = RateLimit(0, clock=clock, sleep=clock.sleep)
    limit.hold_off(30)
    limit.hold_off(5)

    assert await turns(limit, clock, 2) == [1030.0, 1030.0]


async def test_an_order_that_comes_while_one_waits_is_obeyed() -> None:
    """Who is about to be let through looks again after sleeping."""
    clock = Clock()
    orders = itertools.chain([20.0], itertools.repeat(0.0))

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        limit.hold_off(next(orders))

    limit = RateLimit(0, clock=clock, sleep=sleep)
    limit.hold_off(10)
    await limit.wait()

    assert clock.now == 1030.0


async def test_a_cancelled_caller_uses_up_nothing() -> None:
    """Who gives up while waiting does not take a place in the window."""
    limit = RateLimit(1)
    await limit.wait()
    with anyio.move_on_after(0.01):
        await limit.wait()

    assert len(limit._granted or ()) == 1
    assert not limit._turn.locked()


async def test_bytes_leave_at_the_rate() -> None:
    """A second's worth of bytes takes a second, whatever the pieces, but for the small burst."""
    clock = Clock()
    bandwidth = Bandwidth(1000, clock=clock, sleep=clock.sleep)

    for _ in range(50):
        await bandwidth(100)

    assert clock.now - 1000.0 == pytest.approx(5.0 - Bandwidth.BURST)


async def test_the_rate_can_change_and_be_lifted() -> None:
    """A timetable may set another rate, or none, at any time."""
    clock = Clock()
    bandwidth = Bandwidth(None, clock=clock, sleep=clock.sleep)
    await bandwidth(10**12)
    assert clock.now == 1000.0

    bandwidth.rate = 10.0
    await bandwidth(101)

    assert clock.now == pytest.approx(1010.0)

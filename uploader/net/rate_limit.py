"""The only place that makes calls and bytes wait for their turn: `RateLimit` for calls, `Bandwidth` for bytes."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WINDOW = 60.0
"""Seconds of the platform's counting window (a fixed window, counted for the whole organization)."""

UNDERWAY = 0.5
"""Seconds by which one call may take longer to the platform than another: it counts them when they arrive."""


class RateLimit:
    """At most `per_minute` calls arrive in any 60 seconds, whoever makes them; 0 means no limit of ours.

    Callers get their turn in the order they came. Calls go out at once while there is room: a window is a
    budget, not a rhythm. A Retry-After holds back everybody, because the window is counted for all.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._granted: deque[float] | None = deque(maxlen=per_minute) if per_minute > 0 else None
        self._not_before = float("-inf")
        self._clock = clock
        self._sleep = sleep
        self._turn = anyio.Lock(fast_acquire=True)

    async def wait(self) -> None:
        """Return when the caller may send one request. A cancelled caller has used up nothing."""
        async with self._turn:
            while (delay := self._delay()) > 0:
                await self._sleep(delay)
            if self._granted is not None:
                self._granted.append(self._clock())

    def hold_off(self, seconds: float) -> None:
        """Let nobody send for this long; an earlier, longer order stays in force."""
        self._not_before = max(self._not_before, self._clock() + seconds)

    def _delay(self) -> float:
        """Seconds until the next call may go out."""
        at = self._not_before
        if self._granted is not None and len(self._granted) == self._granted.maxlen:
            at = max(at, self._granted[0] + WINDOW + UNDERWAY)
        return at - self._clock()


class Bandwidth:
    """A token bucket for all transfers together: `await bandwidth(n)` before n bytes are sent.

    `rate` is in bytes per second, None for no limit; it may be changed at any time (a timetable does). A
    tenth of a second may be saved up: more would let an idle line burst far above its limit.
    """

    BURST = 0.1

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.rate = rate
        self.total = 0
        """Bytes that were let through, ever."""
        self._clock = clock
        self._sleep = sleep
        self._free_at = float("-inf")

    async def __call__(self, size: int) -> None:
        """Wait until `size` more bytes fit under the limit."""
        self.total += size
        if not self.rate:
            return
        now = self._clock()
        begin = max(self._free_at, now - self.BURST)
        self._free_at = begin + size / self.rate
        if self._free_at > now:
            await self._sleep(self._free_at - now)

"""A read that may hang, for those who must not: it is waited for a bounded time, and goes on for whoever asks next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

T = TypeVar("T")


@dataclass(slots=True)
class _Outcome(Generic[T]):
    there: anyio.Event = field(default_factory=anyio.Event)
    found: T | None = None
    error: Exception | None = None


class BoundedRead(Generic[T]):
    """Asks `read`, one question at a time, in a task of `group`; a hung disk costs one thread and not one each time.

    `at_once` gives the same where nothing has to be waited for, else None; it is not asked while a read is under way.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[T]],
        group: TaskGroup,
        at_once: Callable[[], T | None] = lambda: None,
    ) -> None:
        self._read = read
        self._group = group
        self._at_once = at_once
        self._under_way: _Outcome[T] | None = None

    async def ask(self, seconds: float) -> T | None:
        """What `read` gives, or None where it does not come within so many seconds. Raises what `read` raises.

        An answer that was late is given to the next who asks: it is as old as the question.
        """
        if self._under_way is None:
            if (found := self._at_once()) is not None:
                return found
            self._under_way = _Outcome()
            self._group.start_soon(self._run, self._under_way)
        outcome = self._under_way
        with anyio.move_on_after(seconds):
            await outcome.there.wait()
        if not outcome.there.is_set():
            return None
        if self._under_way is outcome:
            self._under_way = None
        if outcome.error is not None:
            raise outcome.error
        return outcome.found

    async def _run(self, outcome: _Outcome[T]) -> None:
        try:
            outcome.found = await self._read()
        except Exception as error:  # noqa: BLE001 - whoever asks gets it
            outcome.error = error
        outcome.there.set()

"""Work in a thread and an event loop of its own, whatever thread or event loop asks for it.

So the caller's loop goes on meanwhile, and its threads and signals stay as they are: no handler is installed, and the
process is never ended. Converting processes are tied to the thread that started them, and end with it.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio

from uploader.python.error_words import for_people
from uploader.system import threads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

LOOK = 0.1
"""Seconds after which the caller hears of progress."""

HEARD = 0.05
"""Seconds within which the work hears that it is to stop."""

MOST_STOPS = 3


class OwnThread(ABC, Generic[T]):
    """Runs once, and may be asked to stop at any time."""

    def __init__(self, name: str) -> None:
        self.stops = 0
        """How often it was asked to stop: at first what is under way may finish, then nothing may."""
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name)
        self._done = threading.Event()
        """Tells the end. A `join` that Ctrl-C interrupts would believe a running thread to have ended (Python 3.11)."""

    @abstractmethod
    def work(self) -> T:
        """Do it, looking at `stops` now and then."""

    def look(self) -> None:
        """Tell the caller, in the caller's thread, how far it is. What it raises ends the work."""

    def to_its_end(self) -> T:
        """Run, and wait. Raises what the work or a look raised, or KeyboardInterrupt; then the work has ended, too."""
        threads.start(self._thread)
        try:
            while not self._ended(LOOK):
                self.look()
            self.look()
        except BaseException:
            self._break_off()
            raise
        return self._answer()

    async def beside(self) -> T:
        """Run, and wait while the caller's event loop goes on; as `to_its_end`, and likewise when it is cancelled."""
        threads.start(self._thread)
        try:
            while not await threads.run_sync(self._ended, LOOK):
                self.look()
            self.look()
        except BaseException:
            self.stops += 1
            with anyio.CancelScope(shield=True):
                await threads.run_sync(self._ended)
            raise
        return self._answer()

    async def asked(self, stops: int = 1) -> None:
        """Wait until it was asked to stop so often."""
        while self.stops < stops:  # noqa: ASYNC110 - another thread, even a signal's, asks by a number alone
            await anyio.sleep(HEARD)

    def _run(self) -> None:
        try:
            self._result.append(self.work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
            self._error = error
        finally:
            self._done.set()

    def _ended(self, seconds: float | None = None) -> bool:
        if not self._done.wait(seconds):
            return False
        self._thread.join()  # it has no more to do
        return True

    def _break_off(self) -> None:
        """See it end. A second Ctrl-C cuts what is under way; a third leaves it behind, where a disk is dead."""
        while self.stops < MOST_STOPS:
            self.stops += 1
            with suppress(KeyboardInterrupt):
                self._ended()
                return

    def _answer(self) -> T:
        error = self._error
        if error is None:
            return self._result[0]
        known = for_people(error)
        if known is None or known is error:
            raise error
        raise known from error


def run_in_own_loop(work: Callable[[], Awaitable[T]]) -> T:
    """Run it to its end in an event loop that is asyncio's own, whichever the program prefers elsewhere."""
    return anyio.run(work, backend_options={"loop_factory": asyncio.SelectorEventLoop})

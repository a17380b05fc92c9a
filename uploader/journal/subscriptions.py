"""Subscribers are told what was committed while this process lives. A follower keeps a cursor, and knows after a crash.

Each is called in the event loop, in the order of the commits, once the working set has them. A subscriber that fails is
in the log, and the journal and the other subscribers go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from uploader.core.transitions.change import LogLine

log = logging.getLogger(__name__)

Subscriber = Callable[[Sequence[LogLine]], None]
"""Is called with the lines that one transaction has added to the event log, which may be none. Must not block."""


class Subscriptions:
    """The subscribers by name. Touched by the event loop only."""

    def __init__(self) -> None:
        self._subscribers: dict[str, Subscriber] = {}

    def add(self, name: str, subscriber: Subscriber) -> None:
        """From the next commit on it is told; another one of this name no longer."""
        self._subscribers[name] = subscriber

    def remove(self, name: str) -> None:
        """It is told no longer, if it was."""
        self._subscribers.pop(name, None)

    @contextmanager
    def during(self, name: str, subscriber: Subscriber) -> Iterator[None]:
        """It is told while the block runs."""
        self.add(name, subscriber)
        try:
            yield
        finally:
            self.remove(name)

    def publish(self, events: Sequence[LogLine]) -> None:
        """A transaction is durable, and the working set has it."""
        for name, subscriber in list(self._subscribers.items()):
            try:
                subscriber(events)
            except Exception:
                log.exception("%s failed to take in what was committed", name)

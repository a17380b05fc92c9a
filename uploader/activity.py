"""What runs right now, in memory only: for progress bars, the dashboard, and the planner's idea of who is busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class Running:
    """One thing under way: `done` of `total` bytes (0: not known), `since` in unix seconds."""

    kind: str
    subject: str
    total: int = 0
    done: int = 0
    since: float = 0.0


@dataclass(slots=True)
class Activity:
    """Everything under way. Touched by the event loop; `done` is also advanced by worker threads."""

    bytes_sent: int = 0
    """Bytes handed to the object store since the start, repeats included."""
    _running: dict[int, Running] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=count)

    @contextmanager
    def track(self, kind: str, subject: str, total: int = 0) -> Iterator[Running]:
        """Show something while the block runs."""
        token = next(self._ids)
        running = self._running[token] = Running(kind, subject, total, since=time.time())
        try:
            yield running
        finally:
            del self._running[token]

    def sender(self, running: Running) -> Callable[[int], None]:
        """A callback that counts bytes as they are sent."""

        def sent(size: int) -> None:
            running.done += size
            self.bytes_sent += size

        return sent

    def snapshot(self) -> list[Running]:
        """What is under way, the oldest first; copies."""
        return [Running(r.kind, r.subject, r.total, r.done, r.since) for r in list(self._running.values())]

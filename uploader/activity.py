"""What runs right now, in memory only: for progress bars, the dashboard, and the planner's idea of who is busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count


@dataclass(slots=True)
class Running:
    """One thing under way: `done` of `total` bytes (0: not known), `since` in unix seconds.

    `expected`: the seconds that it takes from its beginning to its end, by what went before; 0 where nobody knows.
    """

    kind: str
    subject: str
    total: int = 0
    done: int = 0
    since: float = 0.0
    expected: float = 0.0

    def come_to(self, part: float) -> None:
        """So much is done, from 0 to 1."""
        self.done = int(part * self.total)


@dataclass(slots=True)
class Activity:
    """Everything under way. Touched by the event loop; `done` and signs of life also come from worker threads."""

    bytes_sent: int = 0
    """Bytes handed to the object store since the start, repeats included."""
    commits: int = 0
    """How often the journal was written since the start: who shows it looks again where this has changed."""
    _signs: dict[str, float] = field(default_factory=dict)
    """By kind of work: when it last gave a sign of life (monotonic seconds)."""
    _running: dict[int, Running] = field(default_factory=dict)
    _paces: dict[str, float] = field(default_factory=dict)
    """By kind of work: bytes in a second of one thing under way, by those that came to their end."""
    _ids: Iterator[int] = field(default_factory=count)

    @contextmanager
    def track(self, kind: str, subject: str, total: int = 0) -> Iterator[Running]:
        """Show something while the block runs."""
        token, began, pace = next(self._ids), time.monotonic(), self._paces.get(kind, 0.0)
        expected = total / pace if pace else 0.0
        running = self._running[token] = Running(kind, subject, total, since=time.time(), expected=expected)
        try:
            yield running
            self._learn(kind, total, time.monotonic() - began)
        finally:
            del self._running[token]

    def _learn(self, kind: str, total: int, seconds: float) -> None:
        """How fast work of this kind goes: what came last counts for a third."""
        if total and seconds > 0:
            last, before = total / seconds, self._paces.get(kind)
            self._paces[kind] = last if before is None else (last + 2 * before) / 3

    def committed(self) -> None:
        """The journal says something else than before."""
        self.commits += 1

    def sign(self, kind: str) -> None:
        """Work of this kind has come a step further."""
        self._signs[kind] = time.monotonic()

    def silence(self) -> dict[str, float]:
        """By kind of work: the seconds since its last sign of life; what has never begun is not in it."""
        now = time.monotonic()
        return {kind: now - at for kind, at in dict(self._signs).items()}

    def sender(self, running: Running) -> Callable[[int], None]:
        """A callback that counts bytes as they are sent."""

        def sent(size: int) -> None:
            running.done += size
            self.bytes_sent += size
            self.sign(running.kind)

        return sent

    def watched(self, kind: str, stop: threading.Event) -> threading.Event:
        """`stop` for blocking work that asks for it with every piece of a file: each question is a sign of life."""
        return _Watched(stop, lambda: self.sign(kind))

    def snapshot(self) -> list[Running]:
        """What is under way, the oldest first; copies."""
        return [replace(running) for running in list(self._running.values())]


class _Watched(threading.Event):
    """An event that tells of being asked."""

    def __init__(self, event: threading.Event, asked: Callable[[], None]) -> None:
        super().__init__()
        self._event = event
        self._asked = asked

    def is_set(self) -> bool:
        """Whether the event is set."""
        self._asked()
        return self._event.is_set()

"""What uploads cost in sessions and calls, counted file by file and held in a few numbers.

Files with one key share sessions, in the order in which they come. A session of N files takes `initiate`, N times
`signed_url`, `complete`, and where it has several files, or its sources are to go, a look at what came of them. An
asset of an item has a session of its own, so a scene of thirteen bands takes thirteen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from uploader.core.batching import FIRST_SESSION_FILES, most_files
from uploader.core.configuration import BatchSettings
from uploader.core.model import Layout, SessionKey

WINDOW_CALLS = 600
"""Calls that the platform grants an organization in a minute."""

_SESSION, _FILE, _LOOK, _UPDATE = 2, 1, 1, 1
"""Calls of a session, of each of its files, of the look at its items, and of the date and properties of an item."""


@dataclass(slots=True)
class _Open:
    """The session of a key that is being filled, and how many there were before it."""

    sessions: int = 0
    files: int = 0
    bytes: int = 0


@dataclass(slots=True)
class UploadCalls:
    """Counts what is added."""

    batch: BatchSettings
    sessions: int = 0
    calls: int = 0
    _open: dict[SessionKey, _Open] = field(default_factory=dict)

    def add(self, key: SessionKey, size: int, *, looked_at: bool) -> int:
        """One more file of this key, and the calls that it adds. `looked_at`: its item is looked at in any case."""
        before = self.calls
        self._add(key, size, looked_at=looked_at)
        return self.calls - before

    def _add(self, key: SessionKey, size: int, *, looked_at: bool) -> None:
        if key.single:
            self.sessions += 1
            self.calls += _SESSION + _FILE + (_LOOK if looked_at else 0)
            return
        place = self._open.setdefault(key, _Open())
        layout = Layout.PER_FILE if place.sessions > 1 else Layout.UNKNOWN
        most = min(most_files(key, layout, self.batch), self.batch.max_files)
        if not place.files or place.files >= most or place.bytes + size > self.batch.max_bytes:
            place.files = place.bytes = 0
            place.sessions += 1
            self.sessions += 1
            self.calls += _SESSION + (_LOOK if looked_at else 0)
        place.files += 1
        place.bytes += size
        # The second file makes the look worth its call.
        self.calls += _FILE + (_LOOK if place.files == FIRST_SESSION_FILES and not looked_at else 0)

    def describe(self) -> None:
        """The date and the properties of one more item, which is read before it is told them."""
        self.calls += _LOOK + _UPDATE

    @property
    def window_seconds(self) -> float:
        """How long so many calls take at least, where nobody else uses the organization's window."""
        return window_seconds(self.calls)


def window_seconds(calls: int) -> float:
    """How long so many calls take at least in the platform's window."""
    return calls * 60 / WINDOW_CALLS

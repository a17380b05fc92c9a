"""What the watcher of a drop folder is told, in the order in which it came."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from uploader.core.model import Sighting
from uploader.folders.archived_files import Archived
from uploader.folders.folder_holds import Cause
from uploader.folders.ignored_names import Oddities
from uploader.folders.looking import Look
from uploader.folders.spec import LookProblem
from uploader.journal.intake_queries import Believed


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan came by, or what lies where events hinted. `new`: no event can have told of it before."""

    sightings: Sequence[Sighting]
    gone: Sequence[bytes] = ()
    new: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """The looks that the queue asked for."""

    looks: Sequence[Look]


@dataclass(frozen=True, slots=True)
class Gone:
    """Files that the journal believes to exist and that left one by one."""

    files: Sequence[Believed]


@dataclass(frozen=True, slots=True)
class ScanEnded:
    """A scan came to its end. `hold` tells why nothing can be expected from the folder, if that is so."""

    hold: tuple[Cause, str] | None = None
    problems: Sequence[LookProblem] = ()
    oddities: Oddities | None = None
    """None where there was nothing to be scanned."""
    away: int = 0
    """Settling files whose file system is not there."""


@dataclass(frozen=True, slots=True)
class ClaimEnded:
    """A file has a private copy, or an end."""

    file_id: int


@dataclass(frozen=True, slots=True)
class Restored:
    """Of files that seemed to be archived, `sightings` are those that were brought back. `new` as above."""

    archived: Sequence[Archived]
    sightings: Sequence[Sighting]
    new: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The folder answers. `faults`: files that could not be read, and what is wrong with their parts, if it is."""

    faults: Sequence[tuple[bytes, str]] = ()


Message = ScanResult | Looked | Gone | ScanEnded | ClaimEnded | Restored | Answered


class Inbox:
    """Messages of many senders to one reader, all in one event loop."""

    def __init__(self) -> None:
        self._messages: deque[tuple[Message, anyio.Event]] = deque()
        self._arrived = anyio.Event()
        self._closed = False

    def post(self, message: Message) -> anyio.Event:
        """Send a message; the event tells when it was read and acted upon."""
        acted_upon = anyio.Event()
        if self._closed:
            acted_upon.set()
        else:
            self._messages.append((message, acted_upon))
            self._arrived.set()
        return acted_upon

    async def deliver(self, message: Message) -> None:
        """Send a message and wait until it was acted upon."""
        await self.post(message).wait()

    def wake(self) -> None:
        """Let the reader look around although there is no message."""
        self._arrived.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a message or for `wake`, so many seconds at most."""
        with anyio.move_on_after(seconds):
            await self._arrived.wait()
        self._arrived = anyio.Event()

    def take(self) -> tuple[Message, anyio.Event] | None:
        """The next message; its event is to be set when it was acted upon. None where there is none."""
        return self._messages.popleft() if self._messages else None

    def close(self) -> None:
        """Read no more messages; senders that wait go on."""
        self._closed = True
        for _, acted_upon in self._messages:
            acted_upon.set()
        self._messages.clear()

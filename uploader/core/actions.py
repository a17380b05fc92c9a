"""What the planner can ask for: each action is one effect, safe to repeat after a crash unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from uploader.core.batching import Batch
from uploader.core.model import Scope

Subject = tuple[str, int]
"""What an action is about: "file", "session" or "scene" with the id of its row."""

HOLDS: Subject = ("hold", 0)
"""The subject of what is done about holds: one at a time."""


@dataclass(frozen=True, slots=True)
class FileAction:
    """An action about one file; only one at a time runs for it."""

    file_id: int

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What is busy while this runs."""
        return (("file", self.file_id),)


@dataclass(frozen=True, slots=True)
class SessionAction:
    """An action about one upload session; only one at a time runs for it."""

    session_id: int

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What is busy while this runs."""
        return (("session", self.session_id),)


class Claim(FileAction):
    """Copy the settled group into staging while hashing it."""


@dataclass(frozen=True, slots=True)
class Convert(FileAction):
    """Make the COG in a child process."""

    alone: bool = False
    """Nothing else is converted beside it."""


class SkipTwin(FileAction):
    """End a file whose content another path brought in."""


@dataclass(frozen=True, slots=True)
class Put(FileAction):
    """Mint a signed URL and send the bytes; repeated, it replaces the same object."""

    session_id: int


class Dispose(FileAction):
    """Archive or delete the source."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Remove the private copies of files that reached an end: the files of a session end together."""

    file_ids: tuple[int, ...]

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What is busy while this runs."""
        return tuple(("file", file_id) for file_id in self.file_ids)


class Initiate(SessionAction):
    """Reserve quota. The one effect that is not safe to repeat: every doubtful answer is counted."""


class Complete(SessionAction):
    """Make the items; repeated until the answer is clear."""


class Locate(SessionAction):
    """Look for the items of a session whose `complete` may or may not have been done."""


class Abandon(SessionAction):
    """Tell the platform that the session failed, which gives the reservation back."""


class ReadBack(SessionAction):
    """Read the items of a completed session, before a source goes and to learn how many `complete` makes."""


@dataclass(frozen=True, slots=True)
class AdvanceScene:
    """Do for a scene what it needs as a whole: find its collection or its marker, or describe its item."""

    scene_id: int

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What is busy while this runs."""
        return (("scene", self.scene_id),)


@dataclass(frozen=True, slots=True)
class PlanSession:
    """Freeze a session: its members and its body, before anything is sent."""

    batch: Batch

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Planning is a journal entry: done at once, one at a time."""
        return (("plan", 0),)


@dataclass(frozen=True, slots=True)
class EndHold:
    """End a hold that no file waits for any more."""

    scope: Scope
    subject: str

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What is busy while this runs."""
        return (HOLDS,)


Action = (
    Claim
    | Convert
    | SkipTwin
    | Put
    | Dispose
    | Discard
    | Initiate
    | Complete
    | Locate
    | Abandon
    | ReadBack
    | AdvanceScene
    | PlanSession
    | EndHold
)

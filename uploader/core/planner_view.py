"""What the planner sees: the journal's rows and the machine's room, as plain values at one moment.

All times are unix seconds of the same clock that `plan` is given; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from uploader.core import parallel_transfers
from uploader.core.configuration import Folder
from uploader.core.damaged_copies import DamagedCopy
from uploader.core.model import (
    AS_ITS_FOLDER,
    FileState,
    Hold,
    OwnTarget,
    Pause,
    PlatformProfile,
    SessionKey,
    SessionState,
)
from uploader.core.scenes import KeptBack, Scene
from uploader.core.staging_refusals import RefusedFile
from uploader.core.unexpected_errors import UnexpectedError


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that may be claimed now; `path` is relative to its folder."""

    file_id: int
    folder: str
    size: int
    path: bytes = b""


@dataclass(frozen=True, slots=True)
class Queued:
    """A file with a private copy, to be converted."""

    file_id: int
    folder: str
    size: int
    content: str
    not_before: float = 0.0
    alone: bool = False
    """The child died on it once: the second try has the converter for itself."""
    retrying_since: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A converted file that waits for a session; `size` is the object's."""

    file_id: int
    folder: str
    size: int
    since: float
    categorical: bool
    file_name: str
    group: str = ""
    """Which part of a bisected batch it belongs to."""
    not_before: float = 0.0
    own_target: OwnTarget = AS_ITS_FOLDER
    priority: int = 0
    held: bool = False
    """The quota has refused it although it was alone in its session."""


@dataclass(frozen=True, slots=True)
class SessionMember:
    """A file in a live session."""

    file_id: int
    state: FileState
    size: int
    not_before: float = 0.0
    retrying_since: float | None = None
    folder: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """An upload session that still needs something."""

    session_id: int
    key: SessionKey
    state: SessionState
    members: tuple[SessionMember, ...]
    not_before: float = 0.0
    hold: str = ""
    locating: bool = False
    """A `complete` went unanswered: the items are looked for before it is given up."""
    readback_due: bool = False
    retrying_since: float | None = None
    last_error: str = ""
    upload_id: str = ""
    locate_tries: int = 0
    tries: int = 0

    @property
    def name(self) -> str:
        """The platform's name for it, or ours where it has none yet: what a person is told."""
        return self.upload_id or f"{self.session_id}"

    @property
    def unseen(self) -> bool:
        """Whether the platform was asked for its items last, answered, and showed none."""
        return self.locate_tries > 0 and self.tries == 0


@dataclass(frozen=True, slots=True)
class Disposal:
    """A completed file whose source is to be archived or deleted, its items having been read back."""

    file_id: int
    not_before: float = 0.0
    retrying_since: float | None = None


@dataclass(frozen=True, slots=True)
class PlannerView:
    """Everything a plan depends on."""

    destinations: Mapping[str, Folder]
    """By folder: its keys, which say where its files go."""
    settled: tuple[Settled, ...] = ()
    settling: Mapping[str, int] = field(default_factory=dict)
    """By folder: files that come to be claimed."""
    unfinished: int = 0
    """Files beside them that only others can finish: they still arrive, or their ready marker is not there."""
    queued: tuple[Queued, ...] = ()
    queued_total: int = 0
    """All queued files. Files of paused folders are not counted, and stand neither in `queued` nor in `waiting`."""
    coming: frozenset[str] = frozenset()
    """Folders of which a file settles, and can be expected to have settled within the linger time."""
    waiting: tuple[Waiting, ...] = ()
    twins_completed: frozenset[int] = frozenset()
    """Queued files of `duplicates = "skip"` folders whose twin is completed."""
    twins_pending: frozenset[int] = frozenset()
    """Queued files of such folders whose twin is still under way: they wait."""
    sessions: tuple[Session, ...] = ()
    scenes: tuple[Scene, ...] = ()
    """Those that may need something as a whole."""
    kept_back: tuple[KeptBack, ...] = ()
    """Converted files that wait for others of their scene, which are not among `waiting`, by scene."""
    disposals: tuple[Disposal, ...] = ()
    discards: tuple[int, ...] = ()
    holds: tuple[Hold, ...] = ()
    pauses: tuple[Pause, ...] = ()
    profile: PlatformProfile = field(default_factory=PlatformProfile)
    staged_bytes: int = 0
    free_bytes: int = 1 << 62
    converters: int = 1
    """How many conversions are under way at once: see `capacity.under_way`."""
    converters_apart: bool = False
    """They are workers of their own: a raster that is to be converted alone takes one of them, not all."""
    busy: frozenset[tuple[str, int]] = frozenset()
    running: Mapping[str, int] = field(default_factory=dict)
    """How many actions of each class are running."""
    since: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """By subject: when the action that runs for it was started."""
    copying: Mapping[str, int] = field(default_factory=dict)
    """By folder: how many files are being copied from it."""
    mistakes: tuple[UnexpectedError, ...] = ()
    """Whom a mistake in the program concerns: they wait until their time has come."""
    damaged_copies: tuple[DamagedCopy, ...] = ()
    """Files whose private copies were damaged again and again."""
    refused_files: tuple[RefusedFile, ...] = ()
    """Files that are too large for staging, which takes others."""
    no_room_for: frozenset[int] = frozenset()
    """Files of which the plan before has shown that there is no room for them."""
    stalled: frozenset[str] = frozenset()
    """Stages of which the plan before has shown that they stand still."""
    staging_trouble: str = ""
    """Why staging cannot be used at the moment, in words; empty where it can."""
    no_thread_since: float | None = None
    """Since when the daemon itself waits for a thread that the machine does not give; None while it does not."""
    ends_when_idle: bool = False
    """The daemon ends once nothing is left to do: then nobody waits for files that are not known yet."""
    answered_at: float = 0.0
    """When the platform last answered a call with anything but an outage; 0: not since the start."""
    stored_at: float = 0.0
    """When the object store last took a file; 0: not since the start."""
    silence: Mapping[str, float] = field(default_factory=dict)
    """By stage: seconds since its last sign of life."""
    reserved_bytes: int = 0
    """What running claims and conversions may still write."""
    parallel_transfers: int = parallel_transfers.START
    """How many files are sent at once, where the configuration leaves it to be found out."""
    sent_today: int = 0
    """Bytes that have left since midnight by the machine's clock."""
    day_ends: float = 0.0
    """The next midnight."""

    def priority(self, folder: str) -> int:
        """That of a folder: a higher one goes first. 0 where it is no longer in the configuration."""
        destination = self.destinations.get(folder)
        return destination.priority if destination else 0

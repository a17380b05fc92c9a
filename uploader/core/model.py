"""The nouns of the program: what was seen, what is kept, what is held back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from uploader.core.configuration import Folder


class FileState(StrEnum):
    """What is true of one version of one raster; see `lifecycle` for the arrows."""

    SETTLING = "settling"
    QUEUED = "queued"
    CONVERTED = "converted"
    BATCHED = "batched"
    STORED = "stored"
    COMPLETED = "completed"
    DISPOSED = "disposed"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    GONE = "gone"
    UNPACKED = "unpacked"


class SessionState(StrEnum):
    """What is true of one upload session; see `lifecycle` for the arrows."""

    PLANNED = "planned"
    OPEN = "open"
    COMPLETING = "completing"
    COMPLETED = "completed"
    FAILING = "failing"
    FAILED = "failed"
    LOST = "lost"


class Scope(StrEnum):
    """How far a hold reaches: everything in the scope waits, everything else goes on."""

    PLATFORM = "platform"
    ORGANIZATION = "organization"
    TARGET = "target"
    FOLDER = "folder"
    STAGING = "staging"
    JOURNAL = "journal"
    MACHINE = "machine"
    STAGE = "stage"
    SCENE = "scene"
    SESSION = "session"
    FILE = "file"


class HoldCause(StrEnum):
    """What brought a hold about, as a word that never changes: scripts and alerts go by it."""

    KEY_REFUSED = "key_refused"
    KEY_SCOPE_MISSING = "key_scope_missing"
    PLATFORM_UNREACHABLE = "platform_unreachable"
    STORE_UNREACHABLE = "store_unreachable"
    QUOTA = "quota"
    TARGET_REFUSED = "target_refused"
    SESSIONS_LOST = "sessions_lost"
    LAYOUT_UNKNOWN = "layout_unknown"
    FOLDER_MISSING = "folder_missing"
    FOLDER_MUTE = "folder_mute"
    FOLDER_TAKEN = "folder_taken"
    FOLDER_OVERLAP = "folder_overlap"
    FOLDER_FOREIGN = "folder_foreign"
    FOLDER_UNREADABLE = "folder_unreadable"
    FOLDER_PARTLY_MISSING = "folder_partly_missing"
    FOLDER_UNCONFIGURED = "folder_unconfigured"
    STAGING_FULL = "staging_full"
    STAGING_UNUSABLE = "staging_unusable"
    JOURNAL_SLOW = "journal_slow"
    MACHINE_SHORT = "machine_short"
    CONVERTER_BROKEN = "converter_broken"
    CLUSTER_UNAVAILABLE = "cluster_unavailable"
    STALLED = "stalled"
    SCENE_ITEM_GONE = "scene_item_gone"
    SCENE_PRIMARY_REJECTED = "scene_primary_rejected"
    SCENE_PRIMARY_MISSING = "scene_primary_missing"
    SCENE_COLLECTION = "scene_collection"
    SESSION_UNCLEAR = "session_unclear"
    SESSION_FAILING = "session_failing"
    FILE_EXCEEDS_QUOTA = "file_exceeds_quota"
    FILE_EXCEEDS_MEMORY = "file_exceeds_memory"
    FILE_EXCEEDS_STAGING = "file_exceeds_staging"
    COPY_DAMAGED = "copy_damaged"
    SOURCE_STAYS = "source_stays"
    MISTAKE = "mistake"
    DAILY_LIMIT = "daily_limit"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    """An earlier version of the program entered the hold."""


class Layout(StrEnum):
    """How many items one `complete` makes; no source tells, so it is learned from the first session."""

    UNKNOWN = "unknown"
    PER_FILE = "per_file"
    PER_SESSION = "per_session"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What lstat says of a file; equal fingerprints mean the same file, untouched in between.

    Sizes in bytes, times in nanoseconds. Compared for equality only: clocks jump.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file that belongs to a raster: `suffix` is what its name adds to the raster's stem or name.

    `source.tfw` has the suffix `.tfw` and is kept as it is spelled; `source.tif.aux.xml` has `.tif.aux.xml`
    (always relative to the stem, so that a group can be renamed as a whole). A sidecar that is named after its
    product has a slash and its name instead.
    """

    name: bytes
    suffix: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at one raster in a drop folder, with the sidecars that lay beside it.

    `folder` is the configured path as text, `path` the raster's path below it in bytes as the file system
    spells it.
    """

    folder: str
    path: bytes
    fingerprint: Fingerprint
    sidecars: tuple[Sidecar, ...] = ()
    marked: bool = False
    """The ready marker lies beside it."""
    control: bytes = b""
    """The name of a control file beside it, which says that it, or a sidecar, still arrives; empty: there is none."""

    @property
    def size(self) -> int:
        """Bytes of the whole group."""
        return self.fingerprint.size + sum(s.fingerprint.size for s in self.sidecars)


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What all files of one upload session have in common."""

    project_id: str
    collection_id: str
    item_id: str
    asset_key: str
    categorical: bool

    @property
    def target(self) -> str:
        """Where the items go, as a hold names it."""
        return "/".join(part for part in (self.project_id, self.collection_id, self.item_id) if part)

    @property
    def single(self) -> bool:
        """Whether a session with this key may hold one file only."""
        return bool(self.item_id or self.asset_key)


class OwnTarget(NamedTuple):
    """Where a single file goes although its folder says otherwise; None: as the folder says.

    A plan compares it for each file that waits, which is why it is a tuple.
    """

    collection_id: str | None = None
    item_id: str | None = None
    asset_key: str | None = None


AS_ITS_FOLDER = OwnTarget()
"""The target of a file that has none of its own."""


def session_key(folder: Folder, *, categorical: bool, own: OwnTarget = AS_ITS_FOLDER) -> SessionKey:
    """The key of a session for a file of this folder, once it is known whether it is categorical."""
    return SessionKey(
        folder.project_id,
        folder.collection_id if own.collection_id is None else own.collection_id,
        folder.item_id if own.item_id is None else own.item_id,
        folder.asset_key if own.asset_key is None else own.asset_key,
        categorical,
    )


def target_of(folder: Folder) -> str:
    """Where a folder's items go, as a hold names it."""
    return session_key(folder, categorical=False).target


@dataclass(frozen=True, slots=True)
class Hold:
    """Why something waits, in words, with what to do about it.

    `until` is when it is tried again (unix seconds), or None where only a person can end it.
    """

    scope: Scope
    subject: str
    reason: str
    way_out: str = ""
    since: float = 0.0
    until: float | None = None
    attempts: int = 0
    cause: HoldCause = HoldCause.UNKNOWN
    files: int = 0
    size: int = 0
    """How many files wait because of it, and their bytes, where the list of holds tells it."""

    @property
    def text(self) -> str:
        """Reason and way out as one line."""
        return f"{self.reason} {self.way_out}".strip()


@dataclass(frozen=True, slots=True)
class Pause:
    """A person's word that nothing new is to be begun, for a folder, or for everything where it is empty.

    `until` is when it ends by itself (unix seconds), or None where a person ends it.
    """

    folder: str
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class PlatformProfile:
    """What was learned about the platform that its documents leave open."""

    transfer_method: str = ""
    """The value that `initiate` accepted in place of the configured one; empty: the configured one."""
    layouts: dict[str, Layout] = field(default_factory=dict)
    """By target."""
    quota_cap: int | None = None
    """The batch size in bytes that is tried next after the quota refused more; None: no cap."""

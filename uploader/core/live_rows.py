"""Rows of the journal as planner and effects need them while something is still to be done with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uploader.core.model import AS_ITS_FOLDER, FileState, OwnTarget, SessionKey, SessionState
from uploader.core.scenes import Scene


@dataclass(frozen=True, slots=True)
class FileRow:
    """What an effect needs to know of its file."""

    id: int
    folder: str
    path: bytes
    state: FileState
    sighting: str
    size: int
    content: str
    object_size: int
    """0 until it was converted: until then both hashes are those of the raster as it was claimed."""
    object_sha256: bytes
    """Empty where it is not known."""
    object_crc32c: int
    file_name: str
    session_id: int | None
    after_upload: str
    attempts: int
    looks: int
    tries: int
    refusals: int
    losses: int
    scene_id: int | None = None
    archive_id: int | None = None
    """The archive that it was unpacked from; None: it lies in the drop folder itself."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """What an effect needs to know of its session."""

    id: int
    state: SessionState
    key: SessionKey
    idempotency_key: str
    body: dict[str, Any]
    total_bytes: int
    upload_id: str
    completes_sent: int
    completes_clear: int
    locate_tries: int
    item_ids: tuple[str, ...]
    tries: int
    retrying_since: float | None
    members: tuple[FileRow, ...]

    @property
    def doubtful(self) -> bool:
        """Whether a `complete` went unanswered."""
        return self.completes_sent > self.completes_clear

    @property
    def name(self) -> str:
        """The platform's name for it, or ours where it has none yet: what a person is told."""
        return self.upload_id or f"{self.id}"


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file with which something is still to be done. Times in unix seconds."""

    row: FileRow
    staged: bool
    disposal_due: bool
    """Its items are made, or all that an archive holds have theirs, and nothing was done with its source yet."""
    changed_at: float
    categorical: bool
    batch_group: str
    alone: bool
    not_before: float
    retrying_since: float | None
    hold: str = ""
    own_target: OwnTarget = AS_ITS_FOLDER
    priority: int = 0
    scene: Scene | None = None
    """The scene that it is of."""

    @property
    def asset(self) -> str:
        """What it is in its scene."""
        return self.own_target.asset_key or ""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that needs something, or whose files do. `row` is without members."""

    row: SessionRow
    needed: bool
    """The session itself needs a step."""
    locating: bool
    readback: str | None
    not_before: float
    hold: str
    last_error: str
    changed_at: float = 0.0

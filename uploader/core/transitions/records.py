"""Rows of the journal as the transitions read them. Only who keeps rows changes them; a transition never does."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from uploader.core.model import FileState, SessionKey, SessionState

NOT_RETRIED: dict[str, Any] = {"tries": 0, "retrying_since": None, "not_before": 0.0, "last_error": ""}
"""The columns of a row that is not being retried, of a file, a session or a scene."""

UNHINDERED: dict[str, Any] = {**NOT_RETRIED, "hold": ""}
"""Those of a row that is not held either."""

NEW_STEP: dict[str, Any] = {**UNHINDERED, "refusals": 0}
"""Those of a file that begins a new step."""


@dataclass(slots=True, kw_only=True, eq=False)
class FileRecord:
    """A row of `files`: one version of one path. None stands for NULL; times in unix seconds, sizes in bytes."""

    id: int
    folder: str
    path: bytes
    sighting: Hashable
    """Equal values mean an untouched group; nothing else is read from it."""
    current: int | None = 1
    state: FileState = FileState.SETTLING
    content: str | None = None
    staged: int = 0
    object_size: int | None = None
    file_name: str | None = None
    session_id: int | None = None
    after_upload: str | None = None
    disposal: str | None = None
    attempts: int = 0
    looks: int = 0
    tries: int = 0
    refusals: int = 0
    losses: int = 0
    retrying_since: float | None = None
    hold: str = ""
    scene_id: int | None = None
    target_asset_key: str | None = None
    """What it is in its scene."""
    archive_id: int | None = None
    """The archive that it was unpacked from; None: it lies in the drop folder itself."""


@dataclass(slots=True, kw_only=True, eq=False)
class SessionRecord:
    """A row of `sessions`. None stands for NULL; times in unix seconds, sizes in bytes."""

    id: int
    key: SessionKey
    state: SessionState = SessionState.PLANNED
    upload_id: str | None = None
    total_bytes: int = 0
    initiates_sent: int = 0
    initiates_clear: int = 0
    completes_sent: int = 0
    completes_clear: int = 0
    locate_tries: int = 0
    readback: str | None = None
    tries: int = 0
    retrying_since: float | None = None
    hold: str = ""
    created_at: float = 0.0

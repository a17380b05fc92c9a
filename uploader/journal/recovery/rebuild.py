"""What goes into the rebuilding of a journal, what comes out, and what is asked of it before it is in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from uploader.core.configuration import Folder
from uploader.core.model import Sighting
from uploader.core.recovery_matching import Listed, Target
from uploader.core.transitions.repair_events import LostSession
from uploader.journal import content_hashes
from uploader.journal.deltas import SESSION_PENDING, WORKED_ON
from uploader.journal.hold_rows import read_profile
from uploader.journal.opening import connect_copy
from uploader.journal.rows import decode_sighting, rows

KEY = "repaired"
"""The profile's key of what the last repair found."""


@dataclass(frozen=True, slots=True)
class Reality:
    """What is known of the world besides the journal."""

    listed: Sequence[Listed]
    destinations: Mapping[str, Folder]
    lying: Iterable[Sighting] = ()
    """The files that lie in the folders."""
    closed: Collection[Target] = ()
    """Targets that may not be listed any more: of their files nothing is known."""
    lost: Sequence[LostSession] = ()


@dataclass(slots=True)
class Outcome:
    """What a repair found; counts are files unless they say otherwise."""

    base: str = "nothing"
    base_time: float = 0.0
    why: str = ""
    rows: int = 0
    listed: int = 0
    """Records of the platform."""
    recognised: int = 0
    again: int = 0
    """On their way in the journal and not on the platform: they go on."""
    new: int = 0
    """Lie in the folders and are not in the journal: recognised by their content when they are claimed."""
    unsure: int = 0
    unsure_targets: list[str] = field(default_factory=list)
    sessions_lost: int = 0
    sessions_completed: int = 0
    sessions_kept: int = 0
    possibly_leaked_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """All of it by name."""
        return asdict(self)


def targets(path: Path) -> set[Target]:
    """Where sessions of the journal at `path` went that may not have ended."""
    db = connect_copy(path)
    try:
        sql = f"SELECT DISTINCT project_id, collection_id, item_id FROM sessions WHERE {SESSION_PENDING}"  # noqa: S608
        found = rows(db, sql)
    finally:
        db.close()
    return {Target(r["project_id"], r["collection_id"], r["item_id"]) for r in found}


def copies(path: Path) -> dict[int, tuple[Sighting, str] | None]:
    """The files that have private copies; where they are still to be used, the group and its content hash."""
    db = connect_copy(path)
    try:
        return {
            row["id"]: (decode_sighting(row["folder"], bytes(row["path"]), row["sighting"]), content)
            if row["unended"] and (content := content_hashes.told(row["content"]))
            else None
            for row in rows(db, f"SELECT *, {WORKED_ON} AS unended FROM files WHERE staged = 1")  # noqa: S608
        }
    finally:
        db.close()


def last_outcome(path: Path) -> Outcome:
    """What the repair that made this journal found."""
    db = connect_copy(path)
    try:
        return Outcome(**(read_profile(db).get(KEY) or {}))
    finally:
        db.close()

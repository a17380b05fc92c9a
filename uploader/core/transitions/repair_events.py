"""What a repair makes true: an older journal is told what has happened since, as far as the platform shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import FileState, SessionKey, SessionState
from uploader.core.scenes import Scene
from uploader.core.transitions import scene_events
from uploader.core.transitions.change import Change
from uploader.core.transitions.file_events import reject
from uploader.core.transitions.records import UNHINDERED, FileRecord, SessionRecord
from uploader.core.transitions.repaired import UNSURE, recognised
from uploader.core.transitions.session_events import AT_THE_PLATFORM, couple

_NOWHERE = SessionKey("", "", "", "", categorical=False)


@dataclass(frozen=True, slots=True)
class LostSession:
    """A session that only a damaged journal tells of; it may hold a reservation of so many bytes."""

    key: str
    upload_id: str
    total_bytes: int


class SessionFate(StrEnum):
    """What becomes of a session of the older journal."""

    COMPLETED = "completed"
    LOST = "lost"
    KEPT = "kept"


def session_fate(state: SessionState, members: int, found: int, shown: int, *, unsure: bool) -> SessionFate:
    """What the platform's records say of a session: `found` of its `members` by name, `shown` in all by its id.

    `unsure`: names do not come back from its target. Then as many records as files are its files, and what else may
    have become of it nobody knows. So it is with a session of which some files went another way, and with one that
    may have been opened since.
    """
    complete = found == members > 0 or (unsure and shown >= members > 0)
    if complete and state in AT_THE_PLATFORM:
        return SessionFate.COMPLETED
    if state is not SessionState.FAILING and (state is SessionState.PLANNED or found or unsure):
        return SessionFate.LOST
    return SessionFate.KEPT


def session_recognised(
    now: float, session: SessionRecord, members: Iterable[FileRecord], items: Mapping[int, str]
) -> Change:
    """The platform has shown all items of a session; `items` are the ids of those that are known by their names."""
    change = Change(now)
    answered = sorted(set(items.values()))
    columns = {"item_ids": answered, "completes_clear": session.completes_sent, "locating": 0, **UNHINDERED}
    note = "its items were listed when the journal was repaired"
    change.move_session(session, SessionEvent.RECOGNISED, note, **columns)
    members = list(members)
    couple(change, session, members, SessionEvent.RECOGNISED)
    for file in members:
        _, facts = recognised(now, items.get(file.id, ""), file.file_name or "", file.after_upload or "keep")
        change.set_file(file, facts)
    return change


def session_lost(now: float, session: SessionRecord, members: Iterable[FileRecord]) -> Change:
    """Nobody knows what became of a session: it may still hold what it reserved."""
    change = Change(now)
    doubtful = {"initiates_sent": max(session.initiates_sent, session.initiates_clear + 1), **UNHINDERED}
    note = "what became of it is not known since the journal was repaired"
    change.move_session(session, SessionEvent.LOST, note, **{**doubtful, "last_error": note})
    couple(change, session, members, SessionEvent.LOST)
    return change


def session_kept(now: float, session: SessionRecord, members: Sequence[FileRecord]) -> Change:
    """It goes on. Where all is stored, `complete` may have been sent since: a refusal of it proves nothing."""
    change = Change(now)
    if session.state in AT_THE_PLATFORM and all(file.state is FileState.STORED for file in members):
        sent = max(session.completes_sent, session.completes_clear + 1)
        change.set_session(session, {"completes_sent": sent})
    return change


def session_remembered(now: float, session_id: int, lost: LostSession) -> Change:
    """A session that only the damaged journal knew counts as what it may hold."""
    change = Change(now)
    change.new_sessions[session_id] = {
        "state": SessionState.LOST,
        "key": _NOWHERE,
        "idempotency_key": lost.key,
        "body": {},
        "file_count": 0,
        "total_bytes": lost.total_bytes,
        "upload_id": lost.upload_id,
        "initiates_sent": 1,
        "last_error": "only the damaged journal knew it",
        "created_at": now,
        "changed_at": now,
    }
    return change


def file_recognised(now: float, file: FileRecord, item_id: str, name: str, after_upload: str) -> Change:
    """The platform has shown the item of a file, which needs no session for it any more."""
    change = Change(now)
    note, facts = recognised(now, item_id, name, after_upload)
    change.move_file(file, FileEvent.RECOGNISED, note, session_id=None, **facts)
    return change


def scene_recognised(now: float, scene: Scene, item_id: str, members: Iterable[FileRecord]) -> Change:
    """The platform has shown the item of a scene, by one of its files."""
    change = Change(now)
    scene_events.item_known(change, scene, item_id, members)
    return change


def file_unsure(now: float, file: FileRecord, newest: FileRecord | None) -> Change:
    """Nobody can tell whether it was uploaded. Its copies are put aside, for the source may be gone."""
    change = Change(now)
    reject(change, file, newest, UNSURE)
    change.set_file(file, {"staged": 0})
    return change

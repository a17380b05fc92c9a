"""What becomes true of upload sessions, and of their files with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from uploader.core.batching import Batch
from uploader.core.hold_text import one_line
from uploader.core.lifecycle import COUPLED, FileEvent, SessionEvent
from uploader.core.model import Hold, HoldCause, Layout, Scope, SessionState
from uploader.core.scenes import Scene
from uploader.core.transitions import scene_events
from uploader.core.transitions.change import Change
from uploader.core.transitions.fates import Fates
from uploader.core.transitions.file_events import reject
from uploader.core.transitions.given_up import GIVEN_UP
from uploader.core.transitions.hold_events import end_hold, enter_hold
from uploader.core.transitions.records import NEW_STEP, UNHINDERED, FileRecord, SessionRecord
from uploader.core.verdicts import Step

ANSWERED = {Step.INITIATE: "initiates_clear", Step.COMPLETE: "completes_clear"}
"""By call that may be doubtful: the column that counts its clear answers. Where more were sent, one is in doubt."""

AT_THE_PLATFORM = frozenset({SessionState.OPEN, SessionState.COMPLETING})
"""States in which the platform may still know the session."""

MOST_MISSING_DELAY = 30.0
"""Seconds before a file is sent again whose bytes the platform has missed several times."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be frozen: its batch, what `initiate` sends verbatim, and what becomes of each source, by file."""

    batch: Batch
    body: Mapping[str, object]
    idempotency_key: str
    after_upload: Mapping[int, str]


def freezable(files: Iterable[FileRecord]) -> bool:
    """Whether a session of these files can be planned: a person may have given one up since the plan was made."""
    return all(file.state not in GIVEN_UP for file in files)


def planned(now: float, session_id: int, new: NewSession, files: Iterable[FileRecord]) -> Change:
    """Freeze a session: members, sizes, body and Idempotency-Key."""
    change = Change(now)
    batch = new.batch
    change.new_sessions[session_id] = {
        "state": SessionState.PLANNED,
        "key": batch.key,
        "idempotency_key": new.idempotency_key,
        "body": dict(new.body),
        "file_count": len(batch.files),
        "total_bytes": batch.total_bytes,
        "created_at": now,
        "changed_at": now,
    }
    for file in files:
        fresh = {} if file.hold else NEW_STEP  # whom the quota refused keeps that until it is taken
        columns = {"session_id": session_id, "after_upload": new.after_upload[file.id], **fresh}
        change.move_file(file, FileEvent.BATCHED, f"session {session_id}", **columns)
    return change


def retried_later(
    now: float,
    session: SessionRecord,
    reason: str,
    after: float,
    *,
    answered: Step | None = None,
    hold: Hold | None = None,
) -> Change:
    """The same step again after so many seconds; `answered`: this call was answered in clear words."""
    change = Change(now)
    change.count_session(session, "tries", *([ANSWERED[answered]] if answered else []))
    change.delay_session(session, reason, after)
    _enter(change, hold)
    return change


def held(now: float, session: SessionRecord, text: str) -> Change:
    """Only a person can go on with this session, for this reason and by this way out."""
    change = Change(now)
    change.set_session(session, {"hold": text, "last_error": one_line(text)})
    return change


def completing(now: float, session: SessionRecord) -> Change:
    """`complete` is about to be sent: from now on the items may exist."""
    change = Change(now)
    if session.state is SessionState.OPEN:
        change.move_session(session, SessionEvent.COMPLETING, **UNHINDERED)
    change.count_session(session, "completes_sent")
    return change


def doubted(now: float, session: SessionRecord, reason: str) -> Change:
    """A later answer contradicts a `complete` that went unanswered: the items are looked for."""
    change = Change(now)
    change.set_session(session, {**UNHINDERED, "locating": 1, "last_error": reason})
    return change


def not_found(now: float, session: SessionRecord, reason: str, after: float) -> Change:
    """The items are not to be seen yet; they are looked for again after so many seconds."""
    change = Change(now)
    change.count_session(session, "locate_tries")
    change.set_session(session, {"tries": 0})
    change.delay_session(session, reason, after)
    return change


def completed(
    now: float,
    session: SessionRecord,
    members: Sequence[FileRecord],
    item_ids: Sequence[str],
    item_of: Mapping[str, str],
    *,
    readback: bool,
    visible_after: float = 0.0,
    scene: Scene | None = None,
    of_scene: Iterable[FileRecord] = (),
) -> Change:
    """The items exist; the members are completed with it. `scene` is that of the one member, `of_scene` its files.

    Items that are to be read back are not looked at before `visible_after` seconds have passed.
    """
    change = Change(now)
    columns = {
        "item_ids": list(item_ids),
        "completes_clear": session.completes_sent,
        "readback": "due" if readback else None,
        "locating": 0,
        **UNHINDERED,
    }
    if readback and visible_after:
        columns["not_before"] = now + visible_after
    change.move_session(session, SessionEvent.COMPLETED, f"{len(item_ids)} items answered", **columns)
    couple(change, session, members, SessionEvent.COMPLETED)
    end_hold(change, Scope.TARGET, session.key.target)
    for file in members:
        change.set_file(file, {"item_id": item_of.get(file.file_name or ""), "completed_at": now})
        if file.after_upload == "keep":
            change.set_file(file, {"disposal": "kept"})
        scene_events.item_known(change, scene, item_of.get(file.file_name or ""), of_scene)
    return change


def read_back(
    now: float,
    session: SessionRecord,
    members: Iterable[FileRecord],
    item_of: Mapping[str, str],
    layout: Layout,
    *,
    verified: bool,
    scene: Scene | None = None,
    of_scene: Iterable[FileRecord] = (),
) -> Change:
    """The items were read back: sources may go if all are there, and the target's layout is known.

    Each file is told apart: an item shows its name, or the items are as many as the files, or it is missing.
    """
    change = Change(now)
    change.set_session(session, {"readback": "verified" if verified else "mismatch", **UNHINDERED})
    for file in members:
        if file.file_name and file.file_name in item_of:
            change.set_file(file, {"item_id": item_of[file.file_name], "readback": "named"})
            scene_events.item_known(change, scene, item_of[file.file_name], of_scene)
        else:
            change.set_file(file, {"readback": "counted" if verified else "missing"})
    if layout is not Layout.UNKNOWN:
        change.learned[f"layout:{session.key.target}"] = str(layout)
    return change


def incomplete(now: float, session: SessionRecord, missing: Iterable[FileRecord], reason: str) -> Change:
    """`complete` said in clear words that the bytes of these files are missing: they are sent again.

    At first at once, and later after a while: a store may show what it has taken no sooner.
    """
    change = Change(now)
    columns = {"completes_clear": session.completes_sent, **UNHINDERED}
    change.move_session(session, SessionEvent.INCOMPLETE, reason, **columns)
    for file in missing:
        change.move_file(file, FileEvent.MISSING, reason)
        if file.attempts:
            change.delay(file, reason, min(MOST_MISSING_DELAY, 2.0 ** min(2 * file.attempts - 1, 16)))
        change.count(file, "attempts")
    return change


def abandoned(
    now: float,
    session: SessionRecord,
    files: Mapping[int, FileRecord],
    fates: Fates,
    reason: str,
    *,
    newest: Mapping[int, FileRecord | None],
    hold: Hold | None = None,
    scene: Scene | None = None,
) -> Change:
    """Give a session up, and say in the same change what becomes of its members.

    `files` holds the members and all others that `fates` names, `newest` the newest version of the path of each that
    is to be rejected. Several transfers may come to this end at once: the first one moves the session, and files that
    have left it meanwhile are neither rejected nor converted again.
    """
    change = Change(now)
    if session.state in AT_THE_PLATFORM:
        columns = {**UNHINDERED, "completes_clear": session.completes_sent, "last_error": reason}
        change.move_session(session, SessionEvent.ABANDONED, reason, **columns)
    members = {file_id: file for file_id, file in files.items() if file.session_id == session.id}
    for file_id, why in fates.rejected.items():
        if file_id in members:
            reject(change, members[file_id], newest[file_id], why, scene)
    for file_id in sorted(members.keys() & set(fates.damaged)):
        change.move_file(members[file_id], FileEvent.DAMAGED, reason, session_id=None, **NEW_STEP)
        if fates.damaged[file_id]:
            change.delay(members[file_id], reason, fates.damaged[file_id])
    for file_id, group in fates.groups.items():
        change.set_file(files[file_id], {"batch_group": group})
    for file_id in fates.counted:
        change.count(files[file_id], "attempts")
    _enter(change, hold)
    return change


def failed(
    now: float,
    session: SessionRecord,
    members: Sequence[FileRecord],
    note: str,
    *,
    target: Hold | None = None,
) -> Change:
    """The platform knows that the session failed; its reservation is given back. No two losses come in a row.

    `target` is the hold of its target: that sessions are lost is over, for this one was not.
    """
    change = Change(now)
    if target is not None and target.cause is HoldCause.SESSIONS_LOST:
        end_hold(change, Scope.TARGET, session.key.target)
    change.move_session(session, SessionEvent.FAILED, note, **UNHINDERED)
    couple(change, session, members, SessionEvent.FAILED)
    for file in members:
        change.set_file(file, {"losses": 0})
    return change


def lost(
    now: float, session: SessionRecord, members: Sequence[FileRecord], reason: str, hold: Hold | None
) -> Change:
    """The platform no longer knows the session; its files wait for another one. Only the first to say so counts."""
    change = Change(now)
    if session.state not in AT_THE_PLATFORM:
        return change
    change.move_session(session, SessionEvent.LOST, reason, last_error=reason)
    couple(change, session, members, SessionEvent.LOST)
    for file in members:
        change.count(file, "losses")
    _enter(change, hold)
    return change


def couple(
    change: Change, session: SessionRecord, members: Iterable[FileRecord], event: SessionEvent
) -> None:
    """Move all members of a session as its event demands."""
    released = COUPLED[event] is FileEvent.RELEASED
    columns = {**NEW_STEP, "session_id": None} if released else NEW_STEP
    for file in members:
        change.move_file(file, COUPLED[event], f"session {session.id} {event}", **columns)


def _enter(change: Change, hold: Hold | None) -> None:
    if hold is not None:
        enter_hold(change, hold)

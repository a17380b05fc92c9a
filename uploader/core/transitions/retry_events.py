"""What a person asks for: rejected files once more, and sessions that only a person can decide about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import FileState, Hold, Scope, SessionState
from uploader.core.scenes import Scene
from uploader.core.transitions.archive_events import unpack_again
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import NEW_STEP, FileRecord, SessionRecord

LOOKED_FOR_AGAIN: dict[str, Any] = {"hold": "", "locate_tries": 0, "not_before": 0.0, "retrying_since": None}
"""The columns of a session whose items are looked for once more."""

PROBED = frozenset({Scope.PLATFORM, Scope.ORGANIZATION, Scope.TARGET, Scope.MACHINE})
"""Scopes whose holds let a probe through when their time has come; folders and staging are looked at all the time."""

Held = tuple[SessionRecord, Sequence[FileRecord]]
"""A session that only a person can go on with, and its members."""


def retried(
    now: float,
    rejected: Iterable[FileRecord],
    held: Iterable[Held],
    archives: Iterable[FileRecord] = (),
    *,
    denied: bool,
) -> tuple[Change, int]:
    """Rejected files settle again, and held sessions are looked for again; returns how many files that concerns.

    `archives` are those that some of the files came in: they are unpacked again. `denied`: the person has looked, and
    says that the items do not exist; then they are uploaded again.
    """
    change = Change(now)
    count = 0
    for file in rejected:
        _retry(change, file)
        count += 1
    for archive in archives:
        change.assured.append((archive.folder, archive.path))
        if archive.state is FileState.REJECTED and archive.id not in change.files:
            _retry(change, archive)
        unpack_again(change, archive, "a file in it is tried again")
    for session, members in held:
        count += len(members)
        change.set_session(session, LOOKED_FOR_AGAIN)
        if denied and session.state is SessionState.COMPLETING:
            # `fail` gives back what it may still reserve; where the platform does not know it, that is as good.
            change.move_session(session, SessionEvent.ABANDONED, "a person says that its items do not exist")
    return change, count


def _retry(change: Change, file: FileRecord) -> None:
    change.assured.append((file.folder, file.path))
    columns = {**NEW_STEP, "attempts": 0, "looks": 0, "losses": 0, "content": None, "alone": 0}
    change.move_file(file, FileEvent.RETRIED, session_id=None, batch_group="", **columns)


def tried_now(
    now: float,
    holds: Iterable[Hold],
    sessions: Iterable[SessionRecord],
    files: Iterable[FileRecord],
    scenes: Iterable[Scene] = (),
) -> tuple[Change, int]:
    """Whatever is held is due at once; returns how many holds, sessions, files and scenes that are.

    `sessions`, `files` and `scenes` are held, or wait for another try. A session that only a person can go on with is
    looked for again. What has been tried in vain, and since when, stays.
    """
    change = Change(now)
    probed = [hold for hold in holds if hold.scope in PROBED]
    for hold in probed:
        change.holds[hold.scope, hold.subject] = replace(hold, until=0.0)
    for session in sessions:
        change.set_session(session, LOOKED_FOR_AGAIN if session.hold else {"not_before": 0.0})
    for file in files:
        change.set_file(file, {"not_before": 0.0})
    for scene in scenes:
        change.set_scene(scene, {"not_before": 0.0})
    return change, len(probed) + len(change.sessions) + len(change.files) + len(change.scenes)

"""What a person asks for: rejected files once more, and sessions that only a person can decide about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import SessionState
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import FRESH, FileRecord, SessionRecord

Held = tuple[SessionRecord, Sequence[FileRecord]]
"""A session that only a person can go on with, and its members."""


def retried(
    now: float, rejected: Iterable[FileRecord], held: Iterable[Held], *, denied: bool
) -> tuple[Change, int]:
    """Rejected files settle again, and held sessions are looked for again; returns how many files that concerns.

    `denied`: the person has looked, and says that the items do not exist; then they are uploaded again.
    """
    change = Change(now)
    count = 0
    for file in rejected:
        change.assured.append((file.folder, file.path))
        columns = {**FRESH, "attempts": 0, "looks": 0, "losses": 0, "content": None, "alone": 0}
        change.move_file(file, FileEvent.RETRIED, session_id=None, batch_group="", **columns)
        count += 1
    for session, members in held:
        count += len(members)
        change.set_session(
            session, {"hold": "", "locate_tries": 0, "not_before": 0.0, "retrying_since": None}
        )
        if denied and session.state is SessionState.COMPLETING:
            # `fail` gives back what it may still reserve; where the platform does not know it, that is as good.
            change.move_session(session, SessionEvent.ABANDONED, "a person says that its items do not exist")
    return change, count

"""What becomes true when the quota of an upload session is asked for: the session opens, or is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from uploader.core.hold_text import joined
from uploader.core.lifecycle import SessionEvent
from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.transitions.change import Change
from uploader.core.transitions.hold_events import end_hold, enter_hold
from uploader.core.transitions.records import NEW_STEP, UNHINDERED, FileRecord, SessionRecord
from uploader.core.transitions.session_events import couple

KEY_LIFE = 80_000.0
"""Seconds for which a platform that replays `initiate` knows its Idempotency-Key: a little less than its day."""


def initiating(now: float, session: SessionRecord) -> Change:
    """`initiate` is about to be sent: from now on its answer may be lost."""
    change = Change(now)
    change.count_session(session, "initiates_sent")
    return change


def opened(
    now: float,
    session: SessionRecord,
    upload_id: str,
    members: Iterable[FileRecord],
    quota_cap: int | None,
    *,
    target: Hold | None = None,
    replays: bool = False,
) -> Change:
    """`initiate` answered; whatever held the session and its members back is over.

    `replays`: the platform gives the same session to a repeat, so that no earlier one has reserved anything besides.
    `target` is the hold of its target. That sessions are lost is not over before one of them was completed.
    """
    change = Change(now)
    if replays and now - session.created_at < KEY_LIFE:
        change.set_session(session, {"initiates_clear": session.initiates_sent})
    else:
        change.count_session(session, "initiates_clear")
    change.move_session(session, SessionEvent.OPENED, upload_id, upload_id=upload_id, **UNHINDERED)
    end_hold(change, Scope.ORGANIZATION, "")
    if target is None or target.cause is not HoldCause.SESSIONS_LOST:
        end_hold(change, Scope.TARGET, session.key.target)
    for file in members:
        if file.hold:
            change.set_file(file, NEW_STEP)
    change.learned["quota_cap"] = quota_cap
    return change


def refused(
    now: float,
    session: SessionRecord,
    members: Sequence[FileRecord],
    reason: str,
    *,
    hold: Hold | None = None,
    learned: Mapping[str, Any] | None = None,
) -> Change:
    """`initiate` said no in clear words: nothing was reserved, the files wait for another session.

    `hold` is as `renewed` gave it. A file that the quota refuses by itself has a hold of its own; where it has one and
    the organization has none, smaller files have passed since, and nobody else is held.
    """
    change = Change(now)
    change.count_session(session, "initiates_clear")
    change.move_session(session, SessionEvent.REFUSED, reason, last_error=reason)
    couple(change, session, members, SessionEvent.REFUSED)
    known = False
    if hold is not None and hold.scope is Scope.ORGANIZATION and len(members) == 1:
        known = bool(members[0].hold)
        change.delay(members[0], reason, max(0.0, (hold.until or now) - now))
        change.set_file(members[0], {"hold": too_large_for_the_quota(members[0])})
    if hold is not None and not (known and hold.attempts == 1):
        enter_hold(change, hold)
    change.learned.update(learned or {})
    return change


def too_large_for_the_quota(file: FileRecord) -> str:
    """Why a file waits that was refused for want of quota although it was alone in its session."""
    return joined(
        f"{file.file_name} needs {file.object_size:,} bytes of storage quota, more than there are.",
        "Free space or raise the quota; smaller files go on.",
    )

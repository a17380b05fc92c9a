"""What the planner sees of live rows: one function for each kind of row in its view."""

from __future__ import annotations

from uploader.core.live_rows import LiveFile, LiveSession
from uploader.core.planner_view import Queued, Session, SessionMember, Waiting
from uploader.core.scenes import goes_at


def queued(file: LiveFile) -> Queued:
    """A file that waits for its conversion."""
    row = file.row
    return Queued(
        file_id=row.id,
        folder=row.folder,
        size=row.size,
        content=row.content,
        not_before=file.not_before,
        alone=file.alone,
        retrying_since=file.retrying_since,
    )


def waiting(file: LiveFile) -> Waiting:
    """A file that waits for a session."""
    row = file.row
    return Waiting(
        file_id=row.id,
        folder=row.folder,
        size=row.object_size,
        since=file.changed_at,
        categorical=file.categorical,
        file_name=row.file_name,
        group=file.batch_group,
        not_before=max(file.not_before, goes_at(file.scene)),
        own_target=file.own_target,
        priority=file.priority,
        held=bool(file.hold),
    )


def member(file: LiveFile) -> SessionMember:
    """A file in its session."""
    row = file.row
    return SessionMember(
        file_id=row.id,
        state=row.state,
        size=row.object_size,
        not_before=file.not_before,
        retrying_since=file.retrying_since,
        folder=row.folder,
        held=bool(file.hold),
    )


def session(live: LiveSession, members: tuple[SessionMember, ...]) -> Session:
    """A session with its members, in order of their ids."""
    row = live.row
    return Session(
        session_id=row.id,
        key=row.key,
        state=row.state,
        members=members,
        not_before=live.not_before,
        hold=live.hold,
        locating=live.locating,
        readback_due=live.readback == "due",
        retrying_since=row.retrying_since,
        last_error=live.last_error,
        upload_id=row.upload_id,
        locate_tries=row.locate_tries,
        tries=row.tries,
    )

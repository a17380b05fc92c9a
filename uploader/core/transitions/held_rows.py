"""Which rows one hold keeps waiting, so that a person can have those tried and no others."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import NamedTuple

from uploader.core.holds import BEFORE_CONVERSION
from uploader.core.model import FileState, Scope, SessionState
from uploader.core.path_text import full_path, shown
from uploader.core.transitions.hold_events import WAITING
from uploader.core.transitions.records import FileRecord, SessionRecord


class HoldName(NamedTuple):
    """What a person calls a hold by: how far it reaches, and for whom."""

    scope: Scope
    subject: str


Sessions = Mapping[int, SessionRecord]
"""By id: those that the files are in."""


def sessions_of(hold: HoldName, waiting: Iterable[SessionRecord]) -> list[SessionRecord]:
    """Those that wait because of this hold. One that only a person can go on with has a hold of its own."""
    keeps = _SESSIONS.get(hold.scope)
    return [] if keeps is None else [each for each in waiting if keeps(hold.subject, each)]


def files_of(hold: HoldName, waiting: Iterable[FileRecord], sessions: Sessions) -> list[FileRecord]:
    """Those that wait because of this hold. One that has a hold of its own waits because of that one alone."""
    if hold.scope is Scope.FILE:
        return [file for file in waiting if file.hold and hold.subject in _names(file)]
    keeps = _FILES.get(hold.scope)
    return [] if keeps is None else [f for f in waiting if not f.hold and keeps(hold.subject, f, sessions)]


def _names(file: FileRecord) -> set[str]:
    """What the hold of a file may be called by: see `holds.of_file`."""
    path = full_path(file.folder, file.path)
    return (
        {shown(path), shown(path.rpartition(b"/")[0])} if file.state is FileState.COMPLETED else {shown(path)}
    )


def _named(subject: str, session: SessionRecord) -> bool:
    return subject in {f"{session.id}", session.upload_id}


def _unopened(session: SessionRecord) -> bool:
    return session.state is SessionState.PLANNED and not session.hold


def _of_session(subject: str, file: FileRecord, sessions: Sessions) -> bool:
    session = None if file.session_id is None else sessions.get(file.session_id)
    return session is not None and _named(subject, session)


def _in_state(states: Container[FileState]) -> Callable[[str, FileRecord, Sessions], bool]:
    return lambda _, file, __: file.state in states


_SESSIONS: Mapping[Scope, Callable[[str, SessionRecord], bool]] = {
    Scope.PLATFORM: lambda _, session: not session.hold,
    Scope.ORGANIZATION: lambda _, session: _unopened(session),
    Scope.TARGET: lambda subject, session: _unopened(session) and session.key.target == subject,
    Scope.SESSION: _named,
}

_FILES: Mapping[Scope, Callable[[str, FileRecord, Sessions], bool]] = {
    **{scope: _in_state({state}) for scope, state in WAITING.items()},
    Scope.STAGING: _in_state(BEFORE_CONVERSION),
    Scope.FOLDER: lambda subject, file, _: file.folder == subject and file.state is FileState.SETTLING,
    Scope.SESSION: _of_session,
}

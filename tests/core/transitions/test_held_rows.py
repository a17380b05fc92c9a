"""Which rows one hold keeps waiting."""

from __future__ import annotations

import pytest

from uploader.core.model import FileState, Scope, SessionKey, SessionState
from uploader.core.transitions.held_rows import HoldName, files_of, sessions_of
from uploader.core.transitions.records import FileRecord, SessionRecord

pytestmark = pytest.mark.unit


def session(number: int, project: str = "p", **columns) -> SessionRecord:
    """One of this project."""
    return SessionRecord(id=number, key=SessionKey(project, "", "", "", categorical=False), **columns)


def file(number: int, state: FileState, folder: str = "/d", **columns) -> FileRecord:
    """One of this folder."""
    return FileRecord(
        id=number, folder=folder, path=b"x/%d.tif" % number, sighting="", state=state, **columns
    )


SESSIONS = [
    session(1),
    session(2, "q"),
    session(3, state=SessionState.OPEN, upload_id="up_3"),
    session(4, state=SessionState.COMPLETING, upload_id="up_4", hold="look there"),
]
FILES = [
    file(1, FileState.SETTLING),
    file(2, FileState.SETTLING, "/e"),
    file(3, FileState.QUEUED),
    file(4, FileState.QUEUED, hold="It needs more memory."),
    file(5, FileState.BATCHED, session_id=3),
    file(6, FileState.BATCHED, session_id=2, hold="The quota does not suffice."),
    file(7, FileState.COMPLETED, hold="It stays."),
]


@pytest.mark.parametrize(
    ("scope", "subject", "sessions", "files"),
    [
        ("platform", "", [1, 2, 3], [5]),
        ("organization", "", [1, 2], []),
        ("target", SESSIONS[0].key.target, [1], []),
        ("target", "other", [], []),
        ("session", "up_3", [3], [5]),
        ("session", "4", [4], []),
        ("session", "", [], []),
        ("machine", "", [], [3]),
        ("staging", "", [], [1, 2, 3]),
        ("folder", "/e", [], [2]),
        ("file", "/d/x/4.tif", [], [4]),
        ("file", "/d/x/6.tif", [], [6]),
        ("file", "/d/x", [], [7]),
        ("file", "/d/x/3.tif", [], []),
        ("stage", "put", [], []),
        ("journal", "", [], []),
    ],
)
def test_only_what_a_hold_keeps_waiting_belongs_to_it(
    scope: str, subject: str, sessions: list[int], files: list[int]
) -> None:
    """A row with a hold of its own belongs to that one alone, whatever else is held as far."""
    name = HoldName(Scope(scope), subject)

    assert [each.id for each in sessions_of(name, SESSIONS)] == sessions
    assert [each.id for each in files_of(name, FILES, {each.id: each for each in SESSIONS})] == files

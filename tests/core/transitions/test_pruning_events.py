"""What may be forgotten, and what stays of it."""

from __future__ import annotations

import pytest

from uploader.core.lifecycle import FILE_ENDS, SESSION_ENDS
from uploader.core.model import FileState, SessionKey, SessionState
from uploader.core.transitions import pruning_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord

pytestmark = pytest.mark.unit

KEY = SessionKey("p", "", "", "", categorical=False)


def file(number: int = 7, state: FileState = FileState.DISPOSED, **columns) -> FileRecord:
    """A file whose path is gone."""
    given = {"current": None, "object_size": 10, **columns}
    return FileRecord(id=number, folder="/d", path=b"a.tif", sighting="", state=state, **given)


def session(state: SessionState = SessionState.COMPLETED, **columns) -> SessionRecord:
    """The session 4."""
    return SessionRecord(id=4, key=KEY, state=state, **columns)


@pytest.mark.parametrize("state", FileState)
def test_only_a_file_at_its_end_is_over(state: FileState) -> None:
    """A completed one once its source is put away."""
    assert events.file_over(file(state=state, disposal="kept"), None, 9) is (state in FILE_ENDS)


@pytest.mark.parametrize(
    "needed",
    [
        file(current=1),
        file(staged=1),
        file(hold="its source cannot be put away"),
        file(state=FileState.COMPLETED),
        file(8),
    ],
)
def test_a_file_that_is_needed_stays(needed: FileRecord) -> None:
    """Its path exists, copies or its source are to be put away, or it is the newest row."""
    assert events.file_over(file(), session(), 9)
    assert not events.file_over(needed, session(), 9)


@pytest.mark.parametrize("state", SessionState)
def test_a_session_that_wants_something_keeps_its_files(state: SessionState) -> None:
    """One that has not ended, whose items are to be read back, or that a person has to decide about."""
    assert events.file_over(file(), session(state), 9) is (state in SESSION_ENDS)
    assert not events.file_over(file(), session(readback="due"), 9)
    assert not events.file_over(file(), session(hold="look there"), 9)


@pytest.mark.parametrize(("members", "next_id", "over"), [(0, 9, True), (1, 9, False), (0, 5, False)])
def test_a_session_goes_after_its_last_member(members: int, next_id: int, over: bool) -> None:
    """The newest row stays in any case."""
    assert events.session_over(session(), members, next_id) is over


def test_what_is_forgotten_stays_in_the_sums() -> None:
    """They add up, and files that are needed again meanwhile neither go nor count."""
    old = events.OldFile
    first = events.files_forgotten(0.0, [old(file(1)), old(file(2, FileState.GONE))], 9, None)
    again = events.files_forgotten(0.0, [old(file(3)), old(file(4, staged=1))], 9, first.learned["pruned"])

    assert first.forgotten_files == [1, 2]
    assert again.forgotten_files == [3]
    assert again.learned["pruned"]["files"] == {"disposed": 2, "gone": 1}
    assert again.learned["pruned"]["bytes"] == {"uploaded": 20}


def test_bytes_that_may_have_leaked_stay_in_the_sums() -> None:
    """As many as the doubtful `initiate`s of a session asked for."""
    lost = session(SessionState.LOST, initiates_sent=3, initiates_clear=1, total_bytes=50)
    change = events.sessions_forgotten(0.0, [events.OldSession(lost, 0)], 9, None)

    assert change.forgotten_sessions == [4]
    assert change.learned["pruned"]["bytes"] == {"leaked": 100}
    assert not events.sessions_forgotten(0.0, [events.OldSession(lost, 2)], 9, None).learned


@pytest.mark.parametrize(("lowest", "gone"), [(None, True), (6, False), (7, True)])
def test_nothing_goes_before_everybody_was_told_of_it(lowest: int | None, gone: bool) -> None:
    """Neither an event, nor a file or a session whose events would go with it; and nothing is added to the sums."""
    files = events.files_forgotten(0.0, [events.OldFile(file(), None, 7)], 9, None, lowest)
    sessions = events.sessions_forgotten(0.0, [events.OldSession(session(), 0, 7)], 9, None, lowest)

    assert files.forgotten_files == ([7] if gone else [])
    assert sessions.forgotten_sessions == ([4] if gone else [])
    assert bool(files.learned) is bool(sessions.learned) is gone
    assert events.events_forgotten(0.0, [5, 7], lowest).forgotten_events == ([5, 7] if gone else [5])

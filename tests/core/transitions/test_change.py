"""What a transition makes true: states by the machine alone, columns that add up, lines of the log in order."""

from __future__ import annotations

import pytest

from uploader.core.lifecycle import FileEvent, IllegalTransition, SessionEvent
from uploader.core.model import FileState, SessionKey, SessionState
from uploader.core.transitions.change import Change, LogLine
from uploader.core.transitions.records import FileRecord, SessionRecord

pytestmark = pytest.mark.unit

NOW = 1000.0


def file(**columns) -> FileRecord:
    """A row of a file."""
    return FileRecord(**{"id": 7, "folder": "/drop", "path": b"a.tif", "sighting": "s"} | columns)


def session(**columns) -> SessionRecord:
    """A row of a session."""
    return SessionRecord(**{"id": 3, "key": SessionKey("p", "", "", "", False)} | columns)


def test_an_event_that_the_state_does_not_know_is_refused() -> None:
    """A file that settles cannot be stored; nothing is logged of it."""
    change = Change(NOW)
    with pytest.raises(IllegalTransition):
        change.move_file(file(), FileEvent.STORED)
    assert change.log == []


def test_two_events_in_one_change_follow_each_other() -> None:
    """The second begins where the first has led to, and each has its line."""
    change, row = Change(NOW), file(state=FileState.QUEUED)
    change.move_file(row, FileEvent.CONVERTED, object_size=9)
    state = change.move_file(row, FileEvent.BATCHED, "for the line", session_id=3)
    assert state is FileState.BATCHED
    assert change.files == {7: {"object_size": 9, "session_id": 3, "state": state, "changed_at": NOW}}
    assert [(line.event, line.state, line.note, line.session_id) for line in change.log] == [
        ("converted", "converted", "", None),
        ("batched", "batched", "for the line", 3),
    ]


def test_counts_add_up_within_a_change() -> None:
    """Also where a column was counted before."""
    change, row = Change(NOW), file(tries=4)
    change.count(row, "tries")
    change.count(row, "tries", "refusals")
    assert change.files[7] == {"tries": 6, "refusals": 1}


@pytest.mark.parametrize(("since", "expected"), [(None, NOW), (400.0, 400.0)])
def test_a_delay_keeps_the_time_of_the_first_failure(since: float | None, expected: float) -> None:
    """By that time it is told how long it has lasted."""
    change = Change(NOW)
    change.delay(file(retrying_since=since), "no answer", 30.0)
    change.delay_session(session(retrying_since=since), "no answer", 60.0)
    row = {"retrying_since": expected, "last_error": "no answer"}
    assert change.files[7] == {**row, "not_before": NOW + 30}
    assert change.sessions[3] == {**row, "not_before": NOW + 60}


def test_a_session_moves_as_its_machine_says() -> None:
    """With its own line, which names no file."""
    change = Change(NOW)
    state = change.move_session(session(), SessionEvent.OPENED, upload_id="u")
    assert state is SessionState.OPEN
    assert change.log == [LogLine("opened", "open", "", None, 3)]

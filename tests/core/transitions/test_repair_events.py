"""What a repair makes true of sessions and files."""

from __future__ import annotations

import pytest

from uploader.core.model import FileState, SessionKey, SessionState
from uploader.core.transitions import repair_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.core.transitions.repaired import UNSURE

pytestmark = pytest.mark.unit

NOW = 1000.0
KEY = SessionKey("p", "", "", "", categorical=False)


def session(state: SessionState = SessionState.OPEN, **columns) -> SessionRecord:
    """The session 4."""
    return SessionRecord(id=4, key=KEY, state=state, **columns)


def member(number: int, state: FileState = FileState.STORED, **columns) -> FileRecord:
    """A file of session 4."""
    given = {"session_id": 4, "file_name": f"{number}.tif", "after_upload": "delete", **columns}
    return FileRecord(id=number, folder="/d", path=b"%d" % number, sighting="", state=state, **given)


@pytest.mark.parametrize(
    ("state", "found", "shown", "unsure", "expected"),
    [
        ("open", 2, 0, False, "completed"),
        ("completing", 0, 2, True, "completed"),
        ("open", 0, 2, False, "kept"),
        ("open", 0, 1, True, "lost"),
        ("open", 1, 0, False, "lost"),
        ("open", 0, 0, False, "kept"),
        ("planned", 0, 0, False, "lost"),
        ("planned", 2, 2, True, "lost"),
        ("failing", 2, 2, True, "kept"),
    ],
)
def test_the_records_of_the_platform_decide_about_a_session(
    state: str, found: int, shown: int, unsure: bool, expected: str
) -> None:
    """By names where they come back, by their number where they do not; one that is being failed goes on."""
    assert events.session_fate(SessionState(state), 2, found, shown, unsure=unsure) == expected


def test_a_session_whose_items_are_listed_is_completed() -> None:
    """A file whose name does not come back is completed with it, without an item that is known."""
    members = [member(1), member(2, FileState.BATCHED)]
    change = events.session_recognised(NOW, session(completes_sent=2), members, {1: "i1"})

    assert change.sessions[4]["state"] is SessionState.COMPLETED
    assert change.sessions[4]["completes_clear"] == 2
    assert change.sessions[4]["item_ids"] == ["i1"]
    assert [c["item_id"] for c in change.files.values()] == ["i1", None]
    assert {c["state"] for c in change.files.values()} == {FileState.COMPLETED}


def test_a_session_of_which_nobody_knows_may_hold_what_it_reserved() -> None:
    """At least one `initiate` counts as doubtful."""
    change = events.session_lost(NOW, session(initiates_sent=1, initiates_clear=1), [member(1)])

    assert change.sessions[4]["initiates_sent"] == 2
    assert change.files[1]["state"] is FileState.CONVERTED


@pytest.mark.parametrize(("state", "sent"), [(FileState.STORED, 1), (FileState.BATCHED, None)])
def test_a_session_that_goes_on_may_have_been_completed_since(state: FileState, sent: int | None) -> None:
    """Where all is stored, `complete` may have been sent: a refusal of it proves nothing."""
    change = events.session_kept(NOW, session(), [member(1), member(2, state)])

    assert change.sessions.get(4, {}).get("completes_sent") == sent


def test_a_session_that_only_the_damaged_journal_knew_is_remembered() -> None:
    """Its bytes count as leaked."""
    change = events.session_remembered(NOW, 9, events.LostSession("key", "u1", 700))

    assert change.new_sessions[9]["state"] is SessionState.LOST
    assert change.new_sessions[9]["initiates_sent"] == 1
    assert change.new_sessions[9]["total_bytes"] == 700


@pytest.mark.parametrize(("policy", "disposal"), [("keep", "kept"), ("delete", None)])
def test_a_file_whose_item_is_listed_is_completed(policy: str, disposal: str | None) -> None:
    """It leaves its session, and its source goes as its folder says."""
    change = events.file_recognised(NOW, member(1), "i1", "1.tif", policy)

    assert change.files[1]["state"] is FileState.COMPLETED
    assert change.files[1]["session_id"] is None
    assert change.files[1]["disposal"] == disposal


def test_a_file_that_may_have_been_uploaded_waits_for_a_person() -> None:
    """Its private copies are put aside."""
    change = events.file_unsure(NOW, member(1), None)

    assert change.files[1]["state"] is FileState.REJECTED
    assert change.files[1]["last_error"] == UNSURE
    assert change.files[1]["staged"] == 0

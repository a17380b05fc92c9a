"""What a person gives up is off the list and never sent; what is being sent goes on."""

from __future__ import annotations

import pytest

from uploader.core.lifecycle import SESSION_ENDS
from uploader.core.model import FileState, SessionKey, SessionState
from uploader.core.transitions import forget_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord

pytestmark = pytest.mark.unit

KEY = SessionKey("p", "", "", "", categorical=False)


def file(state: FileState, **columns) -> FileRecord:
    """The file 7."""
    return FileRecord(id=7, folder="/d", path=b"a.tif", sighting="", state=state, **columns)


@pytest.mark.parametrize(
    "state", [FileState.SETTLING, FileState.QUEUED, FileState.CONVERTED, FileState.REJECTED]
)
def test_what_was_not_sent_is_gone(state: FileState) -> None:
    """Its path's history is over, and the log says who said so."""
    change, found = events.forgotten(1000.0, [(file(state, staged=1), None)])

    assert found.files == [7]
    assert (change.files[7]["state"], change.files[7]["current"]) == (FileState.GONE, None)
    assert [(line.event, line.note) for line in change.log] == [
        ("forgotten", "a person says that it will never come back")
    ]


def test_the_source_of_an_item_counts_as_missing() -> None:
    """Where it was still to be archived or deleted; where it was to stay, its path is merely history."""
    change, _ = events.forgotten(1000.0, [(file(FileState.COMPLETED), None)])
    kept, _ = events.forgotten(1000.0, [(file(FileState.COMPLETED, disposal="kept"), None)])

    assert (change.files[7]["state"], change.files[7]["disposal"]) == (FileState.DISPOSED, "missing")
    assert kept.files == {7: {"current": None}}


@pytest.mark.parametrize("state", SessionState)
def test_a_file_in_a_session_that_has_not_ended_is_refused(state: SessionState) -> None:
    """What is sent is sent; afterwards its source may be given up."""
    session = SessionRecord(id=4, key=KEY, state=state)
    change, found = events.forgotten(1000.0, [(file(FileState.COMPLETED, session_id=4), session)])

    assert bool(found.files) is (state in SESSION_ENDS)
    assert bool(found.refused) is (state not in SESSION_ENDS)
    assert bool(change.files) is (state in SESSION_ENDS)


@pytest.mark.parametrize(
    "state", [FileState.GONE, FileState.DISPOSED, FileState.DUPLICATE, FileState.REJECTED]
)
def test_who_is_off_the_list_is_passed_over(state: FileState) -> None:
    """And does not count."""
    change, found = events.forgotten(1000.0, [(file(state, current=None), None)])

    assert (found.files, found.refused, change.files) == ([], {}, {})

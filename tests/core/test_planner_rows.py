"""What the planner sees of a live row: the row's own values, under the names of its view."""

from __future__ import annotations

import pytest

from tests.core.test_working_set import KEY, file, session
from uploader.core import planner_rows as shown
from uploader.core.model import FileState, SessionState
from uploader.core.planner_view import Queued, Session, SessionMember, Waiting

pytestmark = pytest.mark.unit


def test_a_queued_file_counts_by_its_source_and_a_converted_one_by_its_object() -> None:
    """A conversion reads the one, and a session sends the other."""
    queued = file(1, FileState.QUEUED, alone=True, not_before=5.0, retrying_since=4.0)
    waiting = file(2, FileState.CONVERTED, batch_group="7.a", categorical=True)

    assert shown.queued(queued) == Queued(1, "/drop", 10, "c", 5.0, alone=True, retrying_since=4.0)
    assert shown.waiting(waiting) == Waiting(2, "/drop", 5, 1.0, True, "a-c.tif", "7.a")


def test_a_session_is_seen_with_its_members() -> None:
    """And whether its items have still to be read back."""
    member = shown.member(file(3, FileState.STORED, session=7))
    found = shown.session(session(7, SessionState.COMPLETED, readback="due"), (member,))

    assert member == SessionMember(3, FileState.STORED, 5, 0.0, None, "/drop")
    assert found == Session(7, KEY, SessionState.COMPLETED, (member,), readback_due=True, upload_id="u")

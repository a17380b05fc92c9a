"""What becomes true of sessions and of their files with them: each rule on rows of its own, without a journal."""

from __future__ import annotations

import pytest

from uploader.core.batching import Batch
from uploader.core.lifecycle import SESSION_ENDS, IllegalTransition
from uploader.core.model import FileState, Hold, HoldCause, Layout, Scope, SessionKey, SessionState
from uploader.core.planner_view import Waiting
from uploader.core.transitions import session_events as events
from uploader.core.transitions.change import Change, LogLine
from uploader.core.transitions.fates import Fates
from uploader.core.transitions.records import NEW_STEP, UNHINDERED, FileRecord, SessionRecord
from uploader.core.transitions.session_events import NewSession
from uploader.core.verdicts import Step

pytestmark = pytest.mark.unit

NOW = 1000.0
KEY = SessionKey("p", "c", "", "", categorical=False)
HOLD = Hold(Scope.TARGET, "p/c", "refused", since=NOW, attempts=1)


def session(state: SessionState = SessionState.OPEN, **columns) -> SessionRecord:
    """The session 4."""
    return SessionRecord(id=4, key=KEY, state=state, **columns)


def member(number: int, state: FileState = FileState.STORED, **columns) -> FileRecord:
    """A file of session 4."""
    given = {"session_id": 4, "file_name": f"{number}.tif", "object_size": 1200, **columns}
    return FileRecord(id=number, folder="/d", path=b"%d" % number, sighting="", state=state, **given)


def abandoned(change_of: SessionRecord, files: list[FileRecord], fates: Fates, **given) -> Change:
    """The session is given up with these files."""
    by_id = {file.id: file for file in files}
    newest = {file_id: by_id.get(file_id) for file_id in fates.rejected}
    return events.abandoned(NOW, change_of, by_id, fates, "why", newest=newest, **given)


def test_a_session_is_frozen_with_its_members() -> None:
    """Its body and key are what every `initiate` sends; each member knows what becomes of its source."""
    files = (Waiting(1, "/d", 1200, 0.0, False, "1.tif"), Waiting(2, "/d", 1200, 0.0, False, "2.tif"))
    new = NewSession(Batch(KEY, files), {"a": 1}, "key", {1: "keep", 2: "delete"})
    members = [member(n, FileState.CONVERTED, session_id=None) for n in (1, 2)]
    change = events.planned(NOW, 4, new, members)

    assert change.new_sessions[4]["state"] is SessionState.PLANNED
    assert change.new_sessions[4]["body"] == {"a": 1}
    assert change.new_sessions[4]["total_bytes"] == 2400
    assert [c["after_upload"] for c in change.files.values()] == ["keep", "delete"]
    assert change.log[0] == LogLine("batched", "batched", "session 4", 1, 4)


def test_a_member_of_a_live_session_is_in_no_other() -> None:
    """A file belongs to one session at most."""
    new = NewSession(Batch(KEY, (Waiting(1, "/d", 1, 0.0, False, "1"),)), {}, "key", {1: "keep"})

    with pytest.raises(IllegalTransition):
        events.planned(NOW, 5, new, [member(1, FileState.BATCHED)])


def test_a_file_that_is_tried_again_stays_known_to_be_too_large() -> None:
    """Until its session is opened: its hold does not end for the moment of the try."""
    new = NewSession(Batch(KEY, (Waiting(1, "/d", 1, 0.0, False, "1"),)), {}, "key", {1: "keep"})
    held = events.planned(NOW, 5, new, [member(1, FileState.CONVERTED, hold="It is too large.")])
    other = events.planned(NOW, 5, new, [member(1, FileState.CONVERTED)])

    assert not set(NEW_STEP) & set(held.files[1])
    assert set(NEW_STEP) <= set(other.files[1])


def test_a_retry_of_a_session_keeps_its_beginning() -> None:
    """The counter of an answered call goes up with it, and a hold is entered."""
    change = events.retried_later(
        NOW, session(retrying_since=900.0, tries=2), "down", 5.0, answered=Step.COMPLETE, hold=HOLD
    )

    retried = {"tries": 3, "completes_clear": 1, "retrying_since": 900.0, "not_before": 1005.0}
    assert change.sessions[4] == {**retried, "last_error": "down"}
    assert change.holds == {(Scope.TARGET, "p/c"): HOLD}


def test_complete_is_counted_before_it_is_sent() -> None:
    """The first one moves the session, a repetition only counts."""
    first = events.completing(NOW, session())
    again = events.completing(NOW, session(SessionState.COMPLETING, completes_sent=1))

    assert first.sessions[4]["state"] is SessionState.COMPLETING
    assert first.sessions[4]["completes_sent"] == 1
    assert again.sessions == {4: {"completes_sent": 2}}


def test_items_that_may_exist_are_looked_for() -> None:
    """Each look that finds nothing counts; then only a person can go on."""
    doubted = events.doubted(NOW, session(SessionState.COMPLETING, tries=3), "404")
    nothing = events.not_found(NOW, session(SessionState.COMPLETING, locate_tries=1, tries=2), "none", 5.0)
    held = events.held(NOW, session(SessionState.COMPLETING), "look there")

    assert doubted.sessions[4] == {**UNHINDERED, "locating": 1, "last_error": "404"}
    assert (nothing.sessions[4]["locate_tries"], nothing.sessions[4]["not_before"]) == (2, 1005.0)
    assert nothing.sessions[4]["tries"] == 0, "the platform has answered"
    assert held.sessions[4] == {"hold": "look there", "last_error": "look there"}


def test_completion_completes_the_members() -> None:
    """No doubt is left; a source that is to stay is done with, another one waits for its disposal."""
    members = [member(1, after_upload="keep"), member(2, after_upload="delete")]
    completing = session(SessionState.COMPLETING, completes_sent=3, completes_clear=1)
    change = events.completed(NOW, completing, members, ("i1",), {"1.tif": "i1"}, readback=True)

    assert change.sessions[4]["completes_clear"] == 3
    assert change.sessions[4]["readback"] == "due"
    assert change.sessions[4]["item_ids"] == ["i1"]
    assert {c["state"] for c in change.files.values()} == {FileState.COMPLETED}
    assert [(c["item_id"], c["completed_at"]) for c in change.files.values()] == [("i1", NOW), (None, NOW)]
    assert change.files[1]["disposal"] == "kept"
    assert "disposal" not in change.files[2]
    assert change.holds == {(Scope.TARGET, "p/c"): None}


@pytest.mark.parametrize(
    ("verified", "outcome", "other"), [(True, "verified", "counted"), (False, "mismatch", "missing")]
)
def test_reading_back_learns_the_layout(verified: bool, outcome: str, other: str) -> None:
    """It is the target's; what was not found keeps the item that it had, and its receipt says so."""
    done = session(SessionState.COMPLETED)
    change = events.read_back(
        NOW, done, [member(1), member(2)], {"1.tif": "i1"}, Layout.PER_FILE, verified=verified
    )

    assert change.sessions[4]["readback"] == outcome
    assert change.files == {1: {"item_id": "i1", "readback": "named"}, 2: {"readback": other}}
    assert change.learned == {"layout:p/c": "per_file"}
    assert not events.read_back(NOW, done, [], {}, Layout.UNKNOWN, verified=True).learned


def test_missing_bytes_are_sent_again_in_the_same_session() -> None:
    """Each time counts as an attempt of the file."""
    completing = session(SessionState.COMPLETING, completes_sent=2)
    change = events.incomplete(NOW, completing, [member(1, attempts=1)], "1 is missing")

    assert change.sessions[4]["state"] is SessionState.OPEN
    assert change.sessions[4]["completes_clear"] == 2
    assert change.files[1]["state"] is FileState.BATCHED
    assert change.files[1]["attempts"] == 2


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, None), (1, 2.0), (2, 8.0), (3, 30.0), (4, 30.0), (1000, 30.0)]
)
def test_bytes_that_are_missed_again_and_again_are_sent_after_a_while(
    attempts: int, seconds: float | None
) -> None:
    """A store that shows late what it has taken would else use up all attempts within a second."""
    completing = session(SessionState.COMPLETING)
    change = events.incomplete(NOW, completing, [member(1, attempts=attempts)], "1 is missing")

    assert change.files[1].get("not_before") == (None if seconds is None else NOW + seconds)
    assert change.sessions[4]["not_before"] == 0.0


def test_a_bisected_batch_is_given_up_in_two_groups() -> None:
    """In one change, so that a restart cannot batch the halves together again."""
    members = [member(1), member(2)]
    change = abandoned(session(SessionState.COMPLETING), members, Fates(groups={1: "4.a", 2: "4.b"}))

    assert change.sessions[4]["state"] is SessionState.FAILING
    assert change.files == {1: {"batch_group": "4.a"}, 2: {"batch_group": "4.b"}}


def test_members_end_or_begin_again_with_their_session() -> None:
    """A refused one ends, a damaged one is converted again, one whose PUT failed uses up an attempt."""
    members = [member(1), member(2, FileState.BATCHED), member(3, attempts=1)]
    change = abandoned(session(), members, Fates({1: "refused"}, damaged={2: 0.0}, counted=[3]), hold=HOLD)

    assert change.files[1]["state"] is FileState.REJECTED
    assert change.files[2]["state"] is FileState.QUEUED
    assert change.files[2]["session_id"] is None
    assert change.files[3] == {"attempts": 2}
    assert change.holds == {(Scope.TARGET, "p/c"): HOLD}


def test_a_damaged_member_waits_as_long_as_is_said() -> None:
    """A disk that damages each copy would have sessions opened and given up in a tight loop."""
    change = abandoned(session(), [member(1, FileState.BATCHED)], Fates(damaged={1: 7.0}))

    assert change.files[1]["state"] is FileState.QUEUED
    assert (change.files[1]["not_before"], change.files[1]["retrying_since"]) == (NOW + 7.0, NOW)


@pytest.mark.parametrize("state", [SessionState.FAILING, *sorted(SESSION_ENDS)])
def test_who_comes_late_to_the_end_of_a_session_does_not_move_it(state: SessionState) -> None:
    """Nor does a file that has left it meanwhile end with it."""
    gone = member(1, FileState.CONVERTED, session_id=None)
    change = abandoned(session(state), [gone], Fates({1: "refused"}, damaged={1: 0.0}))

    assert not change.sessions
    assert not change.files
    assert not change.log


def test_a_failed_session_releases_its_files() -> None:
    """They wait for another session, and a loss before it is none in a row any more."""
    change = events.failed(NOW, session(SessionState.FAILING), [member(1, losses=1)], "told")

    assert change.sessions[4]["state"] is SessionState.FAILED
    assert change.files[1]["state"] is FileState.CONVERTED
    assert change.files[1]["losses"] == 0
    assert {name: change.files[1][name] for name in NEW_STEP} == NEW_STEP
    assert change.log[1] == LogLine("released", "converted", "session 4 failed", 1, None)


@pytest.mark.parametrize(
    ("cause", "over"), [(HoldCause.SESSIONS_LOST, True), (HoldCause.TARGET_REFUSED, False)]
)
def test_a_failed_session_was_not_lost(cause: HoldCause, over: bool) -> None:
    """So the hold of lost sessions is over, and no other of its target is."""
    target = Hold(Scope.TARGET, session().key.target, "why", cause=cause)
    change = events.failed(NOW, session(SessionState.FAILING), [member(1)], "", target=target)

    assert ((Scope.TARGET, target.subject) in change.holds) is over


def test_a_lost_session_counts_once() -> None:
    """Several calls may find out at once; the first one says so."""
    lost = events.lost(NOW, session(), [member(1, losses=1)], "404", HOLD)
    late = events.lost(NOW, session(SessionState.LOST), [], "404", HOLD)

    assert lost.sessions[4]["state"] is SessionState.LOST
    assert lost.files[1]["losses"] == 2
    assert lost.holds
    assert late == Change(NOW)


def test_items_are_not_looked_at_before_they_can_be_seen() -> None:
    """Only those that are to be read back wait, and only where a live check has found out for how long."""

    def due(*, readback: bool, after: float) -> float:
        closing = session(SessionState.COMPLETING, completes_sent=1)
        change = events.completed(NOW, closing, [], [], {}, readback=readback, visible_after=after)
        return change.sessions[4]["not_before"]

    assert due(readback=True, after=20.0) == NOW + 20
    assert due(readback=True, after=0.0) == due(readback=False, after=20.0) == UNHINDERED["not_before"]

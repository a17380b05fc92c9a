"""What becomes true of a session and its files when its quota is asked for, on rows of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.transitions.test_session_events import NOW, member, session
from uploader.core.model import FileState, Hold, HoldCause, Scope, SessionState
from uploader.core.transitions import initiate_events as events
from uploader.core.transitions.records import NEW_STEP

pytestmark = pytest.mark.unit


def test_an_answer_of_initiate_is_counted_and_frees_what_it_was_held_by() -> None:
    """What was sent and what was answered are counted apart: the difference may be reserved for nothing."""
    sent = events.initiating(NOW, session(SessionState.PLANNED))
    members = [member(8, FileState.BATCHED), member(9, FileState.BATCHED, hold="It is too large.")]
    change = events.opened(NOW, session(SessionState.PLANNED, initiates_sent=1), "u1", members, 700)

    assert sent.sessions == {4: {"initiates_sent": 1}}
    assert change.sessions[4]["initiates_clear"] == 1
    assert change.sessions[4]["upload_id"] == "u1"
    assert change.holds == {(Scope.ORGANIZATION, ""): None, (Scope.TARGET, "p/c"): None}
    assert change.files == {9: NEW_STEP}
    assert change.learned == {"quota_cap": 700}


@pytest.mark.parametrize(
    ("cause", "ended"), [(HoldCause.TARGET_REFUSED, True), (HoldCause.SESSIONS_LOST, False)]
)
def test_that_a_session_opens_does_not_prove_that_it_is_not_lost(cause: HoldCause, *, ended: bool) -> None:
    """Those before it were opened, too: each probe would end the hold and begin it again."""
    target = Hold(Scope.TARGET, "p/c", "why", cause=cause)
    change = events.opened(NOW, session(SessionState.PLANNED), "u1", [], None, target=target)

    assert ((Scope.TARGET, "p/c") in change.holds) is ended


QUOTA = Hold(Scope.ORGANIZATION, "", "402", until=NOW + 60, attempts=1)


@pytest.mark.parametrize("count", [1, 2])
def test_what_the_quota_refuses_holds_the_organization(count: int) -> None:
    """Only a file that was alone in its session is known to be too large; it is tried again by its own clock."""
    members = [member(n, FileState.BATCHED) for n in range(1, count + 1)]
    change = events.refused(NOW, session(SessionState.PLANNED), members, "402", hold=QUOTA)

    assert change.sessions[4]["state"] is SessionState.FAILED
    assert {c["state"] for c in change.files.values()} == {FileState.CONVERTED}
    assert {c["session_id"] for c in change.files.values()} == {None}
    assert change.files[1]["hold"].startswith("1.tif needs 1,200 bytes") is (count == 1)
    assert (change.files[1]["not_before"], change.files[1]["retrying_since"]) == (
        (NOW + 60, NOW) if count == 1 else (0.0, None)
    )
    assert change.holds == {(Scope.ORGANIZATION, ""): QUOTA}


def test_a_file_that_is_refused_again_holds_nobody_else() -> None:
    """Smaller ones have passed since, or the organization would still be held; then its hold is renewed."""
    known = [member(1, FileState.BATCHED, hold="It is too large.", retrying_since=NOW - 90)]
    alone = events.refused(NOW, session(SessionState.PLANNED), known, "402", hold=QUOTA)
    still = events.refused(NOW, session(SessionState.PLANNED), known, "402", hold=replace(QUOTA, attempts=2))

    assert alone.holds == {}
    assert alone.files[1]["hold"].startswith("1.tif needs")
    assert (alone.files[1]["not_before"], alone.files[1]["retrying_since"]) == (NOW + 60, NOW - 90)
    assert still.holds == {(Scope.ORGANIZATION, ""): replace(QUOTA, attempts=2)}


@pytest.mark.parametrize(
    ("replays", "age", "clear"), [(False, 60.0, 1), (True, 60.0, 3), (True, events.KEY_LIFE + 1, 1)]
)
def test_where_initiate_is_replayed_lost_answers_have_reserved_nothing(
    *, replays: bool, age: float, clear: int
) -> None:
    """The answer that came is that of the first; but only as long as the platform knows the key."""
    planned = session(SessionState.PLANNED, initiates_sent=3, created_at=NOW - age)

    change = events.opened(NOW, planned, "u1", [], None, replays=replays)

    assert change.sessions[4]["initiates_clear"] == clear

"""Who waits although nothing is held, as a plan tells it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core import waits
from uploader.core.model import (
    FileState,
    Layout,
    PlatformProfile,
    SessionKey,
    SessionState,
)
from uploader.core.planner import LIVE_SESSIONS, plan
from uploader.core.planner_view import Disposal, PlannerView, Queued, Session, SessionMember, Settled, Waiting
from uploader.core.planning_pass import Wait

pytestmark = pytest.mark.unit

NOW = 10_000.0
KEY = SessionKey("p", "", "", "", categorical=False)
KNOWN = PlatformProfile("", {"p": Layout.PER_FILE}, None)
EMPTY = PlannerView({"/d": a_folder("p")}, profile=KNOWN)
CONVERTED = tuple(Waiting(n, "/d", 5, NOW - 2, False, f"{n}.tif") for n in range(1, 4))


def told(**facts: object) -> list[Wait]:
    """The waits of a plan."""
    return plan(replace(EMPTY, **facts), NOW, settings_with(batch={"linger_seconds": 10.0})).waits


def busy(count: int) -> tuple[Session, ...]:
    """Sessions that have just been opened, all of their transfers running."""
    return tuple(
        Session(n, KEY, SessionState.OPEN, (SessionMember(n, FileState.BATCHED, 5),)) for n in range(count)
    )


def test_converted_files_wait_for_more_of_them() -> None:
    """Until their batch closes at the latest."""
    (wait,) = told(waiting=CONVERTED, coming=frozenset({"/d"}), settling={"/d": 1})

    assert (wait.what, wait.why, wait.files) == (FileState.CONVERTED, waits.MORE_FILES, 3)
    assert wait.until is not None
    assert NOW < wait.until <= NOW + 300


def test_converted_files_wait_for_sessions_that_are_under_way() -> None:
    """For one of them to end, or for the first one to a target to show how many items it makes."""
    first = told(waiting=CONVERTED, sessions=busy(1), profile=PlatformProfile())

    assert Wait(FileState.CONVERTED, waits.SESSION_END, 3) in told(
        waiting=CONVERTED, sessions=busy(LIVE_SESSIONS)
    )
    assert Wait(FileState.CONVERTED, waits.FIRST_READ_BACK, 3) in first


def test_who_failed_waits_for_another_try() -> None:
    """Of each state together, until the first of them is due: a session with all its files."""
    members = tuple(SessionMember(n, FileState.BATCHED, 5) for n in (1, 2))
    tried = {"not_before": NOW + 9, "retrying_since": NOW - 1}
    found = told(
        queued=(Queued(7, "/d", 5, "c", NOW + 3, retrying_since=NOW - 1),),
        queued_total=1,
        sessions=(
            Session(1, KEY, SessionState.PLANNED, members, **tried),
            Session(2, KEY, SessionState.OPEN, (SessionMember(3, FileState.BATCHED, 5, NOW + 4, NOW - 1),)),
            Session(3, KEY, SessionState.COMPLETED, members, readback_due=True, **tried),
        ),
        disposals=(Disposal(9, NOW + 60, NOW - 1),),
    )

    assert found == [
        Wait(FileState.QUEUED, waits.ANOTHER_TRY, 1, NOW + 3),
        Wait(FileState.BATCHED, waits.ANOTHER_TRY, 3, NOW + 4),
        Wait(FileState.COMPLETED, waits.ANOTHER_TRY, 1, NOW + 60),
    ]


def test_who_is_in_line_is_told() -> None:
    """Behind the conversions that run; and in the drop folder, behind the copies that are to be converted."""
    queued = tuple(Queued(n, "/d", 5, f"{n}") for n in range(4))
    settled = tuple(Settled(n, "/d", 5) for n in range(50, 53))
    found = told(
        queued=queued,
        queued_total=40,
        settled=settled,
        busy=frozenset({("file", 0), ("file", 1)}),
        running={"Convert": 2},
    )

    assert found == [
        Wait(FileState.QUEUED, waits.FREE_CONVERTER, 38),
        Wait(FileState.SETTLING, waits.ROOM_BEHIND_OTHERS, 3),
    ]


def test_nobody_waits_where_nothing_is_to_be_done() -> None:
    """A quiet daemon says nothing."""
    assert told() == []

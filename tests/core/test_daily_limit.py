"""How much may leave on one day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_planner import EMPTY, NOW, SETTINGS, session, waiting
from tests.support.configured import settings_with
from uploader.core import actions as act
from uploader.core.configuration import Settings
from uploader.core.model import FileState, HoldCause, SessionState
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView

pytestmark = pytest.mark.unit

LIMITED = settings_with(SETTINGS, transfer={"daily_limit": 100, "concurrency": 4})
MIDNIGHT = NOW + 3600
FULL = replace(EMPTY, sent_today=100, day_ends=MIDNIGHT)
OPEN = session(SessionState.OPEN, FileState.BATCHED, FileState.STORED)


def actions(view: PlannerView, settings: Settings = LIMITED) -> list[act.Action]:
    """What is begun."""
    return plan(view, NOW, settings).actions


def test_nothing_is_sent_nor_reserved_beyond_the_limit() -> None:
    """No transfer, no session that would keep quota for a day, and no new batch."""
    planned = session(SessionState.PLANNED, FileState.BATCHED)

    assert actions(replace(FULL, sessions=(OPEN,))) == []
    assert actions(replace(FULL, sessions=(planned,))) == []
    assert actions(replace(FULL, waiting=(waiting(1, age=600),))) == []


def test_what_was_sent_is_completed() -> None:
    """That costs the line nothing."""
    stored = session(SessionState.OPEN, FileState.STORED)

    assert actions(replace(FULL, sessions=(stored,))) == [act.Complete(7)]


def test_a_day_below_its_limit_goes_on() -> None:
    """A file that is larger than what is left is sent all the same: else it would never be."""
    view = replace(EMPTY, sent_today=99, day_ends=MIDNIGHT, sessions=(OPEN,))

    assert actions(view) == [act.Put(1, 7)]
    assert actions(replace(FULL, sessions=(OPEN,)), SETTINGS) == [act.Put(1, 7)], "there is no limit"


def test_what_is_being_sent_counts() -> None:
    """Else each free slot would exceed the limit by one file."""
    two = session(SessionState.OPEN, FileState.BATCHED, FileState.BATCHED)
    view = replace(EMPTY, sent_today=95, sessions=(two,), busy=frozenset({("file", 1)}), running={"Put": 1})

    assert actions(view) == []
    assert actions(replace(view, sent_today=80)) == [act.Put(2, 7)]


def test_the_limit_is_a_hold_until_midnight() -> None:
    """Where something waits for it; it names the limit and the way out."""
    made = plan(replace(FULL, sessions=(OPEN,)), NOW, LIMITED)
    (hold,) = made.holds

    assert (hold.cause, hold.until, made.wake_at) == (HoldCause.DAILY_LIMIT, MIDNIGHT, MIDNIGHT)
    assert "daily_limit" in hold.reason
    assert type(hold.subject) is str, "the log shows it as it is"
    assert "reload" in hold.way_out
    assert plan(FULL, NOW, LIMITED).holds == []

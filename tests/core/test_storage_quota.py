"""What the storage quota may have room for, once it has refused a file that was alone in its session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_planner import EMPTY, KEY, NOW, SETTINGS, actions, hold, members_of, waiting
from uploader.core import actions as act
from uploader.core.model import FileState, Scope, SessionState
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView, Session, SessionMember, Waiting
from uploader.core.planning_pass import OUTAGE_SHOWN_AFTER, Wait
from uploader.core.waits import MORE_QUOTA

pytestmark = pytest.mark.unit

LATER, DUE = NOW + 60, NOW - 1


def refused(file_id: int, size: int = 400, at: float = LATER) -> Waiting:
    """A file that the quota has refused by itself, to be tried again at this time."""
    return waiting(file_id, size=size, not_before=at, held=True)


def view_of(*files: Waiting) -> PlannerView:
    """Converted files that wait."""
    return replace(EMPTY, waiting=files)


def test_smaller_files_pass_one_that_was_refused() -> None:
    """It is neither waited for nor forgotten: the next look is when its time comes."""
    made = plan(view_of(refused(1), waiting(2, size=30)), NOW, SETTINGS)
    alone = plan(view_of(refused(1)), NOW, SETTINGS)

    assert members_of(view_of(refused(1), waiting(2, size=30))) == [2]
    assert isinstance(made.actions[0], act.PlanSession)
    assert (alone.actions, alone.wake_at, alone.idle) == ([], LATER, True)


def test_what_was_refused_is_tried_alone_and_at_once_when_its_time_comes() -> None:
    """After all that is smaller, however long it has waited, and without waiting for more files."""
    both = view_of(refused(1, at=DUE), waiting(2, size=30))

    assert members_of(both) == [2]
    assert members_of(view_of(replace(refused(1, at=DUE), since=NOW))) == [1]


def test_nothing_as_large_is_tried_before_it() -> None:
    """Of a thousand that are too large one is asked for a minute; the others wait for it, and that is said."""
    files = (refused(1), refused(2, size=500, at=DUE), waiting(3, size=400), waiting(4, size=900))
    made = plan(view_of(*files), NOW, SETTINGS)

    assert made.actions == []
    assert Wait(FileState.CONVERTED, MORE_QUOTA, 2, LATER) in made.waits
    assert members_of(view_of(refused(1, at=DUE), refused(2, size=500, at=DUE), waiting(4, size=900))) == [1]


def test_while_it_is_tried_again_the_others_wait_for_the_answer() -> None:
    """It is a member of a session then, for which the quota is asked; that it was retried before is no outage."""
    member = SessionMember(1, FileState.BATCHED, 400, DUE, NOW - 2 * OUTAGE_SHOWN_AFTER, "/d", held=True)
    asked = Session(7, KEY, SessionState.PLANNED, (member,))
    files = (waiting(2, size=500), waiting(3, size=20))
    view = replace(view_of(*files), sessions=(asked,), busy=frozenset({("session", 7)}))

    assert members_of(view) == [3]
    assert plan(view, NOW, SETTINGS).holds == []
    opened = replace(asked, state=SessionState.OPEN, members=(replace(member, held=False),))
    assert members_of(replace(view, sessions=(opened,))) == [2, 3]


def test_while_everybody_is_held_the_smallest_is_the_probe() -> None:
    """The hold of the organization says why all others wait."""
    held = replace(view_of(refused(1, at=DUE), waiting(2, size=500)), holds=(hold(Scope.ORGANIZATION, DUE),))
    made = plan(held, NOW, SETTINGS)

    assert members_of(held) == [1]
    assert made.waits == []
    assert actions(replace(held, holds=(hold(Scope.ORGANIZATION, LATER),))) == []

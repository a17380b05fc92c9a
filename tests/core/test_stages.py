"""When a stage of the work stands still, and when another hold says why already."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core.holds import OF_STAGES
from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView
from uploader.core.stages import DOES, EXPLAINED_BY, OF_ACTIONS, Stage, running

pytestmark = pytest.mark.unit

NOW = 10_000.0
STALLED_AFTER = settings_with().notify.stalled_after
EMPTY = PlannerView({"/d": a_folder("p")})
ACTION_OF = {stage: next(name for name, found in OF_ACTIONS.items() if found is stage) for stage in Stage}


def stalled(stage: Stage, ago: float, *holds: Hold, number: int = 1) -> list[Hold]:
    """The holds of stages, where so many run in this one and its last sign of life was so many seconds ago."""
    view = replace(EMPTY, running={ACTION_OF[stage]: number}, silence={stage: ago}, holds=holds)
    return [hold for hold in plan(view, NOW, settings_with()).holds if hold.scope is Scope.STAGE]


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_without_a_sign_of_life_is_told(stage: Stage) -> None:
    """After five minutes, with the stage as its subject; it lasts since the last sign."""
    assert stalled(stage, STALLED_AFTER - 1) == []
    (hold,) = stalled(stage, STALLED_AFTER)

    assert (hold.cause, hold.subject, hold.since) == (HoldCause.STALLED, stage, NOW - STALLED_AFTER)
    assert "5 minutes" in hold.reason
    assert hold.way_out
    assert type(hold.subject) is str, "the log shows it as it is"


def test_how_long_is_too_long_is_a_setting() -> None:
    """What is told says the time that it has been."""
    view = replace(EMPTY, running={"Put": 1}, silence={Stage.PUT: 40.0})
    (hold,) = plan(view, NOW, settings_with(notify={"stalled_after": 40.0})).holds
    assert (hold.cause, "40 seconds" in hold.reason) == (HoldCause.STALLED, True)
    assert not plan(view, NOW, settings_with(notify={"stalled_after": 41.0})).holds


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_without_work_stands_still_rightly(stage: Stage) -> None:
    """All night, if nothing is dropped."""
    assert stalled(stage, 86_400, number=0) == []


@pytest.mark.parametrize(
    ("stage", "scope"), [(stage, scope) for stage in Stage for scope in sorted(EXPLAINED_BY[stage])]
)
def test_what_another_hold_says_is_not_told_twice(stage: Stage, scope: Scope) -> None:
    """A folder that does not answer, a platform that does not, a journal that takes nothing."""
    assert stalled(stage, STALLED_AFTER, Hold(scope, "", "why", until=NOW + 60)) == []


def test_a_stage_that_was_told_to_stand_still_is_so_whatever_folder_is_held_since() -> None:
    """Else its hold would end and begin with those of all folders; a hold that says more takes its place."""
    view = replace(EMPTY, running={"Dispose": 1}, silence={Stage.DISPOSE: 999.0})
    before = plan(view, NOW, settings_with()).stalled
    folder, journal = (Hold(scope, "", "why", since=NOW) for scope in (Scope.FOLDER, Scope.JOURNAL))
    seen = replace(view, stalled=before, holds=(folder,))

    assert before == {"dispose"}
    assert [hold.cause for hold in plan(seen, NOW, settings_with()).holds] == [HoldCause.STALLED]
    assert plan(replace(seen, stalled=frozenset()), NOW, settings_with()).holds == []
    assert plan(replace(seen, holds=(folder, journal)), NOW, settings_with()).holds == []


def test_every_action_has_its_stage() -> None:
    """But for those that are entries in the journal alone; and every stage has its words."""
    names = {action.__name__ for action in get_args(act.Action)}

    assert names - set(OF_ACTIONS) == {"SkipTwin", "PlanSession", "EndHold"}
    assert set(OF_ACTIONS) <= names
    assert set(DOES) == set(EXPLAINED_BY) == set(Stage)
    assert set(OF_STAGES) <= set(Stage)
    assert running({"Put": 3, "Initiate": 1, "Complete": 1, "SkipTwin": 5})[Stage.CALL] == 2

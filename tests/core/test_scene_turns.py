"""Scenes in a plan: what is done for them, and what a person is told of those that wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core import waits
from uploader.core.hold_causes import CAUSES
from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.planner import Plan, plan
from uploader.core.planner_view import PlannerView
from uploader.core.scenes import Describing, KeptBack, Scene

pytestmark = pytest.mark.unit

NOW = 1000.0
SCENE = Scene(id=1, project_id="p", name="S", collection_id="", lead="a", patience=60.0)


def planned(view: PlannerView) -> Plan:
    """The plan for a view."""
    return plan(view, NOW, settings_with())


def kept(scene: Scene, *, since: float = NOW, making: bool = False) -> PlannerView:
    """Two files of a scene that wait."""
    return PlannerView({"/d": a_folder("p")}, kept_back=(KeptBack(scene, 2, 20, since, making),))


def test_one_scene_at_a_time_gets_what_it_needs() -> None:
    """So scenes of one collection do not each make it; whoever's time has not come is passed over."""
    wants = replace(SCENE, collection_id=None)
    later = replace(wants, id=2, not_before=NOW + 5)
    view = PlannerView({}, scenes=(later, wants, replace(wants, id=3)))

    assert planned(view).actions == [act.AdvanceScene(1)]
    busy = replace(view, busy=frozenset({("scene", 1)}), running={"AdvanceScene": 1})
    assert planned(busy).actions == []
    assert not planned(busy).idle


def test_while_the_platform_is_held_only_the_disk_is_asked() -> None:
    """The marker of a scene lies in its folder."""
    marker = replace(SCENE, id=2, marker="done", complete_by=NOW + 60)
    hold = Hold(Scope.PLATFORM, "", "why", until=NOW + 60)
    known = replace(SCENE, item_id="it", describing=Describing.DUE)

    found = planned(PlannerView({}, scenes=(known, marker), holds=(hold,)))

    assert found.actions == [act.AdvanceScene(2)]


def test_a_marker_is_looked_for_once_before_nobody_waits_for_it() -> None:
    """It may lie there already; else it comes from others, and the daemon looks again."""
    due = replace(SCENE, marker="done", complete_by=NOW + 60)
    looked = planned(PlannerView({}, scenes=(replace(due, not_before=NOW + 5),)))

    assert not planned(PlannerView({}, scenes=(due,))).idle
    assert (looked.idle, looked.wake_at) == (True, NOW + 5)


def test_a_primary_that_does_not_come_is_a_hold() -> None:
    """Until then it is told who waits; it comes from others, so a run until all is done does not wait for it."""
    waiting, late = planned(kept(SCENE)), planned(kept(SCENE, since=NOW - 61))

    assert ([wait.why for wait in waiting.waits], waiting.idle) == ([waits.SCENE_PRIMARY], True)
    assert waiting.wake_at == NOW + 60
    assert [(hold.cause, hold.files, hold.size) for hold in late.holds] == [
        (HoldCause.SCENE_PRIMARY_MISSING, 2, 20)
    ]
    assert late.idle


@pytest.mark.parametrize(
    ("scene", "cause"),
    [
        (replace(SCENE, hold="It is no raster."), HoldCause.SCENE_PRIMARY_REJECTED),
        (
            replace(
                SCENE, collection_id=None, retrying_since=NOW - 40, last_error="None.", not_before=NOW + 9
            ),
            HoldCause.SCENE_COLLECTION,
        ),
    ],
)
def test_what_keeps_a_scene_is_told_with_a_way_out(scene: Scene, cause: HoldCause) -> None:
    """By the table of causes."""
    (hold,) = planned(kept(scene)).holds

    assert (hold.cause, hold.scope) == (cause, Scope.SCENE)
    assert hold.scope in CAUSES[cause].scopes
    assert hold.reason
    assert hold.way_out


def test_files_that_wait_for_their_item_are_told_as_waiting() -> None:
    """Nothing holds them: the session under way does."""
    found = planned(kept(SCENE, making=True))

    assert (found.holds, [wait.why for wait in found.waits]) == ([], [waits.SCENE_ITEM])

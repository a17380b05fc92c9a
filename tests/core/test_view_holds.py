"""What the view alone says is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.core.test_planner import EMPTY, NOW, SETTINGS, mistake, waiting
from tests.support.configured import settings_with
from uploader.core import view_holds
from uploader.core.model import Hold, HoldCause, Layout, Pause, PlatformProfile, Scope
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView, Queued
from uploader.core.planning_pass import OUTAGE_SHOWN_AFTER, PlanningPass

pytestmark = pytest.mark.unit


def shown(rule: Callable[[PlanningPass], None], view: PlannerView) -> list[Hold]:
    """The holds that one rule shows of a view."""
    turn = PlanningPass(view, NOW, SETTINGS)
    rule(turn)
    return turn.plan.holds


def test_files_of_a_folder_that_left_the_configuration_are_held() -> None:
    """Converted or queued ones, one hold for each folder; where no file waits, nothing is."""
    files = {
        "waiting": (replace(waiting(1), folder="/gone"), waiting(2)),
        "queued": (Queued(3, "/gone", 1, "c"),),
    }

    assert shown(view_holds.unconfigured, EMPTY) == []
    (hold,) = shown(view_holds.unconfigured, replace(EMPTY, **files))  # type: ignore[arg-type]
    assert (hold.scope, hold.subject, hold.cause) == (Scope.FOLDER, "/gone", HoldCause.FOLDER_UNCONFIGURED)


def test_a_target_that_merges_rasters_is_held_whatever_else_goes_on() -> None:
    """While a session of another target is planned, too, and whoever of its files may be tried now."""
    merging = PlatformProfile(layouts={"p": Layout.PER_SESSION})
    view = replace(EMPTY, profile=merging, waiting=(waiting(1), waiting(2, not_before=NOW + 9)))
    alone = PlanningPass(view, NOW, settings_with(SETTINGS, batch={"max_files": 1}))
    view_holds.merging(alone)

    (hold,) = plan(replace(view, busy=frozenset({("plan", 0)})), NOW, SETTINGS).holds
    assert (hold.scope, hold.subject, hold.cause) == (Scope.TARGET, "p", HoldCause.LAYOUT_UNKNOWN)
    assert [one.subject for one in shown(view_holds.merging, replace(view, waiting=view.waiting[1:]))] == [
        "p"
    ]
    assert alone.plan.holds == shown(view_holds.merging, replace(view, waiting=())) == []


def test_a_pause_is_a_hold_while_it_lasts() -> None:
    """Also where nothing waits for it."""
    pauses = (Pause("/d", NOW - 9, NOW + 9), Pause("/e", NOW - 9, NOW - 1))

    assert [hold.subject for hold in shown(view_holds.paused, replace(EMPTY, pauses=pauses))] == ["/d"]


def test_of_many_mistakes_the_first_are_shown_and_the_others_counted() -> None:
    """Else a mistake that concerns every file would fill the screen."""
    many = tuple(mistake("file", n) for n in range(view_holds.SHOWN + 7))
    holds = shown(view_holds.mistaken, replace(EMPTY, mistakes=many))

    assert len(holds) == view_holds.SHOWN
    assert "7 more" in holds[0].way_out


def test_a_machine_without_threads_is_told_of_after_a_while() -> None:
    """A moment without one is no hold, nor is one more where the machine is held already."""
    short = replace(EMPTY, no_thread_since=NOW - OUTAGE_SHOWN_AFTER)

    assert shown(view_holds.short_of_threads, replace(EMPTY, no_thread_since=NOW - 1)) == []
    (hold,) = shown(view_holds.short_of_threads, short)
    assert hold.cause is HoldCause.MACHINE_SHORT
    held = Hold(Scope.MACHINE, "", "It is short.", since=NOW, until=None)
    assert shown(view_holds.short_of_threads, replace(short, holds=(held,))) == []

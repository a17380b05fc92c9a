"""What is known of the actions that run."""

from __future__ import annotations

import pytest

from uploader.activity import Activity
from uploader.core import actions as act
from uploader.core.planner_view import PlannerView, Queued, Settled
from uploader.daemon.running_actions import RunningActions

pytestmark = pytest.mark.unit


def test_what_runs_is_seen_until_it_ends() -> None:
    """A claim and a conversion reserve room, a claim is counted for its folder, and only a call is waited for."""
    view = PlannerView({}, settled=(Settled(1, "/drop", 1000),), queued=(Queued(2, "/drop", 500, "c"),))
    actions = [act.Claim(1), act.Convert(2), act.Put(3, 9)]
    running = RunningActions(Activity())
    for action in actions:
        running.begin(action, view)

    seen = running.seen()
    assert seen.busy == {("file", 1), ("file", 2), ("file", 3)} == set(seen.since)
    assert (seen.copying, running.calls()) == ({"/drop": 1}, 1)
    assert running.counted() == {"Claim": 1, "Convert": 1, "Put": 1}

    assert sum(running.end(action) for action in actions) == seen.reserved_bytes > 1500
    assert (running.seen().busy, running.seen().reserved_bytes, running.calls()) == (frozenset(), 0, 0)


def test_beginning_and_end_are_signs_of_life() -> None:
    """Of the stage that the action belongs to."""
    activity = Activity()
    running = RunningActions(activity)
    running.begin(act.Put(3, 9), PlannerView({}))
    first = activity.silence()
    assert first
    running.end(act.Put(3, 9))
    assert set(activity.silence()) == set(first)

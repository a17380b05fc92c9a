"""When a hold of a target or of the quota ends although no call did: nothing is left to try it with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core.failure_policy import PROBE_REFUSED
from uploader.core.model import FileState, Hold, OwnTarget, Pause, Scope, SessionKey, SessionState
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView, Queued, Session, SessionMember, Settled, Waiting

pytestmark = pytest.mark.unit

NOW = 1e6
TARGET = Hold(Scope.TARGET, "p", "It is refused.", since=NOW - 9, until=NOW + 99)
QUOTA = Hold(Scope.ORGANIZATION, "", "It is full.", since=NOW - 9, until=NOW + 99)
PLACES = {"/d": a_folder("p"), "/e": a_folder("q")}
HELD = PlannerView(PLACES, holds=(TARGET,))


def ended(view: PlannerView) -> list[act.Action]:
    """The holds that a plan ends."""
    return [one for one in plan(view, NOW, settings_with()).actions if isinstance(one, act.EndHold)]


def waiting(folder: str = "/d", own: OwnTarget | None = None) -> Waiting:
    """A converted file."""
    more: dict[str, Any] = {"own_target": own} if own else {}
    return Waiting(1, folder, 9, NOW, categorical=False, file_name="a.tif", **more)


def session(state: SessionState, project: str = "p") -> Session:
    """One of a file."""
    key = SessionKey(project, "", "", "", categorical=False)
    return Session(7, key, state, (SessionMember(1, FileState.STORED, 9, folder="/d"),), not_before=NOW + 9)


@pytest.mark.parametrize("hold", [TARGET, QUOTA], ids=["target", "quota"])
def test_a_hold_ends_with_its_last_file(hold: Hold) -> None:
    """Whenever it would be tried next; what a transfer or a disposal waits for is another matter."""
    done = replace(session(SessionState.COMPLETED), readback_due=True)
    view = replace(HELD, holds=(hold,))

    assert ended(view) == [act.EndHold(hold.scope, hold.subject)]
    assert ended(replace(view, sessions=(done,))) == [act.EndHold(hold.scope, hold.subject)]


@pytest.mark.parametrize("hold", [TARGET, QUOTA], ids=["target", "quota"])
@pytest.mark.parametrize(
    "more",
    [
        {"waiting": (waiting(),)},
        {"sessions": (session(SessionState.PLANNED),)},
        {"sessions": (session(SessionState.COMPLETING),)},
        {"queued": (Queued(1, "/d", 9, "x", not_before=NOW + 9),), "queued_total": 1},
        {"queued_total": 1},
        {"settled": (Settled(1, "/d", 9),)},
        {"settling": {"/d": 1}},
        {"settling": {"/gone": 1}},
        {"pauses": (Pause("/d", NOW - 9),)},
    ],
    ids=str,
)
def test_a_hold_that_a_file_may_wait_for_stays(hold: Hold, more: dict[str, Any]) -> None:
    """Also where the file is not converted, or is out of the planner's view."""
    assert ended(replace(HELD, holds=(hold,), **more)) == []


def test_files_for_elsewhere_keep_no_target_held() -> None:
    """Another project's, and those that go to items of their own."""
    own = waiting(own=OwnTarget(item_id="i"))
    there = (session(SessionState.OPEN, "q"),)

    assert ended(replace(HELD, waiting=(waiting("/e"), own), sessions=there, settling={"/e": 3}))
    assert not ended(replace(HELD, waiting=(own,), holds=(replace(TARGET, subject="p/i"),)))


def test_what_a_probe_found_is_ended_by_a_probe() -> None:
    """No file waited for it when it began; nor is it so of what reaches further."""
    probed = replace(TARGET, reason=f"{PROBE_REFUSED} (no role).")
    platform = replace(QUOTA, scope=Scope.PLATFORM)

    assert ended(replace(HELD, holds=(probed, platform))) == []


def test_holds_end_one_after_another() -> None:
    """Each is an entry of its own in the journal."""
    view = replace(HELD, holds=(TARGET, QUOTA))

    assert ended(view) == [act.EndHold(Scope.TARGET, "p")]
    assert ended(replace(view, busy=frozenset({act.HOLDS}))) == []

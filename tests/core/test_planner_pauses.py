"""What a pause keeps from being begun, and what goes on all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_planner import EMPTY, KEY, NOW, SETTINGS, session, waiting
from tests.support.configured import a_folder, settings_with
from uploader.core import actions as act
from uploader.core.model import FileState, Layout, Pause, PlatformProfile, Scope, SessionState
from uploader.core.planner import Plan, plan
from uploader.core.planner_view import Disposal, PlannerView, Queued, Session, SessionMember, Settled, Waiting

pytestmark = pytest.mark.unit

FOLDER, ALL = Pause("/d", NOW - 60), Pause("", NOW - 60)
TWO = replace(EMPTY, destinations={"/d": a_folder("p"), "/e": a_folder("p")})


def planned(folder: str, session_id: int = 7, state: SessionState = SessionState.PLANNED) -> Session:
    """A session of one file of this folder."""
    member = SessionMember(session_id * 10, FileState.BATCHED, 10, folder=folder)
    return Session(session_id, KEY, state, (member,))


def paused(view: PlannerView, *pauses: Pause) -> Plan:
    """The plan with these pauses."""
    return plan(replace(view, pauses=pauses), NOW, SETTINGS)


BEGINNINGS = {
    "claim": {"settled": (Settled(1, "/d", 10),)},
    "convert": {"queued": (Queued(1, "/d", 10, "c"),), "queued_total": 1},
    "skip a twin": {"queued": (Queued(1, "/d", 10, "c"),), "twins_completed": frozenset({1})},
    "batch": {"waiting": (waiting(1),)},
    "initiate": {"sessions": (planned("/d"),)},
}


@pytest.mark.parametrize("begun", BEGINNINGS)
@pytest.mark.parametrize("pause", [FOLDER, ALL])
def test_nothing_new_is_begun(begun: str, pause: Pause) -> None:
    """Of the folder, or of any; it is a hold, and nothing is left to wait for but its end."""
    view = replace(EMPTY, **BEGINNINGS[begun])  # type: ignore[arg-type]
    assert len(paused(view).actions) == 1

    found = paused(view, pause)

    assert (found.actions, found.idle, found.wake_at) == ([], True, None)
    assert [hold.subject for hold in found.holds] == [pause.folder]


@pytest.mark.parametrize("begun", BEGINNINGS)
@pytest.mark.parametrize(
    "pause", [Pause("/e", NOW - 60), Pause("/d", NOW - 60, NOW), Pause("", 0.0, NOW - 1)]
)
def test_other_folders_go_on_and_so_does_one_whose_pause_is_over(begun: str, pause: Pause) -> None:
    """It ends by itself, without anybody doing anything."""
    view = replace(EMPTY, **BEGINNINGS[begun])  # type: ignore[arg-type]

    assert paused(view, pause).actions == paused(view).actions


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (SessionState.OPEN, act.Put(70, 7)),
        (SessionState.COMPLETING, act.Complete(7)),
        (SessionState.FAILING, act.Abandon(7)),
    ],
)
def test_an_open_session_goes_on_to_its_end(state: SessionState, step: act.Action) -> None:
    """Or its reservation and its signed URLs would be lost."""
    assert paused(replace(EMPTY, sessions=(planned("/d", state=state),)), FOLDER, ALL).actions == [step]


def test_what_has_become_an_item_is_put_away() -> None:
    """Read back, the source archived or deleted, copies removed."""
    done = session(SessionState.COMPLETED, FileState.COMPLETED, readback_due=True)
    view = replace(EMPTY, sessions=(done,), disposals=(Disposal(3),), discards=(4,))

    assert paused(view, ALL).actions == [act.Discard((4,)), act.Dispose(3), act.ReadBack(7)]


def test_it_is_looked_again_when_a_pause_ends() -> None:
    """Also where nothing waits for it, it is told."""
    found = paused(EMPTY, Pause("/d", NOW - 60, NOW + 90))

    assert (found.wake_at, len(found.holds), found.idle) == (NOW + 90, 1, True)


@pytest.mark.parametrize(("pauses", "idle"), [((), False), ((FOLDER,), True)])
def test_nobody_waits_for_files_that_settle_in_a_paused_folder(pauses: tuple[Pause, ...], idle: bool) -> None:
    """A run until idle ends on the hold."""
    assert paused(replace(EMPTY, settling={"/d": 2}), *pauses).idle is idle


def test_a_session_that_is_kept_closed_holds_up_no_other() -> None:
    """Neither by its place among the live ones, nor as the first to a target, nor as the probe of the quota."""
    closed = tuple(planned("/d", n) for n in range(1, 5))
    other = Waiting(99, "/e", 10, NOW - 60, False, "e.tif")
    view = replace(
        TWO, profile=PlatformProfile(layouts={"p": Layout.UNKNOWN}), sessions=closed, waiting=(other,)
    )

    (action,) = paused(view, FOLDER).actions
    assert isinstance(action, act.PlanSession)


def test_a_batch_does_not_wait_for_a_paused_folder() -> None:
    """Whose files may come in an hour or never."""
    coming = replace(TWO, waiting=(waiting(1, age=60),), coming=frozenset({"/e"}), running={"Put": 4})
    assert paused(coming).actions == []

    assert len(paused(coming, Pause("/e", NOW - 60)).actions) == 1


def test_a_session_is_not_closed_early_for_the_room_of_a_paused_folder() -> None:
    """What waits for room there does not wait for uploads."""
    view = replace(
        TWO, waiting=(waiting(1, age=1),), settled=(Settled(2, "/e", 100),), free_bytes=SETTINGS.limits.min_free_bytes,
        staged_bytes=1 << 40,
    )  # fmt: skip
    settings = settings_with(SETTINGS, staging={"max_bytes": 1 << 41})
    early = plan(replace(view, pauses=()), NOW, settings).actions
    late = plan(replace(view, pauses=(Pause("/e", NOW - 60),)), NOW, settings).actions

    assert [type(action) for action in early] == [act.PlanSession]
    assert late == []


def test_nothing_else_is_told_of_what_is_paused() -> None:
    """Neither that staging has no room for it, nor an outage that kept its session from being opened."""
    retried = replace(planned("/d"), retrying_since=NOW - 600, not_before=NOW + 30)
    view = replace(
        EMPTY,
        settled=(Settled(1, "/d", 100),),
        free_bytes=SETTINGS.limits.min_free_bytes,
        sessions=(retried,),
    )
    assert {hold.scope for hold in paused(view).holds} >= {Scope.PLATFORM}

    found = paused(view, FOLDER)

    assert [(hold.scope, hold.subject) for hold in found.holds] == [(Scope.FOLDER, "/d")]
    assert (found.idle, found.wake_at) == (True, None)

"""No state without a way out: by the tables alone, by the planner's answers, and by visiting every state there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tests.sim import planted
from tests.sim.explore import explore, without_way_out
from tests.support.configured import a_folder, settings_with
from uploader.core.lifecycle import (
    COUPLED,
    FILE_ARROWS,
    FILE_ENDS,
    SESSION_ARROWS,
    SESSION_ENDS,
    FileEvent,
    SessionEvent,
)
from uploader.core.model import (
    FileState,
    Hold,
    Layout,
    PlatformProfile,
    Scope,
    SessionKey,
    SessionState,
)
from uploader.core.planner import plan
from uploader.core.planner_view import Disposal, PlannerView, Queued, Session, SessionMember, Settled, Waiting

pytestmark = pytest.mark.unit

NOW = 1_000_000.0
KEY = SessionKey("p", "", "", "", categorical=False)
MEMBERS = {
    SessionState.PLANNED: {FileState.BATCHED},
    SessionState.OPEN: {FileState.BATCHED, FileState.STORED},
    SessionState.COMPLETING: {FileState.STORED},
    SessionState.FAILING: {FileState.BATCHED, FileState.STORED},
}
"""The states of files within a live session."""


def ends_after(arrows: dict, ends: frozenset) -> set:
    """All states from which some arrows lead to an end."""
    reach = set(ends)
    while more := {state for state, ways in arrows.items() if reach & set(ways.values())} - reach:
        reach |= more
    return reach


def test_every_state_leads_to_an_end() -> None:
    """The tables have no trap, and know every state."""
    assert ends_after(FILE_ARROWS, FILE_ENDS) == set(FileState) == set(FILE_ARROWS)
    assert ends_after(SESSION_ARROWS, SESSION_ENDS) == set(SessionState) == set(SESSION_ARROWS)


def test_every_event_can_happen() -> None:
    """No event is without an arrow."""
    assert {event for ways in FILE_ARROWS.values() for event in ways} == set(FileEvent)
    assert {event for ways in SESSION_ARROWS.values() for event in ways} == set(SessionEvent)


def test_members_can_follow_their_session() -> None:
    """Whatever ends a session has an arrow for every state that a member of it can be in."""
    for state, members in MEMBERS.items():
        for event in set(SESSION_ARROWS[state]) & set(COUPLED):
            completes = COUPLED[event] is FileEvent.COMPLETED  # which is asked for once all are stored
            for member in {FileState.STORED} if completes else members:
                assert COUPLED[event] in FILE_ARROWS[member], (state, event, member)


def views() -> list[tuple[str, PlannerView]]:
    """One file, or one session with a file or two, in every state in which something is to be done about it."""
    found = [
        (
            "settled",
            PlannerView({"/d": a_folder("p")}, settled=(Settled(1, "/d", 10),), settling={"/d": 1}),
        ),
        ("queued", PlannerView({"/d": a_folder("p")}, queued=(Queued(1, "/d", 10, "c"),), queued_total=1)),
        ("unconfigured", PlannerView({}, queued=(Queued(1, "/d", 10, "c"),), queued_total=1)),
        (
            "twin",
            PlannerView(
                {"/d": a_folder("p")}, queued=(Queued(1, "/d", 10, "c"),), twins_completed=frozenset({1})
            ),
        ),
        ("disposal", PlannerView({"/d": a_folder("p")}, disposals=(Disposal(1),))),
        ("discard", PlannerView({"/d": a_folder("p")}, discards=(1,))),
    ]
    for layout in Layout:
        profile = PlatformProfile(layouts={"p": layout})
        waiting = (Waiting(1, "/d", 10, NOW, False, "a.tif"),)
        found.append(
            (f"waiting {layout}", PlannerView({"/d": a_folder("p")}, waiting=waiting, profile=profile))
        )
    for state, members in MEMBERS.items():
        for states in [(), *product(sorted(members)), *product(sorted(members), repeat=2)]:
            for locating in {False, state is SessionState.COMPLETING}:
                session = Session(
                    7,
                    KEY,
                    state,
                    tuple(SessionMember(i, s, 10) for i, s in enumerate(states)),
                    locating=locating,
                )
                found.append((f"{state} {states}", PlannerView({"/d": a_folder("p")}, sessions=(session,))))
    read = Session(7, KEY, SessionState.COMPLETED, (), readback_due=True)
    return [*found, ("read back", PlannerView({"/d": a_folder("p")}, sessions=(read,)))]


HELD = [
    Hold(scope, subject, "because", "do this", since=NOW - 60, until=until)
    for scope, subject in ((Scope.PLATFORM, ""), (Scope.ORGANIZATION, ""), (Scope.TARGET, "p"))
    for until in (NOW - 1, NOW + 60, None)
]


@pytest.mark.parametrize(("what", "view"), views(), ids=[name for name, _ in views()])
def test_the_planner_has_an_answer_to_every_state(what: str, view: PlannerView) -> None:
    """It acts, or knows when to look again, or a hold says what a person can do; and a hold that is due is probed."""
    for hold in (None, *HELD):
        seen = view if hold is None else replace(view, holds=(hold,))
        made = plan(seen, NOW, settings_with())
        words = [held.way_out for held in (*made.holds, *seen.holds) if held.until is None]

        assert made.actions or made.wake_at is not None or any(words), hold
        if hold is None or (hold.until is not None and hold.until <= NOW):
            assert made.actions or made.holds or made.wake_at is not None


@pytest.mark.parametrize("after_upload", ["keep", "delete"])
def test_every_state_with_one_fault_on_the_way_has_a_way_out(after_upload: str) -> None:
    """Each answer of each call, each local failure and each crash is followed to its end, or to words for a person."""
    nodes = explore(a_folder("p", after_upload=after_upload), 1)

    assert without_way_out(nodes) == []
    assert len(nodes) > 80


@pytest.mark.parametrize("plant", [planted.parks_without_a_probe, planted.leaves_members_behind])
def test_a_planted_trap_is_found(plant: planted.Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search would see a state that nobody leaves."""
    plant(monkeypatch)

    assert without_way_out(explore(a_folder("p"), 1))

"""The two tables: total, reachable, with a way out, and no short cut to the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core.lifecycle import (
    COUPLED,
    FILE_ARROWS,
    ITEMS,
    PENDING,
    SESSION_ARROWS,
    SESSION_ENDS,
    WORKED_ON,
    FileEvent,
    IllegalTransition,
    SessionEvent,
    advance_file,
    advance_session,
)
from uploader.core.model import FileState, SessionState

pytestmark = pytest.mark.unit


def reachable(arrows: dict, start: object) -> set:
    """All states that events can lead to."""
    seen, todo = {start}, [start]
    while todo:
        for target in arrows[todo.pop()].values():
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def test_tables_know_every_state() -> None:
    """Each state has a row, also when no arrow leaves it."""
    assert set(FILE_ARROWS) == set(FileState)
    assert set(SESSION_ARROWS) == set(SessionState)


def test_every_event_moves_something() -> None:
    """An event that no state knows would be a word without a meaning."""
    assert {event for row in FILE_ARROWS.values() for event in row} == set(FileEvent)
    assert {event for row in SESSION_ARROWS.values() for event in row} == set(SessionEvent)


def test_every_state_is_reachable_from_the_first() -> None:
    """No state is an island."""
    assert reachable(FILE_ARROWS, FileState.SETTLING) == set(FileState)
    assert reachable(SESSION_ARROWS, SessionState.PLANNED) == set(SessionState)


@pytest.mark.parametrize("state", list(FileState))
def test_every_file_can_still_end(state: FileState) -> None:
    """From everywhere there is a way to a state that nothing leaves by itself."""
    ends = {FileState.DISPOSED, FileState.REJECTED, FileState.DUPLICATE, FileState.GONE}

    assert reachable(FILE_ARROWS, state) & ends


@pytest.mark.parametrize("state", list(SessionState))
def test_every_session_can_still_end(state: SessionState) -> None:
    """No session stays open for ever."""
    assert reachable(SESSION_ARROWS, state) & SESSION_ENDS


def test_what_is_pending_may_still_become_an_item() -> None:
    """And nothing else may, but a rejected file that a person has tried again, or an archive that is unpacked again."""
    again = {FileState.REJECTED, FileState.UNPACKED}
    becoming = {state for state in FileState if reachable(FILE_ARROWS, state) & ITEMS} - ITEMS

    assert becoming - again == PENDING
    assert {state for state in PENDING if FileEvent.CLAIMED in FILE_ARROWS[state]} == PENDING - WORKED_ON


def test_no_road_to_disposal_skips_completion() -> None:
    """A source cannot go before its item exists."""
    without = {
        state: {event: target for event, target in row.items() if target is not FileState.COMPLETED}
        for state, row in FILE_ARROWS.items()
    }

    assert FileState.DISPOSED not in reachable(without, FileState.SETTLING)


def test_no_road_to_completion_skips_storage() -> None:
    """A session cannot complete a file whose bytes the store does not hold; a repair has seen its item instead."""
    without = {
        state: {
            event: target
            for event, target in row.items()
            if target is not FileState.STORED and event is not FileEvent.RECOGNISED
        }
        for state, row in FILE_ARROWS.items()
    }

    assert FileState.COMPLETED not in reachable(without, FileState.SETTLING)


def test_a_session_that_ends_moves_its_files() -> None:
    """Each end of a session is coupled to an event that both states of a member know."""
    for event, file_event in COUPLED.items():
        states = [FileState.STORED] if event is SessionEvent.COMPLETED else [FileState.BATCHED]
        for state in states:
            assert file_event in FILE_ARROWS[state]


def test_an_illegal_event_is_loud() -> None:
    """An event without an arrow is a bug and raises."""
    with pytest.raises(IllegalTransition, match="settling file knows no completed"):
        advance_file(FileState.SETTLING, FileEvent.COMPLETED)
    with pytest.raises(IllegalTransition, match="completed session knows no failed"):
        advance_session(SessionState.COMPLETED, SessionEvent.FAILED)


@given(st.lists(st.sampled_from(list(FileEvent)), max_size=40))
def test_random_events_stay_inside_the_table(events: list[FileEvent]) -> None:
    """Whatever happens in whatever order, a file is in a state that the table knows."""
    state = FileState.SETTLING
    for event in events:
        try:
            state = advance_file(state, event)
        except IllegalTransition:
            continue

    assert state in FILE_ARROWS

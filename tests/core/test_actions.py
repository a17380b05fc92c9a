"""What is busy while an action runs."""

from __future__ import annotations

from typing import get_args

import pytest

from uploader.core import actions
from uploader.core.batching import Batch
from uploader.core.model import Scope, SessionKey

pytestmark = pytest.mark.unit

BATCH = Batch(SessionKey("p", "", "", "", categorical=False), ())


def one_of(kind: type) -> actions.Action:
    """An action of a class, about row 7."""
    if kind is actions.PlanSession:
        return actions.PlanSession(BATCH)
    if kind is actions.Discard:
        return actions.Discard((7,))
    if kind is actions.EndHold:
        return actions.EndHold(Scope.TARGET, "p")
    return kind(7, 8) if kind is actions.Put else kind(7)


@pytest.mark.parametrize("kind", get_args(actions.Action), ids=lambda kind: kind.__name__)
def test_an_action_says_what_is_busy_and_can_be_compared(kind: type) -> None:
    """The loop keeps one action at a time for each subject, and finds a running one by equality."""
    action = one_of(kind)
    about = "session" if isinstance(action, actions.SessionAction) else "file"
    about = "scene" if kind is actions.AdvanceScene else about

    alone = {actions.PlanSession: ("plan", 0), actions.EndHold: ("hold", 0)}
    assert action.subjects == (alone.get(kind, (about, 7)),)
    assert action == one_of(kind)
    assert len({action, one_of(kind)}) == 1


def test_a_put_is_busy_with_its_file_and_not_with_its_session() -> None:
    """The files of a session are sent side by side."""
    assert actions.Put(1, 9).subjects != actions.Put(2, 9).subjects


def test_actions_of_two_classes_are_never_equal() -> None:
    """They have the same fields, and mean different things."""
    assert actions.Claim(1) != actions.Convert(1)
    assert actions.Complete(1) != actions.Abandon(1)

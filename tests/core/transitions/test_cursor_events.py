"""Who must be told of every event."""

from __future__ import annotations

import pytest

from uploader.core.transitions import cursor_events as events

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("before", "event", "after"), [(0, 7, 7), (7, 9, 9), (9, 7, 9)])
def test_a_cursor_never_goes_back(before: int, event: int, after: int) -> None:
    """What was told was told, in whichever order two commits come."""
    assert events.moved(0.0, "receipts", before, event).cursors == {"receipts": after}


@pytest.mark.parametrize(("lowest", "told"), [(None, True), (6, False), (7, True), (8, True)])
def test_an_event_is_told_once_the_last_cursor_is_there(lowest: int | None, told: bool) -> None:
    """Without any cursor nobody waits."""
    assert events.told(7, lowest) is told


def test_what_was_told_is_kept_with_the_cursor_and_leaves_with_it() -> None:
    """In one change, so that after a crash neither is without the other."""
    change = events.recorded(0.0, "notify.webhook", 3, 7, [{"cause": "quota"}])
    assert (change.cursors, change.learned) == (
        {"notify.webhook": 7},
        {"told:notify.webhook": [{"cause": "quota"}]},
    )
    left = events.left(0.0, "notify.webhook")
    assert (left.cursors, left.learned) == ({"notify.webhook": None}, {"told:notify.webhook": None})

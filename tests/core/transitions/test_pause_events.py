"""Pausing and resuming."""

from __future__ import annotations

import pytest

from uploader.core.model import Pause
from uploader.core.transitions import pause_events as events

pytestmark = pytest.mark.unit

NOW = 1000.0
OLD, OVER, ALL = Pause("/d", 5.0), Pause("/e", 5.0, NOW), Pause("", 7.0, NOW + 9)


def test_a_pause_is_entered_and_logged() -> None:
    """What has ended by itself is forgotten with it."""
    change = events.paused(NOW, [OVER], "/d", NOW + 60)

    assert change.pauses == {"/e": None, "/d": Pause("/d", NOW, NOW + 60)}
    assert [(line.event, line.note) for line in change.log] == [("paused", "/d")]


@pytest.mark.parametrize(("folder", "since"), [("/d", 5.0), ("/e", NOW), ("", NOW)])
def test_another_end_leaves_the_beginning(folder: str, since: float) -> None:
    """Of the same pause, as long as it is in force."""
    change = events.paused(NOW, [OLD, OVER], folder, None)

    assert change.pauses[folder] == Pause(folder, since, None)


@pytest.mark.parametrize(
    ("folder", "ended"), [(None, ["/d", ""]), ("/d", ["/d"]), ("", [""]), ("/e", []), ("/other", [])]
)
def test_who_resumes_is_told_what_ended(folder: str | None, ended: list[str]) -> None:
    """One pause, or all; not those that were over already."""
    change, found = events.resumed(NOW, [OLD, OVER, ALL], folder)

    assert found == ended
    assert change.pauses == {"/e": None, **dict.fromkeys(ended)}
    assert [line.note for line in change.log] == [each or "everything" for each in ended]

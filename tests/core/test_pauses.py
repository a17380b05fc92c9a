"""What a pause covers, how long, and how it is told."""

from __future__ import annotations

import pytest

from uploader.core.model import HoldCause, Pause, Scope
from uploader.core.pauses import EVERYTHING, covered, hold, in_force, passed_over

pytestmark = pytest.mark.unit

NOW = 1000.0
ALL, LONG, OVER = Pause(EVERYTHING, 1.0), Pause("/d", 2.0, NOW + 1), Pause("/e", 3.0, NOW)


def test_a_pause_ends_by_itself() -> None:
    """At its end it is no more; without one it lasts."""
    assert in_force((ALL, LONG, OVER), NOW) == (ALL, LONG)


@pytest.mark.parametrize(("pause", "covers"), [(ALL, True), (LONG, True), (OVER, False)])
def test_a_folder_is_covered_by_its_own_pause_and_by_that_of_all(pause: Pause, covers: bool) -> None:
    """Others go on."""
    assert covered([pause], "/d") is covers


def test_only_single_folders_are_passed_over() -> None:
    """Where everything is paused, nobody is kept waiting by a full window."""
    assert passed_over((ALL, LONG, OVER), NOW) == frozenset({"/d"})


def test_a_pause_is_told_as_a_hold() -> None:
    """Its scope fits, its way out can be typed, and it can be told from other holds of the scope."""
    everything, folder = hold(ALL), hold(LONG)

    assert (everything.scope, everything.subject, everything.until) == (Scope.MACHINE, "", None)
    assert everything.way_out == "`uploader resume` ends the pause."
    assert (folder.scope, folder.subject, folder.since, folder.until) == (Scope.FOLDER, "/d", 2.0, NOW + 1)
    assert "`uploader resume /d` ends it now" in folder.way_out
    assert {everything.cause, folder.cause} == {HoldCause.PAUSED}

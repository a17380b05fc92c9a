"""What becomes true of holds and of what was learned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uploader.core.model import FileState, Hold, Scope, SessionKey
from uploader.core.transitions import hold_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord

pytestmark = pytest.mark.unit

NOW = 1000.0
HOLD = Hold(Scope.TARGET, "p", "refused", "Look there.", since=NOW, until=1300.0)


def file(number: int, state: FileState) -> FileRecord:
    """A file with a hold of its own."""
    return FileRecord(id=number, folder="/d", path=b"a", sighting="", state=state)


def test_a_hold_begins_with_its_first_attempt() -> None:
    """It is kept as it was told."""
    entered = events.renewed(HOLD, None)

    assert entered == replace(HOLD, attempts=1)
    assert events.held(NOW, entered).holds == {(Scope.TARGET, "p"): entered}


def test_a_hold_that_is_renewed_keeps_its_beginning() -> None:
    """Its reason and its time are the new ones."""
    before = replace(HOLD, reason="before", since=500.0, attempts=2)

    assert events.renewed(HOLD, before) == replace(HOLD, since=500.0, attempts=3)


def test_a_start_tries_what_is_held() -> None:
    """Targets that are not configured any more end; the quota and the disk are probed by the clock."""
    holds = [
        HOLD,
        replace(HOLD, subject="old"),
        replace(HOLD, scope=Scope.PLATFORM, subject=""),
        replace(HOLD, scope=Scope.ORGANIZATION, subject=""),
        replace(HOLD, scope=Scope.STAGING, subject=""),
    ]
    files = [file(1, FileState.COMPLETED), file(2, FileState.QUEUED)]
    change = events.restarted(NOW, holds, files, ["p"])

    assert {key: hold and hold.until for key, hold in change.holds.items()} == {
        (Scope.TARGET, "p"): 0.0,
        (Scope.TARGET, "old"): None,
        (Scope.PLATFORM, ""): 0.0,
    }
    assert change.files == {1: {"not_before": 0.0}}


def test_a_fact_is_kept() -> None:
    """None forgets it."""
    assert events.learned(NOW, "quota_cap", 5).learned == {"quota_cap": 5}


def test_the_end_of_an_outage_makes_due_what_waits_for_another_try() -> None:
    """At once, and what fails from now on is another outage."""
    key = SessionKey("p", "", "", "", categorical=False)
    waiting = [file(1, FileState.BATCHED), SessionRecord(id=2, key=key, retrying_since=NOW - 50)]
    waiting[0].retrying_since = NOW - 40
    change = events.ended(NOW, Scope.PLATFORM, "", waiting)

    assert change.holds == {(Scope.PLATFORM, ""): None}
    assert change.files == {1: {"not_before": 0.0, "retrying_since": None}}
    assert change.sessions == {2: {"not_before": 0.0, "retrying_since": None}}
    assert events.due(NOW, waiting[:1]).files == change.files
    later = events.due(NOW, waiting, since=NOW - 45)
    assert (later.files, later.sessions) == (change.files, {})

"""What becomes true of holds and of what was learned of the platform."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from uploader.core.model import FileState, Hold, Scope
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import FileRecord, SessionRecord

TRIED_AT_A_START = frozenset({Scope.TARGET, Scope.PLATFORM, Scope.MACHINE})
"""Whose holds a start tries at once; the quota's is probed by the clock."""

WAITING = {Scope.PLATFORM: FileState.BATCHED, Scope.MACHINE: FileState.QUEUED}
"""By scope: the state of the files that are tried at once when its hold ends; with the platform's, sessions are too."""


def renewed(hold: Hold, before: Hold | None) -> Hold:
    """The hold as it is entered: where it exists, its beginning stays, and one more attempt failed."""
    if before is None:
        return replace(hold, attempts=1)
    return replace(hold, since=before.since, attempts=before.attempts + 1)


def held(now: float, hold: Hold) -> Change:
    """Something is held back; `hold` is as `renewed` gave it."""
    change = Change(now)
    enter_hold(change, hold)
    return change


def ended(
    now: float,
    scope: Scope,
    subject: str,
    retrying: Iterable[FileRecord | SessionRecord] = (),
    *,
    since: float = 0.0,
) -> Change:
    """The cause of a hold is gone; for those that wait for another try see `due`."""
    change = Change(now)
    end_hold(change, scope, subject)
    _make_due(change, retrying, since)
    return change


def due(now: float, retrying: Iterable[FileRecord | SessionRecord], *, since: float = 0.0) -> Change:
    """What waits for another try is tried at once: what it failed for is gone.

    What has been retried since before `since` keeps its time: nobody remembers whether it was asked to wait.
    """
    change = Change(now)
    _make_due(change, retrying, since)
    return change


def _make_due(change: Change, retrying: Iterable[FileRecord | SessionRecord], since: float) -> None:
    """The outage is over; what fails from now on is another one."""
    for row in retrying:
        if row.retrying_since is None or row.retrying_since < since:
            continue
        columns = {"not_before": 0.0, "retrying_since": None}
        if isinstance(row, FileRecord):
            change.set_file(row, columns)
        else:
            change.set_session(row, columns)


def restarted(
    now: float, holds: Iterable[Hold], held_files: Iterable[FileRecord], targets: Collection[str]
) -> Change:
    """A start is a person's way to say that the cause is mended: what is held is tried at once.

    Holds of targets that are no longer configured end.
    """
    change = Change(now)
    for file in held_files:
        if file.state is FileState.COMPLETED:
            change.set_file(file, {"not_before": 0.0})
    for hold in holds:
        if hold.scope is Scope.TARGET and hold.subject not in targets:
            end_hold(change, hold.scope, hold.subject)
        elif hold.scope in TRIED_AT_A_START:
            enter_hold(change, replace(hold, until=0.0))
    return change


def learned(now: float, key: str, value: Any) -> Change:
    """A fact about the platform or the folders is known from now on; None forgets it."""
    change = Change(now)
    change.learned[key] = value
    return change


def enter_hold(change: Change, hold: Hold) -> None:
    """Keep a hold as it is."""
    change.holds[hold.scope, hold.subject] = hold


def end_hold(change: Change, scope: Scope, subject: str) -> None:
    """End a hold."""
    change.holds[scope, subject] = None

"""What becomes of times when the wall clock is set back: nothing waits for it to catch up."""

from __future__ import annotations

from uploader.core.transitions.change import Change

TIMES = {
    "files": {"not_before": True, "changed_at": False, "retrying_since": False},
    "sessions": {"not_before": True, "changed_at": False, "retrying_since": False},
    "scenes": {"not_before": True, "complete_by": True, "changed_at": False, "retrying_since": False},
    "holds": {"until": True, "since": False},
    "pauses": {"until": True, "since": False},
}
"""The times that rows keep, by table. Where one lies ahead, a schedule moves by as much as the clock did (True), and
the beginning of something becomes now (False)."""


def set_back(now: float, seconds: float | None, last_event: float | None) -> Change:
    """The clock was set back by so many seconds; None: as far as the last event lies ahead of it, if it does."""
    change = Change(now)
    if seconds is None:
        seconds = 0.0 if last_event is None else last_event - now
    change.set_back = max(0.0, seconds)
    return change

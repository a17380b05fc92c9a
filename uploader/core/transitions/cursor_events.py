"""How far those have come who must be told of every event, also after a crash: nothing is forgotten before that."""

from __future__ import annotations

from uploader.core.transitions.change import Change


def moved(now: float, name: str, before: int, event: int) -> Change:
    """Whoever has this name has told of all events up to this id; `before` is where its cursor stood (0: nowhere)."""
    change = Change(now)
    change.cursors[name] = max(before, event)
    return change


def told(event: int, lowest: int | None) -> bool:
    """Whether nobody has yet to be told of this event; `lowest` is the last of all cursors, if there are any."""
    return lowest is None or event <= lowest

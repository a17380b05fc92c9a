"""The cursors of followers: how far each has come. No event is forgotten that a follower was not told of."""

from __future__ import annotations

from typing import Any

from uploader.core.transitions.change import Change

LASTING = "told"
"""The prefix of the profile's keys that keep which lasting alarms a follower has told of."""


def moved(now: float, name: str, before: int, event: int) -> Change:
    """The follower of this name has told of all events up to this id; `before` is where its cursor was (0: nowhere)."""
    change = Change(now)
    change.cursors[name] = max(before, event)
    return change


def recorded(now: float, name: str, before: int, event: int, lasting: Any) -> Change:
    """The same, and this is what was told of what lasts, as a value of JSON."""
    change = moved(now, name, before, event)
    change.learned[f"{LASTING}:{name}"] = lasting
    return change


def left(now: float, name: str) -> Change:
    """The follower of this name ends, and holds up no pruning."""
    change = Change(now)
    change.cursors[name] = None
    change.learned[f"{LASTING}:{name}"] = None
    return change


def told(event: int, lowest: int | None) -> bool:
    """Whether all followers were told of this event; `lowest` is the last of all cursors, if there are any."""
    return lowest is None or event <= lowest

"""What both journals have in common: how they are driven, compared and hashed."""

from __future__ import annotations

from typing import Protocol

COLUMNS = (
    "id, path, current, state, content, staged, session_id, batch_group, disposal, item_id, attempts, looks, tries, "
    "refusals, losses, retrying_since, not_before, last_error"
)
"""What both journals must agree on, row by row."""


class Clockwork(Protocol):
    """What a journal needs of the world."""

    now: float

    def crash(self, name: str) -> None:
        """Die here, by a draw."""


def line(file_id: int | None, session_id: int | None, event: str, state: str, at: float) -> bytes:
    """A line of the event log as it is hashed."""
    return b"%s %s %s %s %.3f\n" % (
        b"-" if file_id is None else b"%d" % file_id,
        b"-" if session_id is None else b"%d" % session_id,
        event.encode(),
        state.encode(),
        at,
    )

"""`[transfer] daily_limit`: how many bytes may leave on one day of the machine's calendar. Sizes in bytes.

What is being sent when the limit is reached is sent to its end, so a day may exceed it by what runs at once.
"""

from __future__ import annotations

from uploader.core.byte_sizes import format_size
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.planning_pass import PlanningPass
from uploader.core.stages import Stage

WAY_OUT = (
    "It goes on by itself when the day ends, or at once with a higher `[transfer] daily_limit` and a reload."
)


def reached(turn: PlanningPass) -> bool:
    """Whether no transfer may begin today: the limit is sent, or will be by what is being sent."""
    limit = turn.settings.transfer.daily_limit
    return bool(limit) and turn.view.sent_today + _being_sent(turn) >= limit


def show(turn: PlanningPass) -> None:
    """Show that the limit holds back whatever is to be sent, if anything is."""
    sent, limit = turn.view.sent_today, turn.settings.transfer.daily_limit
    if not limit or sent < limit or not (turn.view.waiting or _to_send(turn)):
        return
    turn.show(
        Hold(
            Scope.STAGE,
            Stage.PUT.value,
            f"{format_size(sent)} were sent today, and `[transfer] daily_limit` is {format_size(limit)}.",
            WAY_OUT,
            since=turn.now,
            until=turn.view.day_ends,
            cause=HoldCause.DAILY_LIMIT,
        )
    )


def _being_sent(turn: PlanningPass) -> int:
    return sum(
        member.size
        for session in turn.view.sessions
        for member in session.members
        if member.state is FileState.BATCHED and ("file", member.file_id) in turn.view.busy
    )


def _to_send(turn: PlanningPass) -> bool:
    return any(m.state is FileState.BATCHED for session in turn.view.sessions for m in session.members)

"""Rules for a file that the storage quota refuses although it is alone in its session.

As long as nothing else passes, the whole organization is held. Once a smaller file has passed, it is the large one's
own matter: it is held by name, it is tried alone by its own clock, and nothing as large as it is tried before it.
"""

from __future__ import annotations

from uploader.core import waits
from uploader.core.model import FileState, Scope, SessionState
from uploader.core.planner_view import SessionMember, Waiting
from uploader.core.planning_pass import PlanningPass, Wait


def affordable(turn: PlanningPass, waiting: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """Of the converted files those that the quota may have room for.

    That is what is smaller than every file that it has refused by itself, and the smallest of those.
    """
    files: tuple[Waiting | SessionMember, ...] = (*waiting, *_planned(turn))
    refused = [file for file in files if file.held]
    if not refused:
        return waiting
    least = min(refused, key=lambda file: (file.size, file.file_id))
    passing = tuple(file for file in waiting if file.size < least.size or file.file_id == least.file_id)
    if isinstance(least, Waiting) and least.not_before > turn.now:
        turn.wake(least.not_before)
    others = sum(not file.held for file in waiting) - sum(not file.held for file in passing)
    if others and not turn.held(Scope.ORGANIZATION):
        turn.tell(Wait(FileState.CONVERTED, waits.MORE_QUOTA, others, least.not_before or None))
    return passing


def _planned(turn: PlanningPass) -> tuple[SessionMember, ...]:
    """Members of sessions for which the quota has yet to be asked."""
    planned = (session for session in turn.view.sessions if session.state is SessionState.PLANNED)
    return tuple(member for session in planned for member in session.members)

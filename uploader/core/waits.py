"""The files and sessions that wait although nothing is held: for more files, for another try, for their turn."""

from __future__ import annotations

from collections.abc import Iterable

from uploader.core.actions import Claim
from uploader.core.model import FileState, SessionState
from uploader.core.planner_view import Session
from uploader.core.planning_pass import PlanningPass, Wait

MORE_FILES = "more files"
ANOTHER_TRY = "another try"
FREE_CONVERTER = "a free converter"
ROOM = "room in staging"
ROOM_BEHIND_OTHERS = "the copies before them to be converted"
MORE_QUOTA = "storage quota"
SESSION_END = "a session to end"
ARRIVAL = "the end of their transfer, or their ready marker"
SCENE_MARKER = "the name that says that their scene is complete"
SCENE_ITEM = "the item of their scene"
SCENE_PRIMARY = "the primary of their scene"
FIRST_READ_BACK = "the first session to their target to be read back"


def tell_waits(turn: PlanningPass) -> None:
    """Tell who else waits: the rules for batches have told of theirs already."""
    for state, rows in _retried(turn):
        times = [at for at, files in rows if files]
        if times:
            turn.tell(Wait(state, ANOTHER_TRY, sum(files for _, files in rows), min(times)))
    in_line = turn.view.queued_total - sum(1 for file in turn.view.queued if turn.busy("file", file.file_id))
    in_line -= sum(1 for file in turn.view.queued if file.not_before > turn.now)
    in_line -= _without_room(turn, FileState.QUEUED)
    if turn.running("Convert") and in_line > 0:
        turn.tell(Wait(FileState.QUEUED, FREE_CONVERTER, in_line))
    settled = len(turn.view.settled) - sum(isinstance(action, Claim) for action in turn.plan.actions)
    settled -= _without_room(turn, FileState.SETTLING)
    if settled and turn.view.queued_total:
        turn.tell(Wait(FileState.SETTLING, ROOM_BEHIND_OTHERS, settled))


def _without_room(turn: PlanningPass, state: FileState) -> int:
    return sum(wait.files for wait in turn.plan.waits if (wait.what, wait.why) == (state, ROOM))


def _retried(turn: PlanningPass) -> Iterable[tuple[FileState, list[tuple[float, int]]]]:
    """By state: when rows are due that wait for another try, and how many files that holds up."""
    view = turn.view
    yield (
        FileState.QUEUED,
        [(q.not_before, 1) for q in view.queued if q.retrying_since is not None and q.not_before > turn.now],
    )
    members = [
        (m.not_before, 1)
        for session in view.sessions
        for m in session.members
        if m.retrying_since is not None and m.not_before > turn.now
    ]
    whole = [(s.not_before, len(s.members)) for s in view.sessions if _waits(turn, s)]
    yield FileState.BATCHED, [*members, *whole]
    yield (
        FileState.COMPLETED,
        [
            (d.not_before, 1)
            for d in view.disposals
            if d.retrying_since is not None and d.not_before > turn.now
        ],
    )


def _waits(turn: PlanningPass, session: Session) -> bool:
    """Whether a session's own call is tried again later; the files of a completed one are done."""
    if session.retrying_since is None or session.state is SessionState.COMPLETED or session.hold:
        return False
    return session.not_before > turn.now

"""What is next: the only place that decides it. A pure function of what the journal says, the time and the settings."""

from __future__ import annotations

from uploader.core import actions as act
from uploader.core import daily_limit, disk_space, ended_holds, scene_turns, stages, view_holds, waits
from uploader.core.batching import (
    WORTH_A_SESSION,
    Batch,
    Batchable,
    candidates,
    closes_at,
    fill,
    most_files,
    ordered,
)
from uploader.core.configuration import Settings
from uploader.core.expected_files import more_to_come
from uploader.core.model import FileState, Layout, Scope, SessionState
from uploader.core.outages import show_outages
from uploader.core.planner_view import PlannerView, Session, SessionMember, Waiting
from uploader.core.planning_pass import ORGANIZATION, PLATFORM, Plan, PlanningPass, Wait
from uploader.core.storage_quota import affordable

LIVE_SESSIONS = 4
"""Sessions that may be under way at once; more would only hold reservations while they wait for the line. While it is
free there may be one more for each file that could be sent at once: many a session has one file, or waits for an
answer to `complete`."""

DISPOSALS = 2
"""Sources that are archived or deleted at once."""


def plan(view: PlannerView, now: float, settings: Settings) -> Plan:
    """The actions for this moment; the same view gives the same plan."""
    turn = PlanningPass(view, now, settings)
    resting = sum(
        1 for mistake in view.mistakes if mistake.step == "Claim" and mistake.subject in turn.resting
    )
    resting += sum(1 for copy in view.damaged_copies if copy.settles and copy.until > now)
    resting += sum(1 for file in view.refused_files if file.settles and file.until > now)
    settling = sum(count for folder, count in view.settling.items() if not turn.paused(folder))
    turn.expecting = any(not turn.paused(file.folder) for file in view.settled) or settling > resting
    if view.unfinished:
        turn.tell(Wait(FileState.SETTLING, waits.ARRIVAL, view.unfinished))
    _discard(turn)
    _dispose(turn)
    _sessions(turn)
    scene_turns.advance(turn)
    _batches(turn)
    ended_holds.end(turn)
    disk_space.trouble(turn)
    disk_space.convert(turn)
    disk_space.claim(turn)
    view_holds.unconfigured(turn)
    view_holds.merging(turn)
    view_holds.paused(turn)
    scene_turns.show(turn)
    show_outages(turn)
    daily_limit.show(turn)
    view_holds.damaged_copies(turn)
    view_holds.refused_files(turn)
    view_holds.mistaken(turn)
    view_holds.short_of_threads(turn)
    stages.show_stalled(turn)
    waits.tell_waits(turn)
    turn.plan.idle = not (turn.plan.actions or view.busy or turn.expecting)
    return turn.plan


def _discard(turn: PlanningPass) -> None:
    """Private copies of ended files go first: they make room."""
    if file_ids := tuple(file_id for file_id in turn.view.discards if not turn.busy("file", file_id)):
        turn.do(act.Discard(file_ids))


def _dispose(turn: PlanningPass) -> None:
    """Sources go once their items were read back."""
    slots = DISPOSALS - turn.running("Dispose")
    for disposal in turn.view.disposals:
        if turn.busy("file", disposal.file_id) or not turn.due(disposal.not_before, disposal.retrying_since):
            continue
        if slots > 0:
            slots -= 1
            turn.do(act.Dispose(disposal.file_id))


def _sessions(turn: PlanningPass) -> None:
    """Every live session gets its next step."""
    no_more = daily_limit.reached(turn)
    slots = 0 if no_more else _at_once(turn) - turn.running("Put")
    for session in sorted(turn.view.sessions, key=lambda session: -_priority(turn, session)):
        if session.hold or turn.unopened(session) or turn.busy("session", session.session_id):
            continue
        if not turn.due(session.not_before, session.retrying_since):
            continue
        step = _step(turn, session)
        if no_more and isinstance(step, act.Initiate):
            continue
        if step is not None:
            _call(turn, step, session)
        elif session.state is SessionState.OPEN:
            slots -= _send(turn, session, slots)


def _at_once(turn: PlanningPass) -> int:
    """How many files are sent at once."""
    return turn.settings.transfer.concurrency or turn.view.parallel_transfers


def _priority(turn: PlanningPass, session: Session) -> int:
    return max(map(turn.view.priority, {member.folder for member in session.members}), default=0)


def _step(turn: PlanningPass, session: Session) -> act.Action | None:
    """The one call that the session as a whole needs now."""
    session_id = session.session_id
    match session.state:
        case SessionState.PLANNED:
            return act.Initiate(session_id)
        case SessionState.OPEN if not session.members:
            return act.Abandon(session_id)
        case SessionState.OPEN if all(m.state is FileState.STORED for m in session.members):
            return None if _sending(turn, session) else act.Complete(session_id)
        case SessionState.COMPLETING:
            return act.Locate(session_id) if session.locating else act.Complete(session_id)
        case SessionState.FAILING:
            return None if _sending(turn, session) else act.Abandon(session_id)
        case SessionState.COMPLETED if session.readback_due:
            return act.ReadBack(session_id)
        case _:
            return None


def _sending(turn: PlanningPass, session: Session) -> bool:
    """Whether a transfer is still under way: where all are stored, a last progress report may be."""
    return any(turn.busy("file", member.file_id) for member in session.members)


def _call(turn: PlanningPass, step: act.Action, session: Session) -> None:
    gates = [PLATFORM]
    if isinstance(step, act.Initiate):
        gates += [ORGANIZATION, (Scope.TARGET, session.key.target)]
    if turn.open(*gates):
        turn.passed(*gates)
        turn.do(step)


def _send(turn: PlanningPass, session: Session, slots: int) -> int:
    """Start transfers of an open session as far as there are slots; returns how many."""
    started = 0
    for member in session.members:
        if started < slots and _sendable(turn, member) and turn.open(PLATFORM):
            turn.passed(PLATFORM)
            turn.do(act.Put(member.file_id, session.session_id))
            started += 1
    return started


def _sendable(turn: PlanningPass, member: SessionMember) -> bool:
    if member.state is not FileState.BATCHED or turn.busy("file", member.file_id):
        return False
    return turn.due(member.not_before, member.retrying_since)


def _batches(turn: PlanningPass) -> None:
    """Converted files are frozen into sessions, one a turn: the next turn sees it."""
    paused = {folder for folder in {file.folder for file in turn.view.waiting} if turn.paused(folder)}
    waiting = tuple(file for file in turn.view.waiting if file.folder not in paused)
    _marked_later(turn, waiting)
    waiting = affordable(turn, waiting)
    if not waiting or turn.busy("plan", 0) or daily_limit.reached(turn):
        return
    live = sum(
        1 for s in turn.view.sessions if s.state is not SessionState.COMPLETED and not _held_up(turn, s)
    )
    for group in candidates(turn.view, _unmistaken(turn, waiting), turn.now):
        if not _may_open(turn, group, live):
            continue
        batch, at = _close(turn, group)
        if at <= turn.now:
            turn.do(act.PlanSession(batch))
            return
        turn.wake(at)
        turn.tell(Wait(FileState.CONVERTED, waits.MORE_FILES, len(group.files), at))
        turn.expecting = True


def _marked_later(turn: PlanningPass, waiting: tuple[Waiting, ...]) -> None:
    """Files wait for the name that says that their scene is complete. It comes from others, or its time is over."""
    times = [file.not_before for file in waiting if file.not_before > turn.now and not file.held]
    if times:
        turn.wake(min(times))
        turn.tell(Wait(FileState.CONVERTED, waits.SCENE_MARKER, len(times), max(times)))


def _held_up(turn: PlanningPass, session: Session) -> bool:
    """Whether nothing is to be expected of a session soon; others need not wait for it."""
    resting = ("session", session.session_id) in turn.resting
    return bool(session.hold) or resting or turn.unopened(session)


def _unmistaken(turn: PlanningPass, waiting: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """The files without those that a mistake in the program keeps from being planned."""
    if not turn.resting:
        return waiting
    return tuple(file for file in waiting if not turn.busy("file", file.file_id))


def _may_open(turn: PlanningPass, group: Batchable, live: int) -> bool:
    """Whether a session for these files may be planned now."""
    target = group.key.target
    same = [s for s in turn.view.sessions if s.key.target == target and not _held_up(turn, s)]
    if not group.key.single and turn.settings.batch.max_files > 1:
        layout = _layout(turn, group)
        if layout is Layout.PER_SESSION:
            return False
        if layout is Layout.UNKNOWN and same:
            turn.tell(Wait(FileState.CONVERTED, waits.FIRST_READ_BACK, len(group.files)))
            return False
    if live >= LIVE_SESSIONS and not (live < LIVE_SESSIONS + _at_once(turn) and _line_free(turn)):
        turn.tell(Wait(FileState.CONVERTED, waits.SESSION_END, len(group.files)))
        return False
    if not turn.open(ORGANIZATION, (Scope.TARGET, target)):
        return False
    planned = [s for s in turn.view.sessions if s.state is SessionState.PLANNED and not turn.unopened(s)]
    probing = turn.held(*ORGANIZATION) and planned
    return not (probing or (turn.held(Scope.TARGET, target) and any(s in planned for s in same)))


def _close(turn: PlanningPass, group: Batchable) -> tuple[Batch, float]:
    """The batch that these files make, and when it closes."""
    cap = turn.view.profile.quota_cap
    taken, full = fill(
        ordered(group.files, cap),
        most=most_files(group.key, _layout(turn, group), turn.settings.batch),
        most_bytes=min(turn.settings.batch.max_bytes, turn.settings.batch.max_bytes if cap is None else cap),
    )
    more = more_to_come(turn, turn.view.destinations[taken[0].folder])
    last = turn.view.ends_when_idle and not (more or turn.expecting or turn.view.queued)
    batch, free = Batch(group.key, taken), _line_free(turn)
    worth = free and batch.total_bytes >= WORTH_A_SESSION
    at = closes_at(
        taken,
        turn.settings.batch,
        turn.now,
        at_once=full or worth or taken[0].held or last or disk_space.short(turn),
        more_to_come=more,
        line_free=free,
    )
    return batch, at


def _line_free(turn: PlanningPass) -> bool:
    """Whether more files could be sent at once than are, or will be as soon as their sessions are opened."""
    to_send = sum(
        member.state is FileState.BATCHED
        for session in turn.view.sessions
        if session.state in (SessionState.PLANNED, SessionState.OPEN) and not _held_up(turn, session)
        for member in session.members
    )
    return max(to_send, turn.running("Put")) < _at_once(turn)


def _layout(turn: PlanningPass, group: Batchable) -> Layout:
    return turn.view.profile.layouts.get(group.key.target, Layout.UNKNOWN)


__all__ = ["Plan", "plan"]

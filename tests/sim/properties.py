"""What must hold of every plan, whatever the history: judged from the rows, not by the planner's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.sim.expectations import CALLS, CLAIMS, DISPOSALS, ENDS
from uploader.core import actions as act
from uploader.core.model import FileState, Hold, HoldCause, Layout, Scope, SessionState
from uploader.core.planner_view import PlannerView, Session
from uploader.core.planning_pass import Plan

if TYPE_CHECKING:
    from tests.sim.world import World


def broken(world: World, view: PlannerView, plan: Plan) -> list[str]:
    """Everything that is wrong with a plan, in words; costs what the plan does, not what the view holds."""
    if not plan.actions:
        return _waits(view, plan, world.now)
    subjects = [subject for action in plan.actions for subject in action.subjects]
    wrong = []
    if len(subjects) > len(set(subjects)) or view.busy.intersection(subjects):
        wrong.append(f"two things at once: {plan.actions}, while {sorted(view.busy)} are busy")
    uploads = {upload.session_id: upload for upload in view.sessions}
    calls = 0
    for action in plan.actions:
        kind = type(action)
        calls += kind.__name__ in CALLS and not _looks_for_marker(view, action)
        if kind is act.PlanSession:
            found = _planned(world, view, action.batch)  # type: ignore[union-attr]
        elif kind is act.AdvanceScene:
            found = _tended(world, view, action.scene_id)  # type: ignore[union-attr]
        elif kind in _OF_SESSION:
            found = _call(world, view, uploads[action.session_id], kind)  # type: ignore[union-attr]
        elif kind is act.Put:
            found = _put(world, uploads[action.session_id], action.file_id)  # type: ignore[union-attr]
        elif kind is act.Discard:
            found = _discard(world, action.file_ids)  # type: ignore[union-attr]
        else:
            found = _of_rest(world, view, action)
        if found:
            wrong.append(f"{action}: {found}")
    if view.pauses:
        wrong += _paused(view, plan, world.now)
    if view.holds and calls:
        wrong += _gates(view, plan, calls, world.now)
    return wrong + _too_many(world, view, plan)


def _too_many(world: World, view: PlannerView, plan: Plan) -> list[str]:
    """What runs and what is started stay within the limits."""
    if len(plan.actions) + len(view.busy) <= min(CLAIMS, DISPOSALS):
        return []
    kinds = [type(action) for action in plan.actions]
    most = {
        act.Put: world.settings.transfer.concurrency or view.parallel_transfers,
        act.Convert: world.converters,
    }
    most |= {act.Claim: CLAIMS, act.Dispose: DISPOSALS}
    return [
        f"{kinds.count(kind)} more of {kind.__name__}, but {most[kind]} are the most"
        for kind in set(kinds) & most.keys()
        if kinds.count(kind) + view.running.get(kind.__name__, 0) > most[kind]
    ]


def _waits(view: PlannerView, plan: Plan, now: float) -> list[str]:
    """A plan that does nothing has a time to look again, or somebody to wait for, or a hold that says why."""
    if view.busy or any(view.settling.values()) or plan.wake_at is not None:
        return []
    waiting = [s for s in view.sessions if not s.hold]
    held = len(waiting) < len(view.sessions)  # its hold is told; a file may wait for its twin in it
    queued = [file for file in view.queued if not (held and file.file_id in view.twins_pending)]
    stuck = bool(view.waiting or queued or view.settled or waiting or view.disposals or view.discards)
    if stuck and not (plan.holds or any(hold.until is None or hold.until > now for hold in view.holds)):
        return [f"nothing is done, and no hold says why: {view}"]
    return []


def _gates(view: PlannerView, plan: Plan, calls: int, now: float) -> list[str]:
    """While something is held, nobody calls before its time, and then one call alone is the probe."""
    wrong = []
    running = sum(view.running.get(kind, 0) for kind in CALLS)
    for hold in view.holds:
        held = [a for a in plan.actions if _held_by(view, hold, a)]
        if held and (hold.until is None or hold.until > now):
            wrong.append(f"{held[0]} in spite of the hold of {hold.scope} {hold.subject}")
        elif held and hold.scope is Scope.PLATFORM and calls + running > 1:
            wrong.append(f"{calls + running} calls probe the platform at once")
    return wrong


def _paused(view: PlannerView, plan: Plan, now: float) -> list[str]:
    """While a person keeps the one folder that there is, or everything, from work, nothing new is begun."""
    if all(pause.until is not None and pause.until <= now for pause in view.pauses):
        return []
    begun = (act.Claim, act.Convert, act.SkipTwin, act.PlanSession, act.Initiate)
    return [f"{action}, although it is paused" for action in plan.actions if isinstance(action, begun)]


def _held_by(view: PlannerView, hold: Hold, action: act.Action) -> bool:
    if _looks_for_marker(view, action):
        return False
    if hold.scope is Scope.PLATFORM:
        return type(action).__name__ in CALLS
    if not isinstance(action, act.Initiate):
        return False
    key = next(s.key for s in view.sessions if s.session_id == action.session_id)
    return hold.scope is Scope.ORGANIZATION or (hold.scope is Scope.TARGET and hold.subject == key.target)


def _planned(world: World, view: PlannerView, batch: object) -> str:
    """A batch is of converted files of one kind, the halves of a refused one apart, and not too many."""
    files = batch.files  # type: ignore[attr-defined]
    rows = [world.journal.file(file.file_id) for file in files]
    layout = view.profile.layouts.get(batch.key.target, Layout.UNKNOWN)  # type: ignore[attr-defined]
    if any(row.state is not FileState.CONVERTED or row.session_id for row in rows):
        return "a member of it is not free"
    if len({file.group for file in files}) > 1:
        return "the halves of a refused batch come together again"
    if len({file.file_id for file in files}) < len(files):
        return "a file is in it twice"
    most = (
        world.settings.batch.max_files
        if layout is Layout.PER_FILE
        else min(2, world.settings.batch.max_files)
    )
    return f"{len(files)} files, but {most} are the most" if len(files) > most else ""


def _call(world: World, view: PlannerView, upload: Session, kind: type[object]) -> str:
    if upload.hold:
        return "its session is held"
    if upload.not_before > world.now:
        return f"its time comes in {upload.not_before - world.now:.1f} s"
    ends = kind is act.Complete or kind is act.Abandon
    if ends and view.busy and any(("file", member.file_id) in view.busy for member in upload.members):
        return "one of its files is being sent"
    stored = all(member.state is FileState.STORED for member in upload.members)
    return "" if _OF_SESSION[kind](upload, stored) else f"not for a session that is {upload.state}"


def _looks_for_marker(view: PlannerView, action: act.Action) -> bool:
    """Whether it asks the disk, and not the platform."""
    if not isinstance(action, act.AdvanceScene):
        return False
    scene = next(scene for scene in view.scenes if scene.id == action.scene_id)
    return scene.collection_id is not None and scene.item_id is None


def _tended(world: World, view: PlannerView, scene_id: int) -> str:
    """Only what needs something is tended, one at a time, and at its time."""
    scene = next((scene for scene in view.scenes if scene.id == scene_id), None)
    if scene is None:
        return "nobody asked for it"
    if view.running.get("AdvanceScene", 0):
        return "another one is tended"
    return f"its time comes in {scene.not_before - world.now:.1f} s" if scene.not_before > world.now else ""


def _put(world: World, upload: Session, file_id: int) -> str:
    member = next((m for m in upload.members if m.file_id == file_id), None)
    if member is None or upload.state is not SessionState.OPEN or member.state is not FileState.BATCHED:
        return f"not a member to be sent: {member}"
    early = max(member.not_before, upload.not_before) > world.now
    return "before its time" if early else ""


def _claim(world: World, file_id: int) -> str:
    """Only a file that is the one that was settled is taken."""
    path = world.journal.file(file_id).path
    source = world.disk.sources.get(path)
    if world.journal.file(file_id).state is not FileState.SETTLING:
        return "it is not settling"
    if source is None or source.sighting != world.seen.get(file_id):
        return "it changed since its stat"
    return "it is not quiet" if source.since + 9.9 > world.now else ""


def _convert(world: World, file_id: int) -> str:
    return "" if world.journal.file(file_id).state is FileState.QUEUED else "it is not queued"


def _dispose(world: World, file_id: int) -> str:
    """Only what was read back goes."""
    row = world.journal.file(file_id)
    if row.state is FileState.UNPACKED and row.after_upload != "keep":
        return world.keeps(file_id)
    if row.state is not FileState.COMPLETED or row.after_upload == "keep" or row.session_id is None:
        return "its source stays"
    upload = world.platform.uploads[world.journal.upload(row.session_id).upload_id]
    if upload.state != "completed" or row.file_name not in upload.objects:
        return "no item has it"
    if world.destination.verify_remote and not upload.shown:
        return "its items were not read back"
    return ""


def _discard(world: World, file_ids: tuple[int, ...]) -> str:
    going_on = [file_id for file_id in file_ids if world.journal.file(file_id).state not in ENDS]
    return f"these have not ended: {going_on}" if going_on else ""


def _ended(world: World, view: PlannerView, action: act.EndHold) -> str:
    """Files that wait end a hold by a call, and a session that was opened since has ended it already."""
    hold = next(one for one in view.holds if (one.scope, one.subject) == (action.scope, action.subject))
    if (
        hold.cause is HoldCause.SCENE_ITEM_GONE
    ):  # of that item; others of its scene's collection do not wait for it
        left = world.journal.waiting_to_join(hold.subject.rpartition("/")[2])
    else:
        waiting = {FileState.QUEUED, FileState.CONVERTED, FileState.BATCHED}
        left = sum(bool(waiting.intersection(row)) for row in world.journal.table())
    if left:
        return f"{left} files wait, perhaps for this {hold.scope}"
    opened = world.journal.opened_since(hold.since, hold.subject)
    return (
        "a session was opened since it began" if opened and hold.cause is not HoldCause.SESSIONS_LOST else ""
    )


def _of_rest(world: World, view: PlannerView, action: act.Action) -> str:
    if isinstance(action, act.EndHold):
        return _ended(world, view, action)
    return _OF_FILE[type(action)](world, action.file_id)  # type: ignore[union-attr]


_OF_FILE: dict[type[object], Callable[[World, int], str]] = {
    act.Claim: _claim,
    act.Convert: _convert,
    act.SkipTwin: _convert,
    act.Dispose: _dispose,
}

_OF_SESSION: dict[type[object], Callable[[Session, bool], bool]] = {
    act.Initiate: lambda s, _: s.state is SessionState.PLANNED,
    act.Complete: lambda s, stored: (
        stored
        and bool(s.members)
        and (s.state is SessionState.OPEN or (s.state is SessionState.COMPLETING and not s.locating))
    ),
    act.Locate: lambda s, _: s.state is SessionState.COMPLETING and s.locating,
    act.Abandon: lambda s, _: (
        s.state is SessionState.FAILING or (s.state is SessionState.OPEN and not s.members)
    ),
    act.ReadBack: lambda s, _: s.state is SessionState.COMPLETED and s.readback_due,
}
"""In which state of a session each call belongs; the second argument: all members are stored."""

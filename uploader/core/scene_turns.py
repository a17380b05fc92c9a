"""Scenes in a turn of the planner: what is done for them as a whole, and who waits for whom."""

from __future__ import annotations

from uploader.core import actions as act
from uploader.core import waits
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.planning_pass import OUTAGE_SHOWN_AFTER, PLATFORM, PlanningPass, Wait
from uploader.core.scenes import KeptBack, Need, need


def advance(turn: PlanningPass) -> None:
    """One scene at a time gets what it needs: of scenes with one collection the first finds it for all."""
    free = not turn.running("AdvanceScene")
    for scene in turn.view.scenes:
        wants = need(scene, turn.now)
        if wants is None or turn.busy("scene", scene.id):
            continue
        if scene.not_before > turn.now and (wants is Need.MARKER or scene.homeless):
            turn.wake(scene.not_before)  # it comes from others, so nobody expects it
            continue
        if not turn.due(scene.not_before, scene.retrying_since):
            continue
        if not free:
            turn.expecting = True
        elif wants is Need.MARKER:
            turn.do(act.AdvanceScene(scene.id))
            free = False
        elif turn.open(PLATFORM):
            turn.passed(PLATFORM)
            turn.do(act.AdvanceScene(scene.id))
            free = False


def show(turn: PlanningPass) -> None:
    """Tell which files wait for others of their scene, and what a person has to do about it."""
    for kept in turn.view.kept_back:
        if kept.making:
            turn.tell(Wait(FileState.CONVERTED, waits.SCENE_ITEM, kept.files))
        elif kept.scene.hold:
            turn.show(_rejected(kept))
        elif kept.scene.collection_id is None:
            _collection(turn, kept)
        else:
            _primary(turn, kept)


def _primary(turn: PlanningPass, kept: KeptBack) -> None:
    """The primary is waited for; once it has been missing for too long, that is a hold."""
    scene = kept.scene
    until = kept.since + scene.patience
    if until > turn.now:
        turn.wake(until)
        turn.tell(Wait(FileState.CONVERTED, waits.SCENE_PRIMARY, kept.files, until))
        return
    reason = f"The scene {scene.name} waits for its primary, {scene.lead}, which has not come."
    way_out = "Drop it, or give the files that wait up by `uploader forget`."
    turn.show(_hold(kept, HoldCause.SCENE_PRIMARY_MISSING, reason, way_out, since=until))


def _rejected(kept: KeptBack) -> Hold:
    scene = kept.scene
    reason = f"The primary of the scene {scene.name}, {scene.lead}, was rejected: {scene.hold}"
    way_out = "Drop a good one in its place, or `uploader retry` it; its other files follow by themselves."
    return _hold(kept, HoldCause.SCENE_PRIMARY_REJECTED, reason, way_out, since=scene.changed_at)


def _collection(turn: PlanningPass, kept: KeptBack) -> None:
    since = kept.scene.retrying_since
    if since is None or turn.held(*PLATFORM):
        return
    if not kept.scene.homeless and turn.now - since < OUTAGE_SHOWN_AFTER:
        return
    way_out = "Make it on the platform, or set create_collections = true; it is looked for by itself."
    cause, until = HoldCause.SCENE_COLLECTION, kept.scene.not_before
    turn.show(_hold(kept, cause, kept.scene.last_error, way_out, since=since, until=until))


def _hold(
    kept: KeptBack, cause: HoldCause, reason: str, way_out: str, *, since: float, until: float | None = None
) -> Hold:
    return Hold(
        Scope.SCENE,
        kept.scene.subject,
        reason,
        way_out,
        since=since,
        until=until,
        cause=cause,
        files=kept.files,
        size=kept.size,
    )

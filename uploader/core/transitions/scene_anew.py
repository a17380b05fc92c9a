"""A scene whose item was deleted on the platform is sent anew, because a person says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from uploader.core import scenes
from uploader.core.lifecycle import ITEMS
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.scenes import Describing, Scene
from uploader.core.transitions.change import Change
from uploader.core.transitions.forget_events import forget_file
from uploader.core.transitions.hold_events import end_hold
from uploader.core.transitions.records import NEW_STEP, UNHINDERED, FileRecord

WAITING = frozenset({FileState.QUEUED, FileState.CONVERTED, FileState.BATCHED})
"""States of the files that would join the item; a session that one of them is in will be refused."""


def item_gone(scene: Scene, holds: Iterable[Hold]) -> bool:
    """Whether the platform has said that the scene's item is not there any more."""
    return scene.item_id is not None and any(
        hold.cause is HoldCause.SCENE_ITEM_GONE and (hold.scope, hold.subject) == (Scope.TARGET, scene.target)
        for hold in holds
    )


def sent_anew(
    now: float, scene: Scene, members: Iterable[FileRecord], *, scene_id: int, issue: int
) -> tuple[Change, int]:
    """Begin another issue of the scene, which is an item of its own; returns how many files go into it.

    What waited for the item goes there, and whichever comes first makes it. What was in the item is off the list: what
    still lies in its drop folder is found there as a new file, and joins.
    """
    change, count = Change(now), 0
    change.set_scene(scene, {"describing": Describing.GONE})
    end_hold(change, Scope.TARGET, scene.target)
    unset = {"lead": "", "marker": "", "complete_by": 0.0, "item_id": None, **UNHINDERED}
    fresh = replace(
        scene,
        id=scene_id,
        issue=issue,
        describing=Describing.NOTHING,
        created_at=now,
        changed_at=now,
        **unset,
    )
    change.new_scenes[scene_id] = scenes.columns(fresh)
    note = f"a person has the scene {scene.name} sent anew, for its item {scene.item_id} is gone"
    for file in members:
        if file.state in WAITING:
            change.log_file(file, "scene", file.state, note)
            change.set_file(file, {"scene_id": scene_id, "target_item_id": None, **NEW_STEP})
            count += 1
        elif file.state in ITEMS:
            forget_file(change, file, note)
    return change, count

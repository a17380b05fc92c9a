"""What becomes true of scenes: files join them, their item becomes known, their primary is rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uploader.core import scenes
from uploader.core.lifecycle import FileEvent
from uploader.core.model import FileState
from uploader.core.scene_rules import Placement
from uploader.core.scenes import Describing, Scene
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import NOT_RETRIED, FileRecord


@dataclass(frozen=True, slots=True)
class Joining:
    """A file that is to join a scene: where its folder's items go, what its path says, and whether it is marked.

    `place` says the same of any path of its folder; None where files without scenes go there as well.
    """

    project_id: str
    collection_id: str
    placed: Placement
    marked: bool = False
    place: Callable[[bytes], object] | None = None

    @property
    def family(self) -> tuple[str, str, str, str, str]:
        """What all versions of a scene have in common: project, collection by name or id, name, tile."""
        by_name = self.placed.collection
        return (
            self.project_id,
            by_name,
            "" if by_name else self.collection_id,
            self.placed.scene,
            self.placed.tile,
        )


@dataclass(frozen=True, slots=True)
class Left:
    """The file does not join, and why."""

    note: str


@dataclass(frozen=True, slots=True)
class KnownScene:
    """What rows say of the scene that a file is to join.

    `versions` are all its versions and issues, the oldest first; `contents` are those of the rasters that issues of its
    own version have under its asset, by issue; `collection_id` is that of its collection's name, as far as it is known.
    `item_id` is its item where the platform has shown that at a repair, and `members` are its files so far, by issue:
    they are told only then.
    """

    versions: Sequence[Scene]
    contents: Mapping[int, str]
    collection_id: str | None
    next_id: int
    item_id: str | None = None
    members: Mapping[int, Sequence[FileRecord]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SceneMember:
    """The file joins this issue of its scene; a `fresh` one is made with it."""

    scene: Scene
    fresh: bool = False


def collection_key(project_id: str, name: str) -> str:
    """Under which it is kept which collection has this name."""
    return f"collection:{project_id}/{name}"


def issues_of(joining: Joining, versions: Sequence[Scene]) -> list[Scene]:
    """Those of the scenes that a file may join: issues of the version that it says, whose item is not given up."""
    return [
        scene
        for scene in versions
        if scene.version == joining.placed.version and scene.describing != Describing.GONE
    ]


def next_issue(version: str, versions: Iterable[Scene]) -> int:
    """The number of the next issue of a version."""
    return 1 + max((scene.issue for scene in versions if scene.version == version), default=0)


def join(
    now: float, file: FileRecord, joining: Joining, known: KnownScene, content: str | None
) -> SceneMember | Left:
    """Which issue of its scene a file of this content joins, if any: the oldest that lacks its asset.

    So what comes late completes the scene that it is of, and only a raster that changed begins another issue. The
    content of a file that was not claimed is None.
    """
    placed, issues = joining.placed, issues_of(joining, known.versions)
    if placed.policy.newest_only and scenes.outdated(placed.version, (s.version for s in known.versions)):
        return Left(f"a newer version of the scene {placed.scene} is there")
    if content in known.contents.values():
        return Left(f"the scene {placed.scene} has this very raster as {placed.asset}")
    lacking = next((scene for scene in issues if scene.id not in known.contents), None)
    if lacking is not None:
        return SceneMember(lacking)
    issue = next_issue(placed.version, known.versions)
    return SceneMember(_begun(now, file, joining, known.next_id, issue=issue), fresh=True)


def claimed(
    change: Change,
    file: FileRecord,
    joining: Joining,
    known: KnownScene,
    content: str,
    *,
    item_id: str | None,
) -> None:
    """A file was claimed, in this change: it joins its scene, or ends as one that is not needed.

    `item_id` is its item where the platform has shown that at a repair: then it is the scene's, and so it is of those
    that came before it.
    """
    found = join(change.now, file, joining, known, content)
    if isinstance(found, Left):
        if item_id is None:
            change.move_file(file, FileEvent.TWIN, found.note)
        return
    _joined(change, file, joining, found, known.collection_id)
    others = [each for each in known.members.get(found.scene.id, ()) if each.session_id is None]
    item_known(change, found.scene, item_id or known.item_id, [*others, file])


def unclaimed_primary(change: Change, file: FileRecord, joining: Joining, known: KnownScene) -> Scene | None:
    """A file is rejected, in this change, before it was claimed; returns its scene where the others wait for it.

    So they are told why, although nobody has read it.
    """
    if not joining.placed.policy.primary:
        return None
    found = join(change.now, file, joining, known, None)
    if isinstance(found, Left) or found.scene.item_id or not scenes.leads(found.scene, joining.placed.asset):
        return None
    if not found.scene.lead:  # a later issue, which anyone may begin
        return None
    _joined(change, file, joining, found, known.collection_id)
    return found.scene


def _begun(now: float, file: FileRecord, joining: Joining, scene_id: int, *, issue: int) -> Scene:
    """A new issue. Of a later one nobody knows which rasters have changed, so whichever comes first makes the item."""
    placed, policy, first = joining.placed, joining.placed.policy, issue == 1
    return Scene(
        id=scene_id,
        project_id=joining.project_id,
        collection=placed.collection,
        collection_id=None if placed.collection else joining.collection_id,
        name=placed.scene,
        version=placed.version,
        tile=placed.tile,
        issue=issue,
        lead=policy.primary if first else "",
        create_collection=int(policy.create_collections),
        folder=file.folder,
        directory=file.path.rpartition(b"/")[0],
        marker=policy.complete if first else "",
        complete_by=now + policy.complete_wait if first and policy.complete else 0.0,
        patience=policy.complete_wait,
        created_at=now,
        changed_at=now,
    )


def _joined(
    change: Change, file: FileRecord, joining: Joining, member: SceneMember, collection_id: str | None
) -> None:
    """Enter a file as a member. `collection_id` is that of the named collection, as far as it is known."""
    scene, placed = member.scene, joining.placed
    columns: dict[str, Any] = {}
    if scene.collection_id is None and collection_id:
        columns["collection_id"] = collection_id
    if joining.marked and scene.complete_by:
        columns["complete_by"] = 0.0
    if scene.hold and scenes.leads(scene, placed.asset):
        columns["hold"] = ""
    told = {**scenes.details(placed), **scene.details}
    if told != scene.details:
        columns["details"] = told
        columns["describing"] = Describing.NOTHING if scene.item_id is None else Describing.DUE
    if member.fresh:
        change.new_scenes[scene.id] = {**scenes.columns(scene), **columns}
    elif columns:
        change.set_scene(scene, columns)
    where = f"the item {scene.item_id}" if scene.item_id else "no item yet"
    change.log_file(file, "scene", FileState.QUEUED, f"{scene.name} as {placed.asset}, {where}")
    change.set_file(
        file,
        {
            "scene_id": scene.id,
            "target_collection_id": columns.get("collection_id", scene.collection_id),
            "target_item_id": scene.item_id,
            "target_asset_key": placed.asset,
        },
    )


def item_known(
    change: Change, scene: Scene | None, item_id: str | None, members: Iterable[FileRecord]
) -> None:
    """The item of a scene was made, or found: all its files go there. It is learned once."""
    if scene is None or scene.item_id is not None or not item_id:
        return
    describing = Describing.DUE if scene.details else Describing.NOTHING
    change.set_scene(scene, {"item_id": item_id, "hold": "", "describing": describing, **NOT_RETRIED})
    for file in members:
        change.set_file(file, {"target_item_id": item_id})


def rejected(change: Change, scene: Scene | None, file: FileRecord, reason: str) -> None:
    """A file of a scene will not pass: where it is the primary, there is no item for the others to join."""
    lost = scene is not None and scene.item_id is None and scene.lead
    if scene is not None and lost and scenes.leads(scene, file.target_asset_key or ""):
        change.set_scene(scene, {"hold": reason})


def complete(now: float, scene: Scene) -> Change:
    """The name that says that all is there was found: nobody waits any longer."""
    change = Change(now)
    change.set_scene(scene, {"complete_by": 0.0, **NOT_RETRIED})
    return change


def looked_for(now: float, scene: Scene, after: float) -> Change:
    """It was not there yet, and is looked for again after so many seconds."""
    change = Change(now)
    change.set_scene(scene, {**NOT_RETRIED, "not_before": now + after})
    return change


def put_off(now: float, scene: Scene, reason: str, after: float, *, definite: bool = False) -> Change:
    """What the scene needs failed; it is tried again after so many seconds.

    `definite`: the platform was reached and has said so, which is no failed try.
    """
    change = Change(now)
    since = now if scene.retrying_since is None else scene.retrying_since
    columns = {
        "tries": 0 if definite else scene.tries + 1,
        "retrying_since": since,
        "not_before": now + after,
        "last_error": reason,
    }
    change.set_scene(scene, columns)
    return change


def collection_found(
    now: float, found: Iterable[tuple[Scene, Iterable[FileRecord]]], collection_id: str
) -> Change:
    """The collection of these scenes is known; their files go there."""
    change = Change(now)
    for scene, members in found:
        change.learned[collection_key(scene.project_id, scene.collection)] = collection_id
        change.set_scene(scene, {"collection_id": collection_id, **NOT_RETRIED})
        for file in members:
            change.set_file(file, {"target_collection_id": collection_id})
    return change


def described(now: float, scene: Scene, told: Mapping[str, Any], outcome: Describing) -> Change:
    """The item has date and properties, or may not have them. What was learned meanwhile is told once more."""
    change = Change(now)
    again = outcome is Describing.DONE and told != scene.details
    change.set_scene(scene, {"describing": Describing.DUE if again else outcome, **NOT_RETRIED})
    return change

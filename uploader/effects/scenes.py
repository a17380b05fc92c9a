"""The effects for a scene as a whole: its collection, its marker, and what its item is told."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import Any

from uploader.core import errors as err
from uploader.core import failure_policy as policy
from uploader.core.path_text import raw
from uploader.core.recovery_matching import Target
from uploader.core.scene_rules import Placement
from uploader.core.scenes import Describing, Need, Scene, need
from uploader.core.transitions.scene_events import Joining
from uploader.effects.context import Tools
from uploader.journal.row_queries import scene_row
from uploader.journal.rows import clock
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)

MARKER_EVERY = 5.0
"""Seconds between two looks for the name that says that a scene is complete."""

COLLECTION_EVERY = 60.0
"""Seconds between two looks for a collection that is not there."""

_NEVER = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    | {HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_IMPLEMENTED}
)
"""Answers to a description after which it is not tried again."""

TIMES = ("datetime", "start_datetime", "end_datetime")


async def joining(tools: Tools, folder: str, path: bytes, unpacked: Collection[bytes] = ()) -> Joining | None:
    """The scene that a file is to join by its path; None where it is of none.

    `unpacked` are the paths of all that came with it in one archive: its marker may be among them.
    """
    destination = tools.destinations.get(folder)
    placed = destination.placed(path) if destination is not None else None
    if destination is None or not isinstance(placed, Placement):
        return None
    directory, marker = path.rpartition(b"/")[0], placed.policy.complete
    marked = bool(marker) and any(
        b"/".join((place, raw(marker))) in unpacked for place in _places(directory) if place
    )
    if marker and not marked:
        marked = await tools.in_thread(_marked, folder, directory, marker)
    alike = [each for each in tools.destinations.values() if Target.of(each) == Target.of(destination)]
    place = destination.placed if all(each.scenes for each in alike) else None
    return Joining(destination.project_id, destination.collection_id, placed, marked, place)


async def advance(tools: Tools, scene_id: int) -> None:
    """Do what the scene needs next."""
    scene = await tools.journal.read(lambda db: scene_row(db, scene_id))
    match need(scene, clock()):
        case Need.MARKER:
            await _look_for_marker(tools, scene)
        case Need.COLLECTION:
            await _find_collection(tools, scene)
        case Need.DESCRIPTION:
            await _describe(tools, scene)
        case None:
            return


async def _look_for_marker(tools: Tools, scene: Scene) -> None:
    if await tools.in_thread(_marked, scene.folder, scene.directory, scene.marker):
        await tools.journal.scenes.complete(scene.id)
    else:
        await tools.journal.scenes.looked_for(scene.id, MARKER_EVERY)


def _marked(folder: str, directory: bytes, name: str) -> bool:
    """Whether a file of this name lies in a folder, or in one above it up to the drop folder."""
    if not name:
        return False
    root = raw(folder).rstrip(b"/")
    return any(
        os.path.lexists(b"/".join(p for p in (root, place, raw(name)) if p)) for place in _places(directory)
    )


def _places(directory: bytes) -> Iterator[bytes]:
    """A folder, and those above it up to the drop folder, which is empty."""
    parts = directory.split(b"/") if directory else []
    return (b"/".join(parts[:depth]) for depth in range(len(parts), -1, -1))


async def _find_collection(tools: Tools, scene: Scene) -> None:
    """Its collection by name; one that is not there is made where the configuration says so."""
    failpoint("collection.before")
    try:
        found = await tools.platform.list_collections(scene.project_id)
        ids = [one for one in found if one.get("name") == scene.collection and not one.get("deleted_at")]
        collection_id = str(ids[0]["id"]) if ids else ""
        if not collection_id and scene.create_collection:
            collection_id = await tools.platform.create_collection(scene.project_id, scene.collection)
    except err.Refused as error:
        if error.status in _NEVER:
            await tools.reached()
            reason = f"The collection {scene.collection} can be neither found nor made. {error}"
            await tools.journal.scenes.put_off(scene.id, reason, COLLECTION_EVERY, definite=True)
        else:
            await _failed(tools, scene, error)
        return
    except err.UploaderError as error:
        await _failed(tools, scene, error)
        return
    failpoint("collection.after")
    await tools.reached()
    if collection_id:
        await tools.journal.scenes.collection_found(scene.project_id, scene.collection, collection_id)
        log.info("scene=%s collection=%s id=%s", scene.name, scene.collection, collection_id)
        return
    reason = f"The project {scene.project_id} has no collection {scene.collection}."
    await tools.journal.scenes.put_off(scene.id, reason, COLLECTION_EVERY, definite=True)


async def _describe(tools: Tools, scene: Scene) -> None:
    """Tell the item date and properties, beside the properties that it has. A platform that will not is told once."""
    if tools.descriptions_refused or tools.traits.no_updates:
        await tools.journal.scenes.described(scene.id, scene.details, Describing.REFUSED)
        return
    item_id = scene.item_id or ""
    failpoint("describe.before")
    try:
        item = await tools.platform.get_item(item_id)
    except err.UploaderError as error:  # it may not be seen yet, or be gone
        if _definite(error) and scene.tries >= policy.LOOKS_FOR_ITEMS:
            await tools.journal.scenes.described(scene.id, scene.details, Describing.REFUSED)
        else:
            await _failed(tools, scene, error)
        return
    try:
        await tools.platform.update_item(item_id, _changes(item, scene))
    except err.UploaderError as error:
        if _definite(error) and (_is_platforms(error) or scene.tries >= policy.LOOKS_FOR_ITEMS):
            await _refused(tools, scene, error)
        else:
            await _failed(tools, scene, error)
        return
    failpoint("describe.after")
    await tools.reached()
    await tools.journal.scenes.described(scene.id, scene.details, Describing.DONE)
    log.info("described scene=%s item=%s", scene.name, scene.item_id)


def _definite(error: err.UploaderError) -> bool:
    """Whether the same call would be refused again."""
    return isinstance(error, err.Refused) and error.status in _NEVER


def _is_platforms(error: err.UploaderError) -> bool:
    """Whether the platform itself says so, and not something in between."""
    return isinstance(error, err.Refused) and bool(error.problem.title)


def _changes(item: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """What is sent: a moment as the item's time, an interval among its properties, and those that it had."""
    before = item.get("properties")
    had = (
        {name: value for name, value in before.items() if name not in TIMES}
        if isinstance(before, dict)
        else {}
    )
    ours = {name: value for name, value in scene.details.items() if name != "datetime"}
    moment = {"datetime": scene.details["datetime"]} if "datetime" in scene.details else {}
    return {**moment, "properties": {**had, **ours}}


async def _refused(tools: Tools, scene: Scene, error: err.UploaderError) -> None:
    """Whoever may not describe one item may describe none: it is said once, and nothing is held up."""
    await tools.answered(error)
    tools.descriptions_refused = str(error)
    way_out = "Give the key the scope items:write, and start again to have later scenes described."
    log.warning("scenes get no date and properties: %s %s", error, way_out)
    await tools.journal.scenes.described(scene.id, scene.details, Describing.REFUSED)


async def _failed(tools: Tools, scene: Scene, error: err.UploaderError) -> None:
    """It is tried again. A hold of the platform is entered by the calls of sessions, which fail likewise."""
    await tools.answered(error)
    after, hold = tools.reading_failed(error, scene.tries)
    if hold is not None:
        await tools.journal.holds.set(hold)
    await tools.journal.scenes.put_off(scene.id, str(error), after)
    log.warning("scene=%s: %s", scene.name, error)

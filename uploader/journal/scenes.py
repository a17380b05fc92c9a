"""What becomes true of scenes as a whole. One public method is one transaction; its rule is in `core.transitions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from uploader.core.scenes import Describing, Scene
from uploader.core.transitions import scene_events as events
from uploader.core.transitions.change import Change
from uploader.journal.transactions import Rows, Transactions


class Scenes:
    """The scenes in the journal."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def complete(self, scene_id: int) -> None:
        """The name that says that all is there was found."""
        await self._change("scene_complete", scene_id, events.complete)

    async def looked_for(self, scene_id: int, after: float) -> None:
        """It was not there yet, and is looked for again after so many seconds."""
        await self._change("scene_looked", scene_id, lambda now, scene: events.looked_for(now, scene, after))

    async def put_off(self, scene_id: int, reason: str, after: float, *, definite: bool = False) -> None:
        """What the scene needs failed; it is tried again after so many seconds. See `scene_events.put_off`."""

        def change(now: float, scene: Scene) -> Change:
            return events.put_off(now, scene, reason, after, definite=definite)

        await self._change("scene_retry", scene_id, change)

    async def described(self, scene_id: int, told: Mapping[str, Any], outcome: Describing) -> None:
        """The item was told these details, or may not be."""
        await self._change(
            "scene_described", scene_id, lambda now, scene: events.described(now, scene, told, outcome)
        )

    async def collection_found(self, project_id: str, name: str, collection_id: str) -> None:
        """The collection of this name is known, to all scenes of the project that wait for it."""

        def work(rows: Rows) -> None:
            found = rows.scenes_without_collection(project_id, name)
            members = ((scene, rows.scene_members(scene.id)) for scene in found)
            rows.apply(events.collection_found(rows.now, members, collection_id))

        await self._transact("scene_collection", work)

    async def _change(self, name: str, scene_id: int, change: Callable[[float, Scene], Change]) -> None:
        await self._transact(name, lambda rows: rows.apply(change(rows.now, rows.scene(scene_id))))

"""A scene: several rasters that become the assets of one item. Whose turn it is, and what the scene itself needs.

The first raster makes the item. While its session is under way, or nobody knows yet what came of it, all others wait;
once the item is known they join it, each in a session of its own. What is being made follows from the states of the
scene's files alone, so that no crash can leave a scene with a maker that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from uploader.core.lifecycle import ITEMS
from uploader.core.model import FileState
from uploader.core.scene_rules import Placement

MAKING = frozenset({FileState.BATCHED, FileState.STORED}) | ITEMS
"""States of a file that makes its scene's item, as long as that is not known."""

DROPPED = frozenset({FileState.REJECTED, FileState.DUPLICATE, FileState.GONE})
"""States of a file that its scene does not have: another one may take its place."""


class Describing(StrEnum):
    """How far date and properties of an item have come."""

    NOTHING = ""
    DUE = "due"
    DONE = "done"
    REFUSED = "refused"
    GONE = "gone"
    """The item was deleted, and a person had the scene sent anew: nothing joins it any more."""


class Need(StrEnum):
    """What a scene needs as a whole."""

    COLLECTION = "collection"
    """Its collection is looked up by its name."""
    MARKER = "marker"
    """The name that says that it is complete is looked for."""
    DESCRIPTION = "description"
    """Its item is told date and properties."""


class SceneState(StrEnum):
    """How far a scene is."""

    OPEN = "open"
    MAKING = "making"
    KNOWN = "known"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A row of `scenes`: one issue of one version of a scene, which is one item. Times in unix seconds.

    A raster of it that changes begins the next issue.
    """

    id: int
    project_id: str
    collection: str = ""
    """The collection's name; empty: `collection_id` is as the folder says."""
    collection_id: str | None = None
    """None while the named collection was not found."""
    name: str
    version: str = ""
    tile: str = ""
    issue: int = 1
    lead: str = ""
    """The asset that makes the item; empty: whichever comes first."""
    create_collection: int = 0
    folder: str = ""
    directory: bytes = b""
    """Where its first file lay: there, and in the folders above up to the drop folder, the marker is looked for."""
    marker: str = ""
    """The name that says that all is there; empty: nobody waits for it."""
    complete_by: float = 0.0
    """Until then its files wait for the marker."""
    patience: float = 0.0
    """Seconds after which it is a hold that the primary is not there."""
    item_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """Date and properties, as STAC has them."""
    describing: str = Describing.NOTHING
    hold: str = ""
    """Why its primary was rejected."""
    tries: int = 0
    retrying_since: float | None = None
    not_before: float = 0.0
    last_error: str = ""
    created_at: float = 0.0
    changed_at: float = 0.0

    @property
    def subject(self) -> str:
        """The scene as a hold names it."""
        place = self.collection or self.collection_id or ""
        parts = (self.project_id, place, self.name, self.tile, self.version)
        return "/".join(part for part in parts if part) + (f" (issue {self.issue})" if self.issue > 1 else "")

    @property
    def family(self) -> tuple[str, str, str, str, str]:
        """What all versions of a scene have in common: project, collection by name or id, name, tile."""
        by_id = "" if self.collection else self.collection_id or ""
        return self.project_id, self.collection, by_id, self.name, self.tile

    @property
    def target(self) -> str:
        """Where what joins its item goes, as a hold names it."""
        return "/".join(part for part in (self.project_id, self.collection_id, self.item_id) if part)

    @property
    def homeless(self) -> bool:
        """Whether the platform has said that its collection is not there: only a person can help."""
        return self.collection_id is None and bool(self.last_error) and not self.tries

    @property
    def wanting(self) -> bool:
        """Whether it may need something as a whole. While its primary is rejected, it needs nothing but another one."""
        if self.item_id is None:
            searched = self.collection_id is None or bool(self.marker and self.complete_by)
            return searched and not self.hold
        return self.describing == Describing.DUE


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Converted files that wait for others of their scene: how many, their bytes, and since when."""

    scene: Scene
    files: int
    size: int
    since: float
    making: bool


def scene_state(scene: Scene, *, making: bool) -> SceneState:
    """How far it is; `making`: one of its files is in a session, or was."""
    if scene.item_id is not None:
        return SceneState.KNOWN
    if making:
        return SceneState.MAKING
    return SceneState.HELD if scene.hold else SceneState.OPEN


def leads(scene: Scene, asset: str) -> bool:
    """Whether this asset may make the item."""
    return not scene.lead or scene.lead.casefold() == asset.casefold()


def may_go(scene: Scene | None, asset: str, *, making: bool) -> bool:
    """Whether a session may be planned for a file of this asset, now or at `goes_at`. A file without scene always may.

    `making`: another file of the scene has one of the states of `MAKING`.
    """
    if scene is None:
        return True
    match scene_state(scene, making=making):
        case SceneState.KNOWN:
            return True
        case SceneState.OPEN:
            return scene.collection_id is not None and leads(scene, asset)
        case _:
            return False


def goes_at(scene: Scene | None) -> float:
    """Until when it waits for the marker; 0: not at all."""
    return 0.0 if scene is None or scene.item_id is not None else scene.complete_by


def need(scene: Scene, now: float) -> Need | None:
    """What is to be done for the scene next."""
    if scene.item_id is not None:
        return Need.DESCRIPTION if scene.describing == Describing.DUE else None
    if scene.hold:
        return None
    if scene.collection_id is None:
        return Need.COLLECTION
    return Need.MARKER if scene.marker and scene.complete_by > now else None


def details(placed: Placement) -> dict[str, Any]:
    """What the path of a file says of its item: times and properties."""
    times = {name: value for name, value in (placed.when.properties if placed.when else {}).items() if value}
    return {**times, **placed.properties}


def outdated(version: str, others: Iterable[str]) -> bool:
    """Whether a version is older than another one that is there: versions are in the order of their letters."""
    return any(other > version for other in others)


def columns(scene: Scene) -> dict[str, Any]:
    """A scene as the columns of its row, its id apart."""
    return {each.name: getattr(scene, each.name) for each in fields(scene) if each.name != "id"}

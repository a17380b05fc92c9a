"""One file as a plan tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from uploader.config import Folder
from uploader.core.errors import LocalError, RasterRefused, RasterUnreadable
from uploader.core.scene_rules import Placement
from uploader.core.upload_advice import Asker, advised

Verdict = Literal["upload", "opened", "left", "refused", "waits", "failed"]
"""`opened`: it is an archive, and what would be taken of it is told besides. `waits`: it is not whole yet.

`failed`: its head could not be looked into, which says nothing of the raster.
"""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """What would become of a file. `path` is absolute, as it is shown; sizes in bytes.

    `sizes` are by effort, and empty where nothing is sent. `placement` is what it is in its scene, if it is of one.
    `code` says why it is left, for programs; `reason` and `way_out` say it for people.
    """

    folder: str
    path: str
    verdict: Verdict
    bytes: int = 0
    method: str = ""
    size: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    compression: str = ""
    categorical: bool | None = None
    project: str = ""
    collection: str = ""
    item: str = ""
    asset: str = ""
    placement: Placement | None = None
    calls: int = 0
    code: str = ""
    reason: str = ""
    way_out: str = ""
    doubts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a line of JSON: what is empty is left out, but for the first few, which every line has."""
        told: dict[str, Any] = {"path": self.path, "folder": self.folder, "verdict": self.verdict}
        names = (
            "code",
            "reason",
            "way_out",
            "project",
            "collection",
            "item",
            "asset",
            "method",
            "compression",
        )
        told |= {name: value for name in names if (value := getattr(self, name))}
        if self.verdict == "upload":
            told |= {"categorical": self.categorical, "bytes": self.bytes, "estimated_bytes": self.size}
            told |= {"estimated_bytes_by_level": dict(self.sizes), "calls": self.calls}
        if self.placement is not None:
            told |= _scene(self.placement)
        return told | ({"doubts": list(self.doubts)} if self.doubts else {})


def addressed(bare: PlannedFile, folder: Folder, placed: Placement | None) -> PlannedFile:
    """Where it goes."""
    bare = replace(bare, project=folder.project_id, collection=folder.collection_id, item=folder.item_id)
    if placed is None:
        return replace(bare, asset=folder.asset_key)
    collection = placed.collection or folder.collection_id
    return replace(bare, placement=placed, asset=placed.asset, collection=collection)


def not_made(known: PlannedFile, error: LocalError) -> PlannedFile:
    """What has no COG to be foreseen: the raster, or the archive, is at fault, or something else is."""
    told = advised(error, Asker.FOLDER)
    at_fault = isinstance(error, RasterRefused | RasterUnreadable)
    verdict: Verdict = "refused" if at_fault else "failed"
    return replace(known, verdict=verdict, code=verdict, reason=told.reason, way_out=told.way_out)


def _scene(placed: Placement) -> dict[str, Any]:
    dates = placed.when.properties if placed.when else {}
    told: dict[str, Any] = {"scene": placed.scene, "version": placed.version, "tile": placed.tile}
    told |= {"complaints": list(placed.complaints)}
    return {name: value for name, value in told.items() if value} | {
        "properties": {**placed.properties, **dates}
    }

"""What a plan comes to: counted as its files stream by, in a few numbers and one more for each scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from uploader.config import Folder, Settings
from uploader.convert.job import EFFORTS
from uploader.core.model import OwnTarget, session_key
from uploader.core.upload_calls import UploadCalls, window_seconds
from uploader.lookahead.planned_file import PlannedFile

GROWING = ("JPEG", "YCbCr JPEG", "JPEG2000", "WEBP", "JXL")
"""Compressions that lose, as GDAL calls them: without loss their pixels take more room."""

NAMED = 10
"""Files of which no rule of their scenes fits that are named with the sums; their lines name all."""

_SCENE_ITEM = "scene"
"""Stands for the item of a scene, which only the platform will name."""


@dataclass(slots=True)
class SceneCost:
    """What one item of a scene costs: each of its rasters is sent in a session of its own."""

    name: str
    rasters: int = 0
    calls: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "scene": self.name,
            "sessions": self.rasters,
            "calls": self.calls,
            "call_window_seconds": round(window_seconds(self.calls), 1),
        }


@dataclass(slots=True)
class PlanSums:
    """Counts what is added; `counted` gives the file back with its calls."""

    settings: Settings
    calls: UploadCalls = field(init=False)
    verdicts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    """What only pixels tell, by its sentence."""
    bytes: int = 0
    sizes: Counter[str] = field(default_factory=Counter)
    growing: dict[str, Counter[str]] = field(default_factory=dict)
    """By compression: files of sources that lose, their bytes, and what they grow to."""
    no_rule: list[str] = field(default_factory=list)
    """The first files of which no rule of their scenes fits."""
    _scenes: dict[int, SceneCost] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with no session."""
        self.calls = UploadCalls(self.settings.batch)

    def counted(self, file: PlannedFile) -> PlannedFile:
        """Count a file."""
        self.verdicts[file.verdict] += 1
        if file.code:
            self.codes[file.code] += 1
        if file.code == "no_rule" and len(self.no_rule) < NAMED:
            self.no_rule.append(file.path)
        if file.verdict != "upload":
            return file
        if file.method:
            self.methods[file.method] += 1
        self.bytes += file.bytes
        self.sizes.update(file.sizes)
        self.doubts.update(file.doubts)
        if file.compression in GROWING:
            grows = self.growing.setdefault(file.compression, Counter())
            grows.update(files=1, bytes=file.bytes, estimated_bytes=file.size)
        return replace(file, calls=self._call(file))

    def _call(self, file: PlannedFile) -> int:
        folder = self.settings.destinations()[file.folder]
        goes = folder.verify_remote and folder.after_upload != "keep"
        if file.placement is not None:
            return self._of_scene(file, folder, goes=goes)
        key = session_key(folder, categorical=file.categorical is True, own=OwnTarget())
        return self.calls.add(key, file.size, looked_at=goes)

    def _of_scene(self, file: PlannedFile, folder: Folder, *, goes: bool) -> int:
        """The first raster of a scene makes its item, which is looked at, and told its date and properties."""
        placed = file.placement
        assert placed is not None
        scene = hash((file.folder, file.collection, placed.item))
        makes = scene not in self._scenes
        cost = self._scenes.setdefault(scene, SceneCost(placed.scene))
        own = OwnTarget(collection_id=file.collection, item_id=_SCENE_ITEM, asset_key=file.asset)
        key = session_key(folder, categorical=file.categorical is True, own=own)
        before = self.calls.calls
        self.calls.add(key, file.size, looked_at=makes or goes)
        if makes and (placed.when or placed.properties):
            self.calls.describe()
        added = self.calls.calls - before
        cost.rasters += 1
        cost.calls += added
        return added

    def to_json(self) -> dict[str, Any]:
        """The sums as plain JSON types."""
        return {
            "files": {
                verdict: self.verdicts[verdict]
                for verdict in ("upload", "opened", "refused", "waits", "left", "failed")
            },
            "reasons": dict(sorted(self.codes.items())),
            "methods": dict(sorted(self.methods.items())),
            "doubts": dict(sorted(self.doubts.items())),
            "bytes": self.bytes,
            "estimated_bytes": self.sizes[self.settings.effort],
            "estimated_bytes_by_level": {effort: self.sizes[effort] for effort in EFFORTS},
            "lossy_sources": {
                **_grown(sum(self.growing.values(), Counter())),
                "by_compression": {name: _grown(each) for name, each in sorted(self.growing.items())},
            },
            "no_rule": {"files": self.codes["no_rule"], "first": list(self.no_rule)},
            "scene_items": len(self._scenes),
            "scenes": self._scenes_json(),
            "sessions": self.calls.sessions,
            "calls": self.calls.calls,
            "call_window_seconds": round(self.calls.window_seconds, 1),
        }

    def _scenes_json(self) -> dict[str, Any]:
        """What all items of scenes cost together, and the one that costs most."""
        costs = self._scenes.values()
        calls, most = sum(cost.calls for cost in costs), max(costs, key=lambda cost: cost.calls, default=None)
        return {
            "items": len(costs),
            "sessions": sum(cost.rasters for cost in costs),
            "calls": calls,
            "call_window_seconds": round(window_seconds(calls), 1),
            "costliest": None if most is None else most.to_json(),
        }


def _grown(counted: Mapping[str, int]) -> dict[str, int]:
    return {name: counted.get(name, 0) for name in ("files", "bytes", "estimated_bytes")}

"""What a plan comes to: counted as its files stream by, in a few numbers and one more for each scene."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from uploader.config import Settings
from uploader.convert.job import EFFORTS
from uploader.core.model import OwnTarget, session_key
from uploader.core.upload_calls import UploadCalls
from uploader.lookahead.planned_file import PlannedFile

GROWING = ("JPEG", "YCbCr JPEG", "JPEG2000", "WEBP", "JXL")
"""Compressions that lose, as GDAL calls them: without loss their pixels take more room."""

_SCENE_ITEM = "scene"
"""Stands for the item of a scene, which only the platform will name."""


@dataclass(slots=True)
class Sums:
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
    growing: Counter[str] = field(default_factory=Counter)
    _scenes: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with no session."""
        self.calls = UploadCalls(self.settings.batch)

    def counted(self, file: PlannedFile) -> PlannedFile:
        """Count a file."""
        self.verdicts[file.verdict] += 1
        if file.code:
            self.codes[file.code] += 1
        if file.verdict != "upload":
            return file
        if file.method:
            self.methods[file.method] += 1
        self.bytes += file.bytes
        self.sizes.update(file.sizes)
        self.doubts.update(file.doubts)
        if file.compression in GROWING:
            self.growing.update(files=1, bytes=file.bytes, estimated_bytes=file.size)
        return replace(file, calls=self._call(file))

    def _call(self, file: PlannedFile) -> int:
        folder = self.settings.destinations()[file.folder]
        own = OwnTarget()
        if file.placement is not None:
            own = OwnTarget(collection_id=file.collection, item_id=_SCENE_ITEM, asset_key=file.asset)
        key = session_key(folder, categorical=file.categorical is True, own=own)
        makes = file.placement is not None and self._scene(file) not in self._scenes
        added = self.calls.add(
            key, file.size, looked_at=makes or (folder.verify_remote and folder.after_upload != "keep")
        )
        return added + (self._describe(file) if file.placement is not None else 0)

    def _scene(self, file: PlannedFile) -> int:
        assert file.placement is not None
        return hash((file.folder, file.collection, file.placement.item))

    def _describe(self, file: PlannedFile) -> int:
        """The call that an item of a scene takes for its date and properties, with its first file."""
        assert file.placement is not None
        known = self._scene(file)
        if known in self._scenes:
            return 0
        self._scenes.add(known)
        before = self.calls.calls
        if file.placement.when or file.placement.properties:
            self.calls.describe()
        return self.calls.calls - before

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
            "lossy_sources": {name: self.growing[name] for name in ("files", "bytes", "estimated_bytes")},
            "scene_items": len(self._scenes),
            "sessions": self.calls.sessions,
            "calls": self.calls.calls,
            "call_window_seconds": round(self.calls.window_seconds, 1),
        }

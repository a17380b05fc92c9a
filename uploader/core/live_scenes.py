"""The live files of each scene in the working set, and the scenes that need something as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from uploader.core import scenes
from uploader.core.lifecycle import WORKED_ON
from uploader.core.live_rows import LiveFile
from uploader.core.scenes import KeptBack, Scene

WANTING_WINDOW = 64
"""Scenes that need something which a plan looks at."""


class LiveScenes:
    """Which files belong together, as of the last delta."""

    def __init__(self) -> None:
        self._files: dict[int, dict[int, LiveFile]] = {}
        self._scene_of: dict[int, int] = {}
        self._wanting: dict[int, Scene] = {}

    def put_scenes(self, found: Mapping[int, Scene]) -> None:
        """Note what scenes are now."""
        for scene_id, scene in found.items():
            self._wanting.pop(scene_id, None)
            if scene.wanting:
                self._wanting[scene_id] = scene

    def put(self, file_id: int, file: LiveFile | None) -> list[tuple[int, LiveFile]]:
        """Note what a file is now; None: live no more. Returns the others of its scene, which it may have freed."""
        scene_id = self._scene_of.pop(file_id, None)
        if scene_id is not None:
            self._files[scene_id].pop(file_id)
            if not self._files[scene_id]:
                del self._files[scene_id]
        if file is not None and file.scene is not None:
            scene_id = self._scene_of[file_id] = file.scene.id
            self._files.setdefault(scene_id, {})[file_id] = file
        others = self._files.get(scene_id or 0, {})
        return [(other_id, other) for other_id, other in others.items() if other_id != file_id]

    def may_go(self, file: LiveFile) -> bool:
        """Whether a session may be planned for a file, now or later."""
        return scenes.may_go(file.scene, file.asset, making=self._making(file))

    def finished(self, file: LiveFile) -> bool:
        """Whether no other file of its scene is still to be uploaded."""
        others = self._files.get(file.scene.id, {}) if file.scene else {}
        return not any(other.row.state in WORKED_ON for other in others.values())

    def wanting(self) -> tuple[Scene, ...]:
        """The scenes that may need something, those first whose time comes first."""
        found = sorted(self._wanting.values(), key=lambda scene: (scene.not_before, scene.id))
        return tuple(found[:WANTING_WINDOW])

    def kept_back(self, files: Iterable[LiveFile]) -> tuple[KeptBack, ...]:
        """These files, which wait for others of their scenes, by scene."""
        by_scene: dict[int, list[LiveFile]] = {}
        for file in files:
            if file.scene is not None:
                by_scene.setdefault(file.scene.id, []).append(file)
        return tuple(self._kept(waiting) for waiting in by_scene.values())

    def _kept(self, files: list[LiveFile]) -> KeptBack:
        scene = files[0].scene
        assert scene is not None
        size, since = sum(file.row.object_size for file in files), min(file.changed_at for file in files)
        return KeptBack(scene, len(files), size, since, making=self._making(files[0]))

    def _making(self, file: LiveFile) -> bool:
        return any(other.row.state in scenes.MAKING for other in self._others(file))

    def _others(self, file: LiveFile) -> Iterator[LiveFile]:
        if file.scene is not None:
            others = self._files.get(file.scene.id, {})
            yield from (other for other_id, other in others.items() if other_id != file.row.id)

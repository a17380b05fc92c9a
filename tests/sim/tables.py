"""The journal's tables in memory: what `uploader.journal` keeps in SQLite, as records with their indexes.

Only what the effects and the planner read is here, and it is kept ready for them: a view costs what has changed since
the last one, and rows that nobody needs any more can be dropped. The real journal has to tell the same histories.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from tests.sim.journal import line
from tests.sim.rows import File, Upload
from uploader.core.lifecycle import FILE_ENDS
from uploader.core.model import FileState, Hold, Pause, PlatformProfile, Scope
from uploader.core.scenes import Scene


class Tables:
    """All rows, by what they are looked for; `set_file`, `set_upload` and their like are the only ones that write."""

    def __init__(self) -> None:
        self.now = 0.0
        self.files: dict[int, File] = {}
        self.uploads: dict[int, Upload] = {}
        self.holds: dict[tuple[Scope, str], Hold] = {}
        self.pauses: dict[str, Pause] = {}
        self.learned: dict[str, Any] = {}
        self.profile: PlatformProfile | None = None
        self.by_state: dict[FileState, dict[int, File]] = {state: {} for state in FileState}
        self.by_path: dict[bytes, dict[int, File]] = {}
        self.by_content: dict[str, dict[int, File]] = {}
        self.ended: dict[int, File] = {}
        """Files that reached an end and still have private copies."""
        self.leaving: dict[int, File] = {}
        """Completed files whose source is to go."""
        self.scenes: dict[int, Scene] = {}
        self.of_scene: dict[int, dict[int, File]] = {}
        self.held: dict[int, File] = {}
        """Files with a hold of their own."""
        self.live: dict[int, Upload] = {}
        self.staged_bytes = 0
        self.stale: set[FileState] = set(FileState)
        """States whose part of the view has to be made anew."""
        self.files_made = 0
        self.uploads_made = 0
        self.scenes_made = 0
        self._digest = hashlib.sha256()

    # -- files -----------------------------------------------------------------------------------------------

    def insert(self, file_id: int, columns: dict[str, Any]) -> None:
        """A new version of a path."""
        self.files_made = file_id
        file = File(id=file_id, **columns)
        self.files[file.id] = self.by_state[file.state][file.id] = file
        self.by_path.setdefault(file.path, {})[file.id] = file

    def set_file(self, file: File, columns: dict[str, Any]) -> None:
        """Set columns of a row, and mind the indexes."""
        del self.by_state[file.state][file.id]
        self._leave(file, columns)
        for name, value in columns.items():
            setattr(file, name, value)
        self.by_state[file.state][file.id] = file
        self._enter(file, columns)

    def _leave(self, file: File, columns: dict[str, Any]) -> None:
        """Take a row out of the indexes that its columns decide."""
        if file.hold:
            del self.held[file.id]
        self.stale.add(file.state)
        if file.staged:
            self.staged_bytes -= file.size + file.object_size
            self.ended.pop(file.id, None)
        self.leaving.pop(file.id, None)
        if "current" in columns and file.current == 1:
            _unlist(self.by_path, file.path, file.id)
        if "content" in columns and file.content is not None:
            _unlist(self.by_content, file.content, file.id)
        if file.scene_id is not None and "scene_id" in columns:
            del self.of_scene[file.scene_id][file.id]
        if file.session_id is not None:
            upload = self.uploads[file.session_id]
            upload.row = upload.view = None
            if "session_id" in columns:
                del upload.members[file.id]

    def _enter(self, file: File, columns: dict[str, Any]) -> None:
        """Put a row into the indexes again; whatever was made of it is void."""
        if file.hold:
            self.held[file.id] = file
        file.row = file.member = file.candidate = None
        self.stale.add(file.state)
        if file.staged:
            self.staged_bytes += file.size + file.object_size
            if file.state in FILE_ENDS:
                self.ended[file.id] = file
        if file.state is FileState.COMPLETED and file.disposal is None:
            self.leaving[file.id] = file
        if file.scene_id is not None:
            self._enter_scene(file, file.scene_id)
        if "content" in columns and file.content is not None:
            self.by_content.setdefault(file.content, {})[file.id] = file
        if "session_id" in columns and file.session_id is not None:
            upload = self.uploads[file.session_id]
            upload.members[file.id] = file
            upload.row = upload.view = None

    def _enter_scene(self, file: File, scene_id: int) -> None:
        """What becomes of a file may free the others of its scene."""
        file.scene = self.scenes[scene_id]
        self.of_scene.setdefault(scene_id, {})[file.id] = file
        self.stale |= {FileState.CONVERTED, FileState.COMPLETED}

    def set_scene(self, scene_id: int, columns: dict[str, Any]) -> None:
        """Set columns of a scene, or make it."""
        known = self.scenes.get(scene_id)
        self.scenes[scene_id] = Scene(id=scene_id, **columns) if known is None else replace(known, **columns)
        self.scenes_made = max(self.scenes_made, scene_id)
        for file in self.of_scene.get(scene_id, {}).values():
            file.scene, file.candidate = self.scenes[scene_id], None
        self.stale |= {FileState.CONVERTED, FileState.COMPLETED}

    def drop(self, file: File) -> None:
        """Forget a row that has ended, to stay small over a long history."""
        self._leave(file, {"current": None, "content": None, "session_id": None})
        del self.files[file.id]
        del self.by_state[file.state][file.id]

    # -- sessions --------------------------------------------------------------------------------------------

    def insert_upload(self, session_id: int, columns: dict[str, Any]) -> None:
        """A new session."""
        self.uploads_made = session_id
        self.uploads[session_id] = self.live[session_id] = Upload(id=session_id, **columns)

    def set_upload(self, upload: Upload, columns: dict[str, Any]) -> None:
        """Set columns of a session."""
        for name, value in columns.items():
            setattr(upload, name, value)
        upload.row = upload.view = None
        if upload.live:
            self.live[upload.id] = upload
        else:
            self.live.pop(upload.id, None)
        self.stale.add(FileState.COMPLETED)  # a disposal waits for its session's readback

    # -- holds, and what was learned -------------------------------------------------------------------------

    def set_hold(self, scope: Scope, subject: str, hold: Hold | None) -> None:
        """Keep a hold as it is, or end it."""
        if hold is None:
            self.holds.pop((scope, subject), None)
        else:
            self.holds[scope, subject] = hold

    def set_pause(self, folder: str, pause: Pause | None) -> None:
        """Keep a pause as it is, or end it."""
        self.pauses.pop(folder, None)
        if pause is not None:
            self.pauses[folder] = pause

    def learn(self, facts: dict[str, Any]) -> None:
        """Keep facts; None forgets one."""
        self.profile = None
        self.learned |= facts
        self.learned = {key: value for key, value in self.learned.items() if value is not None}

    # -- the event log -----------------------------------------------------------------------------------------

    def log(self, event: str, state: str, file_id: int | None, session_id: int | None) -> None:
        """Append to the event log, of which only the hash is kept."""
        self._digest.update(line(file_id, session_id, event, state, self.now))

    def digest(self) -> str:
        """The hash of the event log up to now."""
        return self._digest.hexdigest()[:16]


def _unlist(index: dict[Any, dict[int, File]], key: object, file_id: int) -> None:
    listed = index[key]
    del listed[file_id]
    if not listed:
        del index[key]

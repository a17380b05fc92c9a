"""What a transition makes true: the one value that the journal writes and the simulator applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uploader.core.lifecycle import FileEvent, SessionEvent, advance_file, advance_session
from uploader.core.model import FileState, Hold, Pause, Scope, SessionState
from uploader.core.scenes import Scene
from uploader.core.transitions.records import FileRecord, SessionRecord

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the event log. `state` is the one that the event led to; empty where it led nowhere."""

    event: str
    state: str
    note: str = ""
    file_id: int | None = None
    session_id: int | None = None


@dataclass(slots=True)
class Change:
    """The changed columns of rows by id, new rows, holds, facts, and lines of the log in their order.

    A transition fills it, from its own rows only; afterwards nobody changes it. A state changes here alone, by
    `lifecycle`: an illegal event raises IllegalTransition, and the whole change is void.
    """

    now: float
    files: dict[int, Columns] = field(default_factory=dict)
    sessions: dict[int, Columns] = field(default_factory=dict)
    scenes: dict[int, Columns] = field(default_factory=dict)
    new_files: dict[int, Columns] = field(default_factory=dict)
    new_sessions: dict[int, Columns] = field(default_factory=dict)
    new_scenes: dict[int, Columns] = field(default_factory=dict)
    """By the id that each gets. A session's `key` is one value; columns of JSON hold what is encoded."""
    holds: dict[tuple[Scope, str], Hold | None] = field(default_factory=dict)
    """By scope and subject, as the row is from now on; None: it ends."""
    pauses: dict[str, Pause | None] = field(default_factory=dict)
    """By folder, as the row is from now on; None: it ends."""
    learned: dict[str, Any] = field(default_factory=dict)
    """Facts about the platform; None forgets one."""
    taken: dict[int, int] = field(default_factory=dict)
    """Records of the platform that a repair has listed, each with the file that it is from now on."""
    assured: list[tuple[str, bytes]] = field(default_factory=list)
    """Folders and paths of files of which a person says that they were not uploaded before a repair."""
    cursors: dict[str, int | None] = field(default_factory=dict)
    """By the name of a follower: the last event that it has told of; None: it follows no longer."""
    set_back: float = 0.0
    """Seconds by which the clock was set back; see `clock_events`."""
    forgotten_files: list[int] = field(default_factory=list)
    forgotten_sessions: list[int] = field(default_factory=list)
    forgotten_events: list[int] = field(default_factory=list)
    """By id; files and sessions go with the events that are about them alone. The newest event stays in any case."""
    log: list[LogLine] = field(default_factory=list)

    # -- files -----------------------------------------------------------------------------------------------

    def set_file(self, file: FileRecord, columns: Mapping[str, Any]) -> None:
        """Set columns of a file other than its state, or of one that is made with this change."""
        self._columns(file).update(columns)

    def move_file(self, file: FileRecord, event: FileEvent, note: str = "", **columns: Any) -> FileState:
        """Advance a file by an event, set columns, and log it; returns the new state."""
        changed = self._columns(file)
        state = advance_file(changed.get("state", file.state), event)
        changed.update(columns, state=state, changed_at=self.now)
        self.log.append(LogLine(event, state, note, file.id, changed.get("session_id", file.session_id)))
        return state

    def log_file(self, file: FileRecord, event: str, state: str, note: str = "") -> None:
        """Append a line about a file, whichever session it is in."""
        self.log.append(LogLine(event, state, note, file.id))

    def count(self, file: FileRecord, *columns: str) -> None:
        """Count up in some columns of a file."""
        changed = self._columns(file)
        for name in columns:
            changed[name] = changed.get(name, getattr(file, name)) + 1

    def delay(self, file: FileRecord, reason: str, after: float) -> None:
        """A step of a file failed: it is tried again after so many seconds."""
        self.set_file(file, _delayed(file, self.now, reason, after))

    def _columns(self, file: FileRecord) -> Columns:
        made = self.new_files.get(file.id)
        return self.files.setdefault(file.id, {}) if made is None else made

    def set_scene(self, scene: Scene, columns: Mapping[str, Any]) -> None:
        """Set columns of a scene, or of one that is made with this change."""
        made = self.new_scenes.get(scene.id)
        changed = self.scenes.setdefault(scene.id, {}) if made is None else made
        changed.update(columns, changed_at=self.now)

    # -- sessions --------------------------------------------------------------------------------------------

    def set_session(self, session: SessionRecord, columns: Mapping[str, Any]) -> None:
        """Set columns of a session other than its state."""
        self.sessions.setdefault(session.id, {}).update(columns)

    def move_session(
        self, session: SessionRecord, event: SessionEvent, note: str = "", **columns: Any
    ) -> SessionState:
        """Advance a session by an event, set columns, and log it; returns the new state."""
        changed = self.sessions.setdefault(session.id, {})
        state = advance_session(changed.get("state", session.state), event)
        changed.update(columns, state=state, changed_at=self.now)
        self.log.append(LogLine(event, state, note, None, session.id))
        return state

    def count_session(self, session: SessionRecord, *columns: str) -> None:
        """Count up in some columns of a session."""
        changed = self.sessions.setdefault(session.id, {})
        for name in columns:
            changed[name] = changed.get(name, getattr(session, name)) + 1

    def delay_session(self, session: SessionRecord, reason: str, after: float) -> None:
        """A step of a session failed: it is tried again after so many seconds."""
        self.set_session(session, _delayed(session, self.now, reason, after))


def _delayed(row: FileRecord | SessionRecord, now: float, reason: str, after: float) -> Columns:
    since = now if row.retrying_since is None else row.retrying_since
    return {"retrying_since": since, "not_before": now + after, "last_error": reason}

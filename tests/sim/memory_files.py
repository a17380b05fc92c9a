"""What the model of sessions needs of files."""

from __future__ import annotations

from collections.abc import Callable

from tests.sim.rows import File, Upload
from tests.sim.tables import Tables
from uploader.core.lifecycle import COUPLED, FileEvent, SessionEvent
from uploader.core.transitions import file_events
from uploader.core.transitions.records import FRESH

Transaction = Callable[[str], None]


def reject(tables: Tables, file: File, reason: str) -> None:
    """End a file."""
    columns = {**FRESH, "last_error": reason, "session_id": None}
    versions = tables.by_path.get(file.path)
    if file_events.superseded(file, versions[max(versions)] if versions else None):
        columns["current"] = None
    tables.move_file(file, FileEvent.REJECTED, columns)


def couple(tables: Tables, upload: Upload, event: SessionEvent) -> None:
    """Move all members as the session's event demands."""
    released = COUPLED[event] is FileEvent.RELEASED
    columns = {**FRESH, "session_id": None} if released else FRESH
    for file in upload.ordered():
        tables.move_file(file, COUPLED[event], columns)

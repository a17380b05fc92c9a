"""What becomes of files of which a person says that they will never come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from uploader.core.lifecycle import SESSION_ENDS, FileEvent
from uploader.core.model import FileState
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import NEW_STEP, FileRecord, SessionRecord

_UNSENT = frozenset({FileState.SETTLING, FileState.QUEUED, FileState.CONVERTED})


@dataclass(slots=True)
class Forgotten:
    """What came of a wish to forget: `files` are off the list, of `refused` ones the reason is told. Both by id."""

    files: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def forgotten(
    now: float, files: Iterable[tuple[FileRecord, SessionRecord | None]]
) -> tuple[Change, Forgotten]:
    """Take files off the list; each comes with the session that it is in.

    What was not sent yet never is, and its private copies go. The source of an item counts as missing. A file in a
    session that has not ended is refused: what is sent is sent. Who is off the list already is passed over.
    """
    change, found = Change(now), Forgotten()
    for file, session in files:
        if session is not None and session.state not in SESSION_ENDS:
            found.refused[file.id] = f"it is in the upload session {session.id}, which goes on to its end"
        elif forget_file(change, file, "a person says that it will never come back"):
            found.files.append(file.id)
    return change, found


def forget_file(change: Change, file: FileRecord, note: str) -> bool:
    """Whether there was anything to forget."""
    if file.state in _UNSENT or (file.state is FileState.REJECTED and file.current):
        change.move_file(file, FileEvent.FORGOTTEN, note, current=None, **NEW_STEP)
    elif file.state is FileState.COMPLETED and file.disposal is None:
        change.move_file(file, FileEvent.DISPOSED, note, current=None, disposal="missing", **NEW_STEP)
    elif file.current:
        change.set_file(file, {"current": None})
    else:
        return False
    return True

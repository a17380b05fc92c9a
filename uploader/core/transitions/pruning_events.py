"""What is forgotten, so that the journal stays bounded: nothing of a path that exists, nothing still needed.

A version of a file can go when its path is gone from the drop folder, its end is reached, its source and its private
copies are put away, and its session wants nothing more. It goes with its events, once it is older than `KEPT_SECONDS`
or once more than `KEPT_FILES` of its kind are newer. Its session goes after its last member. What `status` sums up is
kept as sums, above all the bytes of doubtful initiates. No event goes before everybody was told of it who must be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uploader.core.lifecycle import FILE_ENDS, ITEMS, SESSION_ENDS
from uploader.core.model import FileState
from uploader.core.transitions.change import Change
from uploader.core.transitions.cursor_events import told
from uploader.core.transitions.records import FileRecord, SessionRecord

KEPT_SECONDS = 90 * 86400.0
"""How long the story of a file is kept after its path was gone and its end reached."""

KEPT_FILES = 20_000
"""How many such files are kept at most, the newest; about 50 MB of journal."""

KEPT_SESSION_SECONDS = 86400.0
"""How long an ended session is kept that has no member left."""

KEPT_NOISE_SECONDS = 30 * 86400.0
"""How long the tries of a file are told after its end; its other events stay as long as it does."""

NOISE = ("looked", "retry")
"""Events that tell of tries."""

KEPT_STORIES = 20_000
"""How many completed files have all their events, the newest; about 10 MB of journal."""

KEPT_STEPS_SECONDS = 2 * 86400.0
"""How long all events of a completed file stay in any case: sums of a day are made of them, a daily limit's, too."""

STEPS = ("discovered", "claimed", "converted", "batched", "stored", "completed")
"""Events of an older completed file that go: its row has their times, and what came of them."""

SUMS = "pruned"
"""The profile's key of the sums over what was forgotten."""

Sums = dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class OldFile:
    """A file that may be over, the session that it is in, and the id of its newest event (0: it has none)."""

    file: FileRecord
    session: SessionRecord | None = None
    newest_event: int = 0


@dataclass(frozen=True, slots=True)
class OldSession:
    """The same of a session that has so many members."""

    session: SessionRecord
    members: int
    newest_event: int = 0


def sums_of(learned: Mapping[str, Any] | None) -> Sums:
    """What was forgotten, by the profile's value: `files` and `sessions` by state, `folders`' completed, `bytes`."""
    kept = learned or {}
    return {name: Counter(kept.get(name) or {}) for name in ("files", "sessions", "folders", "bytes")}


def file_over(file: FileRecord, session: SessionRecord | None, next_id: int) -> bool:
    """Whether nothing is left to be done for a file; `session` is the one that it is in.

    `next_id` is that of the next file: the newest row stays whatever it is, so that no id is given twice.
    """
    if file.id + 1 == next_id:
        return False
    if file.current is not None or file.staged or file.hold or file.state not in FILE_ENDS:
        return False
    if file.state is FileState.COMPLETED and file.disposal is None:
        return False
    return session is None or _ended(session)


def session_over(session: SessionRecord, members: int, next_id: int) -> bool:
    """The same for a session that has so many members."""
    return session.id + 1 != next_id and not members and _ended(session)


def files_forgotten(
    now: float,
    files: Iterable[OldFile],
    next_id: int,
    learned: Mapping[str, Any] | None,
    lowest_cursor: int | None = None,
) -> Change:
    """Forget files with their events, as far as they are over still."""
    over = [
        old.file
        for old in files
        if file_over(old.file, old.session, next_id) and told(old.newest_event, lowest_cursor)
    ]
    done = [file for file in over if file.state in ITEMS]
    uploaded = sum(file.object_size or 0 for file in done)
    change = Change(now)
    change.forgotten_files = [file.id for file in over]
    states, folders = [file.state for file in over], [file.folder for file in done]
    _add(change, learned, {"files": states, "folders": folders}, {"uploaded": uploaded})
    return change


def sessions_forgotten(
    now: float,
    sessions: Iterable[OldSession],
    next_id: int,
    learned: Mapping[str, Any] | None,
    lowest_cursor: int | None = None,
) -> Change:
    """Forget sessions with their own events, as far as they are over still."""
    over = [
        old.session
        for old in sessions
        if session_over(old.session, old.members, next_id) and told(old.newest_event, lowest_cursor)
    ]
    leaked = sum(max(0, s.initiates_sent - s.initiates_clear) * s.total_bytes for s in over)
    change = Change(now)
    change.forgotten_sessions = [session.id for session in over]
    _add(change, learned, {"sessions": [session.state for session in over]}, {"leaked": leaked})
    return change


def events_forgotten(now: float, event_ids: Sequence[int], lowest_cursor: int | None = None) -> Change:
    """Forget events."""
    change = Change(now)
    change.forgotten_events = [event_id for event_id in event_ids if told(event_id, lowest_cursor)]
    return change


def _ended(session: SessionRecord) -> bool:
    return session.state in SESSION_ENDS and session.readback != "due" and not session.hold


def _add(
    change: Change,
    learned: Mapping[str, Any] | None,
    gone: Mapping[str, Sequence[str]],
    amounts: Mapping[str, int],
) -> None:
    if not any(gone.values()):
        return
    kept = sums_of(learned)
    for kind, words in gone.items():
        kept[kind].update(words)
    kept["bytes"].update(amounts)
    change.learned[SUMS] = {name: dict(counts) for name, counts in kept.items()}

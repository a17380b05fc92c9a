"""What becomes true of files by what happens to their sources: they are seen, change, vanish, or are put away."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from uploader.core.lifecycle import FileEvent
from uploader.core.model import FileState, Sighting
from uploader.core.path_text import shown
from uploader.core.transitions.change import Change, LogLine
from uploader.core.transitions.given_up import GIVEN_UP, unless_given_up
from uploader.core.transitions.records import NEW_STEP, FileRecord

GONE_OUTCOMES = frozenset({"archived", "deleted", "missing"})
"""Ends of a disposal after which no source lies at the path; after any other it stays."""


@dataclass(frozen=True, slots=True)
class SightedGroup:
    """A sighting, and the value by which rows keep it: equal ones mean an untouched group."""

    sighting: Sighting
    value: Hashable


def discovered(
    now: float, found: Iterable[tuple[Sequence[FileRecord], SightedGroup]], next_id: int
) -> tuple[Change, list[int]]:
    """Versions of different paths were seen; returns the ids of the rows that settle from now on.

    With each come the current versions of its path, the oldest first. A newest one that is settling already takes the
    sighting over; else a row is made, from `next_id` on, and no rejected version is tried again.
    """
    change, ids = Change(now), list[int]()
    for versions, seen in found:
        newest = versions[-1] if versions else None
        if newest is not None and newest.state is FileState.SETTLING:
            if newest.sighting != seen.value:
                _begin_anew(change, newest, seen)
            ids.append(newest.id)
            continue
        for file in versions:
            if file.state is FileState.REJECTED:
                change.set_file(file, {"current": None})
        ids.append(next_id)
        _enter(change, next_id, seen)
        next_id += 1
    return change, ids


def _enter(change: Change, file_id: int, seen: SightedGroup) -> None:
    """A row of a file that was not seen before as it is now."""
    sighting = seen.sighting
    change.new_files[file_id] = {
        "folder": sighting.folder,
        "path": sighting.path,
        "current": 1,
        "state": FileState.SETTLING,
        "sighting": seen.value,
        "size": sighting.size,
        "discovered_at": change.now,
        "changed_at": change.now,
    }
    note = f"{sighting.size:,} bytes"
    change.log.append(LogLine("discovered", FileState.SETTLING, note, file_id))


def changed(now: float, file: FileRecord, seen: SightedGroup) -> Change:
    """A settling file was written to: its looks start anew. One that has left this state is not touched."""
    change = Change(now)
    if file.state is FileState.SETTLING:
        _begin_anew(change, file, seen)
    return change


@unless_given_up
def looked(now: float, file: FileRecord, reason: str, after: float) -> Change:
    """A settled file does not look whole; it is looked at again after so many seconds."""
    change = Change(now)
    change.count(file, "looks")
    change.delay(file, reason, after)
    change.log_file(file, "looked", FileState.SETTLING, reason)
    return change


def vanished(now: float, files: Iterable[FileRecord]) -> Change:
    """Files left the drop folder before they were claimed, or after they were rejected. No other one is touched."""
    change = Change(now)
    for file in files:
        if file.state is FileState.SETTLING:
            change.move_file(file, FileEvent.VANISHED, current=None, **NEW_STEP)
        elif file.state is FileState.REJECTED and file.current:
            change.move_file(file, FileEvent.VANISHED, current=None)
    return change


def forgotten(now: float, versions: Iterable[FileRecord]) -> Change:
    """The paths of these versions no longer exist: what is dropped there next is new, whatever its content.

    A rejected one need not be mended any more.
    """
    change = Change(now)
    for file in versions:
        if file.state is FileState.REJECTED:
            change.move_file(file, FileEvent.VANISHED, current=None)
        else:
            change.set_file(file, {"current": None})
    return change


def disposed(
    now: float, file: FileRecord, outcome: str, where: bytes, seen: SightedGroup, *, identity: str = ""
) -> Change:
    """The source is archived at the path `where`, or deleted, or must stay: it is another file than was seen.

    `identity` is the device and inode of an archived one, by which it is known under any other name.
    Where a claim has found the uploaded content under another sighting meanwhile, the disposal is tried again.
    """
    change = Change(now)
    if outcome == "replaced" and file.sighting != seen.value:
        return change
    columns: dict[str, Any] = {"disposal": outcome, "archived_as": where or None, **NEW_STEP}
    if identity:
        columns["archived_identity"] = identity
    if file.state in GIVEN_UP:
        change.set_file(file, columns)
    elif file.state is FileState.UNPACKED:
        gone = outcome in GONE_OUTCOMES
        change.set_file(file, columns | ({"current": None} if gone else {}))
        change.log_file(file, "put away" if gone else "kept", file.state, f"{outcome} {shown(where)}".strip())
    elif outcome in GONE_OUTCOMES:
        note = f"{outcome} {shown(where)}".strip()
        change.move_file(file, FileEvent.DISPOSED, note, current=None, **columns)
    else:
        change.set_file(file, columns)
        change.log_file(file, "kept", FileState.COMPLETED, f"source {outcome}, left alone")
    return change


def seen_again(change: Change, file: FileRecord, seen: SightedGroup) -> None:
    """The content of this version lies at its path, only its times or its place on the disk are others by now.

    A source that was left alone because of them can go after all: its bytes were read again, and are what was uploaded.
    """
    change.set_file(file, {"sighting": seen.value})
    if file.disposal == "replaced":
        change.set_file(file, {"disposal": None})


def _begin_anew(change: Change, file: FileRecord, seen: SightedGroup) -> None:
    change.set_file(file, {"looks": 0, "size": seen.sighting.size, "sighting": seen.value, **NEW_STEP})

"""What becomes true of files, outside of upload sessions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uploader.core.lifecycle import FileEvent
from uploader.core.model import FileState, Sighting
from uploader.core.path_text import shown
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import FRESH, FileRecord
from uploader.core.transitions.repaired import UNSURE, Repaired, recognised

GONE_OUTCOMES = frozenset({"archived", "deleted", "missing"})
"""Ends of a disposal after which no source lies at the path; after any other it stays."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting, and the value by which rows keep it: equal ones mean an untouched group."""

    sighting: Sighting
    value: Hashable


@dataclass(frozen=True, slots=True)
class Claimed:
    """A private copy: the group as it was seen, its SHA-256 in hex, its size in bytes, and the raster's own SHA-256."""

    seen: Seen
    content: str
    size: int
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion brought: the object's size in bytes and hashes, and the report as it is told."""

    size: int
    md5: bytes
    crc32c: int
    method: str
    categorical: bool
    file_name: str
    warnings: Sequence[dict[str, str]] = ()
    bands: Sequence[dict[str, float | None]] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    """What the folder said for the raster, because it did not say it itself."""
    sha256: bytes | None = None
    comparison: str = "full"
    """How the object was compared with its source: full, sample, off, or bytes where it is the source itself."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is told of the raster to people; nothing depends on it."""


GIVEN_UP = frozenset({FileState.GONE, FileState.DISPOSED})
"""Where a file is that was forgotten while an effect was at work for it: what that brings changes nothing."""


def superseded(file: FileRecord, newest: FileRecord | None) -> bool:
    """Whether the path no longer exists, or a newer version of it was seen. `newest` is its newest current one."""
    return file.current is None or (newest is not None and newest.id > file.id)


def discovered(
    now: float, newest: FileRecord | None, rejected: Iterable[FileRecord], seen: Seen, next_id: int
) -> tuple[Change, int]:
    """A version of a path was seen; returns the id of the row that settles from now on.

    `newest` and `rejected` are current versions of the path. One that is settling already takes the sighting over;
    else the row `next_id` is made, and no rejected version is tried again.
    """
    change = Change(now)
    if newest is not None and newest.state is FileState.SETTLING:
        if newest.sighting != seen.value:
            _begin_anew(change, newest, seen)
        return change, newest.id
    for file in rejected:
        change.set_file(file, {"current": None})
    sighting = seen.sighting
    file = FileRecord(id=next_id, folder=sighting.folder, path=sighting.path, sighting=seen.value)
    change.new_files[next_id] = {
        "folder": file.folder,
        "path": file.path,
        "current": file.current,
        "state": file.state,
        "sighting": file.sighting,
        "size": sighting.size,
        "discovered_at": now,
        "changed_at": now,
    }
    change.log_file(file, "discovered", file.state, f"{sighting.size:,} bytes")
    return change, next_id


def changed(now: float, file: FileRecord, seen: Seen) -> Change:
    """A settling file was written to: its looks start anew. One that has left this state is not touched."""
    change = Change(now)
    if file.state is FileState.SETTLING:
        _begin_anew(change, file, seen)
    return change


def looked(now: float, file: FileRecord, reason: str, after: float) -> Change:
    """A settled file does not look whole; it is looked at again after so many seconds."""
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    change.count(file, "looks")
    change.delay(file, reason, after)
    change.log_file(file, "looked", FileState.SETTLING, reason)
    return change


def vanished(now: float, files: Iterable[FileRecord]) -> Change:
    """Files left the drop folder before they were claimed, or after they were rejected. No other one is touched."""
    change = Change(now)
    for file in files:
        if file.state is FileState.SETTLING:
            change.move_file(file, FileEvent.VANISHED, current=None, **FRESH)
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


def claimed(
    now: float, file: FileRecord, same: FileRecord | None, copy: Claimed, repaired: Repaired
) -> tuple[Change, FileState]:
    """The private copy is whole; returns the state that the file is in then.

    `same` is another current version of the path with the same content: then nothing has changed there. Else a file
    whose item the platform has shown at a repair is completed by that, one that may have been uploaded before the
    repair waits for a person, and all others are queued.
    """
    change = Change(now)
    if file.state in GIVEN_UP:
        change.set_file(file, {"staged": 1})  # the copy that was just made goes
        return change, file.state
    columns = {
        "content": copy.content,
        "source_sha256": copy.sha256,
        "staged": 1,
        "sighting": copy.seen.value,
        **FRESH,
    }
    if same is not None:
        _seen_again(change, same, copy.seen)
        note = f"the same content as version {same.id}"
        return change, change.move_file(file, FileEvent.UNCHANGED, note, **columns, current=None)
    columns["size"] = copy.size
    if repaired.item is not None:
        change.taken[repaired.item.id] = file.id
        note, facts = recognised(repaired.item.item_id, repaired.name, repaired.after_upload)
        return change, change.move_file(file, FileEvent.RECOGNISED, note, **{**columns, **facts})
    if repaired.unsure:
        columns["last_error"] = UNSURE
        return change, change.move_file(file, FileEvent.REJECTED, UNSURE, **columns)
    note = f"{copy.size:,} bytes, sha256 {copy.content[:12]}"
    return change, change.move_file(file, FileEvent.CLAIMED, note, **columns)


def converted(now: float, file: FileRecord, made: Converted) -> Change:
    """The object is ready in staging."""
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    notes = [
        f"{made.method}, {made.size:,} bytes",
        *(f"declared by the folder: {key} = {value}" for key, value in sorted(made.declared.items())),
        *(f"{w['code']}: {w['text']}" for w in made.warnings),
    ]
    columns: dict[str, Any] = {
        "object_size": made.size,
        "object_md5": made.md5,
        "object_crc32c": made.crc32c,
        "method": made.method,
        "categorical": int(made.categorical),
        "file_name": made.file_name,
        "warnings": list(made.warnings),
        "bands": list(made.bands),
        "object_sha256": made.sha256,
        "comparison": made.comparison,
        "declared": dict(made.declared),
        "facts": dict(made.facts),
        "alone": 0,
    }
    change.move_file(file, FileEvent.CONVERTED, "; ".join(notes), **columns, **FRESH)
    return change


def look_again(now: float, file: FileRecord, newest: FileRecord | None, reason: str, after: float) -> Change:
    """A claimed file does not open, or its copy is damaged: it settles once more.

    Where its source is gone, or a newer version lies in its place, there is nothing to look at: it is gone, too.
    """
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    change.move_file(file, FileEvent.LOOK_AGAIN, reason, content=None)
    if superseded(file, newest):
        change.move_file(file, FileEvent.VANISHED, current=None, **FRESH)
    else:
        change.count(file, "looks")
        change.delay(file, reason, after)
    return change


def twin(now: float, file: FileRecord) -> Change:
    """Another path brought the same content in."""
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    change.move_file(file, FileEvent.TWIN, "another path has the same content", **FRESH)
    return change


def rejected(now: float, file: FileRecord, newest: FileRecord | None, reason: str) -> Change:
    """It will not pass as it is."""
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    reject(change, file, newest, reason)
    return change


def reject(change: Change, file: FileRecord, newest: FileRecord | None, reason: str) -> None:
    """End a file with a reason; no try is left for a version that is not there any more."""
    columns: dict[str, Any] = {**FRESH, "last_error": reason, "session_id": None}
    if superseded(file, newest):
        columns["current"] = None
    change.move_file(file, FileEvent.REJECTED, reason, **columns)


def stored(now: float, file: FileRecord, session_id: int) -> Change:
    """The object store holds the bytes, and their hash was compared.

    Nothing is entered when the file has left the session meanwhile: its bytes count for that session only.
    """
    change = Change(now)
    if file.session_id == session_id and file.state is FileState.BATCHED:
        change.move_file(file, FileEvent.STORED, **FRESH)
    return change


def retried_later(
    now: float, file: FileRecord, reason: str, after: float, *, counted: bool = False, alone: bool = False
) -> Change:
    """The same step again after so many seconds.

    `counted`: the file is the matter, not an outage. `alone`: nothing else is converted beside it.
    """
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    change.count(file, "tries", *(["refusals"] if counted else []))
    change.delay(file, reason, after)
    if alone:
        change.count(file, "attempts")
        change.set_file(file, {"alone": 1})
    change.log_file(file, "retry", "", f"{reason} (again in {after:.0f} s)")
    return change


def disposed(
    now: float, file: FileRecord, outcome: str, where: bytes, seen: Seen, *, identity: str = ""
) -> Change:
    """The source is archived at the path `where`, or deleted, or must stay: it is another file than was seen.

    `identity` is the device and inode of an archived one, by which it is known under any other name.
    Where a claim has found the uploaded content under another sighting meanwhile, the disposal is tried again.
    """
    change = Change(now)
    if outcome == "replaced" and file.sighting != seen.value:
        return change
    columns: dict[str, Any] = {"disposal": outcome, "archived_as": where or None, **FRESH}
    if identity:
        columns["archived_identity"] = identity
    if file.state in GIVEN_UP:
        change.set_file(file, columns)
    elif outcome in GONE_OUTCOMES:
        note = f"{outcome} {shown(where)}".strip()
        change.move_file(file, FileEvent.DISPOSED, note, current=None, **columns)
    else:
        change.set_file(file, columns)
        change.log_file(file, "kept", FileState.COMPLETED, f"source {outcome}, left alone")
    return change


def stuck(now: float, file: FileRecord, reason: str, after: float) -> Change:
    """The source cannot be archived or deleted; it is tried again after so many seconds."""
    change = Change(now)
    if file.state in GIVEN_UP:
        return change
    change.count(file, "tries")
    change.delay(file, reason, after)
    change.set_file(file, {"hold": reason})
    return change


def discarded(now: float, file: FileRecord) -> Change:
    """The private copies are gone."""
    change = Change(now)
    change.set_file(file, {"staged": 0})
    return change


def _begin_anew(change: Change, file: FileRecord, seen: Seen) -> None:
    change.set_file(file, {"looks": 0, "size": seen.sighting.size, "sighting": seen.value, **FRESH})


def _seen_again(change: Change, file: FileRecord, seen: Seen) -> None:
    """The content of this version lies at its path, only its times or its place on the disk are others by now.

    A source that was left alone because of them can go after all: its bytes were read again, and are what was uploaded.
    """
    change.set_file(file, {"sighting": seen.value})
    if file.disposal == "replaced":
        change.set_file(file, {"disposal": None})

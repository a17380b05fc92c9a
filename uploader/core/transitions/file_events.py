"""What becomes true of files between their claim and their session, and after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from uploader.core.hold_text import one_line
from uploader.core.lifecycle import FILE_ENDS, FileEvent
from uploader.core.model import FileState
from uploader.core.receipts import group_hash, kept_facts
from uploader.core.scenes import Scene
from uploader.core.transitions import scene_events
from uploader.core.transitions.change import Change
from uploader.core.transitions.given_up import unless_given_up
from uploader.core.transitions.records import NEW_STEP, FileRecord
from uploader.core.transitions.repaired import UNSURE, Repaired, recognised
from uploader.core.transitions.scene_events import Joining, KnownScene
from uploader.core.transitions.source_events import SightedGroup, seen_again


@dataclass(frozen=True, slots=True)
class Claimed:
    """A private copy: the group as it was seen, its SHA-256 in hex, its size in bytes, and the raster's own hashes."""

    seen: SightedGroup
    content: str
    size: int
    sha256: bytes | None = None
    crc32c: int | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion brought: the object's size in bytes and hashes, and the report as it is told."""

    size: int
    crc32c: int
    method: str
    categorical: bool
    file_name: str
    warnings: Sequence[dict[str, str]] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    """What the folder said for the raster, because it did not say it itself."""
    sha256: bytes | None = None
    comparison: str = "full"
    """How the object was compared with its source: full, sample, off, or bytes where it is the source itself."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is told of the raster to people; nothing depends on it."""
    footprint: bytes | None = None
    transform: bytes | None = None
    """Where it lies on the Earth, and in its reference system, packed; None where that is not known."""


def superseded(file: FileRecord, newest: FileRecord | None) -> bool:
    """Whether the path no longer exists, or a newer version of it was seen. `newest` is its newest current one."""
    return file.current is None or (newest is not None and newest.id > file.id)


def claimed(
    now: float,
    file: FileRecord,
    same: FileRecord | None,
    copy: Claimed,
    repaired: Repaired,
) -> tuple[Change, FileState]:
    """The private copy is whole; returns the state that the file is in then."""
    change = Change(now)
    return change, claim(change, file, same, copy, repaired)


def claim(
    change: Change, file: FileRecord, same: FileRecord | None, copy: Claimed, repaired: Repaired
) -> FileState:
    """The private copy is whole, in this change; returns the state that the file is in then.

    `same` is another current version of the path with the same content: then nothing has changed there. Else a file
    whose item the platform has shown at a repair is completed by that, one that may have been uploaded before the
    repair waits for a person, and all others are queued. One that came to its end before, or was given up while it was
    copied, stays what it is.
    """
    if file.state in FILE_ENDS:
        change.set_file(file, {"staged": 1})  # the copy that was just made goes
        return file.state
    columns = {
        "content": copy.content,
        "source_sha256": group_hash(copy.content, copy.sha256),
        "staged": 1,
        "sighting": copy.seen.value,
        **NEW_STEP,
    }
    if same is not None:
        seen_again(change, same, copy.seen)
        note = f"the same content as version {same.id}"
        return change.move_file(file, FileEvent.UNCHANGED, note, **columns, current=None)
    columns["size"] = copy.size
    if repaired.item is not None:
        change.taken[repaired.item.id] = file.id
        note, facts = recognised(change.now, repaired.item.item_id, repaired.name, repaired.after_upload)
        return change.move_file(file, FileEvent.RECOGNISED, note, **{**columns, **facts})
    if repaired.unsure:
        columns["last_error"] = UNSURE
        return change.move_file(file, FileEvent.REJECTED, UNSURE, **columns)
    columns |= {"object_sha256": copy.sha256, "object_crc32c": copy.crc32c}  # should it be sent as it is
    note = f"{copy.size:,} bytes, sha256 {copy.content[:12]}"
    return change.move_file(file, FileEvent.CLAIMED, note, **columns)


@unless_given_up
def converted(now: float, file: FileRecord, made: Converted) -> Change:
    """The object is ready in staging."""
    change = Change(now)
    convert(change, file, made)
    return change


def convert(change: Change, file: FileRecord, made: Converted) -> None:
    """The object is ready in staging, in this change, which may be that of its claim."""
    notes = [
        f"{made.method}, {made.size:,} bytes",
        *(f"declared by the folder: {key} = {value}" for key, value in sorted(made.declared.items())),
        *(f"{w['code']}: {w['text']}" for w in made.warnings),
    ]
    columns: dict[str, Any] = {
        "object_size": made.size,
        "object_crc32c": made.crc32c,
        "method": made.method,
        "categorical": int(made.categorical),
        "file_name": made.file_name,
        "warnings": list(made.warnings),
        "object_sha256": made.sha256,
        "comparison": made.comparison,
        "declared": dict(made.declared),
        "facts": kept_facts(made.facts),
        "footprint": made.footprint,
        "transform": made.transform,
        "converted_at": change.now,
        "alone": 0,
    }
    change.move_file(file, FileEvent.CONVERTED, "; ".join(notes), **columns, **NEW_STEP)


@unless_given_up
def look_again(now: float, file: FileRecord, newest: FileRecord | None, reason: str, after: float) -> Change:
    """A claimed file does not open, or its copy is damaged: it settles once more.

    Where its source is gone, or a newer version lies in its place, there is nothing to look at: it is gone, too.
    """
    change = Change(now)
    change.move_file(file, FileEvent.LOOK_AGAIN, reason, content=None)
    if superseded(file, newest):
        change.move_file(file, FileEvent.VANISHED, current=None, **NEW_STEP)
    else:
        change.count(file, "looks")
        change.delay(file, reason, after)
    return change


@unless_given_up
def twin(now: float, file: FileRecord) -> Change:
    """Another path brought the same content in."""
    change = Change(now)
    change.move_file(file, FileEvent.TWIN, "another path has the same content", **NEW_STEP)
    return change


@unless_given_up
def rejected(
    now: float,
    file: FileRecord,
    newest: FileRecord | None,
    reason: str,
    scene: Scene | None = None,
    *,
    unclaimed: tuple[Joining, KnownScene] | None = None,
) -> Change:
    """It will not pass as it is. `unclaimed`: what it would have joined, had it been claimed."""
    change = Change(now)
    if scene is None and unclaimed is not None:
        scene = scene_events.unclaimed_primary(change, file, *unclaimed)
        file = replace(file, target_asset_key=unclaimed[0].placed.asset) if scene else file
    reject(change, file, newest, reason, scene)
    return change


def reject(
    change: Change, file: FileRecord, newest: FileRecord | None, reason: str, scene: Scene | None = None
) -> None:
    """End a file with a reason; no try is left for a version that is gone. `scene` is that of the file."""
    scene_events.rejected(change, scene, file, reason)
    columns: dict[str, Any] = {**NEW_STEP, "last_error": reason, "session_id": None}
    if superseded(file, newest):
        columns["current"] = None
    change.move_file(file, FileEvent.REJECTED, reason, **columns)


def stored(now: float, file: FileRecord, session_id: int, md5: bytes | None = None) -> Change:
    """The object store holds the bytes, and their hash was compared; `md5` is what it said of them besides.

    Nothing is entered when the file has left the session meanwhile: its bytes count for that session only.
    """
    change = Change(now)
    if file.session_id == session_id and file.state is FileState.BATCHED:
        change.move_file(file, FileEvent.STORED, object_md5=md5, stored_at=now, **NEW_STEP)
    return change


@unless_given_up
def retried_later(
    now: float,
    file: FileRecord,
    reason: str,
    after: float,
    *,
    counted: bool = False,
    attempted: bool = False,
    alone: bool = False,
) -> Change:
    """The same step again after so many seconds.

    `counted`: the file is the matter, not an outage. `attempted`: it is one of the attempts that a file may cost.
    `alone`: nothing else is converted beside it.
    """
    change = Change(now)
    change.count(file, "tries", *(["refusals"] if counted else []))
    change.delay(file, reason, after)
    if attempted:
        change.count(file, "attempts")
    if alone:
        change.set_file(file, {"alone": 1})
    change.log_file(file, "retry", "", f"{reason} (again in {after:.0f} s)")
    return change


@unless_given_up
def stuck(now: float, file: FileRecord, text: str, after: float) -> Change:
    """The file has a hold of its own, with this text; it is tried again after so many seconds."""
    change = Change(now)
    change.count(file, "tries")
    change.delay(file, one_line(text), after)
    change.set_file(file, {"hold": text})
    return change


def discarded(now: float, files: Iterable[FileRecord]) -> Change:
    """The private copies are gone."""
    change = Change(now)
    for file in files:
        change.set_file(file, {"staged": 0})
    return change

"""What becomes true of archives, and of the files that were unpacked from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uploader.core.lifecycle import FileEvent
from uploader.core.model import FileState
from uploader.core.transitions.change import Change
from uploader.core.transitions.file_events import Claimed, claim, superseded
from uploader.core.transitions.given_up import unless_given_up
from uploader.core.transitions.records import NEW_STEP, FileRecord
from uploader.core.transitions.repaired import Repaired
from uploader.core.transitions.source_events import SightedGroup, discovered

ARCHIVE_REJECTED = "Its private copy is lost, and the archive that it came in was rejected. Drop that again."


@unless_given_up
def unpacked(now: float, archive: FileRecord, note: str, after_upload: str) -> Change:
    """All that is wanted of an archive has private copies, and becomes files in the same transaction."""
    change = Change(now)
    columns = {"after_upload": after_upload, "disposal": "kept" if after_upload == "keep" else None}
    change.move_file(archive, FileEvent.UNPACKED, note, **columns, **NEW_STEP)
    return change


def taken_over(archive: FileRecord, versions: Sequence[FileRecord], content: str) -> FileRecord | None:
    """Which current version of its path (`versions`, the oldest first) a member of this content is; None: a new one.

    One that waits for its archive to be unpacked again, or one that has this content: nothing has changed there. What
    was rejected is tried again where another archive brings it.
    """
    newest = versions[-1] if versions else None
    if newest is not None and newest.state is FileState.SETTLING:
        return newest
    alike = (file for file in versions if file.content == content)
    return next(
        (file for file in alike if file.state is not FileState.REJECTED or file.archive_id == archive.id),
        None,
    )


def waits(file: FileRecord) -> bool:
    """Whether a member waits for its archive to be unpacked."""
    return file.state is FileState.SETTLING


def needs_archive(file: FileRecord) -> bool:
    """Whether a member goes on only if its archive is unpacked again: it waits for that, or a person may ask for it."""
    return waits(file) or (file.state is FileState.REJECTED and bool(file.current))


def of_archive(now: float, files: Iterable[FileRecord], archive: FileRecord) -> Change:
    """Members that are known are those of this archive from now on, unless a later one has brought them."""
    change = Change(now)
    for file in files:
        if file.archive_id is None or file.archive_id < archive.id:
            change.set_file(file, {"archive_id": archive.id})
    return change


def found(
    now: float, archive: FileRecord, versions: Sequence[FileRecord], seen: SightedGroup, next_id: int
) -> Change:
    """A member that is new, or is not what it was: a row that settles, until it is claimed in the same transaction."""
    change, (file_id,) = discovered(now, [(versions, seen)], next_id)
    if file_id in change.new_files:
        change.new_files[file_id]["archive_id"] = archive.id
    return change


def entered(
    now: float, archive: FileRecord, copies: Sequence[tuple[Claimed, Repaired]], next_id: int
) -> Change:
    """Members of paths of which no version is known are found and claimed at once.

    An archive brings them by the ten thousand, so no row is written twice.
    """
    change, ids = discovered(now, [((), copy.seen) for copy, _ in copies], next_id)
    for file_id, (copy, repaired) in zip(ids, copies, strict=True):
        change.new_files[file_id]["archive_id"] = archive.id
        at = copy.seen.sighting
        file = FileRecord(id=file_id, folder=at.folder, path=at.path, sighting=copy.seen.value)
        claim(change, file, None, copy, repaired)
    return change


def gone(now: float, members: Iterable[FileRecord]) -> Change:
    """These members are no longer to be found: their archive is gone, or does not hold them any more.

    What has a private copy goes on to its end.
    """
    change = Change(now)
    for file in members:
        if needs_archive(file):
            change.move_file(file, FileEvent.VANISHED, current=None, **NEW_STEP)
        elif file.current:
            change.set_file(file, {"current": None})
    return change


def replaced(now: float, earlier: Iterable[FileRecord]) -> Change:
    """Another archive lies at the path of these: their sources are gone, and nothing is left to put away."""
    change = Change(now)
    for archive in earlier:
        if archive.state is FileState.UNPACKED and archive.disposal is None:
            change.set_file(archive, {"disposal": "replaced"})
            change.log_file(archive, "kept", archive.state, "source replaced, left alone")
    return change


@unless_given_up
def copy_lost(
    now: float, file: FileRecord, archive: FileRecord | None, newest: FileRecord | None, reason: str
) -> Change:
    """The private copy of a member is missing or damaged: its archive is unpacked again, where it still is.

    `archive` is the newest version of the archive's path, `newest` that of the member's.
    """
    change = Change(now)
    change.move_file(file, FileEvent.LOOK_AGAIN, reason, content=None)
    if archive is None or superseded(file, newest):
        change.move_file(file, FileEvent.VANISHED, current=None, **NEW_STEP)
    elif archive.state is FileState.REJECTED:
        change.move_file(
            file, FileEvent.REJECTED, ARCHIVE_REJECTED, **{**NEW_STEP, "last_error": ARCHIVE_REJECTED}
        )
    else:
        change.count(file, "looks")
        unpack_again(change, archive, reason)
    return change


def unpack_again(change: Change, archive: FileRecord, reason: str) -> None:
    """A member is needed once more. Where its archive is not under way, the archive settles, and is unpacked again."""
    if archive.state is FileState.UNPACKED and "state" not in change.files.get(archive.id, {}):
        columns = {**NEW_STEP, "content": None, "disposal": None, "looks": 0, "attempts": 0}
        change.move_file(archive, FileEvent.LOOK_AGAIN, reason, **columns)

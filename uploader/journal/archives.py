"""What becomes true of archives and of what they hold. One public method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from uploader.core.configuration import Folder
from uploader.core.model import Sighting
from uploader.core.transitions import archive_events as events
from uploader.core.transitions.file_events import Claimed
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.scene_events import Joining
from uploader.journal.files import claim, repaired_of
from uploader.journal.transactions import Rows, Transactions


@dataclass(frozen=True, slots=True)
class UnpackedFile:
    """A raster of an archive with its private copy: its sighting, hashes and bytes as of a claim, its scene if any."""

    sighting: Sighting
    content: str
    size: int
    sha256: bytes
    crc32c: int
    joining: Joining | None = None


class Archives:
    """Archives in the journal."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def unpacked(
        self,
        file_id: int,
        sighting: Sighting,
        members: Sequence[UnpackedFile],
        destination: Folder,
        note: str,
    ) -> None:
        """An archive is unpacked, and its members are claimed with it: both, or neither.

        A member whose path and content are known is that file; one that is not in the archive any more is gone.
        """

        def work(rows: Rows) -> None:
            archive = rows.file(file_id)
            change = events.unpacked(rows.now, archive, note, destination.after_upload)
            rows.apply(change)
            if not change.files:  # a person has given it up
                return
            unsure = rows.is_unsure(rows.seen(sighting))
            for member in members:
                _claim(rows, archive, member, destination, unsure=unsure)
            here = {member.sighting.path for member in members}
            versions = [v for v in rows.versions(archive.folder, archive.path) if v.id <= archive.id]
            rows.apply(events.replaced(rows.now, [file for file in versions if file.id < archive.id]))
            before = (file for version in versions for file in rows.unpacked_from(version.id))
            rows.apply(events.gone(rows.now, [file for file in before if file.path not in here]))
            if archive.current is None:  # its source has left since it was claimed
                rows.apply(events.gone(rows.now, rows.unpacked_from(archive.id)))

        await self._transact("unpacked", work)

    async def copy_lost(self, file_id: int, reason: str) -> int | None:
        """The private copy of a member is missing or damaged; returns the archive that settles again for it."""

        def work(rows: Rows) -> int | None:
            file = rows.file(file_id)
            archive = archive_of(rows, file)
            newest = rows.newest_version(file.folder, file.path)
            change = events.copy_lost(rows.now, file, archive, newest, reason)
            rows.apply(change)
            return archive.id if archive is not None and archive.id in change.files else None

        return await self._transact("copy_lost", work)


def archive_of(rows: Rows, member: FileRecord) -> FileRecord | None:
    """The newest version of the archive that a member came in; None where it is gone."""
    for archive in rows.files([member.archive_id] if member.archive_id is not None else []):
        return rows.newest_version(archive.folder, archive.path)
    return None


def _claim(
    rows: Rows, archive: FileRecord, member: UnpackedFile, destination: Folder, *, unsure: bool
) -> None:
    seen = rows.seen(member.sighting)
    versions = rows.versions(archive.folder, member.sighting.path)
    known = events.taken_over(archive, versions, member.content)
    if known is not None:
        rows.apply(events.of_archive(rows.now, [known], archive))
        if not events.waits(known):
            return
        file = rows.file(known.id)
    else:
        file_id = rows.next_file_id()
        rows.apply(events.found(rows.now, archive, versions, seen, file_id))
        file = rows.file(file_id)
    copy = Claimed(seen, member.content, member.size, member.sha256, member.crc32c)
    repaired = replace(repaired_of(rows, copy, destination), unsure=unsure)
    claim(rows, file, copy, repaired, member.joining)

"""What becomes true of archives and of what they hold. One public method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from uploader.core.configuration import Folder
from uploader.core.model import Sighting
from uploader.core.transitions import archive_events as events
from uploader.core.transitions.file_events import Claimed
from uploader.core.transitions.given_up import GIVEN_UP
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.repaired import NOTHING, Repaired
from uploader.core.transitions.scene_events import Joining
from uploader.core.transitions.source_events import SightedGroup
from uploader.journal.files import claim, repaired_of
from uploader.journal.transactions import Rows, Transactions

PIECE = 4000
"""Members that are claimed in one commit: it takes about a third of a second."""


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
        """An archive is unpacked, and its members are claimed.

        A member whose path and content are known is that file; one that is not in the archive any more is gone.
        Both become true in one commit, or neither, unless there are so many members that nobody else would come to his
        commit meanwhile. Then they are claimed in pieces, and the archive ends with the last one. Until then it is to
        be unpacked, after a kill once more, and finds what was claimed.
        """
        paths = frozenset(member.sighting.path for member in members)
        whole = _Unpacked(file_id, sighting, paths, destination, note)
        *earlier, last = [members[at : at + PIECE] for at in range(0, len(members), PIECE)] or [members]
        left: Sequence[int] | None = None
        for piece in earlier:
            left = await self._transact("unpacking", partial(whole.claimed, piece=piece, left=left))
        await self._transact("unpacked", partial(whole.ended, last=last, left=left))

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


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """What is known of an archive that was unpacked but for its members, of which these are the paths."""

    file_id: int
    sighting: Sighting
    paths: frozenset[bytes]
    destination: Folder
    note: str

    def claimed(self, rows: Rows, piece: Sequence[UnpackedFile], left: Sequence[int] | None) -> Sequence[int]:
        """Some of its members are claimed; returns the files that it no longer holds: `left`, where that is known."""
        archive = rows.file(self.file_id)
        if archive.state in GIVEN_UP:
            return ()
        found = self._left(rows, archive) if left is None else left
        unsure = rows.is_unsure(rows.seen(self.sighting))
        _enter(rows, archive, piece, self.destination, unsure=unsure)
        return found

    def ended(self, rows: Rows, last: Sequence[UnpackedFile], left: Sequence[int] | None) -> None:
        """The last of its members are claimed, and it has reached its end."""
        archive = rows.file(self.file_id)
        change = events.unpacked(rows.now, archive, self.note, self.destination.after_upload)
        rows.apply(change)
        if not change.files:  # a person has given it up
            return
        left = self.claimed(rows, last, left)
        earlier = (version for version in self._versions(rows, archive) if version.id < archive.id)
        rows.apply(events.replaced(rows.now, earlier))
        rows.apply(events.gone(rows.now, rows.files(left)))
        if archive.current is None:  # its source has left since it was claimed
            rows.apply(events.gone(rows.now, rows.unpacked_from(archive.id)))

    def _left(self, rows: Rows, archive: FileRecord) -> Sequence[int]:
        versions = self._versions(rows, archive)
        before = (file for version in versions for file in rows.unpacked_from(version.id))
        return [file.id for file in before if file.path not in self.paths]

    def _versions(self, rows: Rows, archive: FileRecord) -> Sequence[FileRecord]:
        """The archive, and those that lay in its place before it."""
        return [v for v in rows.versions(archive.folder, archive.path) if v.id <= archive.id]


def archive_of(rows: Rows, member: FileRecord) -> FileRecord | None:
    """The newest version of the archive that a member came in; None where it is gone."""
    for archive in rows.files([member.archive_id] if member.archive_id is not None else []):
        return rows.newest_version(archive.folder, archive.path)
    return None


def _enter(
    rows: Rows,
    archive: FileRecord,
    members: Sequence[UnpackedFile],
    destination: Folder,
    *,
    unsure: bool,
) -> None:
    """All members, in their order: those that need no question are entered at once, for there may be 50,000 of them."""
    found = rows.all_versions([(archive.folder, member.sighting.path) for member in members])
    known = [
        events.taken_over(archive, versions, member.content)
        for member, versions in zip(members, found, strict=True)
    ]
    rows.apply(events.of_archive(rows.now, filter(None, known), archive))
    recovered, nothing = rows.any_recovered(), replace(NOTHING, unsure=unsure)
    plain: list[tuple[Claimed, Repaired]] = []
    for member, versions, file in zip(members, found, known, strict=True):
        if file is not None and not events.waits(file):
            continue
        copy = Claimed(rows.seen(member.sighting), member.content, member.size, member.sha256, member.crc32c)
        repaired = replace(repaired_of(rows, copy, destination), unsure=unsure) if recovered else nothing
        if not versions and member.joining is None and repaired.item is None:
            plain.append((copy, repaired))
            continue
        row = file or _found(rows, archive, versions, copy.seen)
        claim(rows, row, copy, repaired, member.joining)
    rows.apply(events.entered(rows.now, archive, plain, rows.next_file_id()))


def _found(rows: Rows, archive: FileRecord, versions: Sequence[FileRecord], seen: SightedGroup) -> FileRecord:
    """A new file, of which these are the earlier versions."""
    file_id = rows.next_file_id()
    rows.apply(events.found(rows.now, archive, versions, seen, file_id))
    return rows.file(file_id)

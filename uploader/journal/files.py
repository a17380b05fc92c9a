"""What becomes true of files. One public method is one transaction; its rule is in `core.transitions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from uploader.core.configuration import Folder
from uploader.core.model import FileState, Sighting
from uploader.core.naming import file_name
from uploader.core.recovery_matching import Target, item_of_scene
from uploader.core.transitions import archive_events, scene_events, source_events
from uploader.core.transitions import file_events as events
from uploader.core.transitions.file_events import Claimed, Converted
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.repaired import NOTHING, Repaired
from uploader.core.transitions.scene_events import Joining, KnownScene, collection_key
from uploader.journal.transactions import Rows, Transactions

_JOINS = frozenset({FileState.QUEUED, FileState.COMPLETED})
"""States after a claim in which a file joins the scene that it is of."""


class Files:
    """The file machine in the journal."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def discovered(self, sightings: Sequence[Sighting]) -> list[int]:
        """Enter new versions of paths as settling; returns their ids in order.

        A version that is settling already takes the sighting over: whoever asks need not know what is true by now.
        """
        return await self._transact("discovered", lambda rows: _enter(rows, sightings))

    async def looked(self, file_id: int, reason: str, after: float) -> None:
        """A settled file does not look whole; it is looked at again after so many seconds."""

        def work(rows: Rows) -> None:
            rows.apply(source_events.looked(rows.now, rows.file(file_id), reason, after))

        await self._transact("looked", work)

    async def changed(self, file_id: int, sighting: Sighting) -> None:
        """A settling file was written to: its looks start anew. One that has left this state is not touched."""
        await self.changed_all([(file_id, sighting)])

    async def changed_all(self, found: Sequence[tuple[int, Sighting]]) -> None:
        """`changed` for many."""

        def work(rows: Rows) -> None:
            for file_id, sighting in found:
                for file in rows.files([file_id]):
                    rows.apply(source_events.changed(rows.now, file, rows.seen(sighting)))

        await self._transact("changed", work)

    async def vanished(self, file_ids: Sequence[int]) -> None:
        """Files left the drop folder before they were claimed, or after they were rejected. No other is touched."""

        def work(rows: Rows) -> None:
            rows.apply(source_events.vanished(rows.now, rows.files(file_ids)))
            _lose_members(rows, [file.id for file in rows.files(file_ids) if file.state is FileState.GONE])

        await self._transact("vanished", work)

    async def forgotten(self, folder: str, paths: Sequence[bytes]) -> None:
        """Paths no longer exist: what is dropped there next is new, whatever its content."""

        def work(rows: Rows) -> None:
            versions = [file for path in paths for file in rows.versions(folder, path)]
            rows.apply(source_events.forgotten(rows.now, versions))
            _lose_members(rows, [file.id for file in versions])

        await self._transact("forgotten", work)

    async def claimed(
        self,
        file_id: int,
        sighting: Sighting,
        content: str,
        size: int,
        destination: Folder | None = None,
        *,
        joining: Joining | None = None,
        sha256: bytes | None = None,
        crc32c: int | None = None,
        passed: Converted | None = None,
    ) -> FileState:
        """The private copy is whole. The same content at the same path ends as unchanged; else it is queued.

        `passed`: it is sent as it is, and the object is ready in staging, too: it need not be queued.

        `content` is the SHA-256 of the group in hex, `sha256` and `crc32c` are those of the raster alone; `size` is
        in bytes, of the group.
        After a repair of the journal, and where the destination is told, a file whose item the platform listed is
        completed by that, and one that may have been uploaded is rejected with words. With `joining` it is of a scene.
        """

        def work(rows: Rows) -> FileState:
            copy = Claimed(rows.seen(sighting), content, size, sha256, crc32c)
            repaired = repaired_of(rows, copy, destination) if destination else NOTHING
            return claim(rows, rows.file(file_id), copy, repaired, joining, passed=passed)

        return await self._transact("claimed", work)

    async def converted(self, file_id: int, made: Converted) -> None:
        """The object is ready in staging."""

        def work(rows: Rows) -> None:
            rows.apply(events.converted(rows.now, rows.file(file_id), made))

        await self._transact("converted", work)

    async def look_again(self, file_id: int, reason: str, after: float) -> None:
        """A claimed file does not open, or its copy is damaged: it settles once more.

        Where its source is gone, or a newer version lies in its place, there is nothing to look at: it is gone, too.
        What waits for an archive then waits for the newer one.
        """

        def work(rows: Rows) -> None:
            file = rows.file(file_id)
            newest = _newest(rows, file)
            rows.apply(events.look_again(rows.now, file, newest, reason, after))
            if newest is not None and newest.id > file.id and (members := rows.unpacked_from(file.id)):
                rows.apply(archive_events.of_archive(rows.now, members, newest))

        await self._transact("look_again", work)

    async def twin(self, file_id: int) -> None:
        """Another path brought the same content in."""
        await self._transact("twin", lambda rows: rows.apply(events.twin(rows.now, rows.file(file_id))))

    async def rejected(self, file_id: int, reason: str, joining: Joining | None = None) -> None:
        """It will not pass as it is; of an archive this ends what waits for it to be unpacked again.

        `joining`: the scene that it would have joined, where it was not claimed yet.
        """

        def work(rows: Rows) -> None:
            file = rows.file(file_id)
            unclaimed = (joining, _known(rows, file, joining)) if joining else None
            _reject(rows, file, reason, unclaimed)
            for member in filter(archive_events.waits, rows.unpacked_from(file_id)):
                _reject(rows, member, reason)

        await self._transact("rejected", work)

    async def stored(self, file_id: int, session_id: int, md5: bytes | None = None) -> None:
        """The object store holds the bytes, and their hash was compared; `md5` is what it said of them besides.

        Nothing is entered when the file has left the session meanwhile: its bytes count for that session only.
        """

        def work(rows: Rows) -> None:
            for file in rows.files([file_id]):
                rows.apply(events.stored(rows.now, file, session_id, md5))

        await self._transact("stored", work)

    async def retry(self, file_id: int, reason: str, after: float, **why: bool) -> None:
        """The same step again after so many seconds; `why` is that of `file_events.retried_later`."""

        def work(rows: Rows) -> None:
            file = rows.file(file_id)
            rows.apply(events.retried_later(rows.now, file, reason, after, **why))

        await self._transact("retry", work)

    async def disposed(
        self, file_id: int, outcome: str, where: bytes, sighting: Sighting, identity: str = ""
    ) -> None:
        """The source is archived at the path `where`, or deleted, or must stay: it is another file than `sighting`.

        `identity` is the device and inode of an archived one, by which it is known under any other name.
        Where a claim has found the uploaded content under another sighting meanwhile, the disposal is tried again.
        """

        def work(rows: Rows) -> None:
            file, seen = rows.file(file_id), rows.seen(sighting)
            rows.apply(source_events.disposed(rows.now, file, outcome, where, seen, identity=identity))
            if outcome in source_events.GONE_OUTCOMES:
                _lose_members(rows, [file_id])

        await self._transact("disposed", work)

    async def stuck(self, file_id: int, text: str, after: float) -> None:
        """The file has a hold of its own, with this text; it is tried again after so many seconds."""

        def work(rows: Rows) -> None:
            rows.apply(events.stuck(rows.now, rows.file(file_id), text, after))

        await self._transact("stuck", work)

    async def discarded(self, file_ids: Sequence[int]) -> None:
        """The private copies of these files are gone."""

        def work(rows: Rows) -> None:
            rows.apply(events.discarded(rows.now, rows.files(file_ids)))

        await self._transact("discarded", work)


def _enter(rows: Rows, sightings: Sequence[Sighting]) -> list[int]:
    """All at once, but for a path that is among them twice: the later one knows the row of the earlier."""
    if len({(sighting.folder, sighting.path) for sighting in sightings}) < len(sightings):
        return [file_id for sighting in sightings for file_id in _enter(rows, [sighting])]
    versions = rows.all_versions([(sighting.folder, sighting.path) for sighting in sightings])
    found = zip(versions, map(rows.seen, sightings), strict=True)
    change, ids = source_events.discovered(rows.now, found, rows.next_file_id())
    rows.apply(change)
    return ids


def _known(rows: Rows, file: FileRecord, joining: Joining) -> KnownScene:
    versions = rows.scenes_like(joining.family)
    issues = scene_events.issues_of(joining, versions)
    had = {scene.id: rows.scene_content(scene, joining.placed.asset, file.id) for scene in issues}
    named = rows.learned(collection_key(joining.project_id, joining.placed.collection))
    return KnownScene(
        versions,
        {i: content for i, content in had.items() if content is not None},
        named,
        rows.next_scene_id(),
    )


def _with_item(
    rows: Rows, file: FileRecord, joining: Joining, known: KnownScene, item_id: str | None
) -> KnownScene:
    """With the item that a repair has seen of the scene, be it by this file (`item_id`) or by names of others.

    What was begun since is no matter of a repair: an item that was given up, a raster that has changed.
    """
    issues = [scene for scene in known.versions if scene.version == joining.placed.version]
    if any(scene.item_id or scene.issue > 1 for scene in issues):
        return known
    if item_id is None and joining.place is not None and joining.placed.spelled:
        target = Target(joining.project_id, joining.collection_id)
        listed = rows.listed_names(target, joining.placed.spelled)
        item_id = item_of_scene(joining.place, file.path, listed)
    if item_id is None:
        return known
    return replace(
        known, item_id=item_id, members={scene.id: rows.scene_members(scene.id) for scene in issues}
    )


def claim(
    rows: Rows,
    file: FileRecord,
    copy: Claimed,
    repaired: Repaired,
    joining: Joining | None,
    *,
    passed: Converted | None = None,
) -> FileState:
    """A private copy is whole: within a transaction, all that follows from that; returns the state of the file then.

    `passed`: it is sent as it is, unless the claim ends it.
    """
    same = rows.version_with(file, copy.content)
    change, state = events.claimed(rows.now, file, same, copy, repaired)
    if joining is not None and state in _JOINS - {file.state}:
        item_id = repaired.item.item_id if repaired.item else None
        known = _with_item(rows, file, joining, _known(rows, file, joining), item_id)
        scene_events.claimed(change, file, joining, known, copy.content, item_id=item_id)
    state = FileState(change.files[file.id].get("state", state))
    if passed is not None and state is FileState.QUEUED:
        events.convert(change, file, passed)
        state = FileState.CONVERTED
    rows.apply(change)
    return state


def _lose_members(rows: Rows, file_ids: Sequence[int]) -> None:
    """What was unpacked from these is no longer to be found in the folder either."""
    members = [member for file_id in file_ids for member in rows.unpacked_from(file_id)]
    if members:
        rows.apply(archive_events.gone(rows.now, members))


def _reject(
    rows: Rows, file: FileRecord, reason: str, unclaimed: tuple[Joining, KnownScene] | None = None
) -> None:
    scene = rows.scene(file.scene_id) if file.scene_id else None
    rows.apply(events.rejected(rows.now, file, _newest(rows, file), reason, scene, unclaimed=unclaimed))


def _newest(rows: Rows, file: FileRecord) -> FileRecord | None:
    return rows.newest_version(file.folder, file.path)


def repaired_of(rows: Rows, copy: Claimed, destination: Folder) -> Repaired:
    """What a repair has left to say of a file with this private copy."""
    name = file_name(copy.seen.sighting.path, copy.content)
    item = rows.known_item(Target.of(destination), name)
    return Repaired(item, rows.is_unsure(copy.seen), name, destination.after_upload)

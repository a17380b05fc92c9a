"""The effect on an archive that takes the place of a conversion: what is wanted of it becomes files."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from uploader.config import Folder
from uploader.convert import ArchiveJob
from uploader.core.archive_members import NAME_OTHERS, MemberFile, nothing_taken, selected, taken
from uploader.core.archives import kind_of
from uploader.core.errors import NoSpace, RasterRefused
from uploader.core.file_group import parts
from uploader.effects.context import Tools, about
from uploader.effects.scenes import joining
from uploader.journal import FileRow
from uploader.journal.archives import UnpackedFile
from uploader.journal.rows import decode_sighting
from uploader.staging import ClaimedCopy
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)


async def unpack(tools: Tools, row: FileRow, source: Path, destination: Folder) -> None:
    """List an archive, unpack what its folder's rules name, and enter that. Raises LocalError, Interrupted, OSError."""
    archive = decode_sighting(row.folder, row.path, row.sighting)
    convert = tools.settings.convert
    job = ArchiveJob(
        source,
        kind_of(row.path),
        memory_limit=convert.memory_limit,
        timeout_seconds=convert.timeout_seconds,
    )
    failpoint("unpack.before")
    entries = await tools.opener.list_archive(job)
    chosen = partial(selected, entries, archive, takes=destination.takes, passes=destination.passes)
    found = await tools.in_thread(chosen)
    if not found:
        raise RasterRefused(nothing_taken(entries, destination.taken), NAME_OTHERS)
    need = sum(each.sighting.size for each in found)
    async with tools.unpacking.promised(row.id, need, partial(tools.in_thread, _room, tools)) as room:
        copies = await _unpacked(tools, row, replace(job, room=room), found)
        failpoint("unpack.after")
        names = {archive.path + b"/" + entry.name.encode() for entry in entries}
        members = [await _member(tools, each, copy, names) for each, copy in zip(found, copies, strict=True)]
        note = taken(entries, found)
        await tools.journal.archives.unpacked(row.id, archive, members, destination, note)
    log.info("unpacked %s: %s", about(row), note)


async def _unpacked(
    tools: Tools, row: FileRow, job: ArchiveJob, found: list[MemberFile]
) -> list[ClaimedCopy]:
    """The private copies of these, in their order."""
    wanted: dict[int, list[str]] = {}
    for place, each in enumerate(found):
        for number, part in zip(each.numbers, parts(each.sighting), strict=True):
            wanted.setdefault(number, []).append(f"{place}/{part.copy}")
    target = await tools.in_thread(tools.staging.begin_unpacking, row.id)
    alive = partial(tools.activity.sign, "convert")
    await tools.opener.unpack(replace(job, target=target, wanted=wanted), alive)
    failpoint("unpack.made")
    sightings = [each.sighting for each in found]
    return await tools.in_thread(tools.staging.unpacked, row.id, sightings, tools.stop_of("convert"))


def _room(tools: Tools) -> int:
    """Bytes that may be written to staging now."""
    settings = tools.settings
    try:
        free = tools.staging.free()
    except OSError as error:
        raise NoSpace(f"Staging cannot be used: {error.strerror}.", "Look after its disk.") from error
    return min(
        free - settings.limits.min_free_bytes, settings.staging.max_bytes - tools.journal.live.staged_bytes
    )


async def _member(
    tools: Tools, found: MemberFile, copy: ClaimedCopy, names: Collection[bytes]
) -> UnpackedFile:
    seen = found.sighting
    joins = await joining(tools, seen.folder, seen.path, names)
    return UnpackedFile(seen, copy.content, copy.size, copy.raster.sha256, copy.raster.crc32c, joins)

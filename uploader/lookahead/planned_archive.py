"""What would become of an archive: its list of names tells what its rasters are, and nothing tells what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from uploader.config import Settings
from uploader.convert import ArchiveJob, ArchiveOpener
from uploader.convert.job import EFFORTS
from uploader.core.archive_members import NAME_OTHERS, MemberFile, nothing_taken, selected, taken
from uploader.core.archives import kind_of
from uploader.core.errors import ConverterBroken, LocalError
from uploader.core.model import Sighting
from uploader.core.path_text import lossless, shown
from uploader.core.scene_rules import Placement
from uploader.folders import FolderSpec
from uploader.lookahead.planned_file import PlannedFile, addressed, not_made

HEADS = (
    "It lies in an archive, where no head is read: its size is that of the source, its method is not known."
)


async def opened(
    settings: Settings, spec: FolderSpec, archive: Sighting, bare: PlannedFile, opener: ArchiveOpener
) -> list[PlannedFile]:
    """The archive, and each raster that would be taken of it. Raises ConverterBroken."""
    job = ArchiveJob(
        Path(spec.path, lossless(archive.path)),
        kind_of(archive.path),
        settings.convert.memory_limit,
        settings.convert.timeout_seconds,
    )
    known = replace(bare, bytes=archive.size)
    try:
        entries = await opener.list_archive(job)
    except ConverterBroken:
        raise
    except LocalError as error:
        return [not_made(known, error)]
    found = selected(entries, archive, takes=spec.section.takes, passes=spec.passes)
    if not found:
        why = nothing_taken(entries, spec.section.taken)
        return [replace(known, verdict="refused", code="refused", reason=why, way_out=NAME_OTHERS)]
    told = f"Would be taken from it: {taken(entries, found)}."
    return [
        replace(known, verdict="opened", code="opened", reason=told),
        *(_member(settings, spec, each) for each in found),
    ]


def _member(settings: Settings, spec: FolderSpec, found: MemberFile) -> PlannedFile:
    seen = found.sighting
    placed = spec.placed(seen.path)
    bare = PlannedFile(
        spec.path, shown(b"/".join((spec.root.rstrip(b"/"), seen.path))), "upload", bytes=seen.size
    )
    known = addressed(bare, spec.section, placed if isinstance(placed, Placement) else None)
    sizes = dict.fromkeys(EFFORTS, seen.fingerprint.size)
    said = spec.section.categorical if known.placement is None else known.placement.categorical
    passes = spec.passes(seen.path)
    return replace(
        known,
        method="passthrough" if passes else "",
        categorical={"yes": True, "no": False}.get(said),
        size=sizes[settings.effort],
        sizes=sizes,
        doubts=() if passes else (HEADS,),
    )

"""The effect that makes of a private copy what is sent: a COG, the files of an archive, or the file as it is."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from uploader.config import Folder
from uploader.convert import Report
from uploader.convert.quicklook import FootprintOrigin, Quicklook
from uploader.convert.write import publish
from uploader.core import affine_transforms, footprints
from uploader.core import errors as err
from uploader.core import verdicts as fail
from uploader.core.failure_policy import LOOK_DELAYS, classify
from uploader.core.hold_text import joined
from uploader.core.media_types import upload_name
from uploader.core.model import FileState, HoldCause, Scope
from uploader.core.naming import matches
from uploader.core.path_text import shown
from uploader.core.transitions.scene_events import Joining
from uploader.core.upload_advice import advised
from uploader.core.verdicts import Step
from uploader.effects.context import Tools, about
from uploader.effects.conversion_job import categorical_of, job_of
from uploader.effects.unpacking import unpack
from uploader.journal import Converted, FileRow
from uploader.journal.rows import decode_sighting
from uploader.staging import Checksums, Interrupted
from uploader.system.failpoints import failpoint
from uploader.system.files import words

log = logging.getLogger(__name__)

_BLAMING = err.RasterUnreadable | err.RasterRefused | err.ConversionFailed
"""Errors that blame the raster, or what is taken for it."""


async def convert(tools: Tools, file_id: int, *, alone: bool = False) -> None:
    """Make the COG from the private copy, and measure what came out."""
    row = await tools.file(file_id)
    target = tools.staging.result(file_id)
    destination = tools.destinations[row.folder]
    failpoint("convert.before")
    if destination.opens(row.path):
        await _unpack(tools, row, destination)
        return
    with tools.activity.track("convert", shown(row.path), row.size) as running:
        try:
            if matches(row.path, destination.passthrough):
                report, measured = await tools.in_thread(_passed, tools, row, target, destination)
                comparison = "bytes"
            else:
                source = await tools.in_thread(_claimed, tools, row)
                name = shown(row.path).rpartition("/")[2]
                job = job_of(tools.settings, source, target, destination, name, alone=alone)
                job = replace(job, categorical=categorical_of(destination, row.path))
                alive = partial(tools.activity.sign, "convert")
                report = await tools.converter.convert(job, alive, running.come_to)
                comparison = "sample" if report.sampled else job.verify
                measured = await tools.in_thread(_received, tools, row, target, report)
        except Interrupted:
            return
        except err.UploaderError as error:
            await _failed(tools, row, error)
            return
    failpoint("convert.after")
    await tools.converter_works()
    tools.staging_refusals.took(file_id)
    name = upload_name(row.path, row.content, destination.passthrough)
    await tools.journal.files.converted(file_id, made(report, measured, name, comparison))
    log.info("converted %s method=%s bytes=%d to=%d", about(row), report.method, row.size, measured.size)
    for warning in report.warnings:
        log.warning("conversion %s: %s", about(row, code=warning.code), warning.text)


async def _unpack(tools: Tools, row: FileRow, destination: Folder) -> None:
    """Make files of what an archive holds; a failure is told as that of a conversion."""
    with tools.activity.track("convert", shown(row.path), row.size):
        try:
            await unpack(tools, row, await tools.in_thread(_claimed, tools, row), destination)
        except Interrupted:
            return
        except err.UploaderError as error:
            await _failed(tools, row, error)
            return
    await tools.converter_works()
    tools.staging_refusals.took(row.id)


def made(report: Report, measured: Checksums, name: str, comparison: str) -> Converted:
    """What is entered of a file that is ready to be sent."""
    look, place = report.quicklook or Quicklook(), report.facts.get("transform")
    origin = {} if look.origin is FootprintOrigin.TRANSFORM else {"footprint_origin": look.origin}
    return Converted(
        size=measured.size,
        crc32c=measured.crc32c,
        method=report.method,
        categorical=report.categorical,
        file_name=name,
        warnings=[{"code": w.code, "text": w.text} for w in report.warnings],
        declared=report.declared,
        sha256=measured.sha256,
        comparison=comparison,
        facts=report.facts | origin,
        footprint=footprints.packed(look.footprint) if look.footprint else None,
        transform=affine_transforms.packed(place) if place else None,
    )


def _received(tools: Tools, row: FileRow, target: Path, report: Report) -> Checksums:
    """Measure what came out, and keep its picture: one turn of a thread for both.

    What the disk does not take of pictures is done without: nothing depends on them.
    """
    measured = _measured(tools, row, target, report)
    if report.quicklook and report.quicklook.thumbnail:
        try:
            tools.thumbnails.keep(row.id, row.content, report.quicklook.thumbnail)
        except OSError as error:
            log.debug("thumbnail of %s is not kept: %s", about(row), words(error))
    return measured


def _claimed(tools: Tools, row: FileRow, *, doubted: bool = False) -> Path:
    """The private copy. Raises StagedDamaged where somebody has removed it, or where it is not what was claimed.

    That is looked at where it is doubted, and once the object which was made of it has turned out to be damaged: both
    may be one file.
    """
    source = tools.staging.source(row.id, row.path)
    if row.archive_id is not None:
        tools.staging.adopt(row.archive_id, row.id, row.path, row.content)
    if not source.exists():
        raise err.StagedDamaged(f"The private copy {source} is gone.")
    if doubted or row.object_size:
        sighting = decode_sighting(row.folder, row.path, row.sighting)
        if tools.staging.content(row.id, sighting, tools.stop_of("convert")) != row.content:
            raise err.StagedDamaged(f"The private copy {source} has other content than was claimed.")
    return source


def _measured(tools: Tools, row: FileRow, target: Path, report: Report) -> Checksums:
    """Size and hashes of the object.

    What is sent as it is was hashed while it was claimed, and is not read again: the PUT compares it with that, so that
    the object is what lay in the drop folder.
    """
    if report.method == "passthrough" and row.object_sha256 and not row.object_size:
        return Checksums(tools.staging.size(target), row.object_crc32c, row.object_sha256)
    return tools.staging.measure(target, tools.stop_of("convert"))


def _whose_fault(tools: Tools, row: FileRow, error: err.UploaderError) -> err.UploaderError:
    """A copy that was removed or damaged says nothing of the raster. Raises Interrupted."""
    try:
        _claimed(tools, row, doubted=isinstance(error, _BLAMING))
    except err.StagedDamaged as damaged:
        return damaged
    return error


def _passed(tools: Tools, row: FileRow, target: Path, destination: Folder) -> tuple[Report, Checksums]:
    """Hand over what its folder lists as `passthrough`: it is not even looked into.

    One turn of a thread for all of it, for such files may be small and many.
    """
    publish.hand_over(_claimed(tools, row), target)
    report = as_it_is(destination, row.path)
    return report, _measured(tools, row, target, report)


def as_it_is(destination: Folder, path: bytes) -> Report:
    """The report of a file that its folder lists as `passthrough`."""
    return Report(method="passthrough", categorical=categorical_of(destination, path) == "yes")


async def _failed(tools: Tools, row: FileRow, error: err.UploaderError) -> None:
    """Do what follows from a failure, once it is known whether the raster or its copy is to blame."""
    try:
        error = await tools.in_thread(_whose_fault, tools, row, error)
    except Interrupted:
        return
    await _convert_failed(tools, row, error)


async def _convert_failed(tools: Tools, row: FileRow, error: err.UploaderError) -> None:
    error = advised(error, tools.asker)
    if isinstance(error, err.RasterUnreadable | err.RasterRefused):
        await tools.converter_works()
    last = row.attempts + 1 >= tools.settings.limits.max_attempts
    refusals, others_pass = _refusals(tools, row, error), tools.staging_refusals.passed(row.id)
    known = tools.known(row.tries, refusals, others_pass=others_pass, last=last)
    match classify(Step.CONVERT, error, known):
        case fail.LookAgain(after):
            await _look_again(tools, row, str(error), after)
        case fail.Damaged(reason, after):
            tools.copy_damaged(row, reason, FileState.CONVERTED, after)
            await _look_again(tools, row, reason, after)
        case fail.Again(after, elsewhere):
            own = not elsewhere
            await tools.journal.files.retry(row.id, str(error), after, counted=own, attempted=True, alone=own)
        case fail.Retry(after):
            await tools.journal.files.retry(row.id, str(error), after)
        case fail.Reject(reason):
            await reject(tools, row, reason)
            return
        case fail.Park(cause=HoldCause.FILE_EXCEEDS_MEMORY) as park:
            await tools.journal.files.stuck(row.id, joined(park.reason, park.way_out), park.after)
        case fail.Park() as park:
            if park.scope is Scope.MACHINE:
                await tools.journal.holds.set(tools.hold(park))
            else:
                tools.staging_refused(row, park)
            await tools.journal.files.retry(row.id, park.reason, park.after)
        case verdict:
            raise AssertionError(f"convert: no way on from {verdict}") from error
    log.warning("conversion failed %s: %s", about(row), error)


def _refusals(tools: Tools, row: FileRow, error: err.UploaderError) -> int:
    """How often it was at fault alike; what came in an archive that was whole, no wait mends."""
    if isinstance(error, err.StagedDamaged):
        return tools.damaged_copies.times(row.id)
    if row.archive_id is not None and isinstance(error, err.RasterUnreadable):
        return len(LOOK_DELAYS)
    return row.looks if isinstance(error, err.RasterUnreadable) else row.refusals


async def _look_again(tools: Tools, row: FileRow, reason: str, after: float) -> None:
    """Have its source, which may be an archive, settle once more."""
    settles: int | None = row.id
    if row.archive_id is None:
        await tools.journal.files.look_again(row.id, reason, after)
    else:
        await tools.in_thread(tools.staging.discard, row.id)  # or a damaged one would count as its copy
        settles = await tools.journal.archives.copy_lost(row.id, reason)
    if settles is not None:
        tools.intake.unsettled(settles, after)


async def reject(tools: Tools, row: FileRow, reason: str, unclaimed: Joining | None = None) -> None:
    """Enter that it will not pass; `unclaimed`: the scene that it would have joined."""
    await tools.journal.files.rejected(row.id, reason, unclaimed)
    log.warning("rejected %s: %s", about(row), reason)

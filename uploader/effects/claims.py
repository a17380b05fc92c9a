"""The effects on a file that has settled: it is copied into staging, or has a twin there already."""

from __future__ import annotations

import logging

from uploader.config import Folder
from uploader.core import errors as err
from uploader.core import verdicts as fail
from uploader.core.failure_policy import classify
from uploader.core.log_subject import About
from uploader.core.media_types import upload_name
from uploader.core.model import FileState, Sighting
from uploader.core.naming import matches
from uploader.core.path_text import shown
from uploader.core.verdicts import Step
from uploader.effects.context import Tools
from uploader.effects.conversion import as_it_is, made, reject
from uploader.effects.scenes import joining
from uploader.journal import Converted, FileRow
from uploader.staging import ClaimedCopy, Interrupted
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)


async def claim(tools: Tools, file_id: int) -> None:
    """Copy a settled group into staging while hashing it."""
    sighting = tools.intake.settled_sighting(file_id)
    if sighting is None:
        return
    live = tools.journal.live.file(file_id)
    # A look that began before the last claim may have brought it up again.
    if live and live.state is not FileState.SETTLING:
        tools.intake.claimed(file_id)
        return
    destination = tools.destinations.get(sighting.folder)
    failpoint("claim.before")
    with tools.activity.track("claim", shown(sighting.path), sighting.size):
        try:
            claimed, passed = await tools.in_thread(_claim, tools, file_id, sighting, destination)
        except Interrupted:
            return
        except err.UploaderError as error:
            await _claim_failed(tools, await tools.file(file_id), error)
            return
    failpoint("claim.after")
    tools.staging_refusals.took(file_id)
    # What an archive holds is known, or of a scene, and not the archive itself.
    archive = destination is not None and destination.opens(sighting.path)
    state = await tools.journal.files.claimed(
        file_id,
        sighting,
        claimed.content,
        claimed.size,
        None if archive else destination,
        joining=None if archive else await joining(tools, sighting.folder, sighting.path),
        sha256=claimed.raster.sha256,
        crc32c=claimed.raster.crc32c,
        passed=passed,
    )
    tools.intake.claimed(file_id)
    log.info("claimed %s bytes=%d state=%s", About(sighting.folder, sighting.path), claimed.size, state)


def _claim(
    tools: Tools, file_id: int, sighting: Sighting, destination: Folder | None
) -> tuple[ClaimedCopy, Converted | None]:
    """Copy the group; what is sent as it is is ready with that, in the same turn of a thread and the same commit.

    Where a name beside the copy cannot be had, the file goes the long way, which says why.
    """
    copy = tools.staging.claim(file_id, sighting.folder, sighting, tools.stop_of("claim"))
    if (
        destination is None
        or destination.duplicates == "skip"
        or not matches(sighting.path, destination.passthrough)
    ):
        return copy, None
    if not tools.staging.linked(file_id, sighting.path):
        return copy, None
    name = upload_name(sighting.path, copy.content, destination.passthrough)
    return copy, made(as_it_is(destination, sighting.path), copy.raster, name, "bytes")


async def _claim_failed(tools: Tools, row: FileRow, error: err.UploaderError) -> None:
    if isinstance(error, err.SourceUnreadable) and await tools.intake.folder_fails(row.id):
        return  # the folder is held in words; the file is not to blame
    others_pass = tools.staging_refusals.passed(row.id)
    match classify(Step.CLAIM, error, tools.known(refusals=row.looks, others_pass=others_pass)):
        case fail.LookAgain(after):
            tools.intake.unsettled(row.id, after)
            if isinstance(error, err.SourceUnreadable):
                await tools.journal.files.looked(row.id, str(error), after)
        case fail.Reject(reason):
            await reject(tools, row, reason, await joining(tools, row.folder, row.path))
            tools.intake.claimed(row.id)
        case fail.Park(reason=reason, after=after) as park:
            tools.staging_refused(row, park)
            await tools.journal.files.retry(row.id, reason, after)
            tools.intake.unsettled(row.id, after)
        case verdict:
            raise AssertionError(f"claim: no way on from {verdict}") from error


async def skip_twin(tools: Tools, file_id: int) -> None:
    """End a file whose content another path brought in."""
    await tools.journal.files.twin(file_id)

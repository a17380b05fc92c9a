"""Effects on files that reached an end: their sources are archived or deleted, their private copies go."""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from functools import partial

from uploader.config import Folder
from uploader.core import errors as err
from uploader.core.hold_causes import CAUSES
from uploader.core.hold_text import joined
from uploader.core.model import FileState, HoldCause
from uploader.core.naming import matches
from uploader.core.path_text import shown
from uploader.core.receipt_document import beside_the_source
from uploader.disposal import dispose as dispose_of
from uploader.effects.context import Tools, about
from uploader.journal import FileRow
from uploader.journal.receipt_rows import receipt_row
from uploader.journal.row_queries import unpacked_copies
from uploader.journal.rows import decode_sighting
from uploader.staging import Interrupted
from uploader.system import files as fs
from uploader.system.failpoints import failpoint
from uploader.system.files import words

log = logging.getLogger(__name__)

DISPOSAL_RETRY = 60.0
"""Seconds before a source that could not be archived or deleted is tried again."""


async def dispose(tools: Tools, file_id: int) -> None:
    """Archive or delete the source, if it still is the file that was uploaded."""
    row = await tools.file(file_id)
    sighting = decode_sighting(row.folder, row.path, row.sighting)
    if row.archive_id is not None:
        await tools.journal.files.disposed(file_id, "kept", b"", sighting)
        return  # its source goes with the archive
    destination = tools.destinations.get(row.folder)
    passed = destination is not None and matches(row.path, destination.passthrough)
    alone = passed or row.state is FileState.UNPACKED
    failpoint("dispose.before")
    with tools.activity.track("dispose", shown(row.path), row.size):
        try:
            archive = tools.archive_dirs.get(row.folder)
            done = await tools.in_thread(
                partial(dispose_of, alone=alone, receipt=await _receipt(tools, row, destination)),
                row.after_upload,
                sighting,
                archive,
                tools.stop_of("dispose"),
            )
        except Interrupted:
            return
        except (err.UploaderError, OSError) as error:
            why, way_out = told(error)
            reason = f"The source of {shown(row.path)} cannot be {_PAST[row.after_upload]}: {why}"
            await tools.journal.files.stuck(file_id, joined(reason, way_out), DISPOSAL_RETRY)
            log.warning("not disposed %s: %s %s", about(row), reason, way_out)
            return
    failpoint("dispose.after")
    identity = await tools.in_thread(fs.identity, done.where) if done.outcome == "archived" else ""
    await tools.journal.files.disposed(file_id, done.outcome, done.where, sighting, identity)
    log.info("disposed %s outcome=%s %s", about(row), done.outcome, shown(done.where))


async def _receipt(tools: Tools, row: FileRow, destination: Folder | None) -> bytes | None:
    """What is laid beside an archived source, where its folder wants it."""
    if destination is None or not destination.receipts:
        return None
    found = await tools.journal.read(lambda db: receipt_row(db, row.id))
    return None if found is None else beside_the_source(found)


_READ_ONLY = "Mount it so that it can be written to; for a service, name it in ReadWritePaths= of the unit."
"""The way out where nobody's rights are to blame: a unit shows all that it does not name read-only."""

_PAST = {"archive": "archived", "delete": "deleted"}


def told(error: err.UploaderError | OSError) -> tuple[str, str]:
    """Why a source stays, and what to do: an error of the program's own says both."""
    general = CAUSES[HoldCause.SOURCE_STAYS].way_out
    if isinstance(error, OSError):
        return f"{words(error)}.", _READ_ONLY if error.errno == errno.EROFS else general
    return error.reason, error.way_out or general


async def discard(tools: Tools, file_ids: Sequence[int]) -> None:
    """Remove the private copies of files that reached an end."""
    failpoint("discard.before")
    needed = await _hand_over(tools, file_ids)
    left = needed | await tools.in_thread(_discard, tools, [i for i in file_ids if i not in needed])
    failpoint("discard.after")
    await tools.journal.files.discarded([file_id for file_id in file_ids if file_id not in left])
    if left:
        await tools.pause(DISPOSAL_RETRY)


async def _hand_over(tools: Tools, file_ids: Sequence[int]) -> set[int]:
    """What was unpacked from these becomes the files' own, before their archives' copies go; returns whose did not."""
    left = set()
    for file_id in file_ids:
        if (await tools.file(file_id)).state is not FileState.UNPACKED:
            continue
        try:
            for member_id, path, content in await tools.journal.read(
                partial(unpacked_copies, archive_id=file_id)
            ):
                await tools.in_thread(tools.staging.adopt, file_id, member_id, path, content)
        except err.StagedDamaged as error:
            log.warning("what was unpacked of file id=%d cannot be handed over: %s", file_id, error)
            left.add(file_id)
    return left


def _discard(tools: Tools, file_ids: Sequence[int]) -> set[int]:
    """Returns whose copies cannot be removed."""
    left = set()
    for file_id in file_ids:
        try:
            tools.staging.discard(file_id)
        except OSError as error:
            log.warning("private copies of file id=%d cannot be removed: %s", file_id, words(error))
            left.add(file_id)
    return left

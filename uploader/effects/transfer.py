"""The effect that moves bytes: mint a signed URL, PUT the object, compare the hash."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from uploader.core import errors as err
from uploader.core import verdicts as fail
from uploader.core.failure_policy import classify
from uploader.core.log_subject import About
from uploader.core.media_types import content_type
from uploader.core.model import FileState
from uploader.core.outages import others_stored
from uploader.core.transitions.fates import Fates, after_refused_put
from uploader.core.verdicts import Step
from uploader.effects.context import Tools, about
from uploader.effects.session_end import lose
from uploader.effects.signing import both
from uploader.journal import FileRow, SessionRow
from uploader.journal.rows import clock
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)

PROGRESS_PATIENCE = 10.0
"""Seconds that a progress report may take: it is advice, and never in the way."""

PROGRESS_EVERY = 15.0
"""Seconds between two progress reports of a session, and until the first: of a short one only the last is sent."""


async def put(tools: Tools, session_id: int, file_id: int) -> None:
    """Send one member's bytes. A URL lives in memory only, and is minted just before its PUT, or just ahead of it."""
    session = await tools.session(session_id)
    row = await tools.file(file_id)
    with (
        tools.activity.track("put", row.file_name, row.object_size) as running,
        tools.signing.sending(file_id),
    ):
        async with tools.beside() as start:
            following = partial(start, partial(tools.signing.sign_next, tools, session_id))
            nearing = tools.signing.when_nearly_sent(row.object_size, following)
            await _put(tools, session, row, both(tools.activity.sender(running), nearing))


async def _put(tools: Tools, session: SessionRow, row: FileRow, on_bytes: Callable[[int], None]) -> None:
    step = Step.SIGN
    try:
        with await tools.in_thread(
            tools.staging.opened, tools.staging.result(row.id), row.object_size
        ) as copy:
            url = await tools.signing.url(tools, session.upload_id, session.id, row)
            step = Step.PUT
            md5 = await tools.store.put(
                url,
                copy.fd,
                size=row.object_size,
                content_type=content_type(row.file_name),
                crc32c=row.object_crc32c,
                on_bytes=on_bytes,
                stop=tools.cut.is_set,
            )
    except err.UploaderError as error:
        if not tools.cut.is_set():
            await _failed(tools, session, row, step, error)
        return
    await tools.store_took()
    failpoint("put.after")
    await tools.journal.files.stored(row.id, session.id, md5)
    log.info("stored %s name=%s bytes=%d", about(row, session=session.id), row.file_name, row.object_size)
    await _report(tools, session.id)


async def _failed(
    tools: Tools, session: SessionRow, row: FileRow, step: Step, error: err.UploaderError
) -> None:
    log.warning("%s failed %s: %s", step, about(row, session=session.id), error)
    await tools.answered(error)
    sessions = tools.journal.sessions
    damaged = isinstance(error, err.StagedDamaged)
    refusals = tools.damaged_copies.times(row.id) if damaged else row.refusals
    passing = others_stored(tools.journal.live.retrying_since(row.id), tools.stored_at)
    match classify(step, error, tools.known(row.tries, refusals, others_pass=passing)):
        case fail.Retry(after):
            await tools.journal.files.retry(row.id, str(error), after)
        case fail.Again(after):
            await tools.journal.files.retry(row.id, str(error), after, counted=True)
        case fail.Park() as park:
            await tools.journal.holds.set(tools.hold(park, session.key.target))
            await tools.journal.files.retry(row.id, park.reason, 0.0)
        case fail.Damaged(reason, after):
            tools.copy_damaged(row, reason, FileState.STORED, after)
            await sessions.abandoned(session.id, reason, Fates(damaged={row.id: after}))
        case fail.Reject(reason):
            await sessions.abandoned(session.id, reason, Fates(rejected={row.id: reason}))
        case fail.Refail(reason):
            fates = after_refused_put(row, reason, tools.settings.limits.max_attempts)
            await sessions.abandoned(session.id, reason, fates)
        case fail.Lost(reason):
            await lose(tools, session, reason)
        case verdict:
            raise AssertionError(f"{step}: no way on from {verdict}") from error


async def _report(tools: Tools, session_id: int) -> None:
    """Tell the platform how far the session is: now and then, and when the last byte is there. Never in the way."""
    session = await tools.session(session_id)  # others of it may have been stored meanwhile
    done = [m for m in session.members if m.state is FileState.STORED]
    last = len(done) == len(session.members)
    if not done:  # the session was given up in the same moment
        return
    if not last and clock() - tools.progress_sent.setdefault(session.id, clock()) < PROGRESS_EVERY:
        return
    tools.progress_sent[session.id] = clock()
    sent = sum(m.object_size for m in done)
    failpoint("progress.before")
    try:
        with tools.within(PROGRESS_PATIENCE):
            await tools.platform.progress(session.upload_id, sent)
    except err.UploaderError as error:
        log.debug("progress %s: %s", About(session=session.id), error)
    failpoint("progress.after")
    if last:
        tools.progress_sent.pop(session.id, None)

"""Upload sessions that end without items: given up by us, or lost by the platform."""

from __future__ import annotations

import logging

from uploader.core import errors as err
from uploader.core import verdicts as fail
from uploader.core.failure_policy import classify
from uploader.core.log_subject import About
from uploader.core.model import Hold, SessionState
from uploader.core.transitions.fates import after_loss
from uploader.core.verdicts import Step
from uploader.effects.context import Tools
from uploader.journal import SessionRow
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)


async def abandon(tools: Tools, session_id: int) -> None:
    """Give the reservation back; repeated until the platform has understood."""
    session = await tools.session(session_id)
    if session.state is SessionState.OPEN:
        await tools.journal.sessions.abandoned(session_id, "no file is left in it")
    tools.progress_sent.pop(session_id, None)
    failpoint("fail.before")
    try:
        await tools.platform.fail(session.upload_id, "the client gave the session up", "transfer")
    except err.UploaderError as error:
        await tools.answered(error)
        match classify(Step.FAIL, error, tools.known(session.tries)):
            case fail.Accept(reason):
                await tools.journal.sessions.failed(session_id, reason)
            case fail.Retry(after):
                await tools.journal.sessions.retry(session_id, str(error), after)
            case fail.Park() as park:
                hold = tools.hold(park)
                await tools.journal.sessions.retry(session_id, park.reason, park.after, hold=hold)
            case verdict:
                raise AssertionError(f"fail: no way on from {verdict}") from error
        return
    failpoint("fail.after")
    await tools.reached()
    await tools.journal.sessions.failed(session_id)


async def lose(tools: Tools, session: SessionRow, reason: str) -> None:
    """The platform no longer knows the session: `fail` is tried once, then its files wait for another one."""
    tools.progress_sent.pop(session.id, None)
    try:
        await tools.platform.fail(session.upload_id, "the session is no longer known", "transfer")
    except err.UploaderError as error:
        await tools.answered(error)
        log.info("fail after a loss %s: %s", About(session=session.id), error)
    hold: Hold | None = None
    if (park := after_loss(session.members, reason)) is not None:
        hold = tools.hold(park, session.key.target)
    await tools.journal.sessions.lost(session.id, reason, hold)

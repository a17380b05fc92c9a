"""Effects on upload sessions that are open: complete, locate, read back."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from uploader.core import errors as err
from uploader.core import failure_policy as policy
from uploader.core import verdicts as fail
from uploader.core.call_evidence import is_clear
from uploader.core.complete_refusal import HoldTarget, judge
from uploader.core.failure_policy import classify
from uploader.core.hold_text import joined
from uploader.core.log_subject import About
from uploader.core.matching import MatchedItems, match
from uploader.core.model import HoldCause, Layout, Scope
from uploader.core.transitions.fates import SentAgain, after_refused_complete
from uploader.core.verdicts import Step
from uploader.effects.context import Tools, about
from uploader.effects.item_pages import records
from uploader.effects.session_end import lose
from uploader.journal import SessionRow
from uploader.journal.queries import profile
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)


async def complete(tools: Tools, session_id: int) -> None:
    """Make the items. Repeated until the answer is clear; never followed by `fail` on a doubtful one.

    Where a repeat is known not to tell the items, those of a call that went unanswered are looked for first.
    """
    session = await tools.session(session_id)
    if session.doubtful and tools.traits.silent_complete:
        found = await _find(tools, session)
        if found is None or await _were_made(tools, session, found):
            return
    await tools.journal.sessions.completing(session_id)
    await tools.intake.mark({member.folder for member in session.members})
    failpoint("complete.before")
    try:
        item_ids = await tools.platform.complete(session.upload_id)
    except err.UploaderError as error:
        await tools.answered(error)
        await _complete_failed(tools, session, error)
        return
    failpoint("complete.after")
    await tools.reached()
    names = [member.file_name for member in session.members]
    answered = [session.key.item_id] if session.key.item_id else item_ids
    item_of = {names[0]: answered[0]} if len(names) == len(answered) == 1 else {}
    await _completed(tools, session, item_ids, item_of)


async def _completed(
    tools: Tools, session: SessionRow, item_ids: tuple[str, ...], item_of: Mapping[str, str]
) -> None:
    """The items exist; they are read back where something depends on it, or nobody has told which file is which."""
    members = len(session.members)
    nameless = tools.traits.names_hidden and len(item_ids) == members > 1  # a look would not tell them apart
    readback = (len(item_of) < members and not nameless) or await _depends(tools, session)
    await tools.journal.sessions.completed(
        *(session.id, item_ids, item_of), readback=readback, visible_after=tools.traits.visible_after
    )
    log.info("completed %s files=%d items=%d", About(session=session.id), len(session.members), len(item_ids))
    _tell_items(session, item_of)


async def _depends(tools: Tools, session: SessionRow) -> bool:
    """Whether sources go, a scene goes on, or a layout is known, only once the items were read back."""
    if not session.key.item_id and any(m.scene_id is not None for m in session.members):
        return True
    if any(m.after_upload != "keep" and _verifies(tools, m.folder) for m in session.members):
        return True
    layouts = (await tools.journal.read(profile)).layouts
    return layouts.get(session.key.target, Layout.UNKNOWN) is Layout.UNKNOWN and len(session.members) > 1


def _tell_items(session: SessionRow, item_of: Mapping[str, str]) -> None:
    """Say which file became which item, as far as that is known."""
    for member in session.members:
        if item := item_of.get(member.file_name):
            log.info("made %s", about(member, session=session.id, item=item))


def _verifies(tools: Tools, folder: str) -> bool:
    destination = tools.destinations.get(folder)
    return destination is None or destination.verify_remote


async def _complete_failed(tools: Tools, session: SessionRow, error: err.UploaderError) -> None:
    verdict = classify(Step.COMPLETE, error, tools.known(session.tries, doubtful=session.doubtful))
    answered = Step.COMPLETE if is_clear(error) else None
    sessions = tools.journal.sessions
    log.warning("complete failed %s clear=%s: %s", About(session=session.id), bool(answered), error)
    match verdict:
        case fail.Retry(after):
            await sessions.retry(session.id, str(error), after, answered=answered)
        case fail.Doubt(reason):
            await sessions.doubted(session.id, reason)
        case fail.Lost(reason):
            await lose(tools, session, reason)
        case fail.Judge(problem):
            await _judged(tools, session, problem, str(error))
        case fail.Park() as park:
            hold = tools.hold(park, session.key.target)
            await sessions.retry(session.id, park.reason, park.after, answered=answered, hold=hold)
        case _:
            raise AssertionError(f"complete: no way on from {verdict}") from error


async def _judged(tools: Tools, session: SessionRow, problem: err.Problem, text: str) -> None:
    """A clear refusal: its words decide which members stay."""
    members = session.members
    judgement = judge(problem, [member.file_name for member in members])
    hold = None
    if isinstance(judgement, HoldTarget):
        way_out = "Check collection_id, item_id and project_id in the configuration."
        reason = f"The platform refuses the target ({problem.text})."
        park = fail.Park(Scope.TARGET, HoldCause.TARGET_REFUSED, reason, way_out, policy.TARGET_PROBE_EVERY)
        hold = tools.hold(park, session.key.target)
    most = tools.settings.limits.max_attempts
    match after_refused_complete(judgement, session.id, members, text, said=problem.text, max_attempts=most):
        case SentAgain(file_ids):
            await tools.journal.sessions.incomplete(session.id, file_ids, text)
        case fates:
            await tools.journal.sessions.abandoned(session.id, text, fates, hold=hold)


async def locate(tools: Tools, session_id: int) -> None:
    """Look for the items of a session whose `complete` went unanswered."""
    session = await tools.session(session_id)
    found = await _find(tools, session)
    if found is None or await _were_made(tools, session, found):
        return
    reason = (
        f"`complete` of upload session {session.upload_id} went unanswered, its repetition is refused, and its items "
        "are not to be found; the sources are untouched."
    )
    way_out = (
        "Look on the platform: `uploader retry --all` searches again, `uploader retry FILE` says that they do not "
        "exist and uploads again."
    )
    await _not_found(tools, session, reason, way_out)


async def read_back(tools: Tools, session_id: int) -> None:
    """Read the items of a completed session: which file is which, and how many `complete` makes.

    Where only the receipts would be poorer, items that are not to be found hold nothing up.
    """
    session = await tools.session(session_id)
    found = await _find(tools, session)
    if found is None:
        return
    names = [member.file_name for member in session.members]
    layout = found.layout(names) if not session.key.single else Layout.UNKNOWN
    verified = found.complete(names)
    last = session.locate_tries + 1 >= policy.LOOKS_FOR_ITEMS
    if verified or layout is Layout.PER_SESSION or (last and not await _depends(tools, session)):
        await tools.journal.sessions.read_back(session_id, found.item_of, layout, verified=verified)
        log.info("read back %s items=%d layout=%s", About(session=session_id), len(found.item_ids), layout)
        _tell_items(session, {} if session.key.single else found.item_of)
        return
    reason = (
        f"Upload session {session.upload_id} was completed, but its items are not to be found. "
        "The sources stay where they are."
    )
    await _not_found(tools, session, reason, "`uploader retry --all` searches again.")


async def _were_made(tools: Tools, session: SessionRow, found: MatchedItems) -> bool:
    """Whether what was found are the items of all members; then the session is completed."""
    made = found.complete([member.file_name for member in session.members])
    if made:
        await _completed(tools, session, found.item_ids, found.item_of)
    return made


async def _find(tools: Tools, session: SessionRow) -> MatchedItems | None:
    """What the platform shows of a session; None where it could not be asked (a retry is entered)."""
    try:
        listed = await records(tools.platform, session)
    except err.UploaderError as error:
        await tools.answered(error)
        after, hold = tools.reading_failed(error, session.tries)
        await tools.journal.sessions.retry(session.id, str(error), after, hold=hold)
        return None
    await tools.reached()
    return match(
        [member.file_name for member in session.members],
        listed,
        upload_id=session.upload_id,
        item_ids=session.item_ids,
        target_item_id=session.key.item_id,
    )


async def _not_found(tools: Tools, session: SessionRow, reason: str, way_out: str) -> None:
    """Look again later; a person is told what to do once it is theirs to do."""
    if session.locate_tries + 1 >= policy.LOOKS_FOR_ITEMS:
        await tools.journal.sessions.held(session.id, joined(reason, way_out))
        log.error("items not found %s: %s %s", About(session=session.id), reason, way_out)
        return
    after = policy.backoff(session.locate_tries, 1.0)
    await tools.journal.sessions.not_found(session.id, reason, after)


__all__ = ["complete", "locate", "read_back"]

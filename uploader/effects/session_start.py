"""Effects that begin an upload session: freeze its members and body, reserve its storage."""

from __future__ import annotations

import logging
import uuid

from uploader.core import errors as err
from uploader.core import failure_policy as policy
from uploader.core import verdicts as fail
from uploader.core.batching import Batch, cap_after_refusal, cap_after_success
from uploader.core.call_evidence import is_clear
from uploader.core.failure_policy import classify
from uploader.core.log_subject import About
from uploader.core.model import HoldCause, Scope
from uploader.core.platform_traits import Repeated
from uploader.core.verdicts import Step
from uploader.effects.context import Tools
from uploader.journal import SessionRow
from uploader.journal.queries import profile
from uploader.journal.row_queries import scene_row
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)


async def plan_session(tools: Tools, batch: Batch) -> None:
    """Freeze the members and the body before anything is sent."""
    learned = await tools.journal.read(profile)
    key = batch.key
    body: dict[str, object] = {
        "project_id": key.project_id,
        "file_count": len(batch.files),
        "total_bytes": batch.total_bytes,
        "transfer_method": learned.transfer_method or _method(tools),
        "is_categorical": key.categorical,
    }
    optional = {
        "target_collection_id": key.collection_id,
        "target_item_id": key.item_id,
        "asset_key": key.asset_key,
    }
    body.update({name: value for name, value in optional.items() if value})
    after = {file.file_id: tools.destinations[file.folder].after_upload for file in batch.files}
    session_id = await tools.journal.sessions.planned(batch, body, str(uuid.uuid4()), after)
    if session_id:
        log.info(
            "planned %s files=%d bytes=%d", About(session=session_id), len(batch.files), batch.total_bytes
        )


def _method(tools: Tools) -> str:
    """What a person has written; else what a live check has found to be taken."""
    section = tools.settings.platform
    written = "transfer_method" in section.model_fields_set
    return section.transfer_method if written else tools.traits.transfer_method or section.transfer_method


async def initiate(tools: Tools, session_id: int) -> None:
    """Reserve quota. Sent verbatim until the answer is clear; each doubtful answer stays counted.

    Only a platform that is known to refuse an Idempotency-Key which it has seen gets a new one each time.
    """
    session, repeated = await tools.session(session_id), tools.traits.initiate_repeated
    key = str(uuid.uuid4()) if repeated is Repeated.REFUSED else session.idempotency_key
    await tools.journal.sessions.initiating(session_id)
    await tools.intake.mark({member.folder for member in session.members})
    failpoint("initiate.before")
    try:
        upload_id = await tools.platform.initiate(session.body, key)
    except err.UploaderError as error:
        await tools.answered(error)
        await _initiate_failed(tools, session, error)
        return
    failpoint("initiate.after")
    await tools.reached()
    cap = (await tools.journal.read(profile)).quota_cap
    cap = cap_after_success(cap, session.total_bytes, tools.settings.batch.max_bytes)
    replays = repeated is Repeated.SAME
    await tools.journal.sessions.opened(session_id, upload_id, cap, replays=replays)
    log.info("opened %s upload=%s", About(session=session_id), upload_id)


async def _initiate_failed(tools: Tools, session: SessionRow, error: err.UploaderError) -> None:
    swapped = session.body.get("transfer_method") == policy.PUBLISHED_METHOD
    joins = bool(session.key.item_id) and any(m.scene_id is not None for m in session.members)
    verdict = classify(Step.INITIATE, error, tools.known(session.tries, swapped=swapped, joins=joins))
    answered = Step.INITIATE if is_clear(error) else None
    sessions = tools.journal.sessions
    log.warning("initiate failed %s clear=%s: %s", About(session=session.id), bool(answered), error)
    match verdict:
        case fail.Retry(after):
            await sessions.retry(session.id, str(error), after, answered=answered)
        case fail.Swap(method):
            await sessions.refused(session.id, str(error), None, {"transfer_method": method})
        case fail.Park(cause=HoldCause.SCENE_ITEM_GONE, reason=reason) if await _left_behind(tools, session):
            await sessions.refused(session.id, reason, None)
        case fail.Park(scope=Scope.PLATFORM) as park:
            hold = tools.hold(park)
            await sessions.retry(session.id, park.reason, 0.0, answered=answered, hold=hold)
        case fail.Park() as park:
            cap = {"quota_cap": cap_after_refusal(session.total_bytes)}
            learned = cap if park.scope is Scope.ORGANIZATION else None
            hold = tools.hold(park, session.key.target)
            await sessions.refused(session.id, park.reason, hold, learned)
        case _:
            raise AssertionError(f"initiate: no way on from {verdict}") from error


async def _left_behind(tools: Tools, session: SessionRow) -> bool:
    """Whether the session was frozen before its scene was sent anew: then its file goes into another item."""
    ids = [member.scene_id for member in session.members if member.scene_id is not None]
    found = await tools.journal.read(lambda db: [scene_row(db, scene_id) for scene_id in ids])
    return all(scene.item_id != session.key.item_id for scene in found)

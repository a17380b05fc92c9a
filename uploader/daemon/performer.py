"""One `match` over the actions: each calls its effect, which tells the journal what became true."""

from __future__ import annotations

from typing import assert_never

from uploader.core import actions as act
from uploader.effects import (
    claims,
    conversion,
    ended_files,
    scenes,
    session,
    session_end,
    session_start,
    transfer,
)
from uploader.effects.context import Tools


async def perform(tools: Tools, action: act.Action) -> None:  # noqa: C901, PLR0912 - one line an action
    """Do one action. A failure that was foreseen is in the journal when this returns; any other one is raised."""
    match action:
        case act.Claim(file_id=file_id):
            await claims.claim(tools, file_id)
        case act.Convert(file_id=file_id, alone=alone):
            await conversion.convert(tools, file_id, alone=alone)
        case act.SkipTwin(file_id=file_id):
            await claims.skip_twin(tools, file_id)
        case act.Dispose(file_id=file_id):
            await ended_files.dispose(tools, file_id)
        case act.Discard(file_ids=file_ids):
            await ended_files.discard(tools, file_ids)
        case act.Put(file_id=file_id, session_id=session_id):
            await transfer.put(tools, session_id, file_id)
        case act.PlanSession(batch=batch):
            await session_start.plan_session(tools, batch)
        case act.Initiate(session_id=session_id):
            await session_start.initiate(tools, session_id)
        case act.Complete(session_id=session_id):
            await session.complete(tools, session_id)
        case act.Locate(session_id=session_id):
            await session.locate(tools, session_id)
        case act.Abandon(session_id=session_id):
            await session_end.abandon(tools, session_id)
        case act.ReadBack(session_id=session_id):
            await session.read_back(tools, session_id)
        case act.AdvanceScene(scene_id=scene_id):
            await scenes.advance(tools, scene_id)
        case act.EndHold(scope=scope, subject=subject):
            await tools.journal.holds.clear(scope, subject)
        case _:
            assert_never(action)

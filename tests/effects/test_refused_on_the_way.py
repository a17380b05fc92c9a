"""A proxy or a firewall that says no to a PUT: an outage, unless it lets others pass all the while."""

from __future__ import annotations

import random

import pytest

from tests.effects.test_session_start import tools
from tests.journal.test_journal import converted, journal, planned
from tests.sim.platform import ModelPlatform
from uploader.core.errors import NoAnswer
from uploader.core.failure_policy import MAX_MINTS
from uploader.core.model import SessionState
from uploader.core.outages import OVERLAP
from uploader.core.platform_traits import Traits
from uploader.core.verdicts import Step
from uploader.effects.transfer import _failed
from uploader.journal import Journal
from uploader.journal.queries import session_row
from uploader.journal.rows import clock

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["journal"]

TOO_LARGE = NoAnswer("It got HTTP 413.", "Look at the proxy.", status=413)


@pytest.mark.parametrize("others_pass", [False, True])
async def test_a_file_that_alone_is_refused_does_not_keep_its_session_for_ever(
    journal: Journal, others_pass: bool
) -> None:
    """A few sessions that never end would be all that may be open. Where nobody passes, nothing is counted."""
    made = tools(journal, ModelPlatform(random.Random(1), 0.0, 1 << 60), Traits())
    file_id = await converted(journal, b"a.tif")
    session_id = await planned(journal, file_id)
    await journal.sessions.opened(session_id, "u1", None)
    made.stored_at = 0.0
    session = await made.session(session_id)

    await _failed(made, session, await made.file(file_id), Step.PUT, TOO_LARGE)
    made.stored_at = clock() + OVERLAP if others_pass else 0.0
    for _ in range(MAX_MINTS):
        await _failed(made, session, await made.file(file_id), Step.PUT, TOO_LARGE)

    row = await journal.read(lambda db: session_row(db, session_id))
    attempts = (await made.file(file_id)).attempts
    assert (row.state, attempts) == ((SessionState.FAILING, 1) if others_pass else (SessionState.OPEN, 0))

"""The holds of the plan, in memory and in the journal."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import anyio
import pytest

from uploader.core.model import Hold, Scope
from uploader.daemon.planned_holds import ShownHolds
from uploader.journal import Journal, Reader

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

STAGING, FOLDER = (
    Hold(scope, "", f"{scope} is held.", "Wait.", since=1.0) for scope in (Scope.STAGING, Scope.FOLDER)
)


async def test_those_who_read_beside_see_them_soon_and_the_log_tells_each_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Waiting for it takes no longer than the journal does, also at the first time."""
    caplog.set_level(logging.WARNING)
    journal = Journal(tmp_path)
    async with anyio.create_task_group() as group:
        shown = ShownHolds(journal)
        group.start_soon(shown.run)
        for holds in ([STAGING], [STAGING, FOLDER], [FOLDER], []):
            shown.show(holds)
            began = time.monotonic()
            await shown.written(10)
            assert time.monotonic() - began < 5
            with Reader(tmp_path) as reader:
                assert [hold.scope for hold in reader.holds()] == [hold.scope for hold in holds]
        group.cancel_scope.cancel()
    journal.close()

    assert [record.getMessage() for record in caplog.records] == [
        "hold scope=staging staging is held. Wait.",
        "hold scope=folder folder is held. Wait.",
    ]


async def test_nobody_waits_for_a_journal_that_takes_nothing(tmp_path: Path) -> None:
    """Showing is done at once, and waiting for the journal is bounded."""
    journal = Journal(tmp_path)
    shown = ShownHolds(journal)  # nobody writes them down
    shown.show([STAGING])
    began = time.monotonic()
    await shown.written(0.05)
    journal.close()

    assert shown.holds == (STAGING,)
    assert time.monotonic() - began < 2

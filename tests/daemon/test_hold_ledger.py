"""The list of holds as the daemon keeps it: in memory, in the log, and in the journal."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from uploader.core.model import Hold, HoldCause, Scope
from uploader.daemon.hold_ledger import HoldLedger
from uploader.journal import Journal, Reader

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

STAGING = Hold(Scope.STAGING, "", "It is full.", "Wait.", since=1.0, until=9.0, cause=HoldCause.STAGING_FULL)
FOLDER = Hold(Scope.FOLDER, "/d", "It left.", "Wait.", since=1.0, cause=HoldCause.FOLDER_UNCONFIGURED)
TARGET = Hold(Scope.TARGET, "p", "It is refused.", "Mend it.", since=1.0, cause=HoldCause.TARGET_REFUSED)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of holds, with its durations left out."""
    said = (record.getMessage() for record in caplog.records)
    return [re.sub("after=.*", "after=", line) for line in said if line.startswith("hold ")]


async def test_who_reads_beside_sees_the_same_list_and_revision(tmp_path: Path) -> None:
    """Waiting for it takes no longer than the journal does, also at the first time."""
    journal = Journal(tmp_path)
    async with anyio.create_task_group() as group:
        ledger = HoldLedger(journal)
        group.start_soon(ledger.run)
        for revision, holds in enumerate(([STAGING], [STAGING, FOLDER], [FOLDER], []), start=1):
            ledger.planned(holds)
            told = ledger.look()
            began = time.monotonic()
            await ledger.written(100)
            assert time.monotonic() - began < 50
            assert told.revision == revision
            with Reader(tmp_path) as reader:
                beside = reader.holds()
            assert [hold.cause for hold in beside.holds] == [hold.cause for hold in told.holds]
            assert beside.revision == revision
        group.cancel_scope.cancel()
    journal.close()


async def test_a_hold_of_the_plan_keeps_its_beginning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each turn shows it anew, and it lasts since the first one; the log tells for how long."""
    caplog.set_level(logging.INFO)
    journal, now = Journal(tmp_path), time.time()
    ledger = HoldLedger(journal)
    for since in (now - 90, now - 60, now - 30):
        ledger.planned([replace(STAGING, since=since)])
        assert ledger.look().holds[0].since == now - 90
    ledger.planned([])
    ledger.look()

    assert "after=1 min 30 s" in caplog.text
    ledger.planned([replace(STAGING, since=now)])
    assert ledger.look().holds[0].since == now
    journal.close()


async def test_the_log_has_a_begin_and_an_end_of_every_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of those of the plan, of the journal, and of the journal's own; with what it is about, once each."""
    caplog.set_level(logging.INFO)
    journal, pressing = (
        Journal(tmp_path),
        [Hold(Scope.JOURNAL, "", "It is slow.", cause=HoldCause.JOURNAL_SLOW)],
    )
    ledger = HoldLedger(journal, lambda: pressing)
    await journal.holds.set(TARGET)
    ledger.planned([STAGING])
    for _ in range(3):
        ledger.look()
    pressing.clear()
    ledger.planned([])
    await journal.holds.clear(Scope.TARGET, "p")
    for _ in range(3):
        ledger.look()
    journal.close()

    assert lines(caplog) == [
        "hold begin scope=journal cause=journal_slow subject='': It is slow.",
        "hold begin scope=staging cause=staging_full subject='': It is full. Wait.",
        "hold begin scope=target cause=target_refused subject='p': It is refused. Mend it.",
        "hold end scope=journal cause=journal_slow subject='' after=",
        "hold end scope=staging cause=staging_full subject='' after=",
        "hold end scope=target cause=target_refused subject='p' after=",
    ]


async def test_the_revision_counts_what_matters(tmp_path: Path) -> None:
    """Beginnings, ends, and whether a person is needed; not another time, nor another word."""
    journal = Journal(tmp_path)
    ledger = HoldLedger(journal, revision=41)
    revisions = []
    for holds in (
        [STAGING],
        [replace(STAGING, until=99.0, reason="It is fuller.")],
        [replace(STAGING, until=None)],
        [],
        [],
    ):
        ledger.planned(holds)
        revisions.append(ledger.look().revision)
    journal.close()

    assert revisions == [42, 42, 43, 44, 44]


async def test_nobody_waits_for_a_journal_that_takes_nothing(tmp_path: Path) -> None:
    """Looking is done at once, and waiting for the journal is bounded."""
    journal = Journal(tmp_path)
    ledger = HoldLedger(journal)  # nobody writes them down
    ledger.planned([STAGING])
    assert [hold.cause for hold in ledger.look().holds] == [HoldCause.STAGING_FULL]
    began = time.monotonic()
    await ledger.written(0.05)
    journal.close()

    assert time.monotonic() - began < 30

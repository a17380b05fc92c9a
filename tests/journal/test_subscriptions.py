"""Who is told of commits: after the working set, in order, and without any power over the journal."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from uploader.core.lifecycle import IllegalTransition
from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.core.transitions.change import LogLine
from uploader.journal import Journal

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

SIGHTING = Sighting("/d", b"a.tif", Fingerprint(1, 1, 10, 5, 6))


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    journal = Journal(tmp_path)
    yield journal
    journal.close()


async def test_whoever_subscribes_is_told_of_each_commit(journal: Journal) -> None:
    """The lines of the log in their order, when the working set has the rows, and before the effect goes on."""
    heard: list[tuple[str, str, bool]] = []

    def hear(events: Sequence[LogLine]) -> None:
        heard.extend((line.event, line.state, journal.live.file(1) is not None) for line in events)

    with journal.subscriptions.during("test", hear):
        (file_id,) = await journal.files.discovered([SIGHTING])
        assert heard == [("discovered", "settling", False)]  # its folder's queue has it, and no live row
        await journal.files.claimed(file_id, SIGHTING, "c", 10)
        assert heard[1:] == [("claimed", "queued", True)]
    await journal.files.rejected(file_id, "no raster")

    assert len(heard) == 2


async def test_what_is_rolled_back_is_told_to_nobody(journal: Journal) -> None:
    """A transaction that raises has made nothing true."""
    (file_id,) = await journal.files.discovered([SIGHTING])
    await journal.files.claimed(file_id, SIGHTING, "c", 10)
    heard: list[LogLine] = []
    journal.subscriptions.add("test", heard.extend)

    with pytest.raises(IllegalTransition):
        await journal.files.claimed(file_id, SIGHTING, "d", 10)

    assert heard == []


async def test_a_subscriber_that_fails_touches_neither_the_journal_nor_the_others(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log with its traceback; what was committed stays, and everybody else is told."""
    heard: list[LogLine] = []

    def fail(_: Sequence[LogLine]) -> None:
        raise RuntimeError("it is full")

    journal.subscriptions.add("broken", fail)
    journal.subscriptions.add("sound", heard.extend)
    with caplog.at_level(logging.ERROR):
        (file_id,) = await journal.files.discovered([SIGHTING])
        state = await journal.files.claimed(file_id, SIGHTING, "c", 10)

    assert state is FileState.QUEUED
    assert [line.event for line in heard] == ["discovered", "claimed"]
    assert "broken failed to take in what was committed" in caplog.text
    assert journal.trouble is None

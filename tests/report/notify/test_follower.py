"""What a way was told, kept in a real journal; and a journal that hangs, which is waited for by nobody."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup

from uploader.core.alarms import FILES_REJECTED, GATHERED, Alarm, Rejection, SentAlarm
from uploader.core.model import Fingerprint, Sighting
from uploader.journal import Journal
from uploader.journal.followers import Position, position_of, rejections
from uploader.journal.sqlite_library import Database
from uploader.report.notify import follower
from uploader.report.notify.follower import PATIENCE, Follower
from uploader.report.notify.teller import Teller

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

QUOTA = Alarm("quota", "organization", "", "Full.", "Make room.", 1.0, 3, 9)


class Kept:
    """A teller and its memory."""

    def __init__(self, journal: Journal, group: TaskGroup) -> None:
        self.journal = journal
        self.teller = Teller("webhook", lambda *_: {})
        self.follower = Follower(self.teller, journal, group)

    async def reject(self, name: bytes) -> None:
        """A file is rejected."""
        sighting = Sighting("/d", name, Fingerprint(1, len(name), 10, 5, 6))
        (file_id,) = await self.journal.files.discovered([sighting])
        await self.journal.files.claimed(file_id, sighting, name.hex(), 10)
        await self.journal.files.rejected(file_id, "It is no raster.")

    async def stands(self) -> Position | None:
        """As the journal has it."""
        return await self.journal.read(lambda db: position_of(db, "notify.webhook"))


@pytest.fixture
async def group() -> AsyncIterator[TaskGroup]:
    """Tasks of the test."""
    async with anyio.create_task_group() as made:
        yield made
        made.cancel_scope.cancel()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A real one."""
    made = Journal(tmp_path)
    yield made
    made.close()


async def test_what_was_told_is_known_after_a_restart(journal: Journal, group: TaskGroup) -> None:
    """With when it was, so that it is repeated in its rhythm; who leaves is forgotten with all of it."""
    first = Kept(journal, group)
    await first.follower.begin()
    first.teller.told = {QUOTA.key: SentAlarm(QUOTA, 50.0, gone_since=60.0)}
    await first.follower.keep()
    second = Kept(journal, group)
    await second.follower.begin()
    assert second.teller.told == {QUOTA.key: SentAlarm(QUOTA, 50.0)}
    await second.follower.leave()
    assert (await second.stands(), second.teller.told) == (None, {})


async def test_rejected_files_are_passed_on_and_passed_only_once_told(
    journal: Journal, group: TaskGroup
) -> None:
    """Those before the first start are old; a restart before they were told gives them again."""
    kept = Kept(journal, group)
    await kept.reject(b"old.tif")
    await kept.follower.begin()
    await kept.follower.keep()
    await kept.reject(b"new.tif")
    for again in (kept, Kept(journal, group)):
        await again.follower.begin()
        await again.follower.look(1000.0)
        await again.follower.keep()
        assert [(alarm.cause, alarm.subject) for alarm in again.teller.rejected] == [
            (FILES_REJECTED, "/d/new.tif")
        ]
    again.teller.rejected = []
    await again.follower.keep()
    last = Kept(journal, group)
    await last.follower.begin()
    await last.follower.look(1000.0)
    assert last.teller.rejected == []


async def test_a_flood_of_rejected_files_is_gathered(journal: Journal, group: TaskGroup) -> None:
    """The first is told at once, the others a minute later as one."""
    kept = Kept(journal, group)
    await kept.follower.begin()
    await kept.reject(b"1.tif")
    await kept.follower.look(1000.0)
    kept.teller.rejected = []
    await kept.follower.keep()
    for name in (b"2.tif", b"3.tif"):
        await kept.reject(name)
    await kept.follower.look(1000.0 + GATHERED - 1)
    assert kept.teller.rejected == []
    await kept.follower.look(1000.0 + GATHERED)
    assert [(alarm.subject, alarm.files) for alarm in kept.teller.rejected] == [("/d", 2)]


async def test_a_journal_that_hangs_keeps_nobody(
    journal: Journal, group: TaskGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told stays known meanwhile, and is entered when the journal is back."""
    kept, back = Kept(journal, group), anyio.Event()
    await kept.follower.begin()
    await kept.follower.keep()
    really = journal.followers.told

    async def hanging(*arguments: Any) -> None:
        await back.wait()
        await really(*arguments)

    monkeypatch.setattr(journal.followers, "told", hanging)
    kept.teller.told = {QUOTA.key: SentAlarm(QUOTA, 50.0)}
    began = time.monotonic()
    await kept.follower.keep()
    assert time.monotonic() - began < 10 * PATIENCE
    back.set()
    await kept.follower.keep()
    found = await kept.stands()
    assert found is not None
    assert list(found.told) == [QUOTA.key]


async def test_the_journal_is_asked_only_where_something_was_rejected(
    journal: Journal, group: TaskGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or where so much has happened that it is to be entered how far the events were followed."""
    asked: list[int] = []

    def counted(db: Database, after: int) -> tuple[list[Rejection], int]:
        asked.append(after)
        return rejections(db, after)

    monkeypatch.setattr(follower, "rejections", counted)
    kept = Kept(journal, group)
    await kept.follower.begin()
    await kept.follower.look(1000.0)
    assert len(asked) == 1  # what was rejected before it heard of anything

    sighting = Sighting("/d", b"a.tif", Fingerprint(1, 1, 10, 5, 6))
    await journal.files.discovered([sighting])
    await kept.follower.look(1001.0)
    assert len(asked) == 1

    await kept.reject(b"b.tif")
    await kept.follower.look(1002.0)
    assert len(asked) == 2
    assert [alarm.subject for alarm in kept.teller.rejected] == ["/d/b.tif"]

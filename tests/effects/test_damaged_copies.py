"""A disk of staging that does not keep what is written to it: no raster is to blame, and it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.effects.test_hash_once import Way
from tests.journal.test_journal import planned
from uploader.convert import Report
from uploader.core.damaged_copies import DamagedCopies
from uploader.core.errors import ConversionFailed, LocalError, RasterRefused, RasterUnreadable, StagedDamaged
from uploader.core.failure_policy import FREE_COPIES
from uploader.core.model import FileState, HoldCause
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView
from uploader.core.verdicts import Step
from uploader.effects.transfer import _failed
from uploader.journal.rows import clock

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class BadDisk(Way):
    """A raster of which the converter sees other bytes than were claimed, while the disk is bad."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "a.tif")
        self.bad, self.error = True, LocalError("")
        self.tools.damaged_copies, self.tools.stored_at = DamagedCopies(), 0.0
        self.journal.subscriptions.add("damaged copies", self.tools.damaged_copies.committed)

    async def convert(self, job: Any, *_: object) -> Report:
        """It fails on what it sees."""
        if not self.bad:
            return await super().convert(job)
        self.damage()
        raise self.error

    async def try_once(self, error: LocalError) -> FileState:
        """Claim and convert; gives the state that the file is in then."""
        self.error = error
        await self.begin()
        await self.make()
        return (await self.row()).state

    def holds(self) -> list[HoldCause]:
        """What a plan shows."""
        view = PlannerView({}, damaged_copies=self.tools.damaged_copies.lasting())
        return [hold.cause for hold in plan(view, clock(), self.tools.settings).holds]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[BadDisk]:
    """A bad one."""
    made = BadDisk(tmp_path)
    yield made
    made.journal.close()


@pytest.mark.parametrize("kind", [RasterUnreadable, RasterRefused, ConversionFailed])
async def test_a_copy_that_stays_damaged_is_told(disk: BadDisk, kind: type[LocalError]) -> None:
    """However often and however the conversion fails on it, the raster is not rejected; a whole copy ends the hold."""
    for _ in range(FREE_COPIES):
        assert await disk.try_once(kind("It is odd.")) is FileState.SETTLING
    assert disk.holds() == []
    assert await disk.try_once(kind("It is odd.")) is FileState.SETTLING
    assert disk.holds() == [HoldCause.COPY_DAMAGED]

    disk.bad = False

    assert await disk.try_once(kind("It is odd.")) is FileState.CONVERTED
    assert disk.holds() == []


async def test_a_whole_copy_blames_the_raster(disk: BadDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed is what is refused."""
    monkeypatch.setattr(disk, "damage", lambda: None)

    assert await disk.try_once(RasterRefused("It is odd.")) is FileState.REJECTED


async def test_an_object_that_stays_damaged_is_told_and_made_again_later(disk: BadDisk) -> None:
    """Else sessions would be opened and given up for it in a tight loop; when it is stored the hold ends."""
    disk.bad = False
    await disk.begin()
    waits = []
    for turn in range(FREE_COPIES + 1):
        await disk.make()
        session = await disk.tools.session(await planned(disk.journal, disk.id, turn=turn))
        await _failed(disk.tools, session, await disk.row(), Step.PUT, StagedDamaged("It is damaged."))
        waits.append(await disk.journal.read(lambda db: db["files"].get(disk.id)["not_before"]))

    assert disk.holds() == [HoldCause.COPY_DAMAGED]
    assert [wait > 0 for wait in waits] == [False] * FREE_COPIES + [True]

    await disk.make()
    assert disk.holds() == [HoldCause.COPY_DAMAGED]
    await disk.journal.files.stored(disk.id, await planned(disk.journal, disk.id, turn=9))
    assert disk.holds() == []

"""A file that staging refuses while it takes others: it is told, and keeps nobody back."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.effects.test_hash_once import Way
from tests.support.groups import seen
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView
from uploader.effects.claims import claim
from uploader.journal.rows import clock

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

LIMIT = 1 << 20


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no larger files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Drop(Way):
    """A drop folder with a large and a small file, and what a plan tells of them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "small.tif")
        (self.drop / "large.tif").write_bytes(os.urandom(LIMIT + 1))
        self.journal.subscriptions.add("staging refusals", self.tools.staging_refusals.committed)

    async def take(self, name: str) -> FileState:
        """Claim a file; gives the state that it is in then."""
        self.sighting = seen(self.drop, name, include=["*"])
        (self.id,) = await self.journal.files.discovered([self.sighting])
        await claim(self.tools, self.id)
        return (await self.row()).state

    def holds(self) -> list[Hold]:
        """What a plan shows."""
        refusals, now = self.tools.staging_refusals, clock()
        view = PlannerView({}, refused_files=refusals.alone(), staging_trouble=refusals.trouble(now + 60))
        return plan(view, now, self.tools.settings).holds


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Drop]:
    """One without limits."""
    made = Drop(tmp_path)
    yield made
    made.journal.close()


async def test_a_file_too_large_for_staging_is_told(drop: Drop) -> None:
    """At once, with its size and the limit; the small one passes, and the hold ends once the limit is raised."""
    with largest_file(LIMIT):
        assert await drop.take("large.tif") is FileState.SETTLING
        (hold,) = drop.holds()
        assert await drop.take("small.tif") is FileState.QUEUED
        assert drop.holds()[0].since == hold.since

    assert (hold.scope, hold.cause, hold.files) == (Scope.FILE, HoldCause.FILE_EXCEEDS_STAGING, 1)
    assert hold.subject == str(drop.drop / "large.tif")
    assert "it has 1 MiB" in hold.reason
    assert "this process may write 1 MiB" in hold.reason
    assert "`[staging] dir`" in hold.way_out

    assert await drop.take("large.tif") is FileState.QUEUED
    assert drop.holds() == []


async def test_a_file_that_a_quota_keeps_out_is_told_once_another_passed(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then it is not known whether anything passes: all of staging is told."""
    real = os.ftruncate

    def quota(fd: int, size: int) -> None:
        if size > LIMIT:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        real(fd, size)

    monkeypatch.setattr(os, "ftruncate", quota)
    await drop.take("large.tif")
    assert [hold.cause for hold in drop.holds()] == [HoldCause.STAGING_UNUSABLE]

    await drop.take("small.tif")
    assert drop.holds() == []
    await drop.take("large.tif")

    assert [(hold.cause, hold.subject) for hold in drop.holds()] == [
        (HoldCause.FILE_EXCEEDS_STAGING, str(drop.drop / "large.tif"))
    ]


async def test_a_refused_file_that_was_taken_away_is_told_no_more(drop: Drop) -> None:
    """Nothing waits for it."""
    with largest_file(LIMIT):
        await drop.take("large.tif")
    assert len(drop.holds()) == 1

    await drop.journal.files.vanished([drop.id])

    assert drop.holds() == []

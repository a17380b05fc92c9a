"""Folders that come, go and change while others are watched."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.intake import Bench, bench
from uploader.config import Changes, Folder, Settings

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def folder(b: Bench, **facts: Any) -> Folder:
    """The bench's folder with other keys."""
    return Folder(
        **{"path": b.drop, "project_id": "p-1", "settle_seconds": 0.05, "rescan_seconds": 3600.0, **facts}
    )


def changes(*folders: Folder, **groups: tuple[Folder, ...]) -> Changes:
    """From now on these folders; `groups` says which of them are added, removed or changed."""
    return Changes(Settings().model_copy(update={"folders": folders}), **groups)


async def is_so(b: Bench, states: dict[str, int]) -> bool:
    """Whether so many rows are in each state."""
    return await b.states() == states


async def test_another_rule_keeps_what_is_being_claimed(tmp_path: Path) -> None:
    """A claim that has ended a moment before leaves its place, one that runs goes on; the others settle anew."""
    async with bench(tmp_path) as b:
        for name in ("ended", "running", "waits"):
            b.put(f"{name}.tif")
        ended, running, waits = await b.settled(3)
        await b.claim(ended)  # the watcher has not read yet that this has ended
        sighting = b.intake.settled_sighting(running)
        assert sighting is not None
        before, slow = b.watcher, folder(b, settle_seconds=3600.0)
        b.intake.change(changes(slow, changed=(slow,)))

        queue = b.watcher.queue
        assert b.watcher is not before
        assert queue is before.queue
        assert (queue.under_claim(ended), queue.under_claim(running)) == (False, True)
        assert [file.file_id for file in b.intake.settled()] == [running]
        await b.journal.files.claimed(running, sighting, "c", 1)
        b.intake.claimed(running)
        await b.until(lambda: not queue.under_claim(running), "its place is free")

        quick = folder(b, settle_seconds=0.1)
        b.intake.change(changes(quick, changed=(quick,)))
        assert await b.settled(1) == [waits]
        assert await b.claim(waits) == "queued"
        assert await b.states() == {"queued": 3}


async def test_who_is_stopped_hands_out_no_look_of_its_successor(tmp_path: Path) -> None:
    """A watcher that was about to look around when another rule came leaves the looks to the one that has the queue."""
    async with bench(tmp_path, settle_seconds=3600.0) as b:
        b.put("waits.tif")
        await b.until(b.states, "it is known")
        await b.until(lambda: not b.watcher._looking and b.watcher._scanned, "nothing is under way")
        quick = folder(b, settle_seconds=0.001)
        b.watcher._inbox.wake()
        b.intake.change(changes(quick, changed=(quick,)))
        await b.settled(1)


async def test_a_folder_that_leaves_waits_for_its_copies(tmp_path: Path) -> None:
    """What is being copied ends as it will, what only waited is gone from the list; put back, it is found anew."""
    async with bench(tmp_path) as b:
        b.put("copied.tif")
        b.put("waits.tif")
        copied, _ = await b.settled(2)
        sighting = b.intake.settled_sighting(copied)
        assert sighting is not None
        leaving = folder(b)
        b.intake.change(changes(removed=(leaving,)))
        await anyio.sleep(0.3)
        assert await b.states() == {"settling": 2}
        assert not b.intake.settled()

        await b.journal.files.claimed(copied, sighting, "c", 1)
        b.intake.claimed(copied)
        await b.until(partial(is_so, b, {"queued": 1, "gone": 1}), "the other has left the list")
        b.intake._locks.add(b.drop)
        b.intake.change(changes(leaving, added=(leaving,)))
        await b.settled(1)

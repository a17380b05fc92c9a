"""What settles, in sums that are made anew only where a row has changed: they are what all rows together say."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from uploader.core.model import Fingerprint, Sighting
from uploader.journal import Journal, Reader
from uploader.journal.settling_sums import BLOCK, ChangedBlocks, SettlingSums

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An open journal."""
    opened = Journal(tmp_path)
    yield opened
    opened.close()


def sighting(number: int, size: int = 10, folder: str = "/drop") -> Sighting:
    """A look at one of many files."""
    return Sighting(folder, b"%d.tif" % number, Fingerprint(1, number, size, 5, size))


async def settling(journal: Journal) -> tuple[int, int]:
    """Files and bytes that settle, as a status tells them."""
    facts = await journal.facts({})
    stages = [folder["stages"].get("settling", {"files": 0, "bytes": 0}) for folder in facts.folders]
    return sum(stage["files"] for stage in stages), sum(stage["bytes"] for stage in stages)


async def test_each_change_of_a_settling_file_is_seen(journal: Journal) -> None:
    """One that comes, is written to, is claimed, vanishes, is rejected, and is tried again, in different blocks."""
    many = 2 * BLOCK + 10
    ids = await journal.files.discovered([sighting(number) for number in range(many)])
    assert await settling(journal) == (many, 10 * many)

    await journal.files.changed(ids[BLOCK], sighting(BLOCK, size=25))
    assert await settling(journal) == (many, 10 * many + 15)
    await journal.files.claimed(ids[0], sighting(0), "content", 10)
    assert await settling(journal) == (many - 1, 10 * many + 5)
    await journal.files.vanished([ids[-1]])
    assert await settling(journal) == (many - 2, 10 * many - 5)
    await journal.files.rejected(ids[1], "It is no raster.")
    assert await settling(journal) == (many - 3, 10 * many - 15)
    await journal.retrying.retried([b"/drop/1.tif"])
    await journal.files.discovered([sighting(7, folder="/other")])
    assert await settling(journal) == (many - 1, 10 * many + 5)


async def test_a_block_that_did_not_change_is_not_read_again(journal: Journal, tmp_path: Path) -> None:
    """A status of many new files would cost as much as they are, at each look."""
    for first in range(0, 40 * BLOCK, 4 * BLOCK):
        await journal.files.discovered([sighting(number) for number in range(first, first + 4 * BLOCK)])
    changed = ChangedBlocks()
    with Reader(tmp_path) as reader:
        sums, spent = SettlingSums(changed), []
        for _ in range(2):
            began = time.thread_time()
            assert [group["n"] for group in sums.read(reader.db)] == [40 * BLOCK]
            spent.append(time.thread_time() - began)
            changed.note([3])

    assert spent[1] < spent[0] / 4


def test_a_change_is_forgotten_only_by_who_began_after_its_commit() -> None:
    """Who began before has not seen it; and a transaction that came to nothing is over with the next."""
    changed = ChangedBlocks()
    first, second = changed.note([4, 9]), changed.note([9])
    changed.forget(changed.committed)
    assert changed.noted() == [4, 9]
    changed.committed = first
    changed.forget(changed.committed)
    assert changed.noted() == [9]
    changed.forget(second)
    assert changed.noted() == []

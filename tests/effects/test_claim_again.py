"""A settled file is claimed once, also where a look that began earlier brings it up again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.journal.test_journal import journal, sighting
from tests.journal.test_retry import joining, wait_for_an_item
from tests.support.tools import few
from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.effects.claims import claim
from uploader.journal import Journal
from uploader.journal.queries import file_row
from uploader.journal.row_queries import scene_rows

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["journal"]


async def test_a_claimed_file_is_not_claimed_again(tmp_path: Path) -> None:
    """It leaves the candidates, and its row and private copy stay as they are."""
    journal = Journal(tmp_path)
    sighting = Sighting("/d", b"a.tif", Fingerprint(1, 1, 10, 5, 6))
    (file_id,) = await journal.files.discovered([sighting])
    await journal.files.claimed(file_id, sighting, "c", 10)
    dropped: list[int] = []
    intake = SimpleNamespace(settled_sighting=lambda _: sighting, claimed=dropped.append)

    await claim(few(journal=journal, intake=intake), file_id)

    assert dropped == [file_id]
    assert (await journal.read(lambda db: file_row(db, file_id))).state is FileState.QUEUED
    journal.close()


async def test_a_completed_file_stays_what_it_is_and_loses_the_second_copy(journal: Journal) -> None:
    """It is no longer among the live ones; its row and its scene stay as they are, by whatever rule it is claimed."""
    await wait_for_an_item(journal)
    (first,) = await journal.read(
        lambda db: [row["id"] for row in db["files"].rows_where("state = 'completed'")]
    )
    before = await journal.read(lambda db: (file_row(db, first), scene_rows(db, "id > 0")))
    await journal.files.discarded([first])

    state = await journal.files.claimed(first, sighting(b"B1"), "content of B2", 10, joining=joining("B2"))

    assert state is FileState.COMPLETED
    assert await journal.read(lambda db: (file_row(db, first), scene_rows(db, "id > 0"))) == before
    assert journal.live.view({}).discards == (first,)

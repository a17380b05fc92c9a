"""A settled file is claimed once, also where a look that began earlier brings it up again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.tools import few
from uploader.core.model import FileState, Fingerprint, Sighting
from uploader.effects.claims import claim
from uploader.journal import Journal
from uploader.journal.queries import file_row

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


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

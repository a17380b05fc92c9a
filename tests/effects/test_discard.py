"""The private copies of the files of a session go together; who cannot be removed keeps nobody else back."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.groups import seen
from tests.support.tools import few
from uploader.effects.ended_files import discard
from uploader.journal import Journal
from uploader.staging import Staging

pytestmark = pytest.mark.unit


async def test_one_that_cannot_be_removed_keeps_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is still told as lying there, and rests; the copies of the others are gone in the journal too."""
    journal, staging, rests = Journal(tmp_path), Staging(tmp_path / "staging"), []
    drop = tmp_path / "drop"
    drop.mkdir()
    sightings = []
    for name in ("a.tif", "b.tif", "c.tif"):
        (drop / name).write_bytes(b"II*\0")
        sightings.append(seen(drop, name))
    ids = await journal.files.discovered(sightings)
    for file_id, sighting in zip(ids, sightings, strict=True):
        await journal.files.claimed(file_id, sighting, f"{file_id:064x}", 4)
        await journal.files.rejected(file_id, "no raster")
    real = Staging.discard

    def refusing(self: Staging, file_id: int) -> None:
        if file_id == ids[1]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(self, file_id)

    async def pause(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(Staging, "discard", refusing)
    tools: Any = few(journal=journal, staging=staging)
    monkeypatch.setattr(type(tools), "pause", lambda _, seconds: pause(seconds), raising=False)
    await discard(tools, ids)

    staged = await journal.read(lambda db: [*db.execute("SELECT id FROM files WHERE staged = 1")])
    assert [row[0] for row in staged] == [ids[1]]
    assert len(rests) == 1
    journal.close()

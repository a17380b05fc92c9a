"""Rejected files as a status tells them, read anew only where they changed."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from uploader.core.model import Fingerprint, Sighting
from uploader.journal import Journal, Reader
from uploader.journal.rejections import Rejections

pytestmark = pytest.mark.unit


def test_a_change_is_seen_and_nothing_else_is_read(tmp_path: Path) -> None:
    """A file that comes, goes, or is rejected once more for another reason."""
    looks = [Sighting("/drop", b"%d.tif" % n, Fingerprint(1, n, 10, 5, 6)) for n in range(2)]

    async def reject(journal: Journal, number: int, reason: str) -> None:
        await journal.files.rejected(number, reason)

    async def story() -> None:
        journal, kept = Journal(tmp_path), Rejections()
        first, second = await journal.files.discovered(looks)
        with Reader(tmp_path) as reader:
            assert kept.read(reader.db) == []
            for number, look in ((first, looks[0]), (second, looks[1])):
                await journal.files.claimed(number, look, f"content {number}", 10)
            await reject(journal, first, "It is no raster.")
            told = kept.read(reader.db)
            assert [(file["path"], file["reason"]) for file in told] == [("/drop/0.tif", "It is no raster.")]
            assert kept.read(reader.db) is told
            await reject(journal, second, "Too large.")
            assert [file["reason"] for file in kept.read(reader.db)] == ["It is no raster.", "Too large."]
            await journal.retrying.retried([b"/drop/0.tif"])
            assert [file["reason"] for file in kept.read(reader.db)] == ["Too large."]
            await journal.files.claimed(first, looks[0], "content", 10)
            await reject(journal, first, "It is still no raster.")
            assert [file["reason"] for file in kept.read(reader.db)] == [
                "It is still no raster.",
                "Too large.",
            ]
        journal.close()

    anyio.run(story)

"""What went through each stage: counted once, of the last hour, and what is left for it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from uploader.core.holds import Amount
from uploader.core.model import FileState
from uploader.core.throughput import Passed, StageWork, expected_end
from uploader.journal import FILE_NAME
from uploader.journal.connection import connected
from uploader.journal.sqlite_library import Database
from uploader.journal.stage_work import HOUR, StagePasses
from uploader.journal.writer import Writer

pytestmark = pytest.mark.unit

NOW = time.time()
LEFT = [
    Amount("/d", FileState.SETTLING, "p", 1, 10, source=10),
    Amount("/d", FileState.QUEUED, "p", 2, 20, source=20),
    Amount("/d", FileState.CONVERTED, "p", 3, 3, source=30),
    Amount("/d", FileState.STORED, "p", 4, 4, source=40),
]
"""Pending files; what became of them is a tenth as large."""


def add(state: Path, *events: tuple[str, float]) -> None:
    """Enter these events, each of a file of nine bytes, that were so many seconds ago."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        for event, ago in events:
            number = conn.execute(
                "INSERT INTO files (folder, path, current, state, sighting, size, object_size, after_upload, "
                "disposal, last_error, discovered_at, changed_at) "
                "VALUES ('/d', randomblob(8), 1, 'completed', '', 9, 5, 'keep', 'kept', '', 1, 1)"
            ).lastrowid
            conn.execute(
                "INSERT INTO events (time, file_id, event, state, note) VALUES (?, ?, ?, '', '')",
                (NOW - ago, number, event),
            )
        conn.commit()


def looked(passes: StagePasses, state: Path) -> list[StageWork]:
    """The stages after a look."""
    db = Database(connected(state / FILE_NAME, read_only=True), execute_plugins=False)
    passes.update(db)
    db.close()
    return passes.work(LEFT)


def test_each_stage_has_its_own_and_what_is_left_for_it(tmp_path: Path) -> None:
    """Counted in bytes of the drop folder, so that all stages are measured alike; what is older than an hour is not."""
    Writer(tmp_path / FILE_NAME).close()
    add(
        tmp_path,
        ("claimed", HOUR + 90),
        ("claimed", 900),
        ("claimed", 300),
        ("stored", 60),
        ("discovered", 5),
    )

    claim, convert, send = looked(StagePasses(), tmp_path)

    assert (claim.files, claim.size, claim.passed.files, claim.passed.size) == (1, 10, 2, 18)
    assert (claim.passed.first, claim.passed.last) == pytest.approx((NOW - 900, NOW - 300))
    assert (convert.files, convert.size, convert.passed) == (3, 30, None)
    assert (send.files, send.size, send.passed) == (6, 60, Passed(1, 9, send.passed.first, send.passed.first))


def test_what_is_added_is_taken_over_once(tmp_path: Path) -> None:
    """A second look adds what is new, also within a minute that was begun, and comes to what a first one would."""
    Writer(tmp_path / FILE_NAME).close()
    passes = StagePasses()
    add(tmp_path, ("stored", 100), ("stored", 99))
    looked(passes, tmp_path)
    add(tmp_path, ("stored", 98), ("stored", 10))

    assert looked(passes, tmp_path) == looked(passes, tmp_path) == looked(StagePasses(), tmp_path)
    assert passes.work(LEFT)[2].passed.files == 4


def test_who_is_stored_waits_for_no_pace_of_completions(tmp_path: Path) -> None:
    """Two files were completed long ago, and more are stored than are to be sent: their session ends when those are."""
    Writer(tmp_path / FILE_NAME).close()
    add(
        tmp_path, ("completed", 1001), ("completed", 1000), *[("stored", ago) for ago in range(1000, 0, -100)]
    )

    end = expected_end(NOW, looked(StagePasses(), tmp_path), held=False)

    assert end is not None
    assert end - NOW == pytest.approx(1000 * 6 / 9, rel=0.2)

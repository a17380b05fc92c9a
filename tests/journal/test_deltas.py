"""The working set of a real journal: told of each commit before anybody goes on, not believed against the rows."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.configured import a_folder
from uploader.core.model import AS_ITS_FOLDER, FileState, Fingerprint, OwnTarget, Sighting
from uploader.core.working_set import Delta
from uploader.journal import FILE_NAME, Converted, Journal, deltas, untrustworthy
from uploader.journal.connection import connected
from uploader.journal.queries import LEAVING
from uploader.journal.reader import _HELD_FILES
from uploader.journal.writer import CommitInDoubt, Writer

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

DESTINATIONS = {"/d": a_folder("p-1")}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An open journal."""
    opened = Journal(tmp_path)
    yield opened
    opened.close()


async def queued(journal: Journal, name: bytes = b"a.tif") -> int:
    """A file with a private copy."""
    sighting = Sighting("/d", name, Fingerprint(1, 1, 10, 5, 6))
    (file_id,) = await journal.files.discovered([sighting])
    await journal.files.claimed(file_id, sighting, "c", 10)
    return file_id


async def test_a_commit_is_seen_before_its_waiter_goes_on(journal: Journal) -> None:
    """Else the next plan would do the same once more."""
    file_id = await queued(journal)
    row = journal.live.file(file_id)
    assert row is not None
    assert (row.state, row.content) == (FileState.QUEUED, "c")
    await journal.compare(DESTINATIONS)


async def test_a_file_may_have_a_target_and_a_priority_of_its_own(journal: Journal, tmp_path: Path) -> None:
    """Both are read with the row; a file without them goes where its folder says, in its turn."""
    await queued(journal)
    second = await queued(journal, b"b.tif")
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("UPDATE files SET target_item_id = 'i', priority = 2 WHERE id = ?", (second,))
    for file_id in (second, 1):
        await journal.files.converted(file_id, Converted(5, 7, "encode", False, f"{file_id}.tif"))
    await journal.compare(DESTINATIONS)
    seen = [(w.file_id, w.own_target, w.priority) for w in journal.live.view(DESTINATIONS).waiting]
    assert seen == [(second, OwnTarget(item_id="i"), 2), (1, AS_ITS_FOLDER, 0)]


async def test_settling_files_are_not_kept(journal: Journal) -> None:
    """Their folder's queue knows them, and they are the many."""
    (file_id,) = await journal.files.discovered([Sighting("/d", b"a.tif", Fingerprint(1, 1, 10, 5, 6))])
    assert journal.live.file(file_id) is None


async def test_another_start_finds_the_same_rows(journal: Journal, tmp_path: Path) -> None:
    """Read as a whole they are what the commits have told piece by piece."""
    await queued(journal)
    await journal.files.rejected(await queued(journal, b"b.tif"), "no raster")
    again = Journal(tmp_path)
    try:
        assert again.live.view(DESTINATIONS) == journal.live.view(DESTINATIONS)
    finally:
        again.close()


async def test_a_set_that_differs_from_the_journal_is_no_more_believed(journal: Journal) -> None:
    """The daemon ends on such an error; the rows themselves are sound."""
    file_id = await queued(journal)
    journal.live.apply(Delta({file_id: None}))
    with pytest.raises(CommitInDoubt, match="the working set has") as caught:
        await journal.compare(DESTINATIONS)
    assert untrustworthy(caught.value)


async def test_a_commit_that_cannot_be_taken_over_is_in_doubt(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is durable, but what is in memory is no longer what is in the journal: nobody plans from that."""

    def broken(_: Delta) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(journal.live, "apply", broken)
    with pytest.raises(CommitInDoubt, match="after discovered: KeyError") as caught:
        await journal.files.discovered([Sighting("/d", b"a.tif", Fingerprint(1, 1, 10, 5, 6))])
    assert untrustworthy(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM files WHERE {deltas._LIVE}",
        f"SELECT * FROM sessions WHERE {deltas.NEEDED}",
        f"SELECT id FROM files WHERE {LEAVING}",
        f"SELECT * FROM files WHERE {_HELD_FILES}",
        "SELECT * FROM sessions WHERE hold != ''",
    ],
    ids=["live files", "live sessions", "leaving", "held files", "held sessions"],
)
def test_a_start_and_a_status_read_no_history(tmp_path: Path, sql: str) -> None:
    """They find what is live or held by an index, among millions of rows that are neither."""
    writer = Writer(tmp_path / FILE_NAME)
    writer.close()
    with closing(connected(tmp_path / FILE_NAME)) as conn:
        plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert [step for step in plan if step.startswith("SCAN") and "INDEX" not in step] == []

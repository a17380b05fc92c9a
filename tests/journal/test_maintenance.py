"""The journal is copied while it is written, and forgets what is over; nothing that is still needed goes."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from uploader.core.errors import JournalError
from uploader.core.model import Fingerprint, Sighting
from uploader.core.transitions import pruning_events
from uploader.journal import FILE_NAME, Journal, maintenance, opening, pruning
from uploader.journal.connection import connected
from uploader.journal.maintenance import Upkeep
from uploader.journal.opening import SNAPSHOTS
from uploader.journal.recovery import snapshots
from uploader.journal.recovery.snapshots import Snapshots, listed
from uploader.journal.whole_files import verdict

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

DAY = 86400.0


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    made = Journal(tmp_path)
    yield made
    made.close()


async def discover(journal: Journal, *names: str) -> list[int]:
    """Files of a folder."""
    return await journal.files.discovered(
        [Sighting("/d", name.encode(), Fingerprint(1, 1, 10, 5, 6)) for name in names]
    )


def fill(
    state: Path, count: int, *, age: float = 0.0, first: int = 1, current: bool = False, leak: int = 0
) -> None:
    """Files that were uploaded, disposed of and are gone, each with its story; a session for every hundred."""
    now = time.time() - age
    with closing(sqlite3.connect(state / FILE_NAME, timeout=30)) as conn:
        for start in range(first, first + count, 100):
            conn.execute(
                "INSERT INTO sessions (state, project_id, collection_id, item_id, asset_key, categorical, "
                "idempotency_key, body, file_count, total_bytes, initiates_sent, initiates_clear, created_at, "
                "changed_at) VALUES ('completed', 'p', '', '', '', 0, ?, '{}', 100, 50, ?, 1, ?, ?)",
                (f"k{start}", 1 + leak, now, now),
            )
            (session_id,) = conn.execute("SELECT MAX(id) FROM sessions").fetchone()
            ids = range(start, min(start + 100, first + count))
            conn.executemany(
                "INSERT INTO files (id, folder, path, current, state, sighting, size, content, object_size, method, "
                "file_name, session_id, after_upload, disposal, item_id, discovered_at, changed_at) VALUES "
                "(?, '/d', ?, ?, 'disposed', ?, 10, ?, 5, 'encode', ?, ?, 'delete', 'deleted', 'it', ?, ?)",
                [
                    (
                        i,
                        b"%d.tif" % i,
                        1 if current else None,
                        "[[1,1,10,5,6],[]]",
                        f"{i:064x}",
                        f"{i}.tif",
                        session_id,
                        now,
                        now,
                    )
                    for i in ids
                ],
            )
            conn.executemany(
                "INSERT INTO events (time, file_id, session_id, event, state, note) VALUES (?, ?, ?, ?, ?, '')",
                [
                    (now, i, session_id, event, "x")
                    for i in ids
                    for event in ("discovered", "retry", "stored", "disposed")
                ],
            )
        conn.commit()


def counts(state: Path) -> Counter[str]:
    """Rows by table."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        return Counter(
            {
                t: conn.execute(f"SELECT COUNT(*) FROM {t}").fetchone()[0]
                for t in ("files", "sessions", "events")
            }
        )


def pages(state: Path) -> tuple[int, int]:
    """How many pages the journal has, and how many of them are free."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        count, free = (
            conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        return count, free


def test_a_log_that_a_reader_has_let_grow_is_cut_back(tmp_path: Path) -> None:
    """Once the reader is gone; else the disk would lack that room for as long as the daemon lives."""
    path = tmp_path / FILE_NAME
    log = path.with_name(f"{FILE_NAME}-wal")
    with closing(opening.connect(path)) as db, closing(connected(path, read_only=True)) as reader:
        db.conn.execute("CREATE TABLE bulk (bytes BLOB)")
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM bulk").fetchone()
        for _ in range(3):
            db.conn.execute(f"INSERT INTO bulk VALUES (zeroblob({opening.MOST_LOG // 2}))")
        assert log.stat().st_size > opening.MOST_LOG
        reader.execute("ROLLBACK")
        for _ in range(2):
            db.conn.execute("INSERT INTO bulk VALUES (1)")

        assert log.stat().st_size <= opening.MOST_LOG


# --- copies


async def test_a_copy_is_whole_and_two_are_kept(journal: Journal, tmp_path: Path) -> None:
    """Each has the next number; nothing else is left beside them."""
    made = Snapshots(tmp_path)
    for number in range(4):
        await discover(journal, f"{number}.tif")
        assert made.make() is not None

    found = listed(tmp_path)
    assert [snapshot.number for snapshot in found] == [4, 3]
    assert {path.name for path in (tmp_path / SNAPSHOTS).iterdir()} == {s.path.name for s in found}
    with closing(sqlite3.connect(found[0].path)) as conn:
        assert verdict(conn, whole=True) == ""
        assert conn.execute("SELECT COUNT(*) FROM files").fetchone()[0] == 4


async def test_no_copy_without_a_change(journal: Journal, tmp_path: Path) -> None:
    """Hour after hour of nothing is not copied."""
    made = Snapshots(tmp_path)
    assert made.make() is not None
    assert made.make() is None
    await discover(journal, "a.tif")
    assert made.make() is not None


async def test_a_copy_that_cannot_be_made_is_told_and_no_more(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A short disk: the last copies stay, the daemon goes on, and the next hour tries again."""
    keeping = Upkeep(journal, tmp_path, 1 << 62)

    await keeping.snapshot()

    assert "no copy was made" in caplog.text
    assert listed(tmp_path) == []


async def test_a_damaged_journal_is_not_copied(journal: Journal, tmp_path: Path) -> None:
    """A copy of damage would push out the last good one."""
    await discover(journal, *(f"{n}.tif" for n in range(300)))
    journal._writer._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert Snapshots(tmp_path).make() is not None
    size = (tmp_path / FILE_NAME).stat().st_size
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    keeping = Upkeep(journal, tmp_path)

    with pytest.raises(JournalError, match="--repair-journal"):
        await keeping.snapshot()

    assert [snapshot.number for snapshot in listed(tmp_path)] == [1]


async def test_a_copy_does_not_hold_up_commits(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is being made, others are committed; it shows one moment of them all."""
    fill(tmp_path, 2000)
    started, go_on = threading.Event(), threading.Event()
    check = snapshots.verdict

    def slow(conn: sqlite3.Connection, *, whole: bool) -> str:
        if not whole:
            started.set()
            assert go_on.wait(30)
        return check(conn, whole=whole)

    monkeypatch.setattr(snapshots, "verdict", slow)
    keeping = Upkeep(journal, tmp_path)
    async with anyio.create_task_group() as group:
        group.start_soon(keeping.snapshot)
        await anyio.to_thread.run_sync(started.wait, 30)
        with anyio.fail_after(30):
            (file_id,) = await discover(journal, "meanwhile.tif")
        go_on.set()
    assert file_id
    assert len(listed(tmp_path)) == 1


async def test_upkeep_is_done_at_the_start_and_then_hourly(journal: Journal, tmp_path: Path) -> None:
    """By the sleep that it is given; when it ends, nothing is left running."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise TimeoutError
        await discover(journal, f"{len(slept)}.tif")

    with pytest.raises(TimeoutError):
        await Upkeep(journal, tmp_path, sleep=sleep).run()

    assert slept == [maintenance.PERIOD] * 3
    assert [snapshot.number for snapshot in listed(tmp_path)] == [3, 2]


# --- what is forgotten


async def settle_down(journal: Journal, state: Path) -> None:
    """One round of forgetting."""

    async def no_sleep(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    await Upkeep(journal, state, sleep=no_sleep).prune()


async def test_what_is_long_over_goes_and_its_sums_stay(journal: Journal, tmp_path: Path) -> None:
    """Files first, then their sessions; `status` tells the same as before, leaks above all."""
    fill(tmp_path, 300, age=100 * DAY, leak=1)
    fill(tmp_path, 100, first=301)
    await discover(journal, "now.tif")
    before = await journal.status()
    assert before["possibly_leaked_bytes"] == 150

    await settle_down(journal, tmp_path)

    left = counts(tmp_path)
    assert (left["files"], left["sessions"]) == (101, 1)
    assert left["events"] == 401
    assert {**await journal.status(), "eta": before["eta"]} == before, "but for the time, which goes on"


async def test_nothing_that_is_needed_goes(journal: Journal, tmp_path: Path) -> None:
    """However old: paths that exist, sources to be put away, copies to be removed, sessions in doubt."""
    fill(tmp_path, 100, age=1000 * DAY, current=True)
    fill(tmp_path, 500, age=1000 * DAY, first=101)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        conn.execute("UPDATE files SET state = 'completed', disposal = NULL WHERE id BETWEEN 101 AND 200")
        conn.execute("UPDATE files SET staged = 1 WHERE id BETWEEN 201 AND 300")
        conn.execute("UPDATE files SET state = 'stored' WHERE id BETWEEN 301 AND 400")
        conn.execute("UPDATE sessions SET readback = 'due' WHERE id = 5")
        conn.execute("UPDATE files SET hold = 'its source cannot be put away' WHERE id BETWEEN 501 AND 600")
        conn.commit()
    before = counts(tmp_path)

    await settle_down(journal, tmp_path)

    after = counts(tmp_path)
    assert (after["files"], after["sessions"]) == (before["files"], before["sessions"])


async def test_no_event_goes_before_everybody_was_told_of_it(journal: Journal, tmp_path: Path) -> None:
    """Whoever follows the events with a cursor keeps them, and the rows that they are about, until it has moved on."""
    fill(tmp_path, 100, age=1000 * DAY)
    await discover(journal, "now.tif")
    before = counts(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("INSERT INTO cursors VALUES ('receipts', 0), ('others', 1000000)")
    await settle_down(journal, tmp_path)
    assert counts(tmp_path) == before

    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("UPDATE cursors SET event = (SELECT MAX(id) FROM events)")
    await settle_down(journal, tmp_path)
    assert counts(tmp_path)["files"] == 1


async def test_tries_of_files_that_have_ended_are_forgotten(journal: Journal, tmp_path: Path) -> None:
    """A long outage leaves thousands of lines in a story; its turns stay."""
    fill(tmp_path, 100, age=40 * DAY, current=True)
    await discover(journal, "now.tif")

    await settle_down(journal, tmp_path)

    assert counts(tmp_path)["events"] == 301


async def test_ids_are_never_given_twice(journal: Journal, tmp_path: Path) -> None:
    """Also when everything is over: the newest of each kind stays."""
    fill(tmp_path, 100, age=1000 * DAY)

    await settle_down(journal, tmp_path)

    assert await discover(journal, "a.tif") == [101]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        assert conn.execute("SELECT MAX(id) FROM events").fetchone()[0] == 401


async def test_a_journal_through_which_many_files_pass_stays_bounded(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty thousand come and go: the file keeps its largest size, which is that of what is kept."""
    monkeypatch.setattr(pruning_events, "KEPT_FILES", 5000)
    sizes = []
    for round_ in range(5):
        fill(tmp_path, 10_000, first=1 + round_ * 10_000)
        await settle_down(journal, tmp_path)
        journal._writer._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append((tmp_path / FILE_NAME).stat().st_size)

    left = counts(tmp_path)
    assert left["files"] <= 5001
    assert left["events"] <= 5001 * 4 + 4
    assert (await journal.status())["completed"] == 50_000
    assert (await journal.status())["bytes"]["uploaded"] == 250_000
    assert sizes[-1] <= sizes[1] * 1.1


async def test_forgetting_leaves_the_writer_to_others(journal: Journal, tmp_path: Path) -> None:
    """It is done in pieces, between which other commits go through."""
    fill(tmp_path, 2000, age=1000 * DAY)
    pieces = 0

    async def sleep(_: float) -> None:
        nonlocal pieces
        pieces += 1
        await discover(journal, f"{pieces}.tif")

    await Upkeep(journal, tmp_path, sleep=sleep).prune()

    assert pieces >= 2000 // pruning.CHUNK
    assert counts(tmp_path)["files"] == pieces + 1


async def test_freed_pages_are_given_back_while_nothing_is_under_way(
    journal: Journal, tmp_path: Path
) -> None:
    """A journal that has forgotten much is as small as what it has, but for pages that are soon used again."""
    fill(tmp_path, 1000, age=1000 * DAY)
    (file_id,) = await discover(journal, "a.tif")
    await settle_down(journal, tmp_path)
    size, _ = before = pages(tmp_path)
    seen = Sighting("/d", b"a.tif", Fingerprint(1, 1, 10, 5, 6))
    await journal.files.claimed(file_id, seen, "c", 10)
    await Upkeep(journal, tmp_path).shrink()
    assert pages(tmp_path) == before, "a file is under way"
    await journal.files.rejected(file_id, "no")
    await journal.files.discarded([file_id])
    await Upkeep(journal, tmp_path, 1 << 62).shrink()
    assert pages(tmp_path) == before, "the disk is full"

    await Upkeep(journal, tmp_path).shrink()

    count, free = pages(tmp_path)
    assert free <= count // pruning.SPARE + 1
    assert count < size / 2


def test_the_copies_fit_beside_the_journal(tmp_path: Path) -> None:
    """What a copy takes is asked for before, with what is to stay free."""
    Journal(tmp_path).close()
    more = shutil.disk_usage(tmp_path).total * 2
    with pytest.raises(OSError, match="are needed"):
        Snapshots(tmp_path, more).make()


async def test_a_copy_is_broken_off_at_the_end(tmp_path: Path) -> None:
    """The end does not wait for a long copy; afterwards nobody holds the journal, and closing it folds its log."""
    journal = Journal(tmp_path)
    fill(tmp_path, 2000)
    keeping = Upkeep(journal, tmp_path)
    async with anyio.create_task_group() as group:
        group.start_soon(keeping.run)
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()

    journal.close()
    assert not (tmp_path / f"{FILE_NAME}-wal").exists()

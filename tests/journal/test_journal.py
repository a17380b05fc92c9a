"""The journal: each method is one durable transaction, and the two machines move together."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
from sqlite_utils import Database

from tests.support.configured import a_folder
from uploader.core.batching import Batch
from uploader.core.errors import JournalError
from uploader.core.lifecycle import IllegalTransition
from uploader.core.model import (
    FileState,
    Fingerprint,
    Hold,
    Layout,
    Scope,
    SessionKey,
    Sidecar,
    Sighting,
)
from uploader.core.planner_view import Waiting
from uploader.core.transitions.fates import Fates
from uploader.core.verdicts import Step
from uploader.journal import Converted, Journal, Reader
from uploader.journal.queries import file_row, latest, session_row
from uploader.journal.rows import decode_sighting, encode_sighting, one
from uploader.journal.view_queries import read_view

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

KEY = SessionKey("p", "", "", "", categorical=False)
DESTINATIONS = {"/d": a_folder("p")}


def sighting(path: bytes, size: int = 10, *, inode: int = 1) -> Sighting:
    """One look at a file without sidecars."""
    return Sighting("/d", path, Fingerprint(1, inode, size, 5, 6))


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    journal = Journal(tmp_path)
    yield journal
    journal.close()


async def converted(journal: Journal, path: bytes, content: str = "c") -> int:
    """A file that is ready for a session."""
    (file_id,) = await journal.files.discovered([sighting(path)])
    await journal.files.claimed(file_id, sighting(path), content, 10)
    made = Converted(12, 7, "cog_driver", categorical=False, file_name=f"{path.decode()}-x.tif")
    await journal.files.converted(file_id, made)
    return file_id


async def planned(journal: Journal, *file_ids: int, after_upload: str = "keep", turn: int = 0) -> int:
    """A frozen session of these files; each further one of the same has another `turn`."""
    files = tuple(Waiting(i, "/d", 12, 0.0, False, f"{i}.tif") for i in file_ids)
    body = {"project_id": "p", "total_bytes": 12 * len(files)}
    return await journal.sessions.planned(
        Batch(KEY, files), body, f"key-{file_ids}-{turn}", dict.fromkeys(file_ids, after_upload)
    )


async def stored(journal: Journal, *paths: bytes, after_upload: str = "keep") -> tuple[int, list[int]]:
    """An open session whose files are all stored."""
    ids = [await converted(journal, path, content=path.decode()) for path in paths]
    session_id = await planned(journal, *ids, after_upload=after_upload)
    await journal.sessions.initiating(session_id)
    await journal.sessions.opened(session_id, "u1", None)
    for file_id in ids:
        await journal.files.stored(file_id, session_id)
    return session_id, ids


async def state(journal: Journal, file_id: int) -> FileState:
    """What the journal says of a file."""
    return (await journal.read(lambda db: file_row(db, file_id))).state


async def test_a_sighting_survives_its_text() -> None:
    """Names are bytes, whatever they are, and numbers of any size."""
    seen = Sighting(
        "/d",
        b"x\xff\n.tif",
        Fingerprint(2**64 - 1, 2**63, 3, 4, 5),
        (Sidecar(b"x\xff\n.tfw", ".tfw", Fingerprint(1, 2, 3, 4, 5)),),
    )

    assert decode_sighting("/d", b"x\xff\n.tif", encode_sighting(seen)) == seen


async def test_a_whole_life(journal: Journal, tmp_path: Path) -> None:
    """From discovery to completion, with the story in order."""
    session_id, (file_id,) = await stored(journal, b"a.tif")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, ["it1"], {"a.tif-x.tif": "it1"}, readback=False)

    assert await state(journal, file_id) is FileState.COMPLETED
    with Reader(tmp_path) as reader:
        events = [entry["event"] for entry in reader.story(b"a.tif")]
        status = reader.status()
    assert events == ["discovered", "claimed", "converted", "batched", "stored", "completed"]
    assert (status["completed"], status["pending"], status["possibly_leaked_bytes"]) == (1, 0, 0)


async def test_an_illegal_event_writes_nothing(journal: Journal, tmp_path: Path) -> None:
    """A bug is loud, and the row and the log are as they were."""
    (file_id,) = await journal.files.discovered([sighting(b"a.tif")])

    with pytest.raises(IllegalTransition):
        await journal.files.twin(file_id)

    assert await state(journal, file_id) is FileState.SETTLING
    with Reader(tmp_path) as reader:
        assert [entry["event"] for entry in reader.story(b"a.tif")] == ["discovered"]


async def test_one_failing_job_does_not_take_the_others_with_it(journal: Journal) -> None:
    """Jobs that are committed together fail alone."""
    first, second = await journal.files.discovered([sighting(b"a.tif"), sighting(b"b.tif")])

    async def bad() -> None:
        with pytest.raises(IllegalTransition):
            await journal.files.twin(first)

    async with anyio.create_task_group() as group:
        group.start_soon(bad)
        group.start_soon(journal.files.rejected, second, "no raster")

    assert await state(journal, second) is FileState.REJECTED


async def test_a_commit_that_fails_for_good_leaves_no_transaction_open(journal: Journal) -> None:
    """Its own caller gets the error; the next commit begins as if nothing had been."""

    def dangling(db: Database) -> None:
        db.conn.execute("PRAGMA defer_foreign_keys = ON")
        db.conn.execute("UPDATE files SET session_id = 999")

    await journal.files.discovered([sighting(b"a.tif")])
    with pytest.raises(sqlite3.IntegrityError):
        await journal._writer.transact("dangling", dangling)

    assert len(await journal.files.discovered([sighting(b"b.tif")])) == 1


async def test_a_job_that_ends_the_whole_transaction_commits_nothing(journal: Journal) -> None:
    """SQLite itself rolls back on some errors: then no job of the group counts as done, and the next group is whole."""

    def lost(db: Database) -> None:
        db.conn.execute("ROLLBACK")
        raise MemoryError("planted")

    async def refused(name: str, work: Callable[[Database], object]) -> None:
        with pytest.raises((MemoryError, sqlite3.Error)):
            await journal._writer.transact(name, work)

    (file_id,) = await journal.files.discovered([sighting(b"a.tif")])
    begun, gate = threading.Event(), threading.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(journal._writer.transact, "first", lambda _: begun.set() or gate.wait())
        assert await anyio.to_thread.run_sync(begun.wait, 60)
        group.start_soon(refused, "lost", lost)  # the writer is busy, and so takes these two together
        await anyio.wait_all_tasks_blocked()
        group.start_soon(refused, "after", lambda db: db.conn.execute("UPDATE files SET looks = 7"))
        await anyio.wait_all_tasks_blocked()
        gate.set()

    assert (await journal.read(lambda db: file_row(db, file_id))).looks == 0
    assert len(await journal.files.discovered([sighting(b"b.tif")])) == 1


async def test_a_commit_cannot_be_cancelled(journal: Journal) -> None:
    """What was handed in is committed, also when the caller is cancelled meanwhile."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await journal.files.discovered([sighting(b"a.tif")])

    found = await journal.read(lambda db: latest(db, "/d", [b"a.tif"]))
    assert set(found) == {b"a.tif"}


async def test_same_path_same_content_is_nothing_to_do(journal: Journal) -> None:
    """A file that was only touched ends as a duplicate, and its twin is known by the new fingerprint."""
    old = await converted(journal, b"a.tif")
    touched = sighting(b"a.tif", inode=2)
    (new,) = await journal.files.discovered([touched])

    assert await journal.files.claimed(new, touched, "c", 10) is FileState.DUPLICATE
    found = await journal.read(lambda db: latest(db, "/d", [b"a.tif"]))
    assert found[b"a.tif"] == (old, "converted", encode_sighting(touched))


async def test_same_path_new_content_is_a_new_version(journal: Journal) -> None:
    """Both versions go on, side by side."""
    await converted(journal, b"a.tif", content="one")
    (new,) = await journal.files.discovered([sighting(b"a.tif", inode=2)])

    assert await journal.files.claimed(new, sighting(b"a.tif", inode=2), "two", 10) is FileState.QUEUED


async def test_a_rejected_file_that_changed_starts_anew(journal: Journal) -> None:
    """Also when its content is the same: its rights may have been mended."""
    (old,) = await journal.files.discovered([sighting(b"a.tif")])
    await journal.files.claimed(old, sighting(b"a.tif"), "c", 10)
    await journal.files.rejected(old, "no raster")
    (new,) = await journal.files.discovered([sighting(b"a.tif", inode=2)])

    assert await journal.files.claimed(new, sighting(b"a.tif", inode=2), "c", 10) is FileState.QUEUED


async def test_a_path_that_was_gone_has_no_history(journal: Journal) -> None:
    """The same content dropped again after it left the folder is uploaded again."""
    await converted(journal, b"a.tif")
    await journal.files.forgotten("/d", [b"a.tif"])
    (new,) = await journal.files.discovered([sighting(b"a.tif")])

    assert await journal.files.claimed(new, sighting(b"a.tif"), "c", 10) is FileState.QUEUED


async def test_every_doubtful_initiate_is_counted(journal: Journal) -> None:
    """Sent and not clearly answered: its bytes may be reserved for nothing."""
    session_id = await planned(journal, await converted(journal, b"a.tif"))
    await journal.sessions.initiating(session_id)
    await journal.sessions.retry(session_id, "no answer", 1.0)
    assert (await journal.status())["possibly_leaked_bytes"] == 12

    await journal.sessions.initiating(session_id)
    await journal.sessions.retry(session_id, "429", 1.0, answered=Step.INITIATE)
    await journal.sessions.initiating(session_id)
    await journal.sessions.opened(session_id, "u1", None)

    assert (await journal.status())["possibly_leaked_bytes"] == 12


async def test_a_refused_session_releases_its_files_in_the_same_transaction(journal: Journal) -> None:
    """The files wait for another session, the target is held, and nothing may be leaked."""
    file_id = await converted(journal, b"a.tif")
    session_id = await planned(journal, file_id)
    await journal.sessions.initiating(session_id)
    await journal.sessions.refused(session_id, "403", Hold(Scope.TARGET, "p", "no role", until=99.0))

    status = await journal.status()
    assert await state(journal, file_id) is FileState.CONVERTED
    assert [h["scope"] for h in status["holds"]] == ["target"]
    assert status["possibly_leaked_bytes"] == 0


async def test_a_bisected_batch_cannot_come_together_again(journal: Journal) -> None:
    """The halves are written with the decision to give the session up."""
    session_id, ids = await stored(journal, b"a.tif", b"b.tif")
    await journal.sessions.completing(session_id)
    await journal.sessions.abandoned(session_id, "422", Fates(groups={ids[0]: "1.a", ids[1]: "1.b"}))
    await journal.sessions.failed(session_id)

    view = await journal.read(lambda db: read_view(db, DESTINATIONS))
    assert [(f.file_id, f.group) for f in view.waiting] == [(ids[0], "1.a"), (ids[1], "1.b")]


async def test_a_transfer_that_ends_after_its_session_changes_nothing(journal: Journal) -> None:
    """Bytes count for the session they were sent in, and for no other."""
    file_id = await converted(journal, b"a.tif")
    session_id = await planned(journal, file_id)
    await journal.sessions.initiating(session_id)
    await journal.sessions.opened(session_id, "u1", None)
    await journal.sessions.lost(session_id, "404", None)

    await journal.files.stored(file_id, session_id)
    await journal.sessions.abandoned(session_id, "late", Fates(counted=[file_id]))
    await journal.sessions.lost(session_id, "404 again", None)

    assert await state(journal, file_id) is FileState.CONVERTED


async def test_losses_count_in_a_row(journal: Journal) -> None:
    """A session that the platform knows to have failed in between begins the count anew."""
    file_id = await converted(journal, b"a.tif")
    losses = []
    for number, lost in enumerate((True, False, True)):
        batch = Batch(KEY, (Waiting(file_id, "/d", 12, 0.0, False, "a.tif"),))
        session_id = await journal.sessions.planned(
            batch, {"total_bytes": 12}, f"key-{number}", {file_id: "keep"}
        )
        await journal.sessions.initiating(session_id)
        await journal.sessions.opened(session_id, f"u{session_id}", None)
        if lost:
            await journal.sessions.lost(session_id, "404", None)
        else:
            await journal.sessions.abandoned(session_id, "refused")
            await journal.sessions.failed(session_id)
        losses.append(await journal.read(lambda db: one(db, "SELECT losses FROM files")))

    assert [row["losses"] for row in losses if row] == [1, 0, 1]


async def test_a_damaged_copy_leaves_its_session(journal: Journal) -> None:
    """It is converted again while the session fails."""
    ids = [await converted(journal, path, content=path.decode()) for path in (b"a.tif", b"b.tif")]
    session_id = await planned(journal, *ids)
    await journal.sessions.initiating(session_id)
    await journal.sessions.opened(session_id, "u1", None)
    await journal.sessions.abandoned(session_id, "bad hash", Fates(damaged={ids[0]: 0.0}))

    assert await state(journal, ids[0]) is FileState.QUEUED
    assert [m.id for m in (await journal.read(lambda db: session_row(db, session_id))).members] == [ids[1]]


async def test_a_source_goes_only_after_its_items_were_read_back(journal: Journal) -> None:
    """A disposal is planned once the session is verified, and never for a folder that keeps."""
    session_id, ids = await stored(journal, b"a.tif", after_upload="delete")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, ["it"], {}, readback=True)
    assert (await journal.read(lambda db: read_view(db, DESTINATIONS))).disposals == ()

    await journal.sessions.read_back(session_id, {}, Layout.UNKNOWN, verified=True)

    view = await journal.read(lambda db: read_view(db, DESTINATIONS))
    assert [d.file_id for d in view.disposals] == ids
    assert (await journal.status())["pending"] == 1


async def test_what_was_learned_survives(journal: Journal) -> None:
    """The platform's profile is part of the journal."""
    session_id, _ = await stored(journal, b"a.tif", b"b.tif")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, ["it"], {}, readback=True)
    await journal.sessions.read_back(session_id, {}, Layout.PER_FILE, verified=True)

    view = await journal.read(lambda db: read_view(db, DESTINATIONS))
    assert view.profile.layouts == {"p": Layout.PER_FILE}


async def test_retry_all_brings_back_what_was_rejected(journal: Journal) -> None:
    """Named ones by their absolute path, or all."""
    ids = await journal.files.discovered([sighting(b"a.tif"), sighting(b"b.tif")])
    for file_id in ids:
        await journal.files.rejected(file_id, "no raster")

    assert await journal.retrying.retried([b"/d/a.tif"]) == 1
    assert await journal.retrying.retried(None) == 1
    assert await state(journal, ids[1]) is FileState.SETTLING


async def test_a_newer_journal_is_not_opened(journal: Journal, tmp_path: Path) -> None:
    """It was written by a program that knows more."""
    with sqlite3.connect(tmp_path / "journal.sqlite") as conn:
        conn.execute("PRAGMA user_version=99")

    with pytest.raises(JournalError, match="newer version"):
        Journal(tmp_path)


async def test_a_damaged_journal_is_never_replaced(tmp_path: Path) -> None:
    """The start is refused with the way out, and the file is as it was."""
    Journal(tmp_path).close()
    path = tmp_path / "journal.sqlite"
    damaged = b"this is no database" + path.read_bytes()[19:]
    path.write_bytes(damaged)

    with pytest.raises(JournalError, match="damaged") as caught:
        Journal(tmp_path)

    assert "--repair-journal" in caught.value.way_out
    assert path.read_bytes() == damaged


CRASHING = """
import sys, anyio
from pathlib import Path
from uploader.journal import Journal
from uploader.core.model import Fingerprint, Sighting
async def main():
    journal = Journal(Path(sys.argv[1]))
    for number in range(3):
        await journal.files.discovered([Sighting("/d", b"%d.tif" % number, Fingerprint(1, 1, 1, 1, 1))])
anyio.run(main)
"""


@pytest.mark.parametrize(("point", "kept"), [("before:2", 1), ("after:2", 2)])
async def test_a_kill_at_a_commit_leaves_all_or_nothing(tmp_path: Path, point: str, kept: int) -> None:
    """SIGKILL before the second commit keeps one row, after it two."""
    environment = {**os.environ, "UPLOADER_FAILPOINT": f"commit.discovered.{point}"}
    died = subprocess.run([sys.executable, "-c", CRASHING, str(tmp_path)], env=environment, check=False)  # noqa: ASYNC221

    assert died.returncode == -signal.SIGKILL
    with Reader(tmp_path) as reader:
        assert len(reader.files()) == kept


def schedule(db: Database, file_id: int) -> float:
    """When a file is due."""
    return float(db.conn.execute("SELECT not_before FROM files WHERE id = ?", (file_id,)).fetchone()[0])


async def test_a_clock_that_is_set_back_makes_nobody_wait(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schedules, holds and beginnings move with the clock, so that no batch or retry waits for it to catch up."""
    file_id = await converted(journal, b"a.tif")
    await journal.files.retry(file_id, "no answer", 40.0)
    now = time.time()
    await journal.holds.set(Hold(Scope.ORGANIZATION, "", "full", "", now, now + 60))
    monkeypatch.setattr("uploader.journal.stored_rows.clock", lambda: now - 3600)

    await journal.holds.set_back(3600)

    row = await journal.read(lambda db: schedule(db, file_id))
    (hold,) = (await journal.read(lambda db: read_view(db, DESTINATIONS))).holds
    assert row == pytest.approx(now - 3600 + 40, abs=2)
    assert hold.until == pytest.approx(now - 3600 + 60, abs=2)
    (waiting,) = (await journal.read(lambda db: read_view(db, DESTINATIONS))).waiting
    assert waiting.since == pytest.approx(now - 3600, abs=2)


async def test_a_clock_that_was_set_back_while_nothing_ran_is_noticed(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a start the last event tells how far the clock went back; a clock that went on changes nothing."""
    file_id = await converted(journal, b"a.tif")
    await journal.files.retry(file_id, "no answer", 40.0)
    before = await journal.read(lambda db: schedule(db, file_id))
    await journal.holds.set_back()
    assert await journal.read(lambda db: schedule(db, file_id)) == before
    now = time.time()
    monkeypatch.setattr("uploader.journal.stored_rows.clock", lambda: now - 86400)

    await journal.holds.set_back()

    row = await journal.read(lambda db: schedule(db, file_id))
    assert row == pytest.approx(now - 86400 + 40, abs=5)


async def test_damage_that_shows_later_is_told_as_such(journal: Journal, tmp_path: Path) -> None:
    """Pages that rot under a running daemon end it with the words for a person, not with a traceback."""
    for number in range(50):
        await converted(journal, f"{number}.tif".encode(), f"c{number}")
    journal._writer._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "journal.sqlite"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with pytest.raises(JournalError, match="damaged"):
        await journal.read(lambda db: db.conn.execute("SELECT * FROM files, events").fetchall())


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_journal_that_is_taken_away_takes_no_commit(
    journal: Journal, tmp_path: Path, *, replaced: bool
) -> None:
    """Whoever removes it, or puts a backup in its place, is told at the next commit, which would be lost."""
    await journal.files.discovered([sighting(b"a.tif")])
    path = tmp_path / "journal.sqlite"
    if replaced:
        (tmp_path / "backup").write_bytes(path.read_bytes())
        (tmp_path / "backup").rename(path)
    else:
        path.unlink()

    with pytest.raises(JournalError, match="removed, or replaced"):
        await journal.files.discovered([sighting(b"b.tif")])


async def test_a_disposal_that_a_claim_has_overtaken_is_tried_again(journal: Journal) -> None:
    """The claim has read the uploaded content under other times: the verdict on the older look does not stand."""
    session_id, (file_id,) = await stored(journal, b"a.tif", after_upload="delete")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, ["it1"], {"a.tif-x.tif": "it1"}, readback=False)
    touched = sighting(b"a.tif", inode=2)

    async def due() -> list[int]:
        view = await journal.read(lambda db: read_view(db, DESTINATIONS))
        return [disposal.file_id for disposal in view.disposals]

    await journal.files.disposed(file_id, "replaced", "", sighting(b"a.tif"))
    assert await due() == []
    (again,) = await journal.files.discovered([touched])
    await journal.files.claimed(again, touched, "a.tif", 10)
    assert await due() == [file_id]
    await journal.files.disposed(file_id, "replaced", "", sighting(b"a.tif"))
    assert await due() == [file_id]
    await journal.files.disposed(file_id, "replaced", "", touched)
    assert await due() == []


async def test_no_session_is_planned_with_a_file_that_was_given_up(journal: Journal) -> None:
    """A person has forgotten it since the batch was made; the others wait for the next one."""
    first, second = await converted(journal, b"a.tif"), await converted(journal, b"b.tif", "d")
    await journal.forgetting.forget([first])

    assert await planned(journal, first, second) == 0
    assert (await journal.status())["sessions"]["planned"] == 0
    assert await planned(journal, second) == 1


async def test_many_files_are_entered_at_once_as_one_by_one(journal: Journal, tmp_path: Path) -> None:
    """Known ones among them, and a path that is there twice: the later sighting is that of the same row."""
    (known,) = await journal.files.discovered([sighting(b"known.tif")])
    many = [sighting(b"%d.tif" % n) for n in range(1200)]

    ids = await journal.files.discovered([*many, sighting(b"known.tif", inode=2)])
    again = await journal.files.discovered([sighting(b"new.tif"), sighting(b"new.tif", inode=2)])

    assert len(set(ids)) == 1201
    assert ids[-1] == known
    assert again[0] == again[1]
    with Reader(tmp_path) as reader:
        assert len(reader.files()) == 1202

"""Tests of archives in the journal: what they hold becomes files, once, and follows its archive."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support import unpacker
from tests.support.configured import a_folder
from uploader.core.batching import Batch
from uploader.core.model import Fingerprint, SessionKey, Sighting
from uploader.core.planner_view import Waiting
from uploader.journal import Converted, Journal, archives
from uploader.journal.apply import TOGETHER
from uploader.journal.archives import UnpackedFile
from uploader.journal.intake_queries import settling_count, unseen, waiting
from uploader.journal.row_queries import unpacked_copies

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

ROOT = Path(__file__).resolve().parents[2]
KEEP = a_folder("p", include=("*.tif", "*.zip"))
ARCHIVING = a_folder("p", include=("*.tif", "*.zip"), after_upload="delete")
KEY = SessionKey("p", "", "", "", categorical=False)


def sighting(path: bytes, inode: int = 1) -> Sighting:
    """One look at a file without sidecars."""
    return Sighting("/d", path, Fingerprint(1, inode, 10, 5, 6))


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal, whose working set is compared with it at the end."""
    journal = Journal(tmp_path)
    yield journal
    await journal.compare({"/d": KEEP})
    journal.close()


async def claimed(journal: Journal, content: str = "zip", inode: int = 1) -> int:
    """An archive with a private copy."""
    seen = sighting(b"o.zip", inode)
    (file_id,) = await journal.files.discovered([seen])
    await journal.files.claimed(file_id, seen, content * 10, 10)
    return file_id


async def unpacked(journal: Journal, file_id: int, members: dict[str, str], folder: Any = KEEP) -> None:
    """It held these rasters, by name, of this content."""
    inode = int((await table(journal, "sighting", file_id))[0][0].split(",")[1])
    found = [
        UnpackedFile(sighting(b"o.zip/" + name.encode(), inode), content * 10, 10, b"s" * 32, 7)
        for name, content in members.items()
    ]
    await journal.archives.unpacked(file_id, sighting(b"o.zip", inode), found, folder, "2 of 3")


async def table(journal: Journal, columns: str, file_id: int | None = None) -> list[tuple[Any, ...]]:
    """Columns of all files, or of one."""
    sql = f"SELECT {columns} FROM files WHERE id = COALESCE(?, id) ORDER BY id"
    return await journal.read(lambda db: db.conn.execute(sql, (file_id,)).fetchall())


async def states(journal: Journal) -> list[tuple[str, str, int | None]]:
    """Path below the archive, state and whether it is current, of all files."""
    return [
        (bytes(path).decode(), state, current)
        for path, state, current in await table(journal, "path, state, current")
    ]


async def completed(journal: Journal, file_ids: Sequence[int], after_upload: str = "keep") -> None:
    """These became items."""
    for file_id in file_ids:
        await journal.files.converted(
            file_id, Converted(5, 6, "encode", categorical=False, file_name=f"{file_id}.tif")
        )
        batch = Batch(KEY, (Waiting(file_id, "/d", 5, 0.0, categorical=False, file_name=f"{file_id}.tif"),))
        session_id = await journal.sessions.planned(batch, {}, f"k{file_id}", {file_id: after_upload})
        await journal.sessions.initiating(session_id)
        await journal.sessions.opened(session_id, f"u{session_id}", None)
        await journal.files.stored(file_id, session_id)
        await journal.sessions.completing(session_id)
        await journal.sessions.completed(session_id, ["it"], {f"{file_id}.tif": "it"}, readback=False)


async def test_an_archive_ends_and_its_members_are_claimed_in_one_commit(journal: Journal) -> None:
    """They are queued with their archive's id, and lie in no queue of the folder."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})

    assert await states(journal) == [
        ("o.zip", "unpacked", 1),
        ("o.zip/a.tif", "queued", 1),
        ("o.zip/b.tif", "queued", 1),
    ]
    assert await table(journal, "archive_id, staged") == [(None, 1), (archive, 1), (archive, 1)]
    assert await journal.read(lambda db: unpacked_copies(db, archive)) == [
        (2, b"o.zip/a.tif", "a" * 10),
        (3, b"o.zip/b.tif", "b" * 10),
    ]
    assert await journal.read(lambda db: settling_count(db, "/d")) == 0


async def test_unpacked_once_more_nothing_comes_twice(journal: Journal) -> None:
    """Members that are there stay what they are; the one whose copy was lost is claimed again."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})
    assert await journal.archives.copy_lost(2, "gone") == archive
    assert await states(journal) == [
        ("o.zip", "settling", 1),
        ("o.zip/a.tif", "settling", 1),
        ("o.zip/b.tif", "queued", 1),
    ]
    assert await journal.read(lambda db: waiting(db, "/d", 0, 9)) == [(archive, b"o.zip")]
    assert await journal.archives.copy_lost(3, "gone too") is None  # it is under way already

    await journal.files.claimed(archive, sighting(b"o.zip"), "zip" * 10, 10)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})
    assert [state for _, state, _ in await states(journal)] == ["unpacked", "queued", "queued"]


async def test_a_changed_archive_is_a_new_version_of_what_has_changed_in_it(journal: Journal) -> None:
    """What is as it was is no new file, what is not there any more is gone, and the rest goes on."""
    first = await claimed(journal)
    await unpacked(journal, first, {"a.tif": "a", "b.tif": "b", "c.tif": "c"})
    await completed(journal, [2, 3, 4])
    second = await claimed(journal, "other", inode=2)
    await unpacked(journal, second, {"a.tif": "a", "b.tif": "x"})

    assert await states(journal) == [
        ("o.zip", "unpacked", 1),
        ("o.zip/a.tif", "completed", 1),
        ("o.zip/b.tif", "completed", 1),
        ("o.zip/c.tif", "completed", None),
        ("o.zip", "unpacked", 1),
        ("o.zip/b.tif", "queued", 1),
    ]
    assert await table(journal, "archive_id", 2) == [(second,)]


async def test_a_rejected_member_is_tried_again_by_its_own_or_its_archive_s_name(journal: Journal) -> None:
    """That has the archive unpacked again; other rejected files stay as they are."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})
    await journal.files.rejected(2, "bad")
    await journal.files.rejected(3, "bad")
    assert await journal.retrying.retried([b"/d/o.zip/a.tif"]) == 1
    assert [state for _, state, _ in await states(journal)] == ["settling", "settling", "rejected"]
    await journal.files.claimed(archive, sighting(b"o.zip"), "zip" * 10, 10)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})
    assert [state for _, state, _ in await states(journal)] == ["unpacked", "queued", "rejected"]

    await journal.files.rejected(2, "bad again")
    assert await journal.retrying.retried([b"/d/o.zip"]) == 2


async def test_members_that_wait_end_with_their_archive(journal: Journal) -> None:
    """It was rejected at the second time, or is gone."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})
    await journal.archives.copy_lost(2, "gone")
    await journal.files.rejected(archive, "damaged")
    assert [state for _, state, _ in await states(journal)] == ["rejected", "rejected", "queued"]

    await journal.files.forgotten("/d", [b"o.zip"])
    assert await states(journal) == [
        ("o.zip", "gone", None),
        ("o.zip/a.tif", "gone", None),
        ("o.zip/b.tif", "queued", None),
    ]
    assert await journal.archives.copy_lost(3, "gone") is None
    assert (await states(journal))[2][1] == "gone"


async def test_a_rejected_member_leaves_the_list_with_an_archive_that_is_given_up(journal: Journal) -> None:
    """A retry could only wait for ever; what has become an item stays known."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"})
    await completed(journal, [2])
    await journal.files.rejected(3, "bad")

    await journal.forgetting.forget([archive])
    assert (await states(journal))[1:] == [("o.zip/a.tif", "completed", 1), ("o.zip/b.tif", "gone", None)]
    assert await journal.retrying.retried(None) == 0


async def test_a_retry_of_a_member_whose_archive_is_gone_ends_it(journal: Journal) -> None:
    """It had a private copy when the archive was given up, and was rejected later."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a"})
    await journal.forgetting.forget([archive])
    await journal.files.rejected(2, "bad")

    assert await journal.retrying.retried([b"/d/o.zip/a.tif"]) == 0
    assert (await states(journal))[1:] == [("o.zip/a.tif", "gone", None)]


async def test_a_scan_that_sees_no_member_does_not_miss_it(journal: Journal) -> None:
    """Only the archive lies in the folder; it goes with all in it."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a"})
    missed, _ = await journal.read(lambda db: unseen(db, "/d", lambda _: False, 0, 99))
    assert [believed.path for believed in missed] == [b"o.zip"]


async def test_an_archive_goes_once_all_in_it_are_items(journal: Journal) -> None:
    """Not before, and not while one is rejected."""
    archive = await claimed(journal)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"}, ARCHIVING)
    await journal.files.discarded([archive])

    def due() -> list[int]:
        return [disposal.file_id for disposal in journal.live.view({"/d": ARCHIVING}).disposals]

    await completed(journal, [2], "delete")
    assert due() == [2]
    await journal.files.disposed(2, "kept", b"", sighting(b"o.zip/a.tif"))
    assert due() == []
    await journal.files.rejected(3, "bad")
    assert due() == []
    await journal.compare({"/d": ARCHIVING})
    await journal.retrying.retried(None)
    await journal.files.claimed(archive, sighting(b"o.zip"), "zip" * 10, 10)
    await unpacked(journal, archive, {"a.tif": "a", "b.tif": "b"}, ARCHIVING)
    await completed(journal, [3], "delete")
    await journal.files.disposed(3, "kept", b"", sighting(b"o.zip/b.tif"))
    assert due() == [archive]
    await journal.files.disposed(archive, "deleted", b"", sighting(b"o.zip"))
    assert await states(journal) == [
        ("o.zip", "unpacked", None),
        ("o.zip/a.tif", "completed", None),
        ("o.zip/b.tif", "completed", None),
    ]


async def test_an_archive_that_was_given_up_meanwhile_brings_nothing(journal: Journal) -> None:
    """A person has forgotten it while it was unpacked; what its source has left without goes on."""
    archive = await claimed(journal)
    await journal.forgetting.forget([archive])
    await unpacked(journal, archive, {"a.tif": "a"})
    assert [state for _, state, _ in await states(journal)] == ["gone"]

    other = await claimed(journal, "again", inode=3)
    await journal.files.forgotten("/d", [b"o.zip"])
    await unpacked(journal, other, {"a.tif": "a"})
    assert (await states(journal))[1:] == [("o.zip", "unpacked", None), ("o.zip/a.tif", "queued", None)]


async def test_what_waits_for_an_archive_waits_for_the_one_in_its_place(journal: Journal) -> None:
    """Its copy was damaged when it had been claimed again, and another archive lies there by now."""
    first = await claimed(journal)
    await unpacked(journal, first, {"a.tif": "a", "b.tif": "b"})
    await journal.archives.copy_lost(2, "gone")
    await journal.archives.copy_lost(3, "gone")
    await journal.files.claimed(first, sighting(b"o.zip"), "zip" * 10, 10)
    second = await claimed(journal, "other", inode=2)
    await journal.files.look_again(first, "damaged", 0.0)
    await unpacked(journal, second, {"a.tif": "x"})

    assert await states(journal) == [
        ("o.zip", "gone", None),
        ("o.zip/a.tif", "queued", 1),
        ("o.zip/b.tif", "gone", None),
        ("o.zip", "unpacked", 1),
    ]


async def test_an_earlier_archive_that_is_late_takes_nothing_from_a_later_one(journal: Journal) -> None:
    """Both were claimed; what the later one holds is still there."""
    first = await claimed(journal)
    second = await claimed(journal, "other", inode=2)
    await unpacked(journal, second, {"a.tif": "a", "b.tif": "b"})
    await unpacked(journal, first, {"a.tif": "a"})

    assert [(path, current) for path, _, current in await states(journal)][2:] == [
        ("o.zip/a.tif", 1),
        ("o.zip/b.tif", 1),
    ]
    assert await table(journal, "archive_id", 3) == [(second,)]


@pytest.mark.parametrize(
    ("failpoint", "entered"),
    [("commit.unpacking.after", 1), ("commit.unpacked.before", 2)],
)
async def test_an_archive_of_many_members_is_entered_in_pieces_and_once(
    tmp_path: Path, failpoint: str, entered: int
) -> None:
    """Killed between them, it is still to be unpacked; once more, each member is one file, those of before the same."""
    command = [sys.executable, "-m", "tests.support.unpacker", str(tmp_path)]
    killed = await anyio.run_process(
        command, check=False, env={**os.environ, "UPLOADER_FAILPOINT": failpoint}, cwd=ROOT
    )
    assert killed.returncode == -signal.SIGKILL
    journal = Journal(tmp_path)
    members = [(f"o.zip/{name.decode()}", "queued", 1) for name in unpacker.MEMBERS]
    assert await states(journal) == [("o.zip", "queued", 1), *members[:entered]]

    await unpacker.enter(journal, 1)

    assert await states(journal) == [("o.zip", "unpacked", 1), *members]
    assert await table(journal, "archive_id, staged") == [(None, 1), *[(1, 1)] * 3]
    await journal.compare({"/d": unpacker.FOLDER})
    journal.close()


async def test_a_changed_archive_in_pieces_loses_what_it_has_no_more(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where each piece is a commit: what was in no piece is gone, what was in any is not."""
    monkeypatch.setattr(archives, "PIECE", 2)
    first = await claimed(journal)
    await unpacked(journal, first, {name: name for name in ("a.tif", "b.tif", "c.tif", "d.tif", "e.tif")})
    second = await claimed(journal, "other", inode=2)
    await unpacked(journal, second, {name: name for name in ("a.tif", "c.tif", "e.tif", "f.tif")})

    current = [path for path, _, current in await states(journal) if current]
    assert current == ["o.zip", *(f"o.zip/{name}.tif" for name in "ace"), "o.zip", "o.zip/f.tif"]


async def test_the_commit_of_a_full_archive_asks_little(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece of members that are new takes as many statements as a small one, but for looking for their paths."""
    monkeypatch.setattr(archives, "PIECE", 1000)
    asked = list[str]()
    archive = await claimed(journal)

    def count(db: Any) -> None:
        db.conn.set_trace_callback(asked.append)

    await journal._writer.transact("", count)
    await unpacked(journal, archive, {f"{number}.tif": f"{number:08}" for number in range(1000)})
    await journal._writer.transact("", lambda db: db.conn.set_trace_callback(None))

    selects = [sql for sql in asked if sql.startswith("SELECT")]
    assert len(selects) < 20
    assert sum(sql.startswith("INSERT INTO files") for sql in asked) == 1000 / TOGETHER
    assert sum(sql.startswith("UPDATE files") for sql in asked) == 1  # the archive itself

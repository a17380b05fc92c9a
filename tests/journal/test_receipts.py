"""Receipts: written with what they tell of, whole in every history, and never pruned."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.journal.test_journal import journal, planned, sighting
from tests.journal.test_maintenance import DAY, fill
from tests.journal.test_migrations import restore
from uploader.core.errors import JournalError
from uploader.core.footprint_shapes import geometry
from uploader.core.footprints import packed
from uploader.core.model import Layout
from uploader.core.receipt_document import document
from uploader.core.transitions import pruning_events
from uploader.journal import FILE_NAME, Converted, Journal, Reader, receipt_rows
from uploader.journal.ended_sums import stored_since
from uploader.journal.maintenance import Upkeep
from uploader.journal.receipt_rows import PAGE, Selection, by_item, by_time, footprints
from uploader.journal.stories import Asked, story

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["journal"]

RING = ((100000000, 500000000), (110000000, 500000000), (110000000, 510000000))

WARNINGS = [{"code": "no_crs", "text": "It has no reference system."}]


async def stored(journal: Journal, *paths: bytes, after_upload: str = "keep") -> tuple[int, list[int]]:
    """An open session whose files are all stored, each with all facts of a conversion."""
    ids = await journal.files.discovered([sighting(path) for path in paths])
    for file_id, path in zip(ids, paths, strict=True):
        await journal.files.claimed(file_id, sighting(path), path.hex(), 14, sha256=b"s" * 32)
        made = Converted(
            12,
            7,
            "encode",
            categorical=False,
            file_name=f"{path.decode()}-x.tif",
            warnings=WARNINGS,
            declared={"crs": "EPSG:25832"},
            sha256=b"o" * 32,
            comparison="full",
            footprint=packed(RING),
            facts={"width": 5, "height": 4, "dtype": "uint8", "crs": "x (EPSG:25832)", "raw_bytes": 99},
        )
        await journal.files.converted(file_id, made)
    session_id = await planned(journal, *ids, after_upload=after_upload)
    await journal.sessions.initiating(session_id)
    await journal.sessions.opened(session_id, "u1", None)
    for file_id in ids:
        await journal.files.stored(file_id, session_id, b"m" * 16)
    return session_id, ids


async def receipts(journal: Journal, **chosen: Any) -> list[dict[str, Any]]:
    """All receipts."""
    return await journal.read(lambda db: list(by_time(db, Selection(**chosen))))


async def test_a_file_has_no_receipt_before_it_is_an_item(journal: Journal) -> None:
    """The commit that completes it writes it, and all facts stand in it."""
    session_id, (file_id,) = await stored(journal, b"a.tif")
    await journal.sessions.completing(session_id)
    assert await receipts(journal) == []

    await journal.sessions.completed(session_id, ["it1"], {"a.tif-x.tif": "it1"}, readback=False)

    (row,) = await receipts(journal)
    told = document(row)
    times = [told.pop(name) for name in ("seen", "converted", "uploaded", "completed")]
    assert row["id"] == file_id
    assert times == sorted(times)
    assert told == {
        "path": "/d/a.tif",
        "item_id": "it1",
        "project_id": "p",
        "collection_id": None,
        "target_item_id": None,
        "scene": None,
        "asset_key": None,
        "upload_id": "u1",
        "file_name": "a.tif-x.tif",
        "source": {"sha256": "73" * 32, "size": 10, "group_sha256": b"a.tif".hex(), "group_size": 14},
        "object": {"sha256": "6f" * 32, "md5": "6d" * 16, "crc32c": "AAAABw==", "size": 12},
        "method": "encode",
        "categorical": False,
        "comparison": "full",
        "warnings": WARNINGS,
        "declared": {"crs": "EPSG:25832"},
        "raster": {"width": 5, "height": 4, "dtype": "uint8", "crs": "x (EPSG:25832)"},
        "footprint": geometry([RING]),
        "state": "completed",
        "readback": None,
        "disposal": "kept",
        "archived_as": None,
    }


async def test_what_is_learned_later_is_entered_and_nothing_else_changes(journal: Journal) -> None:
    """The read-back tells the item, the disposal where the source lies; there is one receipt all the time."""
    session_id, (file_id,) = await stored(journal, b"a.tif", after_upload="archive")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, [], {}, readback=True)
    (before,) = await receipts(journal)
    await journal.sessions.read_back(session_id, {"a.tif-x.tif": "it1"}, Layout.UNKNOWN, verified=True)
    await journal.files.disposed(file_id, "archived", b"/old/a\xff.tif", sighting(b"a.tif"))

    (row,) = await receipts(journal)
    assert (before["item_id"], before["disposal"], before["readback"]) == (None, None, None)
    assert row == {
        **before,
        "item_id": "it1",
        "readback": "named",
        "state": "disposed",
        "disposal": "archived",
        "archived_as": b"/old/a\xff.tif",
    }
    assert document(row)["archived_as"] == "/old/a\udcff.tif"


async def test_a_receipt_says_once_what_is_twice_the_same(journal: Journal, tmp_path: Path) -> None:
    """The content of a raster without sidecars is its own hash, and is told all the same."""
    (file_id,) = await journal.files.discovered([sighting(b"a.tif")])
    await journal.files.claimed(file_id, sighting(b"a.tif"), (b"s" * 32).hex(), 14, sha256=b"s" * 32)
    made = Converted(12, 7, "encode", categorical=False, file_name="a.tif-x.tif", facts={"width": 5})
    await journal.files.converted(file_id, made)
    session_id = await planned(journal, file_id)
    await journal.sessions.initiating(session_id)
    await journal.sessions.opened(session_id, "u1", None)
    await journal.files.stored(file_id, session_id)
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, ["it1"], {"a.tif-x.tif": "it1"}, readback=False)
    (before,) = await receipts(journal)
    await journal.files.discarded([file_id])
    await journal.files.disposed(file_id, "kept", b"", sighting(b"a.tif"))

    assert before["content"] == (b"s" * 32).hex()
    assert await receipts(journal) == [{**before, "disposal": "kept"}]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        assert conn.execute("SELECT COUNT(*) FROM receipts").fetchone() == (0,), "the file's row says it all"
        assert conn.execute("SELECT content, source_sha256 FROM files").fetchone() == (b"s" * 32, b"")


async def test_steps_of_old_stories_are_told_by_receipts(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events go, `log` tells the same steps at the same times."""
    session_id, ids = await stored(journal, b"a.tif", b"b.tif")
    await journal.sessions.completing(session_id)
    items = {"a.tif-x.tif": "it1", "b.tif-x.tif": "it2"}
    await journal.sessions.completed(session_id, ["it1", "it2"], items, readback=False)
    for file_id in ids:
        await journal.files.discarded([file_id])
    monkeypatch.setattr(pruning_events, "KEPT_STORIES", 1)
    monkeypatch.setattr(pruning_events, "KEPT_STEPS_SECONDS", 0.0)
    told = await journal.read(lambda db: story(db, Asked("path", [ids[0]])))

    await Upkeep(journal, tmp_path).prune()

    left = await journal.read(lambda db: story(db, Asked("path", [ids[0]])))
    kept = ("discovered", "converted", "stored", "completed")
    assert [(e["event"], e["time"]) for e in left] == [
        (e["event"], e["time"]) for e in told if e["event"] in kept
    ]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        count = "SELECT COUNT(*) FROM events WHERE file_id = ?"
        assert [conn.execute(count, (file_id,)).fetchone()[0] for file_id in ids] == [0, 6]


async def test_steps_of_two_days_stay(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many newer files there are: the bytes of a day, which a limit counts, are summed up from them."""
    session_id, _ = await stored(journal, b"a.tif", b"b.tif")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, [], {}, readback=False)
    monkeypatch.setattr(pruning_events, "KEPT_STORIES", 1)
    before = await journal.read(lambda db: stored_since(db, 0.0))

    await Upkeep(journal, tmp_path).prune()

    assert await journal.read(lambda db: stored_since(db, 0.0)) == before == 24


async def test_pruning_leaves_receipts(journal: Journal, tmp_path: Path) -> None:
    """The file, its session and its story are forgotten; what it became is not."""
    session_id, (file_id,) = await stored(journal, b"a.tif", after_upload="delete")
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(session_id, ["it1"], {"a.tif-x.tif": "it1"}, readback=False)
    await journal.files.disposed(file_id, "deleted", b"", sighting(b"a.tif"))
    await journal.files.discarded([file_id])
    await journal.files.discovered([sighting(b"newest.tif")])
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("UPDATE files SET changed_at = changed_at - ?", (200 * DAY,))
    (before,) = await receipts(journal)

    await Upkeep(journal, tmp_path).prune()

    with Reader(tmp_path) as reader:
        assert [row["path"] for row in reader.files()] == ["/d/newest.tif"]
    assert await receipts(journal) == [before]


async def test_what_an_earlier_version_completed_has_what_its_journal_knows(tmp_path: Path) -> None:
    """Paths, items, sizes, hashes and times are taken over; what was not written down is null."""
    restore(4, tmp_path)
    Journal(tmp_path).close()

    with Reader(tmp_path) as reader:
        found = {row["id"]: document(row) for row in by_time(reader.db, Selection())}
    assert {number: told["item_id"] for number, told in found.items()} == {7: "it-1", 8: "it-2"}
    last = found[8]
    assert (last["path"], last["project_id"], last["upload_id"]) == ("/srv/drop/h.tif", "p-1", "u-4")
    assert (last["source"]["group_sha256"], last["source"]["sha256"]) == (f"{8:064x}", None)
    assert (last["object"]["size"], last["object"]["md5"], last["object"]["sha256"]) == (12, "6d" * 16, None)
    assert (last["completed"], last["readback"], last["disposal"]) == (
        "2025-10-09T08:53:28.000+00:00",
        "named",
        "deleted",
    )


async def test_an_earlier_journal_is_told_of_in_words(tmp_path: Path) -> None:
    """A reader beside a daemon of the version before says what to do."""
    restore(4, tmp_path)

    with (
        Reader(tmp_path) as reader,
        pytest.raises(JournalError, match="Start this version of the daemon once"),
    ):
        list(by_time(reader.db, Selection()))


def remember(state: Path, count: int) -> None:
    """Receipts of files that are long forgotten; every second one shares its item, every tenth knows none."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn, conn:
        conn.executemany(
            "INSERT INTO receipts (id, folder, path, state, project_id, collection_id, target_item_id, asset_key, "
            "upload_id, item_id, file_name, source_size, group_size, warnings, declared, facts, seen_at, completed_at) "
            "VALUES (?, ?, ?, 'completed', 'p', '', '', '', 'u', ?, ?, 1, 1, '[]', '{}', '{}', 1, ?)",
            [
                (
                    n,
                    f"/d{n % 3}",
                    b"%d.tif" % n,
                    None if n % 10 == 0 else f"it{n // 2}",
                    f"{n}-{n:012x}.tif",
                    # a batch of them has the same time
                    1000.0 + n // 700,
                )
                for n in range(1, count + 1)
            ],
        )


async def test_pages_lose_and_repeat_nothing(journal: Journal, tmp_path: Path) -> None:
    """In both orders, over pages that end within a batch of one time, or within an item."""
    count = 2 * PAGE + 345
    remember(tmp_path, count)

    with Reader(tmp_path) as reader:
        assert [row["id"] for row in by_time(reader.db, Selection())] == list(range(1, count + 1))
        items = [(row["item_id"], row["id"]) for row in by_item(reader.db, Selection())]
        of_folder = [row["id"] for row in by_time(reader.db, Selection(folder="/d1"))]
        late = [row["id"] for row in by_time(reader.db, Selection(since=1003.0))]
    known = [pair for pair in items if pair[0] is not None]
    assert sorted(number for _, number in items) == list(range(1, count + 1))
    assert known == sorted(known)
    assert items[: len(known)] == known
    assert of_folder == [n for n in range(1, count + 1) if n % 3 == 1]
    assert late == [n for n in range(1, count + 1) if n // 700 >= 3]


FACTS = {
    "format": "GTiff",
    "width": 10980,
    "height": 10980,
    "bands": 4,
    "dtype": "uint16",
    "crs": "ETRS89 / UTM zone 32N (EPSG:25832)",
}


SENTENCE = "a sentence of the usual length about what is odd "


@pytest.mark.parametrize(("warnings", "points", "most"), [(8, 11, 1110), (1, 4, 820)], ids=["much", "usual"])
async def test_a_receipt_costs_about_a_kilobyte(
    journal: Journal, tmp_path: Path, warnings: int, points: int, most: int
) -> None:
    """With all hashes and facts, and more warnings and corners than is usual; pages and indexes are part of it."""
    many = 200
    fill(tmp_path, many)
    told = [{"code": f"code_{n}", "text": SENTENCE * (3 if warnings > 1 else 1)} for n in range(warnings)]
    spend(tmp_path, told, points)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        ids = [row[0] for row in conn.execute("SELECT id FROM files")]

    with closing(Journal(tmp_path)) as opened:
        await opened._writer.transact("", lambda db: receipt_rows.keep_receipts(db, ids))

    assert used(tmp_path, "receipts%") / many <= most


async def test_a_completed_file_costs_less_than_a_kilobyte(journal: Journal, tmp_path: Path) -> None:
    """Everything in the journal that is there for it: its row, its part of the session, the events that stay."""
    many = 1000
    fill(tmp_path, many, age=3 * DAY, current=True)
    spend(tmp_path, WARNINGS, 4)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("DELETE FROM events WHERE event != 'disposed'")

    assert used(tmp_path, "%") / many <= 1024


def spend(state: Path, warnings: list[dict[str, str]], points: int) -> None:
    """Have all files say as much as a file says."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn, conn:
        conn.execute(
            "UPDATE files SET warnings = ?, path = CAST(? || id || '.tif' AS BLOB), object_sha256 = randomblob(32), "
            "source_sha256 = x'', object_md5 = randomblob(16), content = randomblob(32), "
            "file_name = 'a-name-of-thirty-two-characters-' || id, item_id = hex(randomblob(16)), "
            "converted_at = 1e9, stored_at = 1e9, completed_at = 1e9 + id, footprint = randomblob(?), "
            "transform = randomblob(32), facts = ?",
            (json.dumps(warnings), "2026/11/28/mission-0815/", 8 * points, json.dumps(FACTS)),
        )


def used(state: Path, tables: str) -> int:
    """Bytes of the pages of these tables and their indexes."""
    with closing(sqlite3.connect(state / FILE_NAME)) as conn:
        conn.execute("VACUUM")
        sql = "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE ? AND payload > 0"
        return int(conn.execute(sql, (tables,)).fetchone()[0])


async def test_footprints_are_found_by_file(journal: Journal, tmp_path: Path) -> None:
    """Of a file that is not an item yet, too; what has none, or nothing that makes sense, is left out."""
    session_id, (first, second) = await stored(journal, b"a.tif", b"b.tif")
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("UPDATE files SET footprint = x'ff' WHERE id = ?", (second,))

    early = await journal.read(lambda db: footprints(db, [first, second, 99]))
    await journal.sessions.completing(session_id)
    await journal.sessions.completed(
        session_id, ["it1"], {"a.tif-x.tif": "it1", "b.tif-x.tif": "it1"}, readback=False
    )

    assert early == {first: RING}
    assert await journal.read(lambda db: footprints(db, [first, second])) == {first: RING}

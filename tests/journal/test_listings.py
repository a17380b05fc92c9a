"""Lists in pages: every row once, and a bounded number of rows looked at for each page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.page import Acted
from uploader.journal import Reader, listings, searching, stories
from uploader.journal.receipt_rows import Selection, newest

pytestmark = pytest.mark.unit


@pytest.fixture
def acted(tmp_path: Path) -> Acted:
    """Thirty files in two folders, every tenth of which is rejected."""
    made = Acted(tmp_path)
    for number in range(30):
        state = "rejected" if number % 10 == 9 else "completed"
        folder = "/srv/a" if number < 15 else "/srv/b"
        content = f"{number:012x}" + 52 * "0"
        made.add(
            f"tile_{number:02d}.tif", state, folder=folder, content=content, reason=f"kind {number // 20}"
        )
    return made


def test_a_page_looks_at_so_many_rows_and_says_where_to_go_on(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be empty although there is more; together they have every row once."""
    monkeypatch.setattr(listings, "LOOKED_AT", 4)
    with Reader(acted.state) as reader:
        found, before, pages = [], None, 0
        while True:
            page = listings.files(reader.db, state="rejected", folder="/srv/a", before=before, most=2)
            found += [row["id"] for row in page.rows]
            before, pages = page.following, pages + 1
            if before is None:
                break
        everything = listings.files(reader.db, folder="/srv/a", most=100)
    assert (found, pages) == ([10], 1)
    assert (everything.rows, everything.following) == ([], 27)


def test_the_index_bounds_a_search_and_all_is_found(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over folders, in any case, with signs that mean something to LIKE."""
    monkeypatch.setattr(searching, "LOOKED_AT", 7)
    acted.add("50%_off!.tif", "queued")
    with Reader(acted.state) as reader:
        plan = reader.db.conn.execute(
            "EXPLAIN QUERY PLAN SELECT id, folder, path FROM files INDEXED BY files_path "
            "WHERE (folder, path) >= (?, ?) AND (folder, path, id) > (?, ?, ?) ORDER BY folder, path, id LIMIT 7",
            ("", b"", "", b"", 0),
        ).fetchall()

        def whole(text: str) -> list[int]:
            found, place = [], None
            while True:
                page = searching.search(reader.db, text, place, 3)
                found += page.files
                place = page.following
                if place is None:
                    return found

        assert whole("TILE_2") == list(range(21, 31))
        assert whole("%_off!") == [31]
        assert whole("_%") == []
        assert whole("nothing") == []
        assert len(whole("tile")) == 30
    assert "COVERING INDEX files_path" in plan[0][3]
    assert "TEMP B-TREE FOR ORDER BY" not in str(plan), "only the versions of one path may be sorted"


def test_what_has_an_index_is_found_at_once(acted: Acted) -> None:
    """A whole path, an item, a session, and the name of an object, which ends with the hash of the content."""
    with Reader(acted.state) as reader:
        for text in ("/srv/b/tile_20.tif", "tile_20.tif", "it_tile_20.tif", "up_tile_20.tif"):
            assert 21 in searching.search(reader.db, text, None, 5).files, text
        assert searching.search(reader.db, f"x-{20:012x}.tif", None, 5).files == [21]


def test_folders_are_found_by_leaps(acted: Acted) -> None:
    """As many steps as there are folders, not files."""
    with Reader(acted.state) as reader:
        assert stories.at_path(reader.db, b"tile_20.tif") == [21]
        assert stories.at_path(reader.db, b"/srv/a/tile_20.tif") == []
        assert stories._folders(reader.db) == ["/srv/a", "/srv/b"]


def test_rejected_files_by_reason(acted: Acted) -> None:
    """How many of each, the newest first, and their numbers."""
    with Reader(acted.state) as reader:
        assert listings.rejected_by_reason(reader.db) == [("kind 0", 2), ("kind 1", 1)]
        assert [row["id"] for row in listings.rejected(reader.db, "kind 0", 5)] == [20, 10]
        assert listings.rejected_ids(reader.db, None, 2) == [10, 20]
        assert listings.paths_by_id(reader.db, [10, 99]) == {10: b"/srv/a/tile_09.tif"}


def test_receipts_come_the_latest_first(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one once, also where a page looks at few and none of them is wanted."""
    monkeypatch.setattr("uploader.journal.receipt_rows.LOOKED_AT", 5)
    with Reader(acted.state) as reader:
        found, before = [], None
        while True:
            rows, before = newest(reader.db, Selection(folder="/srv/a"), before, 2)
            found += [row["id"] for row in rows]
            if before is None:
                break
        times = [row["completed_at"] for row in newest(reader.db, Selection(), None, 5)[0]]
    assert found == [15, 14, 13, 12, 11, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert times == sorted(times, reverse=True)

"""Receipts of a real daemon against the sandbox's own records, and an audit of what was changed behind its back."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import receipts
from tests.support.rasters import make
from tests.support.receipts import unlike_their_receipts
from tests.support.world import World
from uploader import thumbnails
from uploader.journal import FILE_NAME, Reader
from uploader.journal.receipt_rows import Selection, by_time
from uploader.report.dashboard.kept_previews import kept_previews

pytestmark = pytest.mark.e2e

FILES = 14


@pytest.fixture
def grown(make_world: Callable[..., World], tmp_path: Path) -> tuple[World, dict[str, bytes]]:
    """A world in which files of several kinds have become items; with the SHA-256 of each source."""
    w = make_world(folders=receipts.folders(tmp_path))
    sources = receipts.fill(w, FILES)
    w.until_idle()
    return w, sources


def test_each_field_of_each_receipt_is_what_the_platform_has(grown: tuple[World, dict[str, bytes]]) -> None:
    """Items, targets, sizes and hashes; and an audit of it finds nothing."""
    w, sources = grown

    assert receipts.differences(w, sources) == []
    for part in range(3):
        assert unlike_their_receipts(w.root.parent / "archive" / f"part {part}") == []
    found = receipts.told(w, "--since", "1d")
    assert len(found) == FILES
    methods = {one["method"] for one in found}
    assert len(methods) > 1
    assert {one["comparison"] for one in found} == {"full", "bytes"}
    assert any(one["declared"] == {"nodata": "3"} for one in found)
    assert sum(one["footprint"] is not None for one in found) >= FILES // 2
    assert {one["state"] for one in found} == {"completed", "disposed"}
    audited = json.loads(w.command("audit", "-c", str(w.config), "--json", "--deep", check=0).stdout)
    assert audited == {
        "differences": [],
        "receipts": FILES,
        "listed": FILES,
        **dict.fromkeys(("missing", "changed", "foreign", "unclear"), 0),
    }


def test_each_raster_has_a_thumbnail_that_lasts(make_world: Callable[..., World]) -> None:
    """By the file's id, also after a start, which removes what no file refers to."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=48)
    w.until_idle()
    folder = w.state / thumbnails.FOLDER
    previews = kept_previews(w.state)
    with Reader(w.state) as reader:
        (row,) = by_time(reader.db, Selection())
        shown = previews.of(reader.db, [row["id"], 999])
        assert [*shown] == [row["id"]]
        assert (shown[row["id"]].picture, len(shown[row["id"]].rings)) == (True, 1)
        before = previews.picture(reader.db, row["id"])
        assert before is not None
        assert previews.picture(reader.db, 999) is None
    (folder / f"999-{'0' * 12}.png").write_bytes(b"of a file that was forgotten")
    (folder / f"998-{'0' * 12}.png.begun").write_bytes(b"half")

    w.until_idle()

    assert len(list(folder.iterdir())) == 1
    with Reader(w.state) as reader:
        assert previews.picture(reader.db, row["id"]) == before


def plant(w: World) -> set[tuple[str, str, str]]:
    """Change ten things on the platform; gives kind, item and field of each.

    Names are changed of items that were read back by them: of others nobody knows whether names come back.
    """
    expected: set[tuple[str, str, str]] = set()
    with closing(sqlite3.connect(w.state / FILE_NAME)) as journal:
        named = {row[0] for row in journal.execute("SELECT item_id FROM files WHERE readback = 'named'")}
    with closing(sqlite3.connect(w.root / "box" / "sandbox.sqlite")) as box, box:
        items = [row[0] for row in box.execute("SELECT id FROM item ORDER BY sequence")]
        items.sort(key=lambda item: item not in named)
        for item in items[:2]:
            box.execute("UPDATE item SET deleted_at = 1 WHERE id = ?", (item,))
            expected.add(("missing", item, "item"))
        for item in items[2:4]:
            box.execute(
                "UPDATE item SET name = 'Berlin', stac_id = 'Berlin', properties = '{}' WHERE id = ?", (item,)
            )
            expected.add(("changed", item, "name"))
        for item in items[4:6]:
            box.execute("UPDATE asset SET size = size + 1 WHERE item_id = ?", (item,))
            expected.add(("changed", item, "size"))
        for item in items[6:8]:
            box.execute("UPDATE asset SET crc32c = (crc32c + 1) % 4294967296 WHERE item_id = ?", (item,))
            expected.add(("changed", item, "crc32c"))
        columns = [row[1] for row in box.execute("PRAGMA table_info(item)")]
        kept = ", ".join(c for c in columns if c not in {"sequence", "id", "name", "upload_id"})
        for number in range(2):
            box.execute(
                f"INSERT INTO item (id, name, upload_id, {kept}) SELECT ?, 'theirs', 'u-theirs', {kept} "
                "FROM item WHERE id = ?",
                (f"it-theirs-{number}", items[8]),
            )
            expected.add(("foreign", f"it-theirs-{number}", ""))
    return expected


def audited(w: World, *options: str, check: int = 1) -> dict[str, Any]:
    """What `uploader audit --json` prints."""
    done = w.command("audit", "-c", str(w.config), "--json", *options, check=check)
    return json.loads(done.stdout)


def test_an_audit_finds_ten_planted_differences_and_nothing_else(
    grown: tuple[World, dict[str, bytes]],
) -> None:
    """Those of sizes and hashes where it asks for the assets; without that the others; and all as a table."""
    w, _ = grown
    expected = plant(w)
    assert len(expected) == 10

    deep = audited(w, "--deep")
    assert {(one["kind"], one["item_id"], one["field"]) for one in deep["differences"]} == expected
    assert len(deep["differences"]) == 10
    assert {kind: deep[kind] for kind in ("missing", "changed", "foreign", "unclear")} == {
        "missing": 2,
        "changed": 6,
        "foreign": 2,
        "unclear": 0,
    }
    plain = audited(w)
    assert {one["field"] for one in plain["differences"]} == {"item", "name", ""}
    table = w.command("audit", "-c", str(w.config), "--csv", check=1).stdout
    assert len(list(csv.DictReader(io.StringIO(table, newline=""), strict=True))) == 6


def test_what_the_platform_does_not_say_is_never_missing(make_world: Callable[..., World]) -> None:
    """A project that may not be listed, a listing that ends in the middle, and an item that answers nothing clear."""
    w = make_world()
    for number in range(2):
        make("dem_nodata", w.drop / f"{number}.tif", size=48, seed=number)
    w.until_idle()

    w.fault(
        {"operation": "items.list", "kind": "status", "status": 403, "body": "problem", "when": {"count": 1}}
    )
    refused = audited(w)
    assert (refused["missing"], refused["unclear"], refused["listed"]) == (0, 1, 0)
    assert refused["differences"][0]["field"] == "target"

    with closing(sqlite3.connect(w.root / "box" / "sandbox.sqlite")) as box, box:
        box.execute("UPDATE item SET deleted_at = 1")
    w.fault(
        {"operation": "items.get", "kind": "status", "status": 403, "body": "problem", "when": {"count": 1}}
    )
    doubtful = audited(w)
    assert (doubtful["missing"], doubtful["unclear"]) == (1, 1)


def test_receipts_are_read_beside_a_running_daemon(make_world: Callable[..., World]) -> None:
    """And an item that was just made is nobody else's."""
    w = make_world()
    with w.daemon():
        make("dem_nodata", w.drop / "a.tif", size=48)
        w.wait((w.state / "journal.sqlite").exists, "a journal")
        (one,) = w.wait(lambda: receipts.told(w), "a receipt")
        assert audited(w, check=0)["foreign"] == 0
    assert one["path"] == str(w.drop / "a.tif")

"""What becomes of the source: only after its item was read back, and only if it still is the file that was uploaded."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.rasters import make
from tests.support.world import World
from uploader.core.path_text import shown

pytestmark = pytest.mark.e2e


def prepare(w: World, **folder: object) -> None:
    """Change the first folder's table."""
    w.folders[0].update(folder)
    w.write_config()


def test_delete_removes_the_group_after_it_was_read_back(make_world: Callable[..., World]) -> None:
    """The raster and its sidecar go, later than the item was listed."""
    w = make_world()
    prepare(w, after_upload="delete")
    make("plain", w.drop / "a.tif", size=64)
    (w.drop / "a.tfw").write_text("1\n0\n0\n-1\n0.5\n-0.5\n")
    make("dem_nodata", w.drop / "b.tif", size=64)

    w.until_idle()

    assert list(w.drop.iterdir()) == []
    assert w.status()["files"]["disposed"] == 2
    assert w.audit().calls("items.list") or w.audit().calls("items.get")
    assert w.problems() == []


@pytest.mark.parametrize("place", ["same", "other"])
def test_archive_keeps_the_group_together(make_world: Callable[..., World], place: str) -> None:
    """Also on another file system, below the same sub-folder, byte for byte."""
    w = make_world()
    archive = w.root / "archive" if place == "same" else Path("/dev/shm") / f"{w.root.parent.name}-archive"
    if place == "other" and not Path("/dev/shm").is_dir():
        pytest.skip("no second file system at /dev/shm")
    prepare(w, after_upload="archive", archive_dir=str(archive))
    (w.drop / "sub").mkdir()
    source = make("dem_nodata", w.drop / "sub" / "a.tif", size=64)
    data = source.read_bytes()

    try:
        w.until_idle()

        assert (archive / "sub" / "a.tif").read_bytes() == data
        assert not source.exists()
    finally:
        if place == "other":
            shutil.rmtree(archive, ignore_errors=True)


def test_nothing_goes_while_the_items_are_not_to_be_seen(make_world: Callable[..., World]) -> None:
    """Items that show up late keep their sources until then."""
    w = make_world(options={"items_visible_after": 6.0})
    prepare(w, after_upload="delete")
    source = make("dem_nodata", w.drop / "a.tif", size=64)
    with w.daemon():
        w.wait(lambda: not source.exists(), "the disposal")

    (made,) = w.audit().effects("item.made")
    with closing(sqlite3.connect(w.state / "journal.sqlite")) as journal:
        ((gone,),) = journal.execute("SELECT time FROM events WHERE event = 'disposed'").fetchall()
    assert gone >= made.at + 6.0
    assert w.problems() == []


def test_a_replaced_source_is_never_touched(make_world: Callable[..., World]) -> None:
    """A file that took the place of the uploaded one is a new version: uploaded, then disposed of itself."""
    w = make_world(options={"items_visible_after": 3.0})
    prepare(w, after_upload="delete")
    make("dem_nodata", w.drop / "a.tif", size=64, seed=1)
    with w.daemon():
        w.wait(lambda: w.audit().effects("item.made"), "the first item")
        make("dem_nodata", w.root / "new.tif", size=80, seed=2)
        (w.root / "new.tif").rename(w.drop / "a.tif")
        w.wait(lambda: len(w.audit().items) == 2 and not (w.drop / "a.tif").exists(), "both versions")

    assert w.problems() == []
    assert w.status()["completed"] == 2


def test_a_source_that_a_backup_has_linked_goes_all_the_same(make_world: Callable[..., World]) -> None:
    """A hard link changes the ctime and not a byte: the source is read again, and then disposed of."""
    w = make_world(options={"items_visible_after": 3.0})
    prepare(w, after_upload="delete", settle_seconds=5.0)
    source = make("dem_nodata", w.drop / "a.tif", size=64)
    with w.daemon():
        w.wait(lambda: w.audit().effects("item.made"), "the item")
        os.link(source, w.root / "backup.tif")
        w.wait(lambda: not source.exists(), "the disposal")

    assert (w.root / "backup.tif").exists()
    assert w.status()["completed"] == 1
    assert w.problems() == []


@pytest.mark.parametrize("policy", ["keep", "archive", "delete"])
@pytest.mark.parametrize("name", [b"gr\xf6\xdfe.tif", b"a\nb \\xff.tif"], ids=["latin1", "newline"])
def test_names_are_bytes_to_the_end(make_world: Callable[..., World], policy: str, name: bytes) -> None:
    """A name that is no text, in a folder whose name is none either, travels the whole way and is found again."""
    w = make_world()
    prepare(
        w, after_upload=policy, **({"archive_dir": str(w.root / "archive")} if policy == "archive" else {})
    )
    below = w.drop / os.fsdecode(b"\xe9t\xe9")
    below.mkdir()
    source = below / os.fsdecode(name)
    make("dem_nodata", w.root / "made.tif", size=64).rename(source)

    w.until_idle()
    story = json.loads(w.command("log", "-c", str(w.config), "--json", os.fsdecode(source), check=0).stdout)

    assert w.status()["completed"] == 1
    assert [event["event"] for event in story["events"]][-1] == (
        "completed" if policy == "keep" else "disposed"
    )
    assert source.exists() == (policy == "keep")
    if policy == "archive":
        archived = w.root / "archive" / below.name / source.name
        assert archived.exists()
        assert story["items"][0]["archived_as"] == shown(str(archived))
    assert w.problems() == []


def test_an_archive_that_refuses_an_odd_name_is_told(make_world: Callable[..., World]) -> None:
    """The reason quotes a name that is no text, and is entered and shown all the same."""
    w = make_world()
    prepare(w, after_upload="archive", archive_dir=str(w.root / "archive"))
    below = w.drop / os.fsdecode(b"\xe9t\xe9")
    below.mkdir()
    make("dem_nodata", w.root / "made.tif", size=64).rename(below / os.fsdecode(b"gr\xf6\xdfe.tif"))
    (w.root / "archive").mkdir()
    (w.root / "archive" / below.name).write_text("in the way")

    w.until_idle(check=1)

    (hold,) = w.status()["holds"]
    assert (hold["scope"], hold["cause"]) == ("file", "source_stays")
    assert r"\xe9t\xe9" in hold["reason"]

"""A state directory that is gone, or another one: nothing goes up again without a word."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from tests.support.rasters import make
from tests.support.world import World
from uploader.folders.ownership import ATTRIBUTE, owner_of

pytestmark = pytest.mark.e2e


def uploaded_once(w: World) -> None:
    """A raster is an item, its source is kept, and the state directory is away."""
    make("dem_nodata", w.drop / "a.tif", size=64)
    w.until_idle()
    assert len(w.audit().items) == 1
    w.state.rename(w.root / "away")


def test_a_state_directory_that_is_not_mounted_is_told_at_the_start(make_world: Callable[..., World]) -> None:
    """Exit 78 with the ways out; once it is back, all goes on as if nothing had been."""
    w = make_world()
    uploaded_once(w)

    said = w.until_idle(check=78).stderr

    assert str(w.drop) in said
    assert "--repair-journal" in said
    assert "--new-journal" in said
    assert not (w.state / "journal.sqlite").exists()
    w.state.rename(w.root / "empty")
    (w.root / "away").rename(w.state)
    w.until_idle()
    assert len(w.audit().items) == 1


def test_a_repair_finds_out_what_the_lost_journal_knew(make_world: Callable[..., World]) -> None:
    """The folder is this journal's from then on, and nothing is uploaded a second time."""
    w = make_world()
    uploaded_once(w)
    w.until_idle(check=78)

    w.command("check", "--repair-journal", "-c", str(w.config), check=0)
    w.until_idle()

    assert len(w.audit().items) == 1
    assert w.status()["completed"] == 1
    assert owner_of(w.drop).state_dir == str(w.state)


def test_a_state_directory_that_was_put_back_uploads_nothing_twice(make_world: Callable[..., World]) -> None:
    """A snapshot of the machine, or of its disk, is restored: what went up since is known to the folder alone."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=64)
    w.until_idle()
    shutil.copytree(w.state, w.root / "snapshot")
    make("dem_nodata", w.drop / "b.tif", size=64, seed=1)
    w.until_idle()
    shutil.rmtree(w.state)
    shutil.move(w.root / "snapshot", w.state)

    said = w.until_idle(check=78).stderr
    checked = w.command("check", "-c", str(w.config), check=1).stdout
    w.command("check", "--repair-journal", "-c", str(w.config), check=0)
    w.until_idle()

    assert "put back to an earlier time" in said
    assert "put back to an earlier time" in checked
    assert "--repair-journal" in said
    assert len(w.audit().items) == 2
    assert w.status()["completed"] == 2


def test_a_new_journal_is_begun_by_order_only(make_world: Callable[..., World]) -> None:
    """Then everything is new; the order need not be given again, and is harmless where it is."""
    w = make_world()
    uploaded_once(w)

    w.command("run", "-c", str(w.config), "--until-idle", "--new-journal", check=0)
    w.until_idle()
    w.command("run", "-c", str(w.config), "--until-idle", "--new-journal", check=0)

    assert len(w.audit().items) == 2
    assert w.status()["completed"] == 1


def test_a_folder_of_another_journal_is_refused(make_world: Callable[..., World]) -> None:
    """Also where this journal is a sound one, that has worked for other folders."""
    w = make_world()
    other = {"path": str(w.root / "other"), "project_id": "p-1"}
    (w.root / "other").mkdir()
    uploaded_once(w)
    mine, w.folders = w.folders, [other]
    w.write_config()
    w.until_idle()
    w.folders = [*mine, other]
    w.write_config()

    w.until_idle(check=78)
    w.command("check", "--repair-journal", "-c", str(w.config), check=0)
    w.until_idle()

    assert len(w.audit().items) == 1


def test_without_a_mark_names_of_ours_on_the_platform_hold_the_folder(
    make_world: Callable[..., World],
) -> None:
    """A journal from before the marks is lost: a few names are looked up, and the repair is the way out."""
    w = make_world()
    w.folders[0]["settle_seconds"] = 8.0
    w.write_config()
    uploaded_once(w)
    os.removexattr(w.drop, ATTRIBUTE)

    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the socket")
        (hold,) = w.wait(lambda: w.status()["holds"], "the folder is held")
        assert hold["scope"] == "folder"
        assert "another journal" in hold["reason"]
        assert "--repair-journal" in hold["way_out"]
    assert len(w.audit().items) == 1
    assert owner_of(w.drop) is None

    w.command("check", "--repair-journal", "-c", str(w.config), check=0)
    w.until_idle()

    assert len(w.audit().items) == 1
    assert w.status()["holds"] == []


def test_a_new_folder_bears_a_mark_soon_and_holds_nobody_up(make_world: Callable[..., World]) -> None:
    """Its names are on no platform; a push to the same platform marks nothing."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=64)
    with w.daemon():
        w.wait(lambda: owner_of(w.drop), "the mark")
        w.wait(lambda: w.audit().items, "the item")
    assert w.status()["holds"] == []

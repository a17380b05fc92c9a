"""Drop folders that fail as a whole: held in words, nothing is rejected for it, and they go on by themselves."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from tests.support import mounts, preload
from tests.support.live import Live, live
from tests.support.preload import Board, Calls
from tests.support.rasters import make

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.storm,
    pytest.mark.skipif(bool(preload.missing()), reason=preload.missing() or "-"),
]


def over(d: Live) -> bool:
    """Whether nothing is held any more."""
    return not d.status()["holds"]


def later(board: Board, seconds: int) -> bool:
    """Let time go by while the files stay ill."""
    board._passed += seconds
    board._shift += seconds
    board.fail(errno.EIO, "ill-", Calls.READ)
    return True


def test_a_folder_that_cannot_be_opened_is_held_and_goes_on(tmp_path: Path) -> None:
    """A stale handle, a dead server, a lost disk, missing rights: each is told in its words."""
    board = Board.build(tmp_path)
    folder = {"path": str(tmp_path / "drop"), "project_id": "p-1", "rescan_seconds": 1.0}
    words = {
        errno.EIO: "input/output error",
        errno.ESTALE: "no longer knows the handle",
        errno.ENOTCONN: "has ended",
        errno.ETIMEDOUT: "does not answer in time",
        errno.EACCES: "permission denied",
    }
    with live(tmp_path, environment=board.environment, folders=[folder]) as d:
        for number, (error, told) in enumerate(words.items()):
            board.fail(error, "/drop", Calls.OPEN)
            d.drop(f"{number}.tif", seed=number + 1)
            hold = d.held("folder")
            assert told in hold["reason"]
            board.heal()
            d.w.wait(lambda: over(d), "the hold is over")
        d.idle(90)
        assert d.status()["files"]["gone"] == d.status()["rejected"] == 0
        assert d.wrong() == []


def test_files_that_fail_together_wait_for_their_disk(tmp_path: Path) -> None:
    """Five of five cannot be read: they are looked at for minutes and none is rejected; then all become items."""
    board = Board.build(tmp_path)
    with live(tmp_path, environment=board.environment) as d:
        board.fail(errno.EIO, "ill-", Calls.READ)
        for number in range(5):
            d.drop(f"ill-{number}.tif", seed=number + 1)
        hold = d.held("folder")
        assert hold["cause"] == "folder_unreadable"
        assert "none of the files that were tried can be read" in hold["reason"]
        for _ in range(8):
            later(board, 15)
            time.sleep(
                0.2
            )  # some looks; with more of them the test is stronger, with fewer it passes as well
        assert d.held("folder")
        assert d.status()["rejected"] == 0
        board.heal()
        board.elapse(30)
        d.idle(90)
        d.w.wait(lambda: over(d), "the hold is over")
        assert d.status()["rejected"] == 0
        assert d.wrong() == []


def test_one_sick_file_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A file among others that can be read has its looks, and then a reason in words."""
    board = Board.build(tmp_path)
    with live(tmp_path, environment=board.environment) as d:
        board.fail(errno.EIO, "ill-", Calls.READ)
        sick = d.drop("ill-one.tif", seed=1)
        d.drop_some(3, "well")
        d.w.wait(lambda: d.status()["completed"] == 3, "the others")
        d.w.wait(lambda: later(board, 5) and d.status()["rejected"] == 1, "its end")
        (failed,) = d.status()["failed"]
        assert failed["path"] == str(sick)
        assert "input/output error" in failed["reason"]
        assert over(d)


def test_a_folder_that_hangs_delays_no_other(tmp_path: Path) -> None:
    """A server that does not answer at all: its files wait, all others are uploaded."""
    board = Board.build(tmp_path)
    tables = [
        {"path": str(tmp_path / name), "project_id": "p-1", "rescan_seconds": 1.0}
        for name in ("drop", "mute")
    ]
    with live(tmp_path, environment=board.environment, folders=tables) as d:
        mute = tmp_path / "mute"
        make("dem_nodata", mute / "before.tif", size=64, seed=90)
        d.w.wait(lambda: d.status()["completed"] == 1, "it works")
        board.hang("/mute")
        for number in range(12):
            make("dem_nodata", mute / f"{number}.tif", size=64, seed=100 + number)
        d.drop_some(5, "well", seed=None)
        d.w.wait(lambda: d.status()["completed"] == 6, "the others")

        def told() -> bool:
            board.elapse(5)
            board.hang("/mute")
            held = d.status()["holds"]
            return any("does not answer" in h["reason"] and h["cause"] == "folder_mute" for h in held)

        d.w.wait(told, "what hangs is told")
        board.heal()
        d.w.wait(lambda: d.status()["completed"] == 18, "those that hung")
        assert over(d)
        assert d.wrong() == []


def test_a_daemon_ends_when_it_is_told_though_a_folder_hangs(tmp_path: Path) -> None:
    """What hangs in the kernel cannot be cancelled; it is left behind, and the next start takes up the work."""
    board = Board.build(tmp_path)
    with live(tmp_path, environment=board.environment) as d:
        d.drop("before.tif", seed=1)
        d.idle()
        board.hang("/drop")
        d.drop("after.tif", seed=2)
        d.w.wait(lambda: board.hung, "a call that does not return")
        assert d.end() in (0, 1)  # 0 where nobody waits for the call that hangs
        assert b"does not answer" in (d.w.root / "daemon.log").read_bytes()
        board.heal()
        d.up()
        d.idle()
        assert d.wrong() == []


@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
def test_a_subfolder_that_is_unmounted_keeps_its_files(tmp_path: Path) -> None:
    """Its completed files are not forgotten, so that their return uploads nothing twice; the rest goes on."""
    disk, below = tmp_path / "disk", tmp_path / "drop" / "below"
    folder = {"path": str(tmp_path / "drop"), "project_id": "p-1", "rescan_seconds": 1.0}
    disk.mkdir()
    below.mkdir(parents=True)
    with mounts.tmpfs(disk):
        mounts.bind(disk, below)
        try:
            with live(tmp_path, folders=[folder]) as d:
                d.drop("top.tif", seed=1)
                d.drop("top2.tif", seed=2)
                inside = d.w.drop / "x.part"
                d.drop("moved.tif", seed=3).rename(inside)
                d.dropped.pop()
                (below / "in.tif").write_bytes(inside.read_bytes())
                inside.unlink()
                d.dropped.append(below / "in.tif")
                d.idle()
                mounts.unmount(below)
                d.drop("after.tif", seed=4)
                d.idle()
                d.w.wait(lambda: d.status()["completed"] == 4, "all four")
                mounts.bind(disk, below)
                d.drop("last.tif", seed=5)
                d.idle()
                assert len(d.w.audit().items) == 5
                assert d.wrong() == []
                d.end()
        finally:
            mounts.unmount(below)

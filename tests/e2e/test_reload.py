"""SIGHUP: a running daemon reads its configuration again."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.rasters import make
from tests.support.world import World
from uploader.core.errors import UploaderError
from uploader.daemon.control_client import ask

pytestmark = pytest.mark.e2e


def up(w: World) -> None:
    """Wait until the daemon answers."""
    w.wait((w.state / "control.sock").exists, "the daemon is up")


def reloaded(w: World, process: subprocess.Popen[bytes]) -> None:
    """Write the configuration as it is now, and wait until the daemon has read it."""
    w.write_config()
    log = w.root / "daemon.log"
    before = log.read_text().count("read again")
    process.send_signal(signal.SIGHUP)
    w.wait(lambda: log.read_text().count("read again") > before, "it was read again")


def warned(w: World, code: str) -> list[str]:
    """What the status warns of, as the daemon tells it although the file is wrong."""
    status = ask(w.state / "control.sock", "status") or {}
    return [warning["text"] for warning in status["warnings"] if warning["code"] == code]


def folder(path: Path, **facts: Any) -> dict[str, Any]:
    """A drop folder's table."""
    path.mkdir(exist_ok=True)
    return {"path": str(path), "project_id": "p-1", **facts}


def test_folders_come_and_go(make_world: Callable[..., World], tmp_path: Path) -> None:
    """One that is added is watched at once; of one that is removed, what waited unclaimed leaves the list."""
    w = make_world(folders=[folder(tmp_path / "one"), folder(tmp_path / "slow", settle_seconds=600.0)])
    make("dem_nodata", tmp_path / "slow/waits.tif", size=64)
    with w.daemon() as process:
        up(w)
        w.wait(lambda: w.status()["pending"] == 1, "the slow file is seen")
        w.folders = [w.folders[0], folder(tmp_path / "two")]
        reloaded(w, process)
        make("dem_nodata", tmp_path / "two/new.tif", size=64, seed=2)
        w.wait(lambda: w.status()["completed"] == 1, "the new folder's file is an item")
        w.wait(lambda: w.status()["pending"] == 0, "the removed folder's file has left the list")
        w.folders.append(folder(tmp_path / "slow", settle_seconds=0.3))
        reloaded(w, process)
        w.wait(lambda: w.status()["completed"] == 2, "put back, its file is an item")
        make("dem_nodata", tmp_path / "one/a.tif", size=64, seed=3)
        w.wait(lambda: w.status()["completed"] == 3, "who stayed goes on")
    assert process.returncode == 0


def test_what_was_claimed_from_a_removed_folder_goes_on(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    """It has its private copy, and goes where it was to go; its source is put away as it was to be."""
    one = folder(tmp_path / "one", after_upload="delete")
    w = make_world(
        folders=[one, folder(tmp_path / "two")],
        settings={"batch": {"linger_seconds": 600.0, "max_wait_seconds": 600.0}},
    )
    make("dem_nodata", tmp_path / "one/a.tif", size=64)
    with w.daemon() as process:
        up(w)
        w.wait(lambda: w.status()["files"].get("converted") == 1, "it is converted and waits for others")
        w.folders = w.folders[1:]
        w.settings["batch"] = {"linger_seconds": 0.1, "max_wait_seconds": 1.0}
        reloaded(w, process)
        w.wait(lambda: w.status()["completed"] == 1, "it is an item")
        w.wait(lambda: not (tmp_path / "one/a.tif").exists(), "its source is gone")
        assert not w.status()["holds"]


def test_a_folder_settles_by_another_rule(make_world: Callable[..., World], tmp_path: Path) -> None:
    """Who waits for a long quiet is taken by the short one, to the project that is named now; names are sifted anew."""
    w = make_world(folders=[folder(tmp_path / "one", settle_seconds=600.0)])
    make("dem_nodata", tmp_path / "one/a.tif", size=64)
    with w.daemon() as process:
        up(w)
        w.wait(lambda: w.status()["pending"] == 1, "it settles")
        w.folders = [folder(tmp_path / "one", settle_seconds=0.3, exclude=["not-*"], after_upload="delete")]
        reloaded(w, process)
        w.wait(lambda: not list((tmp_path / "one").glob("a.tif")), "it is an item, and its source is gone")
        make("dem_nodata", tmp_path / "one/not-this.tif", size=64, seed=2)
        make("dem_nodata", tmp_path / "one/this.tif", size=64, seed=3)
        w.wait(lambda: w.status()["completed"] == 2, "what is named now is taken")
        w.wait(lambda: w.status()["pending"] == 0, "and nothing else")
        assert w.status()["completed"] == 2


def test_what_is_wrong_changes_nothing(make_world: Callable[..., World], tmp_path: Path) -> None:
    """A mistake, an overlap and a folder of another daemon are told in log and status; the daemon goes on as it was."""
    w, other = make_world(folders=[folder(tmp_path / "one")]), make_world()
    with w.daemon() as process, other.daemon():
        up(w), up(other)
        good = list(w.folders)
        for wrong, words in (
            ([{**good[0], "settle_seconds": "soon"}], "settle_seconds"),
            ([*good, folder(tmp_path / "one/inner")], "overlaps"),
            ([*good, folder(other.drop)], "journal"),
        ):
            w.folders = wrong
            reloaded(w, process)
            assert words in warned(w, "configuration_refused")[0]
        with pytest.raises(UploaderError, match="journal"):
            ask(w.state / "control.sock", "reload")
        make("dem_nodata", tmp_path / "one/a.tif", size=64)
        w.wait(lambda: w.status()["completed"] == 1, "the file is an item")
        w.folders = good
        reloaded(w, process)
        assert not warned(w, "configuration_refused")


def test_what_only_a_restart_can_change_is_named(make_world: Callable[..., World]) -> None:
    """The rest holds at once; whoever asks over the control socket is answered."""
    w = make_world()
    with w.daemon() as process:
        up(w)
        w.settings = {"convert": {"workers": 3}, "transfer": {"concurrency": 1, "bandwidth_limit": "1GB/s"}}
        w.write_config()
        answer = ask(w.state / "control.sock", "reload")
        assert answer == {
            "live": ["transfer.concurrency", "transfer.bandwidth_limit"],
            "restart": ["convert.workers"],
            "folders_added": [],
            "folders_removed": [],
            "folders_changed": [],
            "problems": [],
        }
        assert "convert.workers" in warned(w, "restart_needed")[0]
        w.settings = {"transfer": {"concurrency": 1}, "log": {"format": "json"}}
        reloaded(w, process)
        assert not warned(w, "restart_needed")
        assert "read again" in json.loads((w.root / "daemon.log").read_text().splitlines()[-1])["message"]


def test_files_of_a_folder_that_left_while_the_daemon_was_down_leave_the_list(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    """The next start sees to it, as a reload does."""
    w = make_world(folders=[folder(tmp_path / "one"), folder(tmp_path / "slow", settle_seconds=600.0)])
    make("dem_nodata", tmp_path / "slow/waits.tif", size=64)
    with w.daemon():
        up(w)
        w.wait(lambda: w.status()["pending"] == 1, "the slow file is seen")
    w.folders = w.folders[:1]
    w.write_config()
    w.until_idle()
    assert w.status()["pending"] == 0


def test_reloads_beside_the_work_lose_and_double_nothing(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    """The rule of a folder changes, and the folder comes and goes, while its files settle, are copied and are sent."""
    count = 30
    w = make_world(folders=[folder(tmp_path / "one", after_upload="delete"), folder(tmp_path / "two")])
    with w.daemon() as process:
        up(w)
        for number in range(count):
            make("dem_nodata", tmp_path / f"one/{number:02d}.tif", size=64, seed=number + 1)
            if number % 2:
                facts = {"settle_seconds": 0.2 + 0.2 * (number % 3), "after_upload": "delete"}
                leaves = number % 6 == 1
                w.folders = [
                    *([] if leaves else [folder(tmp_path / "one", **facts)]),
                    folder(tmp_path / "two"),
                ]
                w.write_config()
                process.send_signal(signal.SIGHUP)
        w.folders = [folder(tmp_path / "one", after_upload="delete"), folder(tmp_path / "two")]
        reloaded(w, process)
        w.wait(lambda: w.status()["completed"] == count, "all are items")
        w.wait(lambda: not list((tmp_path / "one").glob("*.tif")), "all sources are gone")
        assert w.status()["pending"] == 0
    assert process.returncode == 0
    assert w.problems() == []
    w.require_sound()

"""A service whose unit was confined before a drop folder was there: it asks for a new start once the folder is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import mounts
from tests.support.rasters import make
from tests.support.world import World
from uploader.daemon.late_folders import START_AGAIN

pytestmark = [pytest.mark.e2e, pytest.mark.root]

CONFINED = [
    "unshare",
    "-m",
    "sh",
    "-c",
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
]
"""Starts a command that may only read a folder, as a unit may that systemd has not let through to it."""


@pytest.mark.parametrize("after_upload", ["delete", "keep"])
def test_a_folder_made_after_the_start_costs_one_new_start(
    make_world: Callable[..., World], tmp_path: Path, after_upload: str
) -> None:
    """Sources that have to go need it; where they stay, reading is enough, and the same daemon goes on."""
    if reason := mounts.missing():
        pytest.skip(reason)
    place = tmp_path / "srv"
    drop = place / "drop"
    w = make_world(folders=[{"path": str(drop), "project_id": "p-1", "after_upload": after_upload}])
    drop.rmdir()
    w.prefix = [*CONFINED, str(place)]
    with w.daemon(NOTIFY_SOCKET=str(tmp_path / "manager")) as process:
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        assert "missing" in w.wait(lambda: w.status()["holds"], "the folder is held")[0]["reason"]
        drop.mkdir()
        make("dem_nodata", drop / "a.tif", size=64)
        if after_upload == "keep":
            w.wait(lambda: w.status()["completed"] == 1, "the file is an item")
            return
        assert process.wait(60) == START_AGAIN
    w.prefix = []
    with w.daemon():
        w.wait(lambda: not list(drop.glob("*.tif")), "the source is gone, as its item is there")
    assert "starting again" in (w.root / "daemon.log").read_text()

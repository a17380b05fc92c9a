"""The disk of a drop folder is taken away beside a running daemon, as docs/operations.md says that it can be."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support import mounts
from tests.support.rasters import make
from tests.support.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.root]


def unmounted(folder: Path, *options: str) -> bool:
    """Whether `umount` took it away."""
    return subprocess.run(["umount", *options, str(folder)], capture_output=True, check=False).returncode == 0


def devices(process: int) -> set[int]:
    """Numbers of the file systems that a process has something open on."""
    found = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.add(entry.stat().st_dev)
        except OSError:
            continue
    return found


def test_a_drop_folder_is_taken_away_lazily_and_comes_back(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    """The daemon's lock keeps a plain `umount` out; after `umount -l` it lets go within seconds and tells a hold."""
    if reason := mounts.missing():
        pytest.skip(reason)
    disk, drop = tmp_path / "disk", tmp_path / "drop"
    with mounts.tmpfs(disk):
        mounts.bind(disk, drop)
        device = drop.stat().st_dev
        w = make_world(folders=[{"path": str(drop), "project_id": "p-1", "rescan_seconds": 3600.0}])
        try:
            with w.daemon() as process:
                w.wait((w.state / "control.sock").exists, "the daemon is up")
                make("dem_nodata", drop / "a.tif", size=64)
                w.wait(lambda: w.status()["completed"] == 1, "the first file is an item")
                assert not unmounted(drop)
                assert unmounted(drop, "-l")
                w.wait(lambda: device not in devices(process.pid), "nothing is open on it any more", 30)
                w.wait(
                    lambda: [h for h in w.status()["holds"] if h["scope"] == "folder"],
                    "the folder is held",
                    30,
                )
                mounts.bind(disk, drop)
                make("dem_nodata", drop / "b.tif", size=64, seed=2)
                w.wait(lambda: w.status()["completed"] == 2, "the second file is an item")
                assert w.status()["holds"] == []
                assert psutil.Process(process.pid).is_running()
        finally:
            unmounted(drop, "-l")
    assert len(w.audit().items) == 2

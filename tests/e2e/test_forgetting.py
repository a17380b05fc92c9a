"""Files of a lost disk are given up beside a running daemon: never uploaded, and new when they come again."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


def test_files_of_a_folder_that_is_no_more(make_world: Callable[..., World], tmp_path) -> None:
    """One waits for a session, and its folder leaves disk and configuration; the hold ends when it is given up."""
    lost = tmp_path / "lost"
    w = make_world(
        folders=[{"path": str(path), "project_id": "p-1"} for path in (lost, tmp_path / "kept")],
        settings={"batch": {"linger_seconds": 600.0, "max_wait_seconds": 600.0, "max_files": 100}},
    )
    with w.daemon():
        make("plain", lost / "0.tif", size=64, seed=0)
        w.wait(lambda: w.command("status", "-c", str(w.config), "--json").returncode == 0, "the daemon")
        w.wait(lambda: w.status()["files"]["converted"] == 1, "it is converted")
        assert (
            w.command("forget", "-c", str(w.config), str(lost), check=1).stderr.count("still lies there") == 1
        )
    shutil.rmtree(lost)
    del w.folders[0]
    w.write_config()
    with w.daemon():
        w.wait(lambda: [h["subject"] for h in w.status()["holds"]] == [str(lost)], "the hold")
        assert "1 file is forgotten." in w.command("forget", "-c", str(w.config), str(lost), check=0).stdout
        w.wait(lambda: not w.status()["holds"], "the end of the hold")
        w.wait(lambda: not w.copies(), "the end of the private copies")
    assert (w.status()["pending"], w.items()) == (0, [])

    w.folders.insert(0, {"path": str(lost), "project_id": "p-1"})
    w.settings = {}
    lost.mkdir()
    w.write_config()
    make("plain", lost / "0.tif", size=64, seed=0)
    w.until_idle()
    assert len(w.items()) == 1
    assert w.problems() == []


def test_a_settling_file_is_no_longer_looked_for(make_world: Callable[..., World], tmp_path) -> None:
    """Of a subfolder whose disk is gone: a run until idle ends."""
    w = make_world(settle=600.0)
    make("plain", w.drop / "sub" / "a.tif", size=64)
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the socket")
        w.wait(lambda: w.status()["files"]["settling"] == 1, "it settles")
        (w.drop / "sub").rename(tmp_path / "away")
        told = w.command("forget", "-c", str(w.config), "sub/a.tif", check=None)
        assert told.returncode == 0 or "knows no file" in told.stderr  # an event may have told of it before
        w.wait(lambda: w.status()["pending"] == 0, "nothing is left")
    w.until_idle()

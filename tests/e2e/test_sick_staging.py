"""A staging folder that hangs, is gone, or is emptied by somebody: told, waited out, and no file is to blame."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import disk
from tests.support.live import Live, live
from uploader.daemon.control_client import ask
from uploader.daemon.hard_exit import LAST_PATIENCE
from uploader.staging.copy_folders import SUFFIXES

pytestmark = pytest.mark.e2e

PATIENCE = 4.0
"""Seconds that the daemon here gives at its end to whoever reads or copies a file."""

SLACK = 30.0


def _goes_on(d: Live, name: str, seed: int) -> None:
    d.drop(name, seed=seed)
    status = d.idle()
    assert status["failed"] == []
    d.w.wait(lambda: d.status()["holds"] == [], "nothing is held any more")
    assert d.wrong() == []


@pytest.mark.root
@pytest.mark.skipif(bool(disk.missing()), reason=disk.missing() or "-")
def test_a_disk_that_hangs_stops_neither_answers_nor_the_end(tmp_path: Path) -> None:
    """Status and SIGTERM work meanwhile; once it is back, all goes on."""
    with disk.Disk.mounted(tmp_path / "mount") as mount:
        settings = {"staging": {"dir": str(tmp_path / "mount" / "staging")}}
        constants = {"uploader.daemon.loop.PATIENCE": PATIENCE}
        with live(tmp_path, settings=settings, constants=constants) as d:
            d.drop("a.tif", seed=1)
            d.idle()
            mount.hang()
            d.drop("b.tif", seed=2)
            assert "does not answer" in d.held("staging")["reason"]
            answer = ask(d.w.state / "control.sock", "status", patience=SLACK)
            assert answer is not None
            assert answer["pending"] == 1
            command = d.w.command("status", "-c", str(d.w.config), "--json", check=0, timeout=SLACK)
            assert json.loads(command.stdout)["pending"] == 1
            mount.heal()
            _goes_on(d, "c.tif", 3)
            mount.hang()
            d.held("staging")
            assert d.end(seconds=PATIENCE + LAST_PATIENCE + SLACK) in (0, 1)
            mount.heal()
            d.up()
            _goes_on(d, "d.tif", 4)


def test_a_folder_that_is_removed_is_told(tmp_path: Path) -> None:
    """The daemon lives on, and goes on when the folder is there again."""
    with live(tmp_path) as d:
        d.drop("a.tif", seed=1)
        d.idle()
        staging = d.w.state / "staging"
        aside = tmp_path / "aside"
        # The daemon may still be removing the copy of a.tif: a rename cannot fail half-way as a removal can.
        staging.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        d.drop("b.tif", seed=2)
        assert "cannot be used" in d.held("staging")["reason"]
        staging.write_text("in the way")
        time.sleep(6)
        staging.unlink()
        staging.mkdir(mode=0o700)
        _goes_on(d, "c.tif", 3)


def test_copies_that_are_removed_are_made_again(tmp_path: Path) -> None:
    """Somebody cleans up below us all the time: files take longer, and none is rejected."""
    with live(tmp_path) as d:
        d.drop_some(6, size=700)
        end = time.monotonic() + 8
        while time.monotonic() < end:
            for copy in (d.w.state / "staging").glob("*"):
                if hash((copy.name, int(time.monotonic() * 3))) % 3 == 0:
                    shutil.rmtree(copy, ignore_errors=True)
                    with suppress(OSError):
                        copy.unlink()
            time.sleep(0.3)
        assert d.idle()["failed"] == []
        assert d.wrong() == []


def test_a_link_in_the_way_of_a_copy_harms_nobody(tmp_path: Path) -> None:
    """What is planted under the name of a private copy goes; what it points to stays as it is."""
    with live(tmp_path, start=False) as d:
        victim = tmp_path / "victim"
        (victim / "in").mkdir(parents=True)
        (victim / "source").write_text("mine")
        (d.w.state / "staging").mkdir(parents=True)
        for number in range(1, 4):
            for kind in SUFFIXES:
                (d.w.state / "staging" / f"{number}{kind}").symlink_to(victim)
        d.drop_some(2)
        done: subprocess.CompletedProcess[str] = d.w.until_idle()
        assert "Traceback" not in done.stderr
        assert (victim / "source").read_text() == "mine"
        assert d.wrong() == []

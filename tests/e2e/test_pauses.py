"""A pause beside a running daemon, over restarts, and for a run until idle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


def two_folders(make_world: Callable[..., World], tmp_path) -> World:
    """A world with a folder that is to be paused, and one that is not."""
    paths = [str(tmp_path / name) for name in ("paused", "other")]
    return make_world(folders=[{"path": path, "project_id": "p-1"} for path in paths])


def holds(w: World) -> list[tuple[str, str]]:
    """What is held at the moment."""
    return [(hold["scope"], hold["subject"]) for hold in w.status()["holds"]]


def test_a_paused_folder_rests_and_another_goes_on(make_world: Callable[..., World], tmp_path) -> None:
    """Also across a restart; once it is resumed its files become items."""
    w = two_folders(make_world, tmp_path)
    paused = w.folders[0]["path"]
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the socket")
        w.command("pause", "-c", str(w.config), paused, check=0)
        make("plain", tmp_path / "paused" / "a.tif", size=64)
        make("plain", tmp_path / "other" / "b.tif", size=64, seed=2)
        w.wait(lambda: len(w.items()) == 1, "the item of the other folder")
        assert holds(w) == [("folder", paused)]
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the socket")
        w.wait(lambda: w.status()["files"]["settling"] == 1, "the file settles")
        time.sleep(1.0)
        assert (w.status()["files"]["settling"], holds(w)) == (1, [("folder", paused)])
        w.command("resume", "-c", str(w.config), check=0)
        w.wait(lambda: len(w.items()) == 2, "the item of the folder that was paused")
        assert holds(w) == []
    assert w.problems() == []


def test_a_run_until_idle_ends_on_a_pause(make_world: Callable[..., World]) -> None:
    """With the exit code of a hold; what ends by itself ends also while nobody runs."""
    w = make_world()
    w.until_idle()
    make("plain", w.drop / "a.tif", size=64)
    told = json.loads(w.command("pause", "-c", str(w.config), "--for", "1h", "--json", check=0).stdout)
    assert (told["paused"], told["until"][:2]) == (None, "20")

    w.until_idle(check=1)
    assert (w.items(), holds(w)) == ([], [("machine", "")])

    w.command("pause", "-c", str(w.config), "--for", "1s", check=0)
    w.wait(lambda: holds(w) == [], "the pause is over")
    w.until_idle()
    assert len(w.items()) == 1
    assert w.problems() == []


def test_a_daemon_that_waits_goes_on_when_the_pause_ends(make_world: Callable[..., World]) -> None:
    """By the clock, without anybody's word."""
    w = make_world()
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the socket")
        w.command("pause", "-c", str(w.config), "--for", "4s", check=0)
        make("plain", w.drop / "a.tif", size=64)
        w.wait(lambda: len(w.items()) == 1, "the item")
        assert holds(w) == []
    log = (w.root / "daemon.log").read_text()  # who looks may look too late for so short a hold
    story = [log.index(f"hold {what} scope=machine cause=paused") for what in ("begin", "end")]
    assert story == sorted(story)
    assert story[-1] < log.index(" claimed ")


def test_what_is_held_is_tried_at_once(make_world: Callable[..., World]) -> None:
    """A target that is held for a quarter of an hour goes on within seconds of its mending."""
    w = make_world()
    once = {"kind": "status", "when": {"count": 1}, "status": 403, "body": "problem"}
    w.fault({"operation": "uploads.initiate", **once})
    make("plain", w.drop / "a.tif", size=64)
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the socket")
        w.wait(lambda: holds(w) == [("target", "p-1")], "the hold")
        assert (
            json.loads(w.command("retry", "-c", str(w.config), "--held", "--json", check=0).stdout)["tried"]
            >= 1
        )
        w.wait(lambda: len(w.items()) == 1, "the item", 30.0)
    assert w.problems() == []

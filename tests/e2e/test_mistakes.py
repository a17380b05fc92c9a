"""Mistakes in the program, planted into a real daemon: it goes on, and every raster becomes one item all the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

import pytest

from tests.support import archives
from tests.support.rasters import make
from tests.support.world import World
from uploader.core.actions import Action, EndHold
from uploader.daemon.containment import CONTAINED
from uploader.system.failpoints import EFFECTS

pytestmark = pytest.mark.e2e

ACTIONS = [f"action.{kind.__name__}" for kind in get_args(Action) if kind is not EndHold]
AFTER = [name for name in EFFECTS if name.endswith(".after")]


def rough(make_world: Callable[..., World]) -> World:
    """A world that needs every action: a twin, a scene in an archive, a session given up, and a `complete` in doubt."""
    w = make_world(options={"replay_initiate": True}, planted=True)
    w.folders[0].update(after_upload="delete", duplicates="skip")
    rules = [{"pattern": r".*/(?P<scene>S\d)_(?P<date>\d{8})_(?P<asset>B\d)\.tif"}]
    scenes = [{"rules": rules, "collection": "Flights", "create_collections": True}]
    flights = w.root / "flights"
    section = {"project_id": "p-1", "after_upload": "delete", "include": ["*.zip"], "scenes": scenes}
    w.folders.append({"path": str(flights), **section})
    w.write_config()
    make("dem_nodata", w.root / "tree" / "S1_20240102_B1.tif", size=64, seed=9)
    flights.mkdir()
    archives.zip_tree(flights / "S1.zip", w.root / "tree")
    w.fault({"operation": "store.put", "kind": "status", "status": 403, "when": {"count": 9}})
    w.fault({"operation": "uploads.complete", "kind": "cut_after", "when": {"count": 1}})
    # Done and refused all the same: another session may be the second to complete.
    refused = {"kind": "status", "status": 409, "body": "problem", "commit": True, "when": {"nth": 2}}
    w.fault({"operation": "uploads.complete", **refused})
    for number in range(3):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)
    shutil.copy(w.drop / "0.tif", w.drop / "twin.tif")
    return w


def survived(w: World, planted: Iterable[str]) -> list[str]:
    """Let a daemon make each of these mistakes once and come to its end; returns those that it did not make."""
    with w.daemon(UPLOADER_MISTAKES=",".join(f"{name}:1" for name in planted)) as process:
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        w.wait(lambda: done(w), "everything is done in spite of the mistakes", 240)
        assert process.poll() is None
    log = (w.root / "daemon.log").read_text()
    return [name for name in planted if f"PlantedMistake: {name}\n" not in log]


def done(w: World) -> bool:
    """Four rasters are items, the fifth is a twin of one, all sources are gone; nothing waits, and nothing is held."""
    status = w.status()
    states = status["files"]
    loose, unpacked = states["disposed"] + states["duplicate"], (states["completed"], states["unpacked"])
    ended = loose == 4 and unpacked == (1, 1) and not list(w.root.glob("flights/*.zip"))
    return ended and not (status["pending"] or status["holds"] or w.copies())


@pytest.mark.parametrize("planted", [ACTIONS, AFTER], ids=["before each action", "after each effect"])
def test_a_mistake_in_any_action_concerns_that_action_alone(
    make_world: Callable[..., World], planted: list[str]
) -> None:
    """Whether it is made before anything was done, or when it was done and is not journaled yet."""
    w = rough(make_world)

    assert survived(w, planted) == []
    stems = {name.rpartition("-")[0] for name in w.audit().file_names}
    assert stems in ({"0", "1", "2", "S1_20240102_B1"}, {"twin", "1", "2", "S1_20240102_B1"})
    assert len(w.audit().items) == 4
    # The 409 that was ordered looks to the audit as if `complete` had been illegal.
    assert [line for line in w.problems() if "on the completed session" not in line] == []


def test_a_mistake_delays_the_end_of_a_hold_that_nobody_waits_for(make_world: Callable[..., World]) -> None:
    """The one file of a target that is refused is given up: its hold ends with it, at the second try."""
    w = make_world(planted=True)
    w.folders[0].update(project_id="p-x")
    w.write_config()
    lost = w.drop / "lost.tif"
    make("dem_nodata", lost, size=64)
    with w.daemon(UPLOADER_MISTAKES="action.EndHold:1"):
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        w.wait(lambda: [h["cause"] for h in w.status()["holds"]] == ["target_refused"], "the target is held")
        lost.unlink()
        w.command("forget", "-c", str(w.config), str(lost))
        w.wait(lambda: not w.status()["holds"], "nothing is held")

    assert "PlantedMistake: action.EndHold\n" in (w.root / "daemon.log").read_text()


def test_a_mistake_is_told_as_a_hold(make_world: Callable[..., World]) -> None:
    """With its words; `--until-idle` ends with 1 without waiting for its next try, and another start tries at once."""
    w = make_world(planted=True)
    make("dem_nodata", w.drop / "a.tif", size=64)
    done = w.until_idle(check=1, environment={"UPLOADER_MISTAKES": "action.Convert:1"})
    (hold,) = w.status()["holds"]

    assert CONTAINED in done.stderr
    assert "Traceback" in done.stderr
    assert (hold["scope"], hold["cause"]) == ("file", "mistake")
    assert (
        "A mistake in the program ended the step Convert (PlantedMistake: action.Convert)." in hold["reason"]
    )
    w.planted = False
    w.until_idle()
    assert w.status()["completed"] == 1


def test_nothing_but_mistakes_ends_the_daemon(make_world: Callable[..., World]) -> None:
    """For systemd to start it again; nothing is lost by it."""
    w = make_world(planted=True)
    for number in range(12):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)
    done = w.command("run", "-c", str(w.config), check=1, environment={"UPLOADER_MISTAKES": "action.Convert"})

    assert "nothing but mistakes in the program" in done.stderr
    assert done.stderr.count(CONTAINED) >= 10
    w.planted = False
    w.until_idle()
    assert len(w.audit().items) == 12


def test_doubt_about_a_commit_ends_the_daemon(make_world: Callable[..., World]) -> None:
    """What is in memory may be wrong by then; the next start reads what is true."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=64)
    done = w.until_idle(check=1, environment={"UPLOADER_MISTAKES": "commit.claimed.before:1"})

    assert "CommitInDoubt" in done.stderr
    assert CONTAINED not in done.stderr
    w.until_idle()
    assert len(w.audit().items) == 1


def test_an_odd_platform_holds_nobody_up(make_world: Callable[..., World], tmp_path: Path) -> None:
    """Another item of the project whose id is a list, as the platform lists it, and a token of endless life."""
    w = make_world()
    w.folders[0].update(after_upload="delete")
    w.write_config()
    odd = {"items": [{"id": ["odd"]}, {"id": {"odd": 1}}, {"id": 7}]}
    endless = {"access_token": "x" * 20, "expires_in": 10**400}
    for name, body in (("items.list", odd), ("token", endless)):
        w.fault(
            {"operation": name, "kind": "status", "status": 200, "text": json.dumps(body), "when": {"nth": 1}}
        )
    make("dem_nodata", w.drop / "a.tif", size=64, seed=1)
    make("dem_nodata", w.drop / "b.tif", size=64, seed=2)
    with w.daemon() as process:
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        w.wait(lambda: w.status()["files"]["disposed"] == 2, "both are items, read back and deleted")
        assert process.poll() is None

"""SIGKILL at every failpoint: before and after each effect and each commit, then a restart, then the check.

    python -m tests.faults.failpoints            # all of them
    python -m tests.faults.failpoints put.after  # some of them

Each failpoint gets a scenario that passes it: three rasters in a folder whose sources are deleted, archived or kept, a
file that is rejected, a session that the platform refuses, loses or does not answer. Afterwards the sandbox's folder is
read by itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.rasters import make
from tests.support.world import World, world
from uploader.failpoints import FAILPOINTS

DIED = -signal.SIGKILL


@dataclass(frozen=True)
class Scenario:
    """What a failpoint needs to be passed: the folder's table, the sandbox's options and faults, and more to do."""

    folder: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    faults: tuple[dict[str, Any], ...] = ()
    before: Callable[[World], None] = lambda _: None
    rejected: int = 0


def _fault(operation: str, kind: str = "status", count: int = 1, **more: Any) -> dict[str, Any]:
    return {"operation": operation, "kind": kind, "when": {"count": count}, **more}


def _text(w: World) -> None:
    (w.drop / "text.tif").write_text("this is no raster at all, whatever its name")


def _half(w: World) -> None:
    whole = make("dem_nodata", w.root / "whole.tif", size=64, seed=77)
    (w.drop / "half.tif").write_bytes(whole.read_bytes()[:9000])


def _touch(w: World) -> None:
    """Replace a file by its equal, and let one leave."""
    w.until_idle(check=None)
    os.utime(w.drop / "0.tif")
    (w.drop / "1.tif").unlink()


DELETE = Scenario(folder={"after_upload": "delete"})
ELSEWHERE = Scenario(folder={"after_upload": "archive", "archive_dir": "/dev/shm/uploader-failpoints"})
REFUSED_PUT = Scenario(faults=(_fault("store.put", status=403, count=3),))
PUBLISHED = Scenario(options={"transfer_methods": "published"})
LATE = Scenario(folder={"after_upload": "delete"}, options={"items_visible_after": 2.0})

SCENARIOS: dict[str, Scenario] = {
    "dispose.copied": ELSEWHERE,
    "dispose.made": DELETE,
    "dispose.hidden": DELETE,
    "dispose.gathered": DELETE,
    "dispose.archived": ELSEWHERE,
    "dispose.arrived": ELSEWHERE,
    "dispose.unlinked": DELETE,
    "dispose.emptied": DELETE,
    "dispose.done": DELETE,
    "dispose.before": DELETE,
    "dispose.after": DELETE,
    "commit.disposed": DELETE,
    "fail.before": REFUSED_PUT,
    "fail.after": REFUSED_PUT,
    "commit.abandoned": REFUSED_PUT,
    "commit.failed": REFUSED_PUT,
    "commit.retry": REFUSED_PUT,
    "commit.refused": PUBLISHED,
    "commit.session_retry": Scenario(faults=(_fault("uploads.initiate", status=503, body="problem"),)),
    "commit.doubted": Scenario(
        faults=(
            _fault("uploads.complete", "cut_after"),
            _fault("uploads.complete", status=409, body="problem"),
        )
    ),
    "commit.not_found": LATE,
    "commit.lost": Scenario(faults=(_fault("uploads.signed_url", "lose_session", status=404),)),
    "commit.rejected": Scenario(before=_text, rejected=1),
    "commit.hold": Scenario(faults=(_fault("uploads.signed_url", status=401, count=2),)),
    "commit.unhold": Scenario(faults=(_fault("uploads.signed_url", status=401, count=2),)),
    "commit.looked": Scenario(before=_half, rejected=1),
    "commit.forgotten": Scenario(before=_touch),
}


def scenario(name: str) -> Scenario:
    """The scenario of a failpoint; a commit's is the same on both sides."""
    return (
        SCENARIOS.get(name)
        or SCENARIOS.get(name.removesuffix(".before").removesuffix(".after"))
        or Scenario()
    )


def attempt(root: Path, name: str) -> tuple[bool, list[str]]:
    """Kill at one failpoint and go on; returns whether it was passed, and all that is wrong afterwards."""
    given = scenario(name)
    shutil.rmtree("/dev/shm/uploader-failpoints", ignore_errors=True)
    folder = {"path": str(root / "drop"), "project_id": "p-1", **(given.folder or {})}
    options = {"replay_initiate": True, **(given.options or {})}
    with world(root, options=options, folders=[folder]) as w:
        for number in range(3):
            make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)
        given.before(w)
        for fault in given.faults:
            w.fault(fault)
        died = w.command(
            "run", "-c", str(w.config), "--until-idle", environment={"UPLOADER_FAILPOINT": name}
        ).returncode
        w.until_idle(check=None)
        status = w.status()
        wrong = w.problems()
        if len(w.audit().file_names) != 3:
            wrong.append(f"{len(w.audit().file_names)} items of 3 sources")
        if (status["pending"], status["rejected"]) != (0, given.rejected):
            wrong.append(f"status {status['files']}")
        if given.folder and list(w.drop.rglob("*.tif")):
            wrong.append(f"sources left: {sorted(p.name for p in w.drop.rglob('*'))}")
    return died == DIED, wrong


def main() -> int:
    """Try failpoints from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=FAILPOINTS)
    failed = passed = 0
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory(prefix="failpoint-") as root:
            died, wrong = attempt(Path(root), name)
        passed += died
        failed += bool(wrong)
        print(f"{name:32} {'killed' if died else 'not passed':10} {'; '.join(wrong) or 'whole'}", flush=True)
    print(f"{passed} failpoints killed, {failed} with something wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

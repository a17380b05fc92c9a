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
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.rasters import make
from tests.support.receipts import unlike_their_receipts
from tests.support.world import World, world
from uploader.core.errors import JournalError
from uploader.journal import Reader
from uploader.system.failpoints import FAILPOINTS

DIED = -signal.SIGKILL


@dataclass(frozen=True)
class Scenario:
    """What a failpoint needs to be passed: the folder's table, the sandbox's options and faults, and more to do.

    `before` prepares the folder, `during` runs beside the daemon that is to die, `mend` before the one that goes on.
    """

    folder: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    before: Callable[[World], None] = lambda _: None
    during: Callable[[World, str], Any] = lambda _, __: None
    mend: Callable[[World], None] = lambda _: None
    rejected: int = 0
    items: int = 3


def _fault(operation: str, kind: str = "status", count: int = 1, **more: Any) -> dict[str, Any]:
    return {"operation": operation, "kind": kind, "when": {"count": count}, **more}


def _text(w: World) -> None:
    (w.drop / "text.tif").write_text("this is no raster at all, whatever its name")


def _half(w: World) -> None:
    whole = make("dem_nodata", w.root / "whole.tif", size=64, seed=77)
    (w.drop / "half.tif").write_bytes(whole.read_bytes()[:9000])


def _rotten(w: World) -> None:
    """A raster whose directory is whole and whose pixels do not decompress."""
    path = make("uint16_bands", w.drop / "rotten.tif", size=64, seed=78)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle - 900 : middle + 900] = b"\xff" * 1800
    path.write_bytes(data)


def _touch(w: World) -> None:
    """One file of three leaves after it was uploaded."""
    w.until_idle(check=None)
    (w.drop / "1.tif").unlink()


def _twin(w: World) -> None:
    shutil.copy(w.drop / "1.tif", w.drop / "twin.tif")


def _zip(w: World) -> None:
    """The rasters come in an archive."""
    with zipfile.ZipFile(w.drop / "order.zip", "w") as archive:
        for path in sorted(w.drop.glob("*.tif")):
            archive.write(path, f"in/{path.name}")
            path.unlink()


def _lose_copies(w: World) -> None:
    """They do, and what was unpacked of it is lost before it is looked for."""
    _zip(w)
    w.until_idle(check=None, environment={"UPLOADER_FAILPOINT": "commit.unpacked.after"})
    for folder in (w.state / "staging").glob("*.out"):
        shutil.rmtree(folder)


def _grow(w: World, _: str) -> None:
    """A fourth file is written to while it settles, and is whole in the end."""
    data = make("dem_nodata", w.root / "whole.tif", size=64, seed=77).read_bytes()
    _beside(w)
    with (w.drop / "grown.tif").open("wb") as file:
        for start in range(0, len(data), 6000):
            file.write(data[start : start + 6000])
            file.flush()
            time.sleep(0.25)


def _leave(w: World, _: str) -> None:
    """A fourth file leaves before it has settled."""
    _beside(w)
    with (w.drop / "short-lived.tif").open("wb") as file:
        file.write(b"II*\0")
        file.flush()
        time.sleep(1.0)
        (w.drop / "short-lived.tif").unlink()


def _beside(w: World) -> None:
    """Wait until the daemon that is to die has begun, or has died."""
    end = time.monotonic() + 5
    while not (w.state / "control.sock").exists() and time.monotonic() < end:
        time.sleep(0.02)


def _retry(w: World) -> None:
    """A rejected file is mended while nobody looks, and asked for again."""
    _text(w)
    w.until_idle(check=None)


def _ask_again(w: World, name: str) -> subprocess.CompletedProcess[str]:
    """Whoever carries the wish out, the daemon or the command itself, is to die of it."""
    _beside(w)
    return w.command("retry", "-c", str(w.config), "--all", environment={"UPLOADER_FAILPOINT": name})


def _pause(w: World, name: str) -> subprocess.CompletedProcess[str]:
    """A person pauses everything for a moment; whoever enters that is to die of it."""
    _beside(w)
    return w.command("pause", "-c", str(w.config), "--for", "3s", environment={"UPLOADER_FAILPOINT": name})


def _resume(w: World, name: str) -> subprocess.CompletedProcess[str]:
    """The same of its end."""
    _beside(w)
    w.command("pause", "-c", str(w.config), "--for", "30s")
    done = w.command("resume", "-c", str(w.config), environment={"UPLOADER_FAILPOINT": name})
    w.command("resume", "-c", str(w.config))
    return done


def _try_now(w: World, name: str) -> subprocess.CompletedProcess[str]:
    """A person wants what is held tried at once."""
    _beside(w)
    return w.command("retry", "-c", str(w.config), "--held", environment={"UPLOADER_FAILPOINT": name})


def _away(w: World) -> None:
    """The archive's folder is not mounted."""
    shutil.rmtree(w.root / "vault", ignore_errors=True)


def _back(w: World) -> None:
    (w.root / "vault").mkdir(exist_ok=True)


def _mark(w: World, _: str) -> None:
    """The name that says that a scene is complete comes late, while another file is still being written.

    `--until-idle` waits for a file, and for no such name.
    """
    end, late, done = time.monotonic() + 30, w.drop / "9.tif", w.drop / "done"
    while time.monotonic() < end:
        late.write_bytes(b"II*\0" + os.urandom(8))
        with suppress(JournalError, OSError), Reader(w.state) as reader:
            if not done.exists() and sum(file["state"] == "converted" for file in reader.files()) == 3:
                done.touch()
                end = time.monotonic() + MARKER_SEEN
        time.sleep(0.05)
    done.touch()
    late.unlink()


MARKER_SEEN = 12.0
"""Seconds within which the name that a scene is complete is found, and the scene's item made and described."""


SCENES = {
    "rules": [{"pattern": r"(?P<asset>\d)\.tif", "scene": "S", "properties": {"platform": "drone"}}],
    "collection": "Flights",
    "create_collections": True,
    "complete": "done",
    "complete_wait": "60s",
}
SCENE = Scenario(folder={"scenes": [SCENES]}, during=_mark)
SCENE_LATE = Scenario(
    folder={"scenes": [SCENES]}, during=_mark, faults=(_fault("collections.list", status=503),)
)
DELETE = Scenario(folder={"after_upload": "delete"})
ELSEWHERE = Scenario(folder={"after_upload": "archive", "archive_dir": "/dev/shm/{}", "receipts": True})
BESIDE = Scenario(folder={"after_upload": "archive", "archive_dir": "{}/archive", "receipts": True})
STUCK = Scenario(folder={"after_upload": "archive", "archive_dir": "{}/vault/deep"}, before=_away, mend=_back)
OPENING: dict[str, Any] = {"include": ["*.tif", "*.zip"], "after_upload": "delete"}
ARCHIVE = Scenario(folder=OPENING, before=_zip)
REFUSED_PUT = Scenario(faults=(_fault("store.put", count=9, status=403),))
EMPTY_PUT = Scenario(faults=(_fault("store.put", status=200, body="empty"),))
PUBLISHED = Scenario(options={"transfer_methods": "published"})
LATE = Scenario(folder={"after_upload": "delete"}, options={"items_visible_after": 2.0})
KEYLESS = Scenario(faults=(_fault("uploads.signed_url", count=8, status=401),))
DOUBTED = Scenario(
    faults=(
        _fault("uploads.complete", "cut_after"),
        {
            "operation": "uploads.complete",
            "kind": "status",
            "status": 409,
            "body": "problem",
            "when": {"nth": 2},
        },
    )
)

SCENARIOS: dict[str, Scenario] = {
    **{
        f"dispose.{step}": DELETE
        for step in ("before", "made", "hidden", "gathered", "unlinked", "emptied", "done", "after")
    },
    **{f"dispose.{step}": ELSEWHERE for step in ("copied", "recorded", "arrived")},
    **{f"dispose.{step}": BESIDE for step in ("archived", "placed")},
    "commit.disposed": DELETE,
    "commit.stuck": STUCK,
    **dict.fromkeys(("collection.before", "collection.after", "describe.before", "describe.after"), SCENE),
    **{f"commit.scene_{what}": SCENE for what in ("collection", "complete", "described", "looked")},
    "commit.scene_retry": SCENE_LATE,
    "fail.before": REFUSED_PUT,
    "fail.after": REFUSED_PUT,
    "commit.abandoned": REFUSED_PUT,
    "commit.failed": REFUSED_PUT,
    "commit.retry": REFUSED_PUT,
    "commit.incomplete": EMPTY_PUT,
    "commit.refused": PUBLISHED,
    **{f"unpack.{step}": ARCHIVE for step in ("before", "made", "after", "adopted")},
    "commit.unpacked": ARCHIVE,
    "commit.copy_lost": Scenario(folder=OPENING, before=_lose_copies),
    "commit.session_retry": Scenario(faults=(_fault("uploads.initiate", status=503, body="problem"),)),
    "commit.doubted": DOUBTED,
    "commit.not_found": LATE,
    "commit.lost": Scenario(faults=(_fault("uploads.signed_url", "lose_session", status=404),)),
    "commit.rejected": Scenario(before=_text, rejected=1),
    "commit.looked": Scenario(before=_half, rejected=1),
    "commit.look_again": Scenario(before=_rotten, rejected=1),
    "commit.retried": Scenario(before=_retry, during=_ask_again, rejected=1),
    "commit.paused": Scenario(during=_pause),
    "commit.resumed": Scenario(during=_resume),
    "commit.tried_now": Scenario(during=_try_now),
    "commit.hold": KEYLESS,
    "commit.unhold": KEYLESS,
    "commit.forgotten": Scenario(before=_touch),
    "commit.twin": Scenario(folder={"duplicates": "skip"}, before=_twin),
    "commit.changed": Scenario(during=_grow, items=4),
    "commit.vanished": Scenario(during=_leave),
}
"""What it takes to pass a failpoint that three plain rasters do not pass.

`dispose.restoring` needs a source that is replaced within the dance, `commit.held` items that stay unseen for five
minutes, `commit.forget` a file that is lost, and `commit.unpacking` an archive of thousands of rasters: their tests are
in tests/disposal, tests/effects, tests/cli and tests/journal.
"""


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
    folder = {"path": str(root / "drop"), "project_id": "p-1", **given.folder}
    archive = Path(
        folder.get("archive_dir", "").replace("/dev/shm/{}", f"/dev/shm/{root.name}").replace("{}", str(root))
    )
    if "archive_dir" in folder:
        folder["archive_dir"] = str(archive)
    try:
        with world(root, options={"replay_initiate": True, **given.options}, folders=[folder]) as w:
            return _killed(w, name, given), _wrong(w, given)
    finally:
        if str(archive).startswith("/dev/shm/"):
            shutil.rmtree(archive, ignore_errors=True)


def _killed(w: World, name: str, given: Scenario) -> bool:
    for number in range(3):
        make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number)
    given.before(w)
    for fault in given.faults:
        w.fault(fault)
    asked: list[subprocess.CompletedProcess[str]] = []
    beside = threading.Thread(target=lambda: asked.append(given.during(w, name)))
    beside.start()
    died = w.command("run", "-c", str(w.config), "--until-idle", environment={"UPLOADER_FAILPOINT": name})
    beside.join()
    given.mend(w)
    for _ in range(4):  # what ends on a hold is tried again by the next start
        w.until_idle(check=None)
        if w.status()["pending"] == 0:
            break
    return DIED in (died.returncode, *(done.returncode for done in asked if done))


def _wrong(w: World, given: Scenario) -> list[str]:
    status, found = w.status(), w.audit()
    # An injected 409 looks to the audit as if `complete` had been illegal.
    wrong = [p for p in w.problems() if not (given is DOUBTED and "on the completed session" in p)]
    if len(found.file_names) != given.items:
        wrong.append(f"{len(found.file_names)} items of {given.items} sources")
    if (status["pending"], status["rejected"]) != (0, given.rejected):
        wrong.append(f"status {status['files']}")
    if given.folder.get("after_upload") and list(w.drop.rglob("*")):
        wrong.append(f"left in the folder: {sorted(p.name for p in w.drop.rglob('*'))}")
    if given.folder.get("receipts"):
        wrong += unlike_their_receipts(Path(w.folders[0]["archive_dir"]))
    return wrong


def main() -> int:
    """Try failpoints from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=FAILPOINTS)
    failed = passed = 0
    names = parser.parse_args().names
    with ThreadPoolExecutor(3) as pool:
        for name, (died, wrong) in zip(names, pool.map(_try, names), strict=True):
            passed += died
            failed += bool(wrong)
            print(
                f"{name:32} {'killed' if died else 'not passed':10} {'; '.join(wrong) or 'whole'}", flush=True
            )
    print(f"{len(names)} failpoints, {passed} killed, {failed} with something wrong")
    return 1 if failed else 0


def _try(name: str) -> tuple[bool, list[str]]:
    with tempfile.TemporaryDirectory(prefix="failpoint-") as root:
        return attempt(Path(root), name)


if __name__ == "__main__":
    sys.exit(main())

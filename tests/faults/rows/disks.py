"""Rows 18 to 22 and 51: disks that fill, fail, turn read-only, go away, or lose what was not synced."""

from __future__ import annotations

import errno
import random
import shutil
import time
from pathlib import Path
from typing import Any

from tests.faults.rows.base import Result, Row, after_another, need
from tests.support import mounts, preload
from tests.support.live import live
from tests.support.preload import Board, Calls
from tests.support.rasters import make
from uploader.journal.writer import FILE_NAME


def journal_full(root: Path, seed: int) -> Result:
    """The journal's disk is full: nothing goes ahead of it, it is told, and all goes on when there is room."""
    need(mounts.missing())
    result = Result()
    state = root / "state"
    settings = {"staging": {"dir": str(root / "copies")}}
    with mounts.tmpfs(state, size="4m"), live(root, settings=settings) as d:
        d.drop("before.tif")
        d.idle()
        filler = mounts.fill(state)
        d.drop_some(3, "during")
        time.sleep(4.0)
        ahead = len(d.w.audit().items) - 1
        result.add("full", [f"{ahead} items while nothing could be journaled"] if ahead else [])
        told = [hold["reason"] for hold in d.w.status()["holds"] if hold["scope"] == "journal"]
        result.add("told", [] if told else ["no hold tells of it"])
        filler.unlink()
        d.idle()
        over = [hold["reason"] for hold in d.w.status()["holds"]]
        result.add("room again", d.wrong() + over)
        d.end()
    return result


def journal_fails(root: Path, seed: int) -> Result:
    """Writes and syncs of the journal fail with EIO and ENOSPC for a while."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    with live(root, environment=board.environment) as d:
        for number, (error, calls) in enumerate(
            ((errno.EIO, Calls.WRITE), (errno.ENOSPC, Calls.WRITE), (errno.EIO, Calls.SYNC))
        ):
            d.drop(f"{number}.tif")
            time.sleep(0.7)
            board.fail(error, FILE_NAME, calls)
            time.sleep(2.5)
            board.heal()
            d.idle()
            result.add(f"{errno.errorcode[error]} on {calls.name}", d.wrong())
    return result


def damaged(root: Path, seed: int, *, times: int = 8) -> Result:
    """Bits of the journal are flipped, or it is cut: it goes on rightly, or refuses with 78, never empty."""
    rng, result, refused = random.Random(seed), Result(), 0
    with live(root) as d:
        d.drop_some(6)
        d.idle()
        d.end()
        journal, good = d.w.state / FILE_NAME, d.w.root / "good.sqlite"
        shutil.copy(journal, good)
        for number in range(times):
            data = bytearray(good.read_bytes())
            if number == 0:
                data = data[: len(data) // 2]
            for _ in range(400 if number else 0):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            _replace(journal, bytes(data))
            done = d.w.until_idle(check=None)
            refused += done.returncode == 78
            items = len(d.w.audit().items)
            wrong = [] if items == 6 else [f"{items} items of 6 sources"]
            if done.returncode not in (0, 78):
                wrong.append(f"code {done.returncode}: {done.stderr[-300:]}")
            if done.returncode == 78 and "journal" not in done.stderr:
                wrong.append(f"no plain words: {done.stderr[-300:]}")
            result.add(f"damage {number}", wrong)
        _replace(journal, good.read_bytes())
        d.w.until_idle()
        result.add("the good one again", d.wrong(), 0)
    result.told = f"{refused} of {times} refused with 78"
    return result


def _replace(journal: Path, data: bytes) -> None:
    for name in (f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        (journal.parent / name).unlink(missing_ok=True)
    journal.write_bytes(data)


def staging_full(root: Path, seed: int) -> Result:
    """Staging is a disk too small for one of the files: a hold in words while the small ones pass, then room."""
    need(mounts.missing())
    result = Result()
    copies = root / "copies"
    settings = {"staging": {"dir": str(copies)}}
    with mounts.tmpfs(copies, size="3m"), live(root, settings=settings) as d:
        large = d.drop("large.tif", kind="uint16_bands", size=1200, seed=seed)
        d.drop_some(3, "small")
        d.w.wait(lambda: len(d.w.audit().items) == 3, "the small ones")
        hold = d.held("staging")
        status = d.status()
        found = [] if status["rejected"] == 0 else ["a file was rejected for want of space"]
        result.add("held", found + ([] if hold["reason"] else ["no words"]))
        mounts.remount(copies, f"size={64 << 20}")
        d.idle()
        result.add(large.name, d.wrong())
        d.end()
    return result


def staging_fills(root: Path, seed: int) -> Result:
    """The disk fills under a running conversion: the file waits, and is done when there is room."""
    need(mounts.missing())
    result = Result()
    copies = root / "copies"
    with mounts.tmpfs(copies, size="24m"), live(root, settings={"staging": {"dir": str(copies)}}) as d:
        d.drop("first.tif")
        d.idle()
        d.drop("a.tif", kind="uint16_bands", size=700, seed=seed)
        d.w.wait(lambda: list(copies.glob("*.in/*")), "the claim")
        filler = mounts.fill(copies)
        time.sleep(4.0)
        result.add("full", [] if d.status()["rejected"] == 0 else ["rejected for want of space"])
        filler.unlink()
        d.idle()
        result.add("room again", d.wrong())
        d.end()
    return result


def sick_sources(root: Path, seed: int) -> Result:
    """Reading one source fails with EIO, ESTALE, EACCES: told, the others pass, and it passes when it is well."""
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    cases = (
        (errno.EIO, Calls.READ),
        (errno.ESTALE, Calls.READ),
        (errno.EACCES, Calls.OPEN),
        (errno.EIO, Calls.OPEN),
    )
    with live(root, environment=board.environment) as d:
        for number, (error, calls) in enumerate(cases):
            board.fail(error, "ill-", calls)
            sick = d.drop(f"ill-{number}.tif")
            well = d.drop(f"well{number}.tif")
            d.w.wait(lambda well=well: _done(d.w.items(), well), "the other file")
            try:
                d.w.wait(lambda sick=sick: _told(d.status(), sick), "it is told")
                found = []
            except AssertionError:
                found = ["not told"]
            board.heal()
            board.elapse(25)
            d.w.wait(lambda: _settled(d.status()), "the sick one ends")
            if d.status()["rejected"]:
                d.w.command("retry", "-c", str(d.w.config), "--all", check=0)
            d.idle()
            result.add(f"{errno.errorcode[error]} on {calls.name}", found)
        result.add("all", d.wrong(), 0)
    return result


def _done(items: list[dict[str, Any]], path: Path) -> bool:
    return any(row["path"] == str(path) for row in items)


def _told(status: dict[str, Any], path: Path) -> bool:
    rows = (*status["retrying"], *status["failed"])
    return any(row["path"] == str(path) and len(row["reason"]) > 12 for row in rows)


def _settled(status: dict[str, Any]) -> bool:
    return status["pending"] == 0


def read_only(root: Path, seed: int) -> Result:
    """The drop folder turns read-only before the disposal: the items come, the sources are held by name, then go."""
    need(mounts.missing())
    need(preload.missing())
    result = Result()
    board = Board.build(root)
    drop = root / "drop"
    drop.mkdir()
    folder = {"path": str(drop), "project_id": "p-1", "after_upload": "delete"}
    with mounts.tmpfs(drop), live(root, environment=board.environment, folders=[folder]) as d:
        d.fault("uploads.complete", status=503, body="problem", retry_after=1.0, count=None)
        paths = d.drop_some(2)
        d.w.wait(d.struck, "a call to complete")
        mounts.remount(drop, "ro")
        d.behave()
        d.w.wait(lambda: len(d.w.audit().items) == 2, "the items")
        hold = d.held("file")
        result.add(
            "held",
            ([] if "deleted" in hold["reason"] else [hold["reason"]])
            + [f"{p.name} is gone" for p in paths if not p.exists()],
        )
        mounts.remount(drop, "rw")
        board.elapse(61)
        d.w.wait(lambda: not any(p.exists() for p in paths), "the disposal")
        d.idle()
        result.add("writable again", d.wrong(missing_sources=True))
        d.end()
    return result


def unmounted(root: Path, seed: int) -> Result:
    """The drop folder is unmounted: an empty mount point is no deletion, and nothing comes twice afterwards."""
    need(mounts.missing())
    result = Result()
    disk, drop = root / "disk", root / "drop"
    disk.mkdir()
    drop.mkdir()
    with mounts.tmpfs(disk):
        mounts.bind(disk, drop)
        try:
            folder = {"path": str(drop), "project_id": "p-1", "rescan_seconds": 1.0}
            with live(root, folders=[folder]) as d:
                d.drop_some(3, "before")
                d.idle()
                mounts.unmount(drop)
                d.held("folder")
                gone = d.status()["files"]["gone"]
                result.add("away", [f"{gone} files are told to be gone"] if gone else [])
                make("dem_nodata", disk / "meanwhile.tif", size=64, seed=99)
                d.dropped.append(drop / "meanwhile.tif")
                d.end()
                d.up()  # a restart while it is away must not believe the emptiness either
                time.sleep(1.5)
                gone = d.status()["files"]["gone"]
                result.add("away at a start", [f"{gone} files are told to be gone"] if gone else [])
                mounts.bind(disk, drop)
                d.idle()
                held = [h["reason"] for h in d.status()["holds"]]
                result.add("back", d.wrong() + [f"still held: {reason}" for reason in held])
                d.end()
        finally:
            mounts.unmount(drop)
    return result


ROWS = (
    Row(
        18,
        "the journal's disk is full or fails",
        "tmpfs; LD_PRELOAD",
        after_another(journal_full, journal_fails),
    ),
    Row(19, "the journal is damaged or cut", "flipped bits", damaged),
    Row(
        20,
        "no room in staging, before and within a conversion",
        "tmpfs",
        after_another(staging_full, staging_fills),
    ),
    Row(
        21,
        "sources fail with EIO, ESTALE, EACCES; the folder turns read-only",
        "LD_PRELOAD; remount",
        after_another(sick_sources, read_only),
    ),
    Row(22, "the drop folder is unmounted, also over a restart", "bind mount", unmounted),
)

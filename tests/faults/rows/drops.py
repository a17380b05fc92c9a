"""Rows 23 to 32: what happens to the files themselves while nobody looks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import time
from contextlib import suppress
from pathlib import Path

from tests.faults import halves
from tests.faults.rows.base import Result, Row, Run, Skipped
from tests.support.live import Live, live
from tests.support.rasters import make


def grows_after_claim(root: Path, seed: int) -> Result:
    """A raster is replaced in place while its copy is converted and sent: both contents are items, none in between."""
    result = Result()
    with live(root) as d:
        d.fault("store.put", "delay_before", seconds=2.0)
        path = d.drop("a.tif", seed=1)
        d.w.wait(lambda: d.w.audit().calls("uploads.signed_url"), "the upload")
        with path.open("r+b") as file:
            file.write(make("dem_nodata", d.w.root / "b.tif", size=64, seed=2).read_bytes())
        result.add("in place", _versions(d, 2))
    return result


def _versions(d: Live, count: int) -> list[str]:
    """So many items, each of other content, the last one equal to what lies in the folder."""
    try:
        d.w.wait(lambda: len(d.w.audit().items) >= count and d.status()["pending"] == 0, "the versions")
    except AssertionError:
        return [f"{len(d.w.audit().items)} items of {count} versions"]
    found = d.w.audit()
    wrong = d.w.problems() + (
        [] if len({i.md5 for i in found.items}) == count == len(found.items) else ["not each once"]
    )
    return wrong + [line for line in d.wrong() if "completed, not 1" not in line]


def overwritten_while_sent(root: Path, seed: int) -> Result:
    """Another raster is renamed over the one that is being sent: first the one's item, then the other's, each once."""
    result = Result()
    with live(root) as d:
        d.fault("store.put", "delay_before", seconds=2.0)
        d.drop("a.tif", seed=1)
        d.w.wait(lambda: d.w.audit().calls("uploads.signed_url"), "the upload")
        make("dem_nodata", d.w.drop / ".new.part", size=64, seed=2)
        (d.w.drop / ".new.part").rename(d.w.drop / "a.tif")
        result.add("renamed over", _versions(d, 2))
        make("dem_nodata", d.w.drop / ".new.part", size=64, seed=1)
        (d.w.drop / ".new.part").rename(d.w.drop / "a.tif")
        time.sleep(3.0)
        d.w.wait(lambda: d.status()["pending"] == 0, "rest")
        items = len(d.w.audit().items)
        result.add("the first content again", [] if items == 2 else [f"{items} items of A, B and A again"])
    return result


def deleted_while_sent(root: Path, seed: int) -> Result:
    """The source is deleted while it is converted or sent: it is finished from the private copy."""
    result = Result()
    with live(root) as d:
        for number, operation in enumerate(("uploads.initiate", "store.put", "uploads.complete")):
            d.fault(operation, "delay_before", seconds=1.5)
            path = d.drop(f"{number}.tif")
            d.w.wait(d.struck, "the call")
            path.unlink()
            d.idle()
            d.behave()
            result.add(f"before {operation}", d.wrong(missing_sources=True))
    return result


def half_written(*ways: str) -> Run:
    """Files written in these ways, each cut at several places; nothing is taken before it is whole."""

    def run(root: Path, seed: int) -> Result:
        result, told = Result(), []
        for name, how in CIRCUMSTANCES.items():
            folder = root / name
            folder.mkdir()
            with suppress(Skipped):
                found = halves.drops(folder, seed, 10, ways, how)
                result.add(name, found.wrong, found.trials)
                told.append(f"{name}: {found.told}")
        result.told = "; ".join(told)
        return result

    return run


CIRCUMSTANCES = {
    "lease": halves.Circumstances(),
    "quiet time alone": halves.Circumstances(stranger=True),
    "marker": halves.Circumstances(marker=True),
}


def burst(root: Path, seed: int, *, files: int = 20_000) -> Result:
    """So many files at once that the kernel drops events: all are found by the scan that follows."""
    result = Result()
    with live(
        root, folders=[{"path": str(root / "drop"), "project_id": "p-1", "settle_seconds": 3600.0}]
    ) as d:
        assert d.process is not None
        time.sleep(1.0)
        d.process.send_signal(signal.SIGSTOP)
        for number in range(files):
            (d.w.drop / f"{number:05}.tif").write_bytes(b"II*\0")
        d.process.send_signal(signal.SIGCONT)
        started = time.monotonic()
        d.w.wait(lambda: sum(d.status()["files"].values()) == files, f"{files} files known", 300)
        took = time.monotonic() - started
        memory = int(Path(f"/proc/{d.process.pid}/status").read_text().split("VmRSS:")[1].split()[0]) >> 10
        result.add("found", [] if d.alive else ["the daemon died"], files)
        result.add("memory", [f"{memory} MiB"] if memory > 150 else [], 0)
        result.told = f"{files} files known after {took:.1f} s, {memory} MiB"
    return result


def backlog(root: Path, seed: int, *, files: int = 100_000) -> Result:
    """A folder that has a hundred thousand files at the start: memory stays bounded, and it goes ahead."""
    result = Result()
    folder = {"path": str(root / "drop"), "project_id": "p-1", "settle_seconds": 3600.0}
    with live(root, start=False, folders=[folder]) as d:
        original = d.w.root / "original"
        original.write_bytes(b"II*\0")
        for number in range(files):
            if number % 50_000 == 0:
                original = shutil.copy(original, d.w.root / f"original{number}")
            os.link(original, d.w.drop / f"{number:06}.tif")
        started = time.monotonic()
        d.up()
        d.w.wait(lambda: sum(d.status()["files"].values()) == files, f"{files} files known", 300)
        took = time.monotonic() - started
        assert d.process is not None
        memory = int(Path(f"/proc/{d.process.pid}/status").read_text().split("VmRSS:")[1].split()[0]) >> 10
        result.add("memory", [f"{memory} MiB"] if memory > 150 else [], files)
        result.told = f"{files} files known after {took:.0f} s, {memory} MiB"
    return result


def special_files(root: Path, seed: int) -> Result:
    """Fifos, sockets, devices, folders and links under rasters' names: left alone, nothing blocks."""
    result = Result()
    with live(root) as d:
        outside = make("dem_nodata", d.w.root / "secret.tif", size=64, seed=9)
        os.mkfifo(d.w.drop / "fifo.tif")
        (d.w.drop / "folder.tif").mkdir()
        (d.w.drop / "link.tif").symlink_to(outside)
        (d.w.drop / "dangling.tif").symlink_to("/nowhere")
        (d.w.drop / "loop.tif").symlink_to("loop.tif")
        (d.w.drop / "up").symlink_to("..")
        short = os.open(d.w.drop, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{short}/socket.tif")
        os.close(short)
        special = 6
        try:
            os.mknod(d.w.drop / "device.tif", stat.S_IFCHR | 0o600, os.makedev(1, 5))
            special += 1
        except PermissionError:
            pass
        d.drop("plain.tif")
        d.idle()
        time.sleep(1.0)
        known = sum(d.status()["files"].values())
        result.add("specials", d.wrong() + ([] if known == 1 else [f"{known} files known"]), special)
    return result


NAMES = (
    b"\xff\xfe bytes.tif",
    b"new\nline.tif",
    b"n" * 251 + b".tif",
    "Zo\u00eb.tif".encode(),
    "Zoe\u0308.tif".encode(),
    b"case.tif",
    b"CASE.tif",
    b"-rf.tif",
    b"a b  c.tif",
    b"x..tif",
    b"%2e%2e%2f.tif",
    b"q?x=1&y#z.tif",
    b"'quo\"te`$(id).tif",
    b"zip+http:x.tif",
    b"GTIFF_DIR:1:x.tif",
    b"\x01\x1b[31m.tif",
    "\u202egnp.tif".encode(),
    b"con.tif",
    b"UPPER.TIF",
)


def odd_names(root: Path, seed: int) -> Result:
    """Names of bytes, newlines, 255 bytes, twins by Unicode form and letter case: each one item with safe, own keys."""
    result = Result()
    with live(root) as d:
        for number, name in enumerate(NAMES):
            source = make("dem_nodata", d.w.drop / ".hidden.part", size=64, seed=number)
            d.dropped.append(source.rename(d.w.drop / os.fsdecode(name)))
        d.idle()
        found = d.w.audit()
        wrong = [] if len(found.items) == len(NAMES) else [f"{len(found.items)} items of {len(NAMES)} names"]
        wrong += [f"unsafe name {name!r}" for name in found.file_names if not _safe(name)]
        result.add("names", wrong + d.wrong(), len(NAMES))
    return result


def _safe(name: str) -> bool:
    return len(name) <= 255 and all(c.isprintable() and c not in "/\\" for c in name)


WORLD = "1\n0\n0\n-1\n500000.5\n5099999.5\n"


def sidecars(root: Path, seed: int) -> Result:
    """A world file before, with, and long after its raster, and never: one item, or one for each version."""
    result = Result()
    with live(root, settle=2.0) as d:  # long enough for a busy machine to write a world file in
        for number, when in enumerate(("before", "within", "late", "never")):
            items = len(d.w.audit().items)
            world_file = d.w.drop / f"{when}.tfw"
            if when == "before":
                world_file.write_text(WORLD)
                time.sleep(0.5)
            d.drop(f"{when}.tif", kind="plain", seed=number)
            if when == "within":
                world_file.write_text(WORLD)
            d.idle()
            if when == "late":
                world_file.write_text(WORLD)
                d.w.wait(lambda items=items: len(d.w.audit().items) == items + 2, "the second version")
                d.idle()
            made = len(d.w.audit().items) - items
            expected = 2 if when == "late" else 1
            result.add(when, d.w.problems() + ([] if made == expected else [f"{made} items, not {expected}"]))
    return result


ROWS = (
    Row(23, "a source changes in place while its copy is converted and sent", "write", grows_after_claim),
    Row(
        24, "a source is replaced while it is sent, and again by the first", "rename", overwritten_while_sent
    ),
    Row(25, "a source is deleted on its way", "unlink at three calls", deleted_while_sent),
    Row(
        26,
        "half-written files, cut at many places, resumed later",
        "a slow writer",
        half_written("slow", "paused", "rename", "inplace", "sidecar"),
        refers="`python -m tests.faults.halves`",
    ),
    Row(27, "preallocated files that are filled later", "fallocate, write", half_written("preallocated")),
    Row(28, "20,000 files at once; events are lost", "SIGSTOP of the daemon", burst),
    Row(29, "a backlog of 100,000 files at a start", "hard links", backlog),
    Row(30, "special files and links", "mkfifo, mknod, symlink", special_files, True),
    Row(31, "hostile names", "names as bytes", odd_names),
    Row(32, "a sidecar before, with, after its raster, or never", "write", sidecars),
)

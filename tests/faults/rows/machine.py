"""Rows 46 to 51: the converting child, the corpus, leaks, the watchdog, and power."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.faults.power import power
from tests.faults.rows.base import Result, Row, after_another, need
from tests.support import disk
from tests.support.live import Live, live


def children_die(root: Path, seed: int) -> Result:
    """Children are killed and stopped while they convert: one attempt of one file, and the others pass."""
    rng, result = random.Random(seed), Result()
    with live(root, settings={"convert": {"workers": 2, "timeout_seconds": 40}}) as d:
        for what in (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP):
            d.drop(f"small-{what.name}.tif")
            victim = _at_work(d, f"large-{what.name}")
            time.sleep(rng.random() * 0.3)
            if victim.is_running():
                victim.send_signal(what)
            d.idle()
            result.add(what.name, d.wrong())
    return result


def _at_work(d: Live, name: str) -> psutil.Process:
    """Drop large files until a child is seen at work on one."""
    for number in range(9):
        d.drop(f"{name}{number}.tif", kind="rgb_striped", size=3000)
        with suppress(AssertionError):
            found: psutil.Process = d.w.wait(lambda: _busy(d), "a child at work", 10)
            return found
    raise AssertionError("no child was seen at work")


def _busy(d: Live) -> psutil.Process | None:
    """The child of a zygote, which lives as long as one raster takes."""
    assert d.process is not None
    for zygote in psutil.Process(d.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # one that has ended meanwhile
            if found := zygote.children():
                return found[0]
    return None


def watchdog(root: Path, seed: int) -> Result:
    """The beat comes from the control loop: regular while it turns, none while the process is stopped, then again."""
    result = Result()
    address = root / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(0.2)
        with live(root, environment={"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "2000000"}) as d:
            assert d.process is not None
            d.drop("a.tif")
            beats = _beats(listener, 60.0, most=3)
            result.add("turning", [] if beats == 3 else [f"{beats} beats, of two seconds' watchdog"])
            d.process.send_signal(signal.SIGSTOP)
            _beats(listener, 0.3)
            beats = _beats(listener, 3.0)
            result.add("stopped", [f"{beats} beats of a stopped process"] if beats else [])
            d.process.send_signal(signal.SIGCONT)
            beats = _beats(listener, 60.0, most=1)
            result.add("going on", [] if beats else ["no beat"])
            d.end(number=signal.SIGKILL)
            d.up()
            d.idle()
            result.add("restarted", d.wrong(), 0)
    return result


def _beats(listener: socket.socket, seconds: float, most: int = 1000) -> int:
    """Count beats for so many seconds, or until there were so many."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and count < most:
        try:
            count += b"WATCHDOG=1" in listener.recv(4096)
        except TimeoutError:
            continue
    return count


def power_fails(root: Path, seed: int) -> Result:
    """The daemon dies at changes of its disks, and what was not synced is gone; see `tests.faults.power`."""
    need(disk.missing())
    result = Result()
    outcome, told = power(root, files=10, cuts=10, seed=seed)
    result.add("cuts", outcome.wrong, sum(outcome.kills.values()))
    result.told = told
    return result


def synced(root: Path, seed: int) -> Result:
    """What was not synced is lost with the power: no call leaves before the journal's intent was synced.

    The system calls are recorded; every `initiate` and `complete` must come after a sync of the write-ahead log that
    itself came after the last write to it by then.
    """
    need("" if shutil.which("strace") else "no strace")
    result = Result()
    trace = root / "trace"
    with live(root, start=False) as d:
        d.drop_some(3)
        calls = "trace=openat,write,writev,pwrite64,fsync,fdatasync,sendto,sendmsg"
        d.w.until_idle()
        d.drop_some(3, "traced")
        prefix = ["strace", "-f", "-qq", "-y", "-s", "64", "-e", calls, "-o", str(trace)]
        done = d.w.until_idle(check=None, prefix=prefix)
        wrong = [] if done.returncode == 0 else [f"code {done.returncode}: {done.stderr[-300:]}"]
        sends, early = _order(trace)
        result.told = f"{sends} calls of intent, {early} before their sync"
        result.add(
            "order",
            wrong + d.wrong() + ([f"{early} of {sends} sent before the sync"] if early else []),
            sends,
        )
        if not sends:
            result.wrong.append("no call was seen in the trace")
    return result


def _order(trace: Path) -> tuple[int, int]:
    """How many calls of intent were sent, and how many of them while the log had unsynced writes."""
    dirty, sends, early = False, 0, 0
    for line in trace.read_text(errors="replace").splitlines():
        if "journal.sqlite-wal" in line:
            dirty = "pwrite64(" in line or "write(" in line if "sync(" not in line else False
        elif "uploads.initiate" in line or "uploads.complete" in line:
            sends += 1
            early += dirty
    return sends, early


ROWS = (
    Row(
        46,
        "a converting child is killed, crashes, hangs",
        "SIGKILL, SIGSEGV, SIGSTOP",
        children_die,
        refers="tests/convert",
    ),
    Row(47, "any corpus of odd rasters", "a folder of them", refers="`python -m tests.faults.corpus FOLDER`"),
    Row(
        48,
        "rasters that name foreign files and hosts",
        "crafted rasters, a canary server",
        refers="tests/convert/test_hostile.py",
    ),
    Row(
        49,
        "secrets in logs, journal, environments, errors",
        "canary keys",
        refers="tests/e2e/test_secrets.py",
    ),
    Row(50, "the control loop stands still", "SIGSTOP, a fake NOTIFY_SOCKET", watchdog),
    Row(
        51,
        "the power fails: what was not synced is lost",
        "a file system that forgets (FUSE); strace",
        after_another(power_fails, synced),
        refers="`python -m tests.faults.power`",
    ),
)

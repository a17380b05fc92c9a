"""Rows 1 to 17: the process dies, is told to end, or is started twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil

from tests.faults.failpoints import attempt
from tests.faults.rows.base import Result, Row, Run
from tests.support.live import live
from tests.support.rasters import make
from uploader.journal.writer import FILE_NAME


def at(*names: str) -> Run:
    """Die at each of these failpoints, and go on."""

    def run(root: Path, seed: int) -> Result:
        result = Result()
        for number, name in enumerate(names):
            folder = root / str(number)
            folder.mkdir()
            died, wrong = attempt(folder, name)
            result.add(name, wrong + ([] if died else ["the failpoint was not passed"]))
        return result

    return run


def in_conversion(root: Path, seed: int) -> Result:
    """The daemon dies while children convert: they die with it, and the next daemon begins anew."""
    result = Result()
    with live(root, start=False) as d:
        for number in range(2):
            d.drop(f"large{number}.tif", kind="rgb_striped", size=3000, seed=seed + number)
        d.up()
        assert d.process is not None
        daemon = psutil.Process(d.process.pid)
        d.w.wait(lambda: list((d.w.state / "staging").glob("*/*.part*")) or _busy(daemon), "a conversion")
        children = daemon.children(recursive=True)
        d.end(number=signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=30)
        result.add("children", [f"{len(alive)} of {len(children)} children live on"] if alive else [])
        d.up()
        d.idle()
        result.add("after it", d.wrong(), 0)
    return result


def _busy(daemon: psutil.Process) -> bool:
    """Whether a zygote has a child, which lives as long as one raster takes."""
    return any(zygote.children() for zygote in daemon.children())


def orphan(root: Path, seed: int) -> Result:
    """Killed between the platform's commit of `initiate` and ours, without replay: an orphan, counted exactly."""
    result = Result()
    with live(root, start=False) as d:
        d.drop_some(2)
        d.w.command(
            "run", "-c", str(d.w.config), "--until-idle", environment={"UPLOADER_FAILPOINT": "initiate.after"}
        )
        d.up()
        status = d.idle()
        left, told = d.w.audit().reserved_bytes, status["possibly_leaked_bytes"]
        result.add("orphan", d.wrong() + ([] if 0 < left <= told else [f"{left} reserved, {told} told"]))
        result.told = f"{left} bytes reserved by the orphan, {told} told"
    return result


def within_put(root: Path, seed: int) -> Result:
    """Killed at the first, the middle and the last bytes of a PUT."""
    result = Result()
    for percent in (1, 50, 99):
        folder = root / str(percent)
        folder.mkdir()
        with live(folder) as d:
            size = make("rgb_striped", d.w.root / "size.tif", size=400, seed=seed).stat().st_size
            d.fault("store.put", "stall", after_bytes=size * percent // 100 // 2)
            d.drop("a.tif", kind="rgb_striped", size=400, seed=seed)
            d.w.wait(d.struck, "the PUT is under way")
            time.sleep(0.1)
            d.end(number=signal.SIGKILL)
            d.behave()
            d.up()
            d.idle()
            result.add(f"{percent} %", d.wrong())
    return result


def again_and_again(root: Path, seed: int, *, times: int = 20) -> Result:
    """Twenty kills while the daemon takes up its work."""
    rng, result = random.Random(seed), Result()
    with live(root, start=False) as d:
        d.drop_some(5)
        for _ in range(times):
            process = d.w.start()
            time.sleep(0.3 + rng.random() * 1.2)
            process.kill()
            process.wait()
        d.up()
        d.idle()
        result.add(f"{times} kills", d.wrong(), times)
    return result


_OPEN = """
import sys
from pathlib import Path
from uploader.journal import Journal
print("go", flush=True)
journal = Journal(Path(sys.argv[1]))
print("open", flush=True)
journal.close()
"""


def in_migration(root: Path, seed: int, *, times: int = 15) -> Result:
    """Killed while the journal is made and migrated: it is whole, and the next one opens it."""
    rng, result = random.Random(seed), Result()
    for number in range(times):
        state = root / str(number)
        state.mkdir()
        command = [sys.executable, "-c", _OPEN, str(state)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd())
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.random() * 0.03)
        process.kill()
        process.wait()
        process.stdout.close()
        wrong = _integrity(state / FILE_NAME)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.stdout.split() != ["go", "open"]:
            wrong.append(f"it does not open again: {done.stderr[-300:]}")
        result.add(f"kill {number}", wrong + _integrity(state / FILE_NAME))
    return result


def _integrity(path: Path) -> list[str]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as database:
        (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    return [] if found == "ok" else [str(found)]


def told_to_end(root: Path, seed: int, *, times: int = 8) -> Result:
    """SIGTERM at random moments of the work: a clean end in time, and the next one goes on."""
    rng, result, longest = random.Random(seed), Result(), 0.0
    settings = {"transfer": {"drain_seconds": 2}}
    with live(root, start=False, options={"latency": 0.2, "seed": seed}, settings=settings) as d:
        d.drop_some(6)
        for number in range(times):
            d.up()
            time.sleep(rng.random() * 1.5)
            started = time.monotonic()
            code = d.end()
            took = time.monotonic() - started
            longest = max(longest, took)
            result.add(f"end {number}", [f"code {code} after {took:.1f} s"] if code or took > 30 else [])
        d.up()
        d.idle()
        result.add("after them", d.wrong(), 0)
    result.told = f"slowest end {longest:.1f} s with drain_seconds = 2"
    return result


def second_daemon(root: Path, seed: int) -> Result:
    """A second daemon on the same state, and one of its own state on the same folder: both refuse to start."""
    result = Result()
    with live(root) as d:
        d.drop("a.tif")
        same = d.w.command("run", "-c", str(d.w.config))
        result.add("same state", _refused(same))
        other = d.w.root / "other.toml"
        other.write_text(d.w.config.read_text().replace(str(d.w.state), str(d.w.root / "other")))
        result.add("same folder", _refused(d.w.command("run", "-c", str(other))))
        d.idle()
        result.add("the first", d.wrong(), 0)
    return result


def _refused(done: subprocess.CompletedProcess[str]) -> list[str]:
    words = "Another daemon" in done.stderr and "Traceback" not in done.stderr
    return [] if done.returncode and words else [f"code {done.returncode}: {done.stderr[-200:]}"]


ROWS = (
    Row(1, "killed once a file is known", "failpoint", at("commit.discovered.after")),
    Row(
        2,
        "killed while a file is claimed",
        "failpoint",
        at("claim.copied", "claim.after", "commit.claimed.after"),
    ),
    Row(3, "killed while children convert", "SIGKILL", in_conversion),
    Row(
        4,
        "killed once a COG is there, before it is journaled",
        "failpoint",
        at("convert.after", "commit.converted.before"),
    ),
    Row(5, "killed before `initiate` is sent", "failpoint", at("commit.initiating.after", "initiate.before")),
    Row(6, "killed after the platform committed `initiate`", "failpoint, no replay", orphan, True),
    Row(7, "killed once a session is open", "failpoint", at("commit.opened.after")),
    Row(8, "killed with a fresh signed URL", "failpoint", at("sign.after")),
    Row(9, "killed within a PUT", "SIGKILL at 1, 50, 99 %", within_put),
    Row(
        10, "killed after a PUT, before it is journaled", "failpoint", at("put.after", "commit.stored.before")
    ),
    Row(11, "killed between progress and `complete`", "failpoint", at("progress.after", "complete.before")),
    Row(
        12,
        "killed after the platform committed `complete`",
        "failpoint",
        at("complete.after", "commit.completed.before"),
    ),
    Row(13, "killed before and within the disposal", "failpoint", at("dispose.before", "dispose.hidden")),
    Row(14, "killed while it takes up its work, 20 times", "SIGKILL at random", again_and_again),
    Row(15, "killed while the journal is made and migrated", "SIGKILL at random", in_migration),
    Row(16, "told to end at any moment", "SIGTERM at random", told_to_end),
    Row(17, "two daemons on one state or one folder", "a second process", second_daemon),
)

"""Two workers, one shared folder, and everything killed again and again: each raster is one item in the end."""

from __future__ import annotations

import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import psutil

from tests.support.cluster import LocalCluster, cluster
from tests.support.live import Live, judged, live
from tests.support.rasters import SOUND
from uploader.journal import FILE_NAME

MOST_SECONDS = 3600.0
KINDS = tuple(kind for kind in SOUND if kind.startswith(("dem", "rgb", "plain", "palette")))


class Storm:
    """What is killed, and when: workers by the clock, the rest by how far the work has come."""

    def __init__(self, d: Live, made: LocalCluster | None, *, files: int, every: float, seed: int) -> None:
        self.d, self.made, self.every = d, made, every
        self.random = random.Random(seed)
        self.next_kill = time.monotonic() + every
        self.restarts = [files // 3, 2 * files // 3]
        self.daemon_kills = [files // 4, files // 2, 3 * files // 4]
        self.killed = {"workers": 0, "schedulers": 0, "daemons": 0}
        self.holds: set[str] = set()

    def strike(self) -> bool:
        """Kill what is due, start again what is dead, as an orchestrator does; whether all files are at their end."""
        status = self.d.status()
        self.holds |= {hold["reason"].partition(" has ")[0] for hold in status["holds"]}
        over = status["completed"] + status["rejected"]
        if self.made is not None:
            self._strike_cluster(self.made, over)
        if self.daemon_kills and over >= self.daemon_kills[0]:
            self.daemon_kills.pop(0)
            self.d.end(number=signal.SIGKILL)
            self.killed["daemons"] += 1
            self.d.up()
        return bool(status["pending"] == 0 and over >= len(self.d.dropped))

    def _strike_cluster(self, made: LocalCluster, over: int) -> None:
        if time.monotonic() > self.next_kill:
            self.random.choice(made.workers).kill()
            self.killed["workers"] += 1
            self.next_kill = time.monotonic() + self.every
        if self.restarts and over >= self.restarts[0]:
            self.restarts.pop(0)
            made.kill_scheduler()
            made.start_scheduler()
            self.killed["schedulers"] += 1
        made.revive()


@contextmanager
def arena(root: Path, files: int, *, dask: bool) -> Iterator[tuple[Live, LocalCluster | None, Path]]:
    """A daemon, a cluster of two workers if asked for, and the folder that they share; the rasters are dropped."""
    shared = root / "shared"
    (root / "world").mkdir(parents=True)
    with cluster(root / "cluster", 2) if dask else nullcontext() as made:
        convert = {"engine": "dask", "scheduler": made.address, "workers": 0} if made else {}
        settings = {"convert": convert, "staging": {"dir": str(shared)}}
        with live(root / "world", settings=settings) as d:
            for number in range(files):
                d.drop(f"f{number:05d}.tif", kind=KINDS[number % len(KINDS)], size=256, seed=number + 1)
            yield d, made, shared


def storm(
    root: Path, *, files: int, every: float, seed: int, dask: bool = True
) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Run one; gives what is wrong, and the history of each file."""
    begun = time.monotonic()
    with arena(root, files, dask=dask) as (d, made, shared):
        weather = Storm(d, made, files=files, every=every, seed=seed)
        while not weather.strike():
            if time.monotonic() - begun > MOST_SECONDS:
                return [f"not over after {MOST_SECONDS:g} seconds: {d.status()['files']}"], {}
            time.sleep(0.2)
        d.idle()
        wrong = judged(d.w, d.dropped) + left(shared, 30.0)
        log = (d.w.root / "daemon.log").read_text(errors="replace")
        lost = log.count("worker lost with")
        told = histories(d.w.state / FILE_NAME)
    wrong += [f"left running: {process}" for process in strays(root)]
    print(
        f"engine={'dask' if dask else 'local'} seed={seed} files={files} seconds={time.monotonic() - begun:.0f} "
        f"killed={weather.killed} lost_with_a_conversion={lost} holds={len(weather.holds)} wrong={len(wrong)}",
        flush=True,
    )
    return wrong, told


def histories(journal: Path) -> dict[str, tuple[str, ...]]:
    """By name of a file: the states that it went through, one after another."""
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(journal)) as database:
        sql = (
            "SELECT files.path, events.state FROM events JOIN files ON files.id = file_id ORDER BY events.id"
        )
        for path, state in database.execute(sql):
            states = found.setdefault(bytes(path).decode(), [])
            if state and states[-1:] != [state]:
                states.append(state)
    return {path: tuple(states) for path, states in found.items()}


def left(shared: Path, seconds: float) -> list[str]:
    """What stays on the shared folder, but for the mark by which a scan knows it."""
    end = time.monotonic() + seconds
    while True:
        found = [path.name for path in shared.iterdir() if not path.name.startswith(".uploader")]
        if not found or time.monotonic() > end:
            return [f"left on the shared folder: {name}" for name in found]
        time.sleep(0.2)


def strays(root: Path) -> list[str]:
    """Processes that still work on something below the folder after all have ended."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if str(root) in words:
            found.append(words[:200])
    return found


def main(files: int, every: float, seed: int, *, compare: bool) -> int:
    """Run a storm from the command line; 0 where nothing is wrong. `compare`: and one without a cluster, alike."""
    with tempfile.TemporaryDirectory(prefix="cluster-storm-") as temporary:
        root, how = Path(temporary), {"files": files, "every": every, "seed": seed}
        wrong, told = storm(root / "dask", **how)
        if compare:
            more, expected = storm(root / "local", **how, dask=False)
            unlike = [name for name in expected if told.get(name) != expected[name]]
            wrong += more + [
                f"{name}: {told.get(name)}, {expected[name]} without a cluster" for name in unlike
            ]
            for history, count in Counter(told.values()).items():
                print(f"  {count} files: {' '.join(history)}", flush=True)
    for line in wrong:
        print("  " + line, flush=True)
    return 1 if wrong else 0

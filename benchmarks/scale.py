"""What history costs: a daemon that has many completed files, in its journal and in its folder, beside one with few.

    PYTHONPATH=. python benchmarks/scale.py [--history 10000 1000000] [--new 300] [--json]

A daemon sends `TEMPLATE` small rasters to a sandbox of this process and keeps the sources. What its journal then holds
is multiplied, by SQL, into journals of each size, whose files lie in the folder as hard links. Each journal is weighed,
and a daemon is started on it that sends `--new` more rasters. The cost of a file is the daemon's own processor time;
the scan of the folder, which is repeated every `rescan_seconds`, is told apart.
`benchmarks/backlog.py` has the other half: many files in a folder that are new.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from as_installed import keep_bytecode
from multiplied_journal import TEMPLATE, multiply

from uploader.cli.samples import small_tile
from uploader.sandbox import Options, Sandbox

PATIENCE = 900.0
"""Seconds that a daemon may take for its work."""


@dataclass
class Cost:
    """One journal, and one daemon's life on it. Seconds, MiB, bytes."""

    history: int
    bytes_per_file: float = 0.0
    """Of the journal's file."""
    alone: float = 0.0
    """Seconds of `status` where no daemon answers."""
    ready: float = 0.0
    start: float = 0.0
    """Processor seconds of the daemon until READY."""
    scanned: float = 0.0
    """From READY until the daemon rests: its folder is scanned, its journal is copied."""
    scan: float = 0.0
    """Processor seconds of the daemon until then."""
    idle_memory: float = 0.0
    zygotes: float = 0.0
    """What its children have resident beside it."""
    status: float = 0.0
    status_spent: float = 0.0
    """Processor seconds of the command, beside the daemon's."""
    page: float = 0.0
    per_file: float = 0.0
    """Milliseconds of the daemon's processor time."""


class Place:
    """A folder with a configuration, a journal and a drop folder."""

    def __init__(self, root: Path, box: Sandbox) -> None:
        self.root, self.drop, self.state = root, root / "drop", root / "state"
        self.config, self.port = root / "config.toml", _free_port()
        self.drop.mkdir(parents=True)
        key = root / "key"
        key.write_text(box.api_key)
        key.chmod(0o600)
        self.config.write_text(
            f'state_dir = "{self.state}"\n[platform]\nbase_url = "{box.base_url}"\napi_key_file = "{key}"\n'
            "requests_per_minute = 0\n[limits]\nmin_free_bytes = 0\n[batch]\nlinger_seconds = 1\n"
            f'[dashboard]\nlisten = "127.0.0.1:{self.port}"\n'
            f'[[folders]]\npath = "{self.drop}"\nproject_id = "p-1"\nsettle_seconds = 0.5\n'
            # A scan of a million takes some twenty seconds of processor time: it is not to fall among the new files.
            "rescan_seconds = 86400\n"
        )

    def fill(self, sample: Path, count: int, start: int) -> None:
        """New rasters, all different, by rename."""
        content = sample.read_bytes()
        for number in range(start, start + count):
            hidden = self.drop / f".{number}.part"
            hidden.write_bytes(content + f"{self.root.name}{number:012}".encode())
            hidden.rename(self.drop / f"{number:09}.tif")

    def ended(self) -> int:
        """Files that are done with, whatever lies in their folder."""
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{self.state}/journal.sqlite?mode=ro", uri=True)) as db,
        ):
            (highest,) = db.execute("SELECT MAX(id) FROM files").fetchone()
            (live,) = db.execute("SELECT COUNT(*) FROM files WHERE disposal IS NULL OR staged = 1").fetchone()
            return (highest or 0) - live
        return 0

    def daemon(self) -> tuple[subprocess.Popen[bytes], float]:
        """Start one; returns it, and the seconds until it said READY."""
        listener, address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), self.root / "notify"
        address.unlink(missing_ok=True)
        listener.bind(str(address))
        listener.settimeout(PATIENCE)
        began = time.monotonic()
        with (self.root / "daemon.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "uploader", "run", "-c", str(self.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(address)},
            )
        with closing(listener):
            while b"READY=1" not in listener.recv(4096):
                pass
        return process, time.monotonic() - began

    def work(self, until: int) -> None:
        """Wait until so many files are done."""
        end = time.monotonic() + PATIENCE
        while self.ended() < until:
            if time.monotonic() > end:
                raise SystemExit((self.root / "daemon.log").read_text()[-2000:])
            time.sleep(0.1)


def measure(place: Place, sample: Path, cost: Cost, new: int) -> None:
    """One daemon on a journal: its start, its rest, its work, and its end."""
    journal = place.state / "journal.sqlite"
    status = [sys.executable, "-m", "uploader", "status", "-c", str(place.config), "--json"]
    cost.bytes_per_file = journal.stat().st_size / cost.history
    process, cost.ready = place.daemon()
    try:
        daemon = psutil.Process(process.pid)
        cost.start = _spent(daemon)
        cost.scanned = _rest(daemon)
        cost.scan = _spent(daemon)
        cost.idle_memory = daemon.memory_info().rss / 2**20
        before = _children()
        cost.status = _timed(status)
        cost.status_spent = _children() - before
        cost.page = _timed(["curl", "-sf", "-o", "/dev/null", f"http://127.0.0.1:{place.port}/"])
        spent, done = _spent(daemon), place.ended()
        place.fill(sample, new, 1)
        place.work(done + new)
        cost.per_file = 1000 * (_spent(daemon) - spent) / new
        cost.zygotes = sum(child.memory_info().rss for child in daemon.children(recursive=True)) / 2**20
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    cost.alone = _timed(status)


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _rest(daemon: psutil.Process) -> float:
    """Wait until it uses no more than a twentieth of a processor for two seconds; returns the seconds that took."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        before = _spent(daemon)
        time.sleep(2)
        if _spent(daemon) - before < 0.1:
            break
    return time.monotonic() - began - 2


def _timed(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _children() -> float:
    """Processor seconds of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def run(root: Path, histories: list[int], new: int) -> list[Cost]:
    """Make the template, and measure each size on it."""
    sample = root / "sample.tif"
    small_tile(sample)
    (root / "box").mkdir()
    options = Options(root=root / "box", api_key="gpra_scale_key_0001", rate_limit=0, quota_bytes=1 << 50)
    costs = []
    with Sandbox(options) as box:
        first = Place(root / "template", box)
        process, _ = first.daemon()
        first.fill(sample, TEMPLATE, 0)
        first.work(TEMPLATE)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        for history in histories:
            place = Place(root / f"of{history}", box)
            began = time.monotonic()
            multiply((first.state, first.drop), (place.state, place.drop), history)
            print(
                f"{history:,} files multiplied in {time.monotonic() - began:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            costs.append(Cost(history))
            measure(place, sample, costs[-1], new)
            shutil.rmtree(place.root)
    return costs


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description="What the daemon's history costs.")
    parser.add_argument("--history", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--new", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    keep_bytecode()
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        costs = run(Path(folder), options.history, options.new)
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs]))
        return
    for cost in costs:
        print(
            f"{cost.history:9,} completed: {cost.bytes_per_file:5.0f} bytes of journal each, "
            f"READY after {cost.ready:.1f} s ({cost.start:.1f} of processor), "
            f"scanned after {cost.scanned:.0f} s ({cost.scan:.1f} of processor), "
            f"{cost.idle_memory:.0f} MiB idle (children {cost.zygotes:.0f}), status {cost.status:.2f} s "
            f"({cost.status_spent:.2f} of processor, {cost.alone:.2f} s without a daemon), "
            f"page {cost.page:.3f} s, {cost.per_file:.1f} ms of processor a file"
        )


if __name__ == "__main__":
    main()

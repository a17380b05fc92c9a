"""What history costs: a daemon that has many completed files, in its journal and in its folder, beside one with few.

    PYTHONPATH=. python benchmarks/scale.py [--history 10000 1000000] [--new 300] [--json]

A daemon sends `TEMPLATE` small rasters to a sandbox of this process and keeps the sources. What its journal then holds
is multiplied, by SQL, into journals of each size, whose files lie in the folder as hard links. Each journal is weighed,
and a daemon is started on it that sends `--new` more rasters. The cost of a file is the daemon's own processor time.
`benchmarks/backlog.py` has the other half: many files in a folder that are new.
"""

from __future__ import annotations

import argparse
import json
import os
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

from uploader.cli.samples import small_tile
from uploader.core.transitions import pruning_events
from uploader.sandbox import Options, Sandbox

TEMPLATE = 200
"""Files of the journal that is multiplied."""

LINKED = 250
"""Copies of the template that are links to one file; ext4 allows 65,000 links."""

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
    scanned: float = 0.0
    """From READY until the daemon rests: its folder is scanned, its journal is copied."""
    idle_memory: float = 0.0
    zygotes: float = 0.0
    """What its children have resident beside it."""
    status: float = 0.0
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


def multiply(template: Place, place: Place, history: int) -> None:
    """A journal with the rows of another, over and over: other ids, paths and hashes, the same sizes."""
    shutil.copytree(template.state, place.state)
    copies = history // TEMPLATE
    sightings = _link(template.drop, place.drop, copies)
    with closing(sqlite3.connect(place.state / "journal.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(
            "CREATE TEMP TABLE seen (copy INTEGER, name TEXT, sighting TEXT, PRIMARY KEY (copy, name))"
        )
        db.executemany("INSERT INTO seen VALUES (?, ?, ?)", sightings)
        last = {
            table: db.execute(f"SELECT MAX(id) FROM {table}").fetchone()[0]
            for table in ("files", "sessions", "events")
        }
        fresh = "printf('%08x', n.i) || substr({}, 9)"
        content = f"CAST({fresh.format('content')} AS BLOB)"
        sighting = (
            f"(SELECT s.sighting FROM seen s WHERE s.copy = n.i / {LINKED} AND s.name = CAST(t.path AS TEXT))"
        )
        changed = {
            "files": {
                "id": f"id + n.i * {last['files']}",
                "session_id": f"session_id + n.i * {last['sessions']}",
                "folder": f"'{place.drop}'",
                "path": "CAST(printf('%06d/', n.i) || CAST(path AS TEXT) AS BLOB)",
                "sighting": sighting,
                "content": content,
                "file_name": "replace(file_name, lower(hex(substr(content, 1, 4))), printf('%08x', n.i))",
                "item_id": fresh.format("item_id"),
            },
            "sessions": {
                "id": f"id + n.i * {last['sessions']}",
                "idempotency_key": fresh.format("idempotency_key"),
                "upload_id": fresh.format("upload_id"),
            },
            "events": {
                "id": f"id + n.i * {last['events']}",
                "file_id": f"file_id + n.i * {last['files']}",
                "session_id": f"session_id + n.i * {last['sessions']}",
            },
        }
        times = {
            name: f"{name} - ({copies} - n.i) * 600.0"
            for name in (
                *("time", "changed_at", "created_at", "discovered_at"),
                *("converted_at", "stored_at", "completed_at"),
            )
        }
        series = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies - 1}"
        numbers = f"(WITH RECURSIVE n(i) AS ({series}) SELECT i FROM n)"
        db.execute("BEGIN")
        for table, columns in changed.items():
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            if names:
                values = ", ".join((times | columns).get(name, f"t.{name}") for name in names)
                where = f"WHERE {_left(copies)}" if table == "events" else ""
                db.execute(f"INSERT INTO {table} SELECT {values} FROM {numbers} n, {table} t {where}")
        db.execute("DELETE FROM files WHERE folder = ?", (str(template.drop),))
        db.execute("COMMIT")


def _left(copies: int) -> str:
    """The condition on events that pruning leaves: all of the newest files, of the others what no row tells."""
    steps = ", ".join(f"'{step}'" for step in pruning_events.STEPS)
    return f"n.i >= {copies - pruning_events.KEPT_STORIES // TEMPLATE} OR file_id IS NULL OR event NOT IN ({steps})"


def _link(template: Path, folder: Path, copies: int) -> list[tuple[int, str, str]]:
    """The sources, which nobody reads again: links to a few small files; returns how the daemon has seen them."""
    names, sightings = sorted(path.name for path in template.iterdir()), []
    for number in range(1, copies):
        (folder / f"{number:06}").mkdir()
    for group in range(copies // LINKED + 1):
        for name in names:
            original, *others = [
                folder / f"{number:06}" / name
                for number in range(max(1, group * LINKED), min(copies, (group + 1) * LINKED))
            ] or [None]
            if original is None:
                continue
            original.write_bytes(b"II*\0" + bytes(60))
            for other in others:
                os.link(original, other)
            found = original.stat()
            seen = [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
            sightings.append((group, name, json.dumps([seen, []], separators=(",", ":"))))
    return sightings


def measure(place: Place, sample: Path, cost: Cost, new: int) -> None:
    """One daemon on a journal: its start, its rest, its work, and its end."""
    journal = place.state / "journal.sqlite"
    status = [sys.executable, "-m", "uploader", "status", "-c", str(place.config), "--json"]
    cost.bytes_per_file = journal.stat().st_size / cost.history
    process, cost.ready = place.daemon()
    try:
        daemon = psutil.Process(process.pid)
        cost.scanned = _rest(daemon)
        cost.idle_memory = daemon.memory_info().rss / 2**20
        cost.status = _timed(status)
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
            multiply(first, place, history)
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
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        costs = run(Path(folder), options.history, options.new)
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs]))
        return
    for cost in costs:
        print(
            f"{cost.history:9,} completed: {cost.bytes_per_file:5.0f} bytes of journal each, "
            f"READY after {cost.ready:.1f} s, scanned after {cost.scanned:.0f} s, "
            f"{cost.idle_memory:.0f} MiB idle (children {cost.zygotes:.0f}), status {cost.status:.2f} s "
            f"({cost.alone:.2f} without a daemon), "
            f"page {cost.page:.3f} s, {cost.per_file:.1f} ms of processor a file"
        )


if __name__ == "__main__":
    main()

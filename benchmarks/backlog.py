"""What a backlog costs: memory over time, time to READY, to the first completed file, and until all are known.

    PYTHONPATH=. python benchmarks/backlog.py [--files 100000] [--seconds 60] [--restart] [--hold] [--json]
    PYTHONPATH=. python benchmarks/backlog.py --arrive burst --files 100000 --rescan 60 [--seconds 90]
    PYTHONPATH=. python benchmarks/backlog.py --arrive renamed --files 3000
    PYTHONPATH=. python benchmarks/backlog.py --arrive races --files 1000
    PYTHONPATH=. python benchmarks/backlog.py --beside --files 1000000 --seconds 300
    PYTHONPATH=. python benchmarks/backlog.py --paused --folders 10 --files 1000000 --seconds 300

Small real rasters (hard links to one or a few) lie in the drop folder before the daemon is started against a sandbox
of this process. `--hold` gives the sandbox no quota, so that nothing completes and everything waits; `--restart` starts
a second daemon on the journal that the first one left. `--arrive` begins with an empty folder: the files come once the
daemon is ready, in one of the ways of `benchmarks/arrivals.py`, and the times are since they began to come; all are to
be known within one rescan. `--beside` watches a second folder into which ten files come once the daemon is ready, and
tells when all ten are completed. With `--paused` a person pauses everything at once, so that files become known and
nothing else happens, until all are. `--folders` spreads the files. At each tenth it is told what they have cost. The
longest silence is the longest time that the daemon's control socket took to answer: what blocks its event loop shows
there. The peers are what the same folder costs others: `find` printing what a scan needs of each file, and a process
that keeps `{path: os.stat_result}`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import arrivals
from benchmarks.as_installed import keep_bytecode
from benchmarks.process_accounts import by_thread, resident, spent
from uploader.cli.samples import small_tile
from uploader.daemon.control_client import ask
from uploader.sandbox import Options, Sandbox

FEW = 10
"""Files of the folder that lies beside the large one."""

KEEPER = """
import os, resource, sys, time
began, kept = time.monotonic(), {}
with os.scandir(sys.argv[1]) as entries:
    for entry in entries:
        kept[entry.path] = entry.stat(follow_symlinks=False)
print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


@dataclass
class Run:
    """One daemon's life. Times in seconds since its start, memory in MiB."""

    ready: float | None = None
    few: float | None = None
    """From their coming until the ten files of the second folder were completed."""
    known: float | None = None
    first: float | None = None
    spent: float | None = None
    """Processor seconds of the daemon itself until all were known: what is left of it on a busy machine."""
    silence: float = 0.0
    backwards: int = 0
    """How often fewer files were known, or completed, than before."""
    completed: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)
    growth: list[tuple[int, float, float]] = field(default_factory=list)
    """At each tenth: files that are known, the time, and the daemon's processor seconds."""

    @property
    def most(self) -> float:
        """The most that was resident at a sample."""
        return max((amount for _, amount in self.memory), default=0.0)

    def told(self) -> dict[str, Any]:
        """The numbers."""
        return {
            "ready_seconds": self.ready,
            "few_completed_seconds": self.few,
            "known_seconds": self.known,
            "known_processor_seconds": self.spent,
            "first_completed_seconds": self.first,
            "longest_silence_seconds": round(self.silence, 3),
            "backwards": self.backwards,
            "completed": self.completed,
            "memory_mib": {"most": self.most, "last": self.memory[-1][1] if self.memory else None},
            "memory_over_time": self.memory,
            "growth": self.growth,
        }


class Bench:
    """A sandbox, a full drop folder, and daemons."""

    def __init__(self, root: Path, options: argparse.Namespace) -> None:
        self.root, self.options = root, options
        self.drop, self.state, self.config = root / "drop", root / "state", root / "config.toml"
        quota = {"quota_bytes": 1} if options.hold else {}
        self.few, self.sample = root / "few", root / "sample.tif"
        small_tile(self.sample)
        self.links, self.expected = arrivals.Links(self.sample), options.files
        (root / "box").mkdir()
        projects = ("p-1", "p-2")
        self.box = Sandbox(
            Options(root=root / "box", api_key="gpra_backlog_0001", rate_limit=0, projects=projects, **quota)
        )

    def fill(self) -> float:
        """Make the files; returns the seconds it took."""
        began = time.monotonic()
        self.drop.mkdir()
        self.few.mkdir()
        if not self.options.arrive:
            arrivals.spread(self.drop, self.links, self.options.files, self.options.folders)
        return time.monotonic() - began

    def configure(self) -> None:
        """Write the configuration and the key."""
        key = self.root / "key"
        key.write_text(self.box.api_key)
        key.chmod(0o600)
        self.config.write_text(
            f'state_dir = "{self.state}"\n[platform]\nbase_url = "{self.box.base_url}"\napi_key_file = "{key}"\n'
            'requests_per_minute = 0\n[limits]\nmin_free_bytes = 0\n[dashboard]\nlisten = ""\n'
            f'[[folders]]\npath = "{self.drop}"\nproject_id = "p-1"\nsettle_seconds = {self.options.settle}\n'
            f"rescan_seconds = {self.options.rescan}\n"
        )
        if self.options.beside:
            with self.config.open("a") as config:
                config.write(f'[[folders]]\npath = "{self.few}"\nproject_id = "p-2"\nsettle_seconds = 1\n')

    def arrive(self, found: Run) -> None:
        """What comes once the daemon is ready."""
        while found.ready is None:
            time.sleep(0.05)
        while self.options.paused and ask(self.state / "control.sock", "pause") is None:
            time.sleep(0.05)
        if self.options.arrive:
            self.expected = arrivals.ARRIVALS[self.options.arrive](self.drop, self.links, self.options.files)
        for number in range(FEW if self.options.beside else 0):
            (self.few / f"{number}.tif").write_bytes(self.sample.read_bytes() + b"%d" % number)

    def run(self) -> Run:
        """Start a daemon and watch it for the seconds that were asked for."""
        found, listener = Run(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = self.root / "notify"
        address.unlink(missing_ok=True)
        listener.bind(str(address))
        began = time.monotonic()
        threading.Thread(target=_hear, args=(listener, found, began), daemon=True).start()
        with (self.root / "daemon.log").open("ab") as log:
            command = [sys.executable, "-m", "uploader", "run", "-c", str(self.config)]
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(address)}
            )
        try:
            if self.options.arrive or self.options.beside or self.options.paused:
                self.arrive(found)
                began = time.monotonic()
            self._watch(process, found, began)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            listener.close()
        return found

    def _watch(self, process: subprocess.Popen[bytes], found: Run, began: float) -> None:
        known = completed = 0
        while time.monotonic() - began < self.options.seconds:
            if process.poll() is not None:
                raise SystemExit((self.root / "daemon.log").read_text()[-2000:])
            status = self._status(found)
            now = round(time.monotonic() - began, 2)
            found.memory.append((now, resident(process.pid)))
            if status:
                total, done = sum(status["files"].values()), status["completed"]
                found.backwards += total < known or done < completed
                known, completed, found.completed = total, done, done
                self._note_growth(found, process.pid, now, known)
                if found.known is None and known >= self.expected:
                    found.known, found.spent = now, spent(process.pid)
                found.few = found.few or (now if self._few(status) >= FEW else None)
                found.first = now if found.first is None and done else found.first
            if self.options.paused and found.known is not None:
                return
            if not self.options.json and len(found.memory) % 10 == 1:
                print(
                    f"{now:7.1f} s  {found.memory[-1][1]:6.1f} MiB  {known:8,} known  {completed:6,} completed",
                    flush=True,
                )
            time.sleep(0.5)

    def _note_growth(self, found: Run, pid: int, now: float, known: int) -> None:
        """At each tenth, and at the end: what the files since the last one have cost."""
        before, _, cost = found.growth[-1] if found.growth else (0, 0.0, 0.0)
        if known == before or (known < self.expected and known - before < self.expected // 10):
            return
        found.growth.append((known, now, spent(pid)))
        if not self.options.json:
            each, threads = 1e6 * (spent(pid) - cost) / (known - before), by_thread(pid)
            told = ", ".join(f"{seconds:.1f}" for seconds in threads[:5])
            print(
                f"{now:7.1f} s  {each:5.0f} us of processor a file up to {known:,}; by thread: {told} s",
                flush=True,
            )

    def _status(self, found: Run) -> dict[str, Any] | None:
        """What the daemon itself tells: counting a million rows beside it would take a processor."""
        asked = time.monotonic()
        with suppress(Exception):
            if (status := ask(self.state / "control.sock", "status")) is not None:
                found.silence = max(found.silence, time.monotonic() - asked)
                return status
        return None

    def _few(self, status: dict[str, Any]) -> int:
        """How many of the second folder's files are completed."""
        return sum(folder["completed"] for folder in status["folders"] if folder["path"] == str(self.few))

    def peers(self) -> dict[str, Any]:
        """What the same folder costs others: seconds, and the most memory in MiB."""
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["find", str(self.drop), "-type", "f", "-printf", "%D %i %s %T@ %C@ %p\\0"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before.ru_utime
        find = {"seconds": round(time.monotonic() - began, 2), "user_seconds": round(spent, 2)}
        done = subprocess.run(
            [sys.executable, "-c", KEEPER, str(self.drop)], check=True, capture_output=True, text=True
        )
        seconds, memory = done.stdout.split()
        return {"find": find, "keeper": {"seconds": round(float(seconds), 2), "memory_mib": int(memory)}}


def _hear(listener: socket.socket, found: Run, began: float) -> None:
    """What the daemon tells its service manager."""
    with suppress(OSError):
        while data := listener.recv(4096):
            if b"READY=1" in data and found.ready is None:
                found.ready = round(time.monotonic() - began, 2)


def _print(name: str, run: Run, options: argparse.Namespace) -> None:
    def seconds(value: float | None) -> str:
        return "not seen" if value is None else f"{value:.1f} s"

    print(
        f"{name}: READY after {seconds(run.ready)}, all known after {seconds(run.known)} "
        f"({seconds(run.spent)} of a processor), first completed after {seconds(run.first)}, "
        f"{run.completed:,} completed in {options.seconds:.0f} s; memory {run.most:.0f} MiB at most, "
        f"{run.memory[-1][1]:.0f} at the end; the ten beside them completed after {seconds(run.few)}; "
        f"longest silence {run.silence:.2f} s; went backwards "
        f"{run.backwards} times"
    )


def main() -> None:
    """Parse, fill, run, print."""
    parser = argparse.ArgumentParser(description="What a backlog costs the daemon.")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=10.0)
    parser.add_argument("--rescan", type=float, default=300.0)
    parser.add_argument("--hold", action="store_true", help="no quota: nothing completes")
    parser.add_argument("--restart", action="store_true", help="a second daemon on the first one's journal")
    parser.add_argument("--arrive", choices=arrivals.ARRIVALS, help="the files come once the daemon is ready")
    parser.add_argument("--beside", action="store_true", help="ten files come into a second folder meanwhile")
    parser.add_argument("--paused", action="store_true", help="files become known, and nothing else happens")
    parser.add_argument("--folders", type=int, default=1, help="over which the files are spread")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    keep_bytecode()
    with tempfile.TemporaryDirectory(prefix="backlog-") as folder:
        bench = Bench(Path(folder), options)
        made = bench.fill()
        if not (options.json or options.arrive):
            print(f"{options.files:,} files made in {made:.1f} s", flush=True)
        with bench.box:
            bench.configure()
            runs = {"first": bench.run()}
            if options.restart:
                runs["restart"] = bench.run()
        peers = bench.peers()
    if options.json:
        told = {name: run.told() for name, run in runs.items()}
        print(json.dumps({"files": options.files, "runs": told, "peers": peers}))
        return
    for name, run in runs.items():
        _print(name, run, options)
    print(f"peers: {peers}")


if __name__ == "__main__":
    main()

"""How fast files leave: the whole daemon against curl, taken in turn, plain and through TLS, near and far.

    PYTHONPATH=. python benchmarks/transfer.py [--one 64] [--many 16] [--count 8] [--parallel 4] [--concurrency 4]
                                  [--ways plain tls] [--ms 0 20 150] [--window 4] [--rounds 1] [--json]

Sizes in MiB. One file goes against `curl -T`, several against `xargs -P PARALLEL curl`. The daemon is
`uploader run --until-idle` with its journal, staging and checks; files are sent as they are (`passthrough`). The
time of a side is that of the line: the server's clock from the first connection for a PUT until the answer to the
last PUT, so that settling and copying before the first byte are not in it. Processor time is that of the whole
process; what a run of two tiny files takes (which also lets the daemon learn the platform's layout) is taken off,
so that claiming, hashing and checking the copies are in it, and the start is not. The folders bear the journal's mark
already: of one that is new to it some files are read once more, to see whether they were uploaded before.
`benchmarks/far_side.py` tells what the far side is: a line of `--window` MiB on their way in each connection. A
narrower one is so slow that the processor does not count, and shows on a busy machine too whether the line rests.
*Whole* is the time of the whole process, what the run of two tiny files takes taken off: copying before the first byte
is in it, so that a daemon that begins to send early does not look slower for it.
Speed above 1 is faster than curl; CPU above 1 is more of it.
Ratios hold on a busy machine, as far as anything does; seconds do not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from as_installed import keep_bytecode
from far_side import WINDOW, FarSide, certificate

from uploader.folders.ownership import Owner, mark, owner_of

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """What one side took: seconds of the line, of the whole process and of processor, connections."""

    seconds: float
    whole: float
    cpu: float
    connections: int


class Line:
    """Both sides on one line."""

    def __init__(self, root: Path, options: argparse.Namespace, *, tls: bool, ms: int) -> None:
        self._root = root / f"{'tls' if tls else 'plain'}-{ms}"
        self._root.mkdir()
        self._options = options
        self._pair = certificate(self._root) if tls else None
        self._far = FarSide(certificate=self._pair, round_trip=ms / 1000, window=int(options.window * MIB))
        self._runs = 0
        self._owner: Owner | None = None
        key = self._root / "key"
        key.write_text("gpra_benchmark_0001")
        key.chmod(0o600)
        self._start = self._daemon(self._fill(2, 4096))

    def compare(self, count: int, size: int) -> dict[str, Any]:
        """Take turns; the medians of both, and their ratios."""
        ours, theirs = [], []
        for _ in range(self._options.rounds):
            theirs.append(self._curl(self._fill(count, size)))
            run = self._daemon(self._fill(count, size))
            start = self._start
            ours.append(
                replace(run, whole=max(run.whole - start.whole, run.seconds), cpu=run.cpu - start.cpu)
            )
        sides = {"uploader": _median(ours), "curl": _median(theirs)}
        gigabytes = count * size / 1e9
        return {
            "files": count,
            "bytes": size,
            **{
                name: {
                    **asdict(run),
                    "mb_per_s": gigabytes * 1000 / run.seconds,
                    "cpu_per_gb": run.cpu / gigabytes,
                }
                for name, run in sides.items()
            },
            "speed": sides["curl"].seconds / sides["uploader"].seconds,
            "whole": sides["curl"].whole / sides["uploader"].whole,
            "cpu": sides["uploader"].cpu / sides["curl"].cpu,
        }

    def close(self) -> None:
        """End the far side, and give the room back."""
        self._far.close()
        shutil.rmtree(self._root)

    def _fill(self, count: int, size: int) -> Path:
        """A folder of files that nobody has seen before."""
        self._runs += 1
        folder = self._root / f"drop-{self._runs}"
        folder.mkdir()
        for number in range(count):
            block = os.urandom(min(size, MIB))
            with (folder / f"{number:03}.dat").open("wb") as file:
                for _ in range(max(1, size // MIB)):
                    file.write(block)
        return folder

    def _daemon(self, drop: Path) -> Run:
        if self._owner is not None:
            mark(drop, self._owner)
        config = self._root / "config.toml"
        trust = f'ca_file = "{self._pair[0]}"\n' if self._pair else ""
        config.write_text(
            f'state_dir = "{self._root}/state"\n[platform]\nbase_url = "{self._far.url}"\nauth = "api_key"\n'
            f'api_key_file = "{self._root}/key"\nrequests_per_minute = 0\n{trust}'
            f"[transfer]\nconcurrency = {self._options.concurrency}\n[batch]\nlinger_seconds = 2\n"
            '[limits]\nmin_free_bytes = 0\n[dashboard]\nlisten = ""\n'
            f'[[folders]]\npath = "{drop}"\nproject_id = "p-1"\nsettle_seconds = 0.5\npassthrough = ["*.dat"]\n'
        )
        command = [sys.executable, "-m", "uploader", "run", "--until-idle", "-c", str(config)]
        return self._measured(command, drop)

    def _curl(self, drop: Path) -> Run:
        trust = f"--cacert {self._pair[0]}" if self._pair else ""
        send = f"curl -sSf -o /dev/null {trust} -H 'Content-Type: image/tiff' -T {{}} {self._far.url}/o/"
        script = f"find {drop} -type f -print0 | xargs -0 -P {self._options.parallel} -I{{}} {send}"
        return self._measured(["bash", "-c", script], drop)

    def _measured(self, command: list[str], drop: Path) -> Run:
        self._far.seen()
        before, files, log = _children(), len(list(drop.iterdir())), self._root / "log"
        began = time.monotonic()
        with log.open("wb") as told:
            done = subprocess.run(command, stdout=told, stderr=told, check=False)
        whole, cpu, seen = time.monotonic() - began, _children() - before, self._far.seen()
        self._owner = owner_of(drop) or self._owner
        shutil.rmtree(drop)
        if done.returncode or len(seen.ended) != files:
            raise SystemExit(
                f"{len(seen.ended)} of {files} files came:\n{log.read_text(errors='replace')[-2000:]}"
            )
        return Run(seen.seconds, whole, cpu, seen.connections)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _median(runs: list[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.whole for run in runs),
        statistics.median(run.cpu for run in runs),
        round(statistics.median(run.connections for run in runs)),
    )


def versions() -> dict[str, str]:
    """Who takes part."""
    told = subprocess.run(["curl", "--version"], check=True, capture_output=True, text=True).stdout
    curl = told.split()
    tls = next((word for word in curl if word.lower().startswith("openssl/")), "")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"uploader": version("geopera-uploader"), "python": python, "curl": f"{curl[1]} {tls}".strip()}


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="How fast files leave, the daemon against curl.")
    parser.add_argument("--one", type=int, default=64, help="MiB of the one file; 0: leave it out")
    parser.add_argument("--many", type=int, default=16, help="MiB of each of several; 0: leave them out")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--parallel", type=int, default=4, help="curls at once")
    parser.add_argument("--concurrency", type=int, default=4, help="transfer.concurrency of the daemon")
    parser.add_argument("--ways", nargs="+", choices=["plain", "tls"], default=["plain", "tls"])
    parser.add_argument("--ms", type=int, nargs="+", default=[0, 20, 150], help="round trips")
    parser.add_argument("--window", type=float, default=WINDOW / MIB, help="MiB on their way in a connection")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Run all lines, print."""
    asked, rows = options(), []
    keep_bytecode()
    with tempfile.TemporaryDirectory(prefix="transfer-") as folder:
        for way in asked.ways:
            for ms in asked.ms:
                line = Line(Path(folder), asked, tls=way == "tls", ms=ms)
                for count, mib in ((1, asked.one), (asked.count, asked.many)):
                    if mib:
                        rows.append({"way": way, "ms": ms, **line.compare(count, mib * MIB)})
                        if not asked.json:
                            print(_line(rows[-1]), flush=True)
                line.close()
    if asked.json:
        print(json.dumps({"versions": versions(), "rows": rows}))
    else:
        print(", ".join(f"{name} {which}" for name, which in versions().items()))


def _line(row: dict[str, Any]) -> str:
    sides = "  ".join(
        f"{name} {row[name]['mb_per_s']:6.0f} MB/s {row[name]['cpu_per_gb']:5.2f} s/GB"
        f" {row[name]['connections']} connections"
        for name in ("uploader", "curl")
    )
    what = f"{row['way']:5} {row['ms']:3} ms  {row['files']} x {row['bytes'] // MIB} MiB"
    return f"{what:26} speed {row['speed']:.2f}x  whole {row['whole']:.2f}x  CPU {row['cpu']:.2f}x   {sides}"


if __name__ == "__main__":
    main()

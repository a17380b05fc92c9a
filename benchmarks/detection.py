"""How long after a file is whole it is claimed: the time beyond `settle_seconds`, over some hundred files.

    PYTHONPATH=. python benchmarks/detection.py [--files 200] [--rate 4] [--settle 1] [--polling] [--json]

Small rasters are renamed into the drop folder of a daemon one after another; the journal tells when each was claimed.
The goal with events is a 99th percentile of one second. Files arrive slower than they are converted, as a claim waits
for the converters and not only for the file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from uploader.cli.samples import small_tile
from uploader.sandbox import Options, Sandbox

PATIENCE = 120.0
"""Seconds that the last file may take to be claimed."""


def configure(root: Path, box: Sandbox, options: argparse.Namespace) -> Path:
    """Write the configuration and the key."""
    key, config = root / "key", root / "config.toml"
    key.write_text(box.api_key)
    key.chmod(0o600)
    config.write_text(
        f'state_dir = "{root / "state"}"\n[platform]\nbase_url = "{box.base_url}"\napi_key_file = "{key}"\n'
        'requests_per_minute = 0\n[limits]\nmin_free_bytes = 0\n[dashboard]\nlisten = ""\n'
        f'[[folders]]\npath = "{root / "drop"}"\nproject_id = "p-1"\nsettle_seconds = {options.settle}\n'
        f'polling = "{"always" if options.polling else "never"}"\n'
    )
    return config


def drop(root: Path, options: argparse.Namespace) -> dict[bytes, float]:
    """Let the files appear one after another; returns when each did."""
    sample = root / "sample.tif"
    small_tile(sample)
    appeared = {}
    for number in range(options.files):
        hidden, name = root / "drop" / ".part", f"{number:05}.tif"
        shutil.copy(sample, hidden)
        with hidden.open("ab") as file:
            file.write(number.to_bytes(4, "big"))
        hidden.rename(root / "drop" / name)
        appeared[name.encode()] = time.time()
        time.sleep(1 / options.rate)
    return appeared


def claims(state: Path, count: int) -> dict[bytes, float]:
    """When each path was claimed first."""
    end = time.monotonic() + PATIENCE
    while True:
        with closing(sqlite3.connect(state / "journal.sqlite", timeout=10)) as db:
            rows = db.execute(
                "SELECT f.path, MIN(e.time) FROM events e JOIN files f ON f.id = e.file_id "
                "WHERE e.event = 'claimed' GROUP BY f.path"
            ).fetchall()
        if len(rows) >= count or time.monotonic() > end:
            return {bytes(path): moment for path, moment in rows}
        time.sleep(0.5)


def measure(options: argparse.Namespace) -> list[float]:
    """Seconds beyond the quiet time, by file."""
    with tempfile.TemporaryDirectory(prefix="detection-") as folder:
        root = Path(folder)
        (root / "box").mkdir()
        (root / "drop").mkdir()
        with Sandbox(Options(root=root / "box", api_key="gpra_detection_0001", rate_limit=0)) as box:
            config = configure(root, box, options)
            process = subprocess.Popen(
                [sys.executable, "-m", "uploader", "run", "-c", str(config)],
                stderr=subprocess.DEVNULL,
                env=dict(os.environ),
            )
            try:
                while not (root / "state" / "control.sock").exists():
                    time.sleep(0.1)
                time.sleep(3.0)
                appeared = drop(root, options)
                claimed = claims(root / "state", len(appeared))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
    if missing := len(appeared) - len(claimed):
        raise SystemExit(f"{missing} files were not claimed within {PATIENCE:.0f} s")
    return sorted(claimed[path] - moment - options.settle for path, moment in appeared.items())


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="From whole to claimed, beyond the quiet time.")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0, help="files a second")
    parser.add_argument("--settle", type=float, default=1.0)
    parser.add_argument("--polling", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options)
    cuts = statistics.quantiles(found, n=100, method="inclusive")
    told = {"files": len(found), "p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "most": found[-1]}
    if options.json:
        print(json.dumps(told))
    else:
        print(
            ", ".join(
                f"{name} {value:.2f} s" if name != "files" else f"{value} files"
                for name, value in told.items()
            )
        )


if __name__ == "__main__":
    main()

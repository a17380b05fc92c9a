"""The whole pipeline: against the shell script that people write, against its slowest stage alone, and its limit.

    PYTHONPATH=. python benchmarks/pipeline.py [--count 24] [--pixels 1000] [--rounds 1] [--statistics] [--limit 2]
                                  [--seconds 60] [--parts script line rate estimate estimate_conversion] [--json]

- *script*: rasters of three bands in a folder, from the start of the daemon until its end, against `xargs -P2` of
  `gdal_translate -of COG` and `curl -T`, taken in turn. Where GDAL's programs are not installed, `rio convert` stands
  in, which takes a start of Python for each file: the output says so.
- *line*: the same rasters with `bandwidth_limit` at `--limit` MB/s, which is to be slower than the conversion, against
  what the limit alone takes: from the first connection for a PUT until the last answer, over bytes by limit.
- *rate*: files that are sent as they are, with a limit of 5 MB/s that becomes 10 MB/s by SIGHUP: bytes of each half of
  `--seconds` against the limit. 1 is the limit.
- *estimate*: as many files as `--limit` MB/s carry in `--seconds`, of very different sizes. When the daemon said that
  it would be done, after a tenth, three and six tenths of the run, against when it was: what it was off, by the whole
  run; above 0 it said too late.

The far side is that of `benchmarks/transfer.py`. Ratios of *script* hold on a busy machine, as far as anything does.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from as_installed import keep_bytecode
from far_side import FarSide
from rasterio.transform import from_origin

from uploader.core.errors import UploaderError
from uploader.daemon.control_client import ask

MB = 1_000_000
PASSED = 4_000_000
"""Bytes of each file of which the rate is measured: so many that what is done for each does not count."""

WORDS = 20
"""Seconds that a daemon may take until its first byte leaves."""


class Place:
    """A folder, a configuration, and a daemon on it."""

    def __init__(self, root: Path, far: FarSide) -> None:
        self.root, self.drop, self.far = root, root / "drop", far
        self.drop.mkdir(parents=True)
        key = root / "key"
        key.write_text("gpra_benchmark_0001")
        key.chmod(0o600)

    def configure(self, limit: float = 0.0) -> Path:
        """Write the configuration; `limit` in MB/s, 0: none."""
        path = self.root / "config.toml"
        path.write_text(
            f'state_dir = "{self.root}/state"\n[platform]\nbase_url = "{self.far.url}"\nauth = "api_key"\n'
            f'api_key_file = "{self.root}/key"\nrequests_per_minute = 0\n[batch]\nlinger_seconds = 1\n'
            f'[transfer]\nbandwidth_limit = "{f"{limit:g}MB/s" if limit else ""}"\n'
            '[limits]\nmin_free_bytes = 0\n[dashboard]\nlisten = ""\n'
            f'[[folders]]\npath = "{self.drop}"\nproject_id = "p-1"\nsettle_seconds = 0.5\npassthrough = ["*.dat"]\n'
        )
        return path

    def command(self, config: Path, *more: str) -> list[str]:
        """How the daemon is started."""
        return [sys.executable, "-m", "uploader", "run", "-c", str(config), *more]


def rasters(folder: Path, count: int, pixels: int) -> None:
    """Rasters in strips that compress about as well as an aerial photograph, all different."""
    facts = {"driver": "GTiff", "width": pixels, "height": pixels, "count": 3, "dtype": "uint8"}
    rows, columns = np.mgrid[0:pixels, 0:pixels]
    for number in range(count):
        noise = np.random.default_rng().integers(0, 12, (3, pixels, pixels))
        image = (90 + 60 * np.sin(rows / 40 + number) + 40 * np.cos(columns / 55) + noise).astype("uint8")
        place = {"crs": "EPSG:32632", "transform": from_origin(500_000 + 100 * number, 5_000_000, 0.1, 0.1)}
        with rasterio.open(folder / f"{number:04}.tif", "w", **facts, **place) as written:
            written.write(image)


def timed(command: list[str], log: Path) -> tuple[float, float]:
    """Seconds that a command takes, and those of processor time of all its processes. Ends where it fails."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with log.open("wb") as told:
        done = subprocess.run(command, stdout=told, stderr=told, check=False)
    if done.returncode:
        raise SystemExit(log.read_text(errors="replace")[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def converter() -> tuple[str, str]:
    """The program that makes COGs in the script, and how it is called with {} and its result."""
    if shutil.which("gdal_translate"):
        return "gdal_translate", 'gdal_translate -q -of COG {} "$0/$(basename {})"'
    rio = Path(sys.executable).parent / "rio"
    return "rio convert", f'{rio} convert --driver COG {{}} "$0/$(basename {{}})"'


def script(root: Path, far: FarSide, options: argparse.Namespace) -> dict[str, Any]:
    """The daemon and the script in turn."""
    name, make = converter()
    if options.statistics:
        make += ' && gdalinfo -stats "$0/$(basename {})" > /dev/null && rm -f "$0/$(basename {}).aux.xml"'
    ours, theirs = [], []
    for number in range(options.rounds):
        place = Place(root / f"script-{number}", far)
        rasters(place.drop, options.count, options.pixels)
        made = place.root / "made"
        made.mkdir()
        send = f'curl -sSf -o /dev/null -T "$0/$(basename {{}})" {far.url}/o/'
        line = (
            f"find {place.drop} -name '*.tif' -print0 | xargs -0 -P2 -I{{}} sh -c '{make} && {send}' {made}"
        )
        theirs.append(timed(["bash", "-o", "pipefail", "-c", line], place.root / "log"))
        ours.append(timed(place.command(place.configure(), "--until-idle"), place.root / "log"))
        shutil.rmtree(place.root)
    (mine, used), (other, theirs_used) = map(_medians, (ours, theirs))
    return {
        "part": "script",
        "with": name,
        "uploader": mine,
        "script": other,
        "speed": other / mine,
        "cpu": used,
        "script_cpu": theirs_used,
        "less_cpu": theirs_used / used,
    }


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)


def line(root: Path, far: FarSide, options: argparse.Namespace) -> dict[str, Any]:
    """The pipeline behind a line that is slower than it."""
    place = Place(root / "line", far)
    rasters(place.drop, options.count, options.pixels)
    far.seen()
    timed(place.command(place.configure(options.limit), "--until-idle"), place.root / "log")
    seen = far.seen()
    alone = seen.size / (options.limit * MB)
    return {"part": "line", "seconds": seen.seconds, "alone": alone, "against_alone": seen.seconds / alone}


def rate(root: Path, far: FarSide, options: argparse.Namespace) -> dict[str, Any]:
    """What passes in a while under one limit, and under another that a SIGHUP brings."""
    place, half = Place(root / "rate", far), options.seconds / 2
    for number in range(int((5 + 10) * MB * (half + WORDS) / PASSED)):
        block = os.urandom(PASSED)
        (place.drop / f"{number:06}.dat").write_bytes(block)
    shares = []
    with (place.root / "log").open("wb") as log:
        process = subprocess.Popen(place.command(place.configure(5)), stdout=log, stderr=log)
    try:
        end, ended = time.monotonic() + WORDS, 0
        while ended < 4 and time.monotonic() < end:  # past the first session, which has two files at most
            time.sleep(0.5)
            ended += len(far.seen().ended)
        for limit in (5, 10):
            if limit != 5:
                place.configure(limit)
                process.send_signal(signal.SIGHUP)
                time.sleep(2)
            far.seen()
            began = time.monotonic()
            time.sleep(half)
            shares.append(far.seen().size / (limit * MB * (time.monotonic() - began)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return {"part": "rate", "at_5": shares[0], "at_10": shares[1]}


def estimate(root: Path, far: FarSide, options: argparse.Namespace) -> dict[str, Any]:
    """What the daemon says of its end, and its end, behind a line that is slower than all else."""
    place, total, number = Place(root / "estimate", far), int(options.limit * MB * options.seconds), 0
    while total > 0:
        size = min(total, int(random.lognormvariate(math.log(MB / 2), 0.8)))
        (place.drop / f"{number:06}.dat").write_bytes(os.urandom(size))
        total, number = total - size, number + 1
    return {"part": "estimate", "files": number, **_estimated(place, far, options.limit)}


def estimate_conversion(root: Path, far: FarSide, options: argparse.Namespace) -> dict[str, Any]:
    """The same where conversion is slower than all else."""
    place = Place(root / "estimate_conversion", far)
    rasters(place.drop, options.count, options.pixels)
    return {"part": "estimate_conversion", "files": options.count, **_estimated(place, far)}


def _estimated(place: Place, far: FarSide, limit: float = 0.0) -> dict[str, Any]:
    """By how much of the run the daemon's word on its end was off, after a tenth, three and six tenths of it."""
    far.seen()
    with (place.root / "log").open("wb") as log:
        command = place.command(place.configure(limit), "--until-idle")
        process = subprocess.Popen(command, stdout=log, stderr=log)
    told: list[tuple[float, str | None]] = []
    while process.poll() is None:
        with suppress(OSError, UploaderError):
            if answer := ask(place.root / "state" / "control.sock", "status"):
                told.append((time.time(), answer["eta"]))
        time.sleep(0.25)
    if process.returncode:
        raise SystemExit((place.root / "log").read_text(errors="replace")[-2000:])
    end = time.time() - (time.monotonic() - max(far.seen().ended))
    begin = told[0][0]
    found: dict[str, Any] = {"seconds": end - begin}
    for share in (0.1, 0.3, 0.6):
        after = [(at, eta) for at, eta in told if at >= begin + share * (end - begin)]
        eta = after[0][1] if after else None
        off = (datetime.fromisoformat(eta).timestamp() - end) / (end - begin) if eta else None
        found[f"off_at_{share}"] = off if off is not None else "no estimate"
    return found


def main() -> None:
    """Run what was asked for, print."""
    parser = argparse.ArgumentParser(description="The whole pipeline.")
    parser.add_argument("--count", type=int, default=24, help="rasters")
    parser.add_argument("--pixels", type=int, default=1000, help="of each side")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--statistics", action="store_true", help="the script takes statistics too, by gdalinfo"
    )
    parser.add_argument("--limit", type=float, default=2.0, help="MB/s of the line")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the rate, or of the estimate's run")
    parts = {"script": script, "line": line, "rate": rate, "estimate": estimate}
    parts["estimate_conversion"] = estimate_conversion
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--json", action="store_true")
    options, found = parser.parse_args(), []
    keep_bytecode()
    far = FarSide(certificate=None, round_trip=0.0)
    with tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
        for name in options.parts:
            found.append(parts[name](Path(folder), far, options))
            if not options.json:
                told = (f"{k} {v:.2f}" if isinstance(v, float) else f"{v}" for k, v in found[-1].items())
                print("  ".join(told), flush=True)
    far.close()
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()

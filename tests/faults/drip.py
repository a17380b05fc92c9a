"""A steady drip of files while a few of all calls fail: memory, descriptors, staging and journal must stay flat.

python -m tests.faults.drip --minutes 60 --percent 2 --every 1.5
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.rows.base import Result
from tests.support.live import Live, live

WARM_UP = 0.25
"""The part of the time after which nothing may grow any more: pools fill and caches warm at first."""


LONG_ENOUGH = 120.0
"""Seconds from which on growth means something."""


@dataclass(frozen=True)
class Sample:
    """The daemon at one moment; sizes in bytes. The journal grows with its history, so it counts per file."""

    at: float
    memory: int
    descriptors: int
    staging: int
    journal: int
    files: int


def drip(
    root: Path, seed: int, *, seconds: float, percent: float, every: float, show: bool = False
) -> Result:
    """Drop a file every so often for a while; returns what grew or went wrong."""
    result, samples = Result(), []
    with live(root, options={"seed": seed}) as d:
        for kind, more in (
            ("status", {"status": 503}),
            ("cut_before", {}),
            ("cut_after", {}),
            ("status", {"status": 500}),
        ):
            d.fault("*", kind, count=None, when={"probability": percent / 400}, **more)
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            d.drop(f"{number % 10}/{number:06}.tif", seed=number)
            number += 1
            time.sleep(every)
            if not d.alive:
                break
            samples.append(_sample(d))
            if show and number % 20 == 0:
                print(samples[-1], flush=True)
        struck = d.struck()
        d.behave()
        if not d.alive:
            return _dead(d, result, number)
        d.idle(300)
        warm = samples[int(len(samples) * WARM_UP) :]
        result.add("files", d.wrong(), number)
        result.add("growth", _grown(warm) if seconds >= LONG_ENOUGH else [], 0)
        first, last = warm[0], warm[-1]
        per_file = (last.journal - first.journal) / max(1, last.files - first.files)
    result.told = (
        f"{number} files, {struck} calls failed; memory {first.memory >> 20} → {last.memory >> 20} MiB, descriptors "
        f"{first.descriptors} → {last.descriptors}, staging {max(s.staging for s in warm) >> 10} KiB at most, "
        f"journal {per_file:.0f} bytes a file"
    )
    return result


def _dead(d: Live, result: Result, number: int) -> Result:
    assert d.process is not None
    tail = (d.w.root / "daemon.log").read_text(errors="replace")[-3000:]
    result.add("alive", [f"the daemon ended with {d.process.returncode} after {number} files:\n{tail}"])
    return result


def _sample(d: Live) -> Sample:
    assert d.process is not None
    process = Path(f"/proc/{d.process.pid}")
    status = (process / "status").read_text()
    return Sample(
        time.monotonic(),
        int(status.split("VmRSS:")[1].split()[0]) << 10,
        len(list((process / "fd").iterdir())),
        _weight(d.w.state / "staging"),
        sum(path.stat().st_size for path in d.w.state.glob("journal.sqlite")),
        len(d.dropped),
    )


def _weight(folder: Path) -> int:
    """Bytes of all files below a folder in which others come and go meanwhile."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(directory) / name).lstat().st_size
    return total


def _grown(samples: list[Sample]) -> list[str]:
    """What was larger in the last quarter than in the first, by the median: a file on its way does not count."""
    quarter = max(1, len(samples) // 4)
    wrong = []
    for name, allowed in (("memory", 8 << 20), ("descriptors", 8), ("staging", 2 << 20)):
        before = statistics.median(getattr(s, name) for s in samples[:quarter])
        after = statistics.median(getattr(s, name) for s in samples[-quarter:])
        if after - before > allowed:
            wrong.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return wrong


def main() -> int:
    """Drip from the command line; 0 where everything stayed flat and arrived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--percent", type=float, default=2.0, help="of all calls that fail")
    parser.add_argument("--every", type=float, default=1.5, help="seconds between two files")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drip-") as root:
        result = drip(
            Path(root),
            given.seed,
            seconds=given.minutes * 60,
            percent=given.percent,
            every=given.every,
            show=True,
        )
    print(f"seed={given.seed} {result.told}; {len(result.wrong)} wrong")
    for line in result.wrong:
        print("  " + line)
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

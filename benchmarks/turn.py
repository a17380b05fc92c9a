"""What a turn of the planner costs: the view of the working set, and the plan for it.

    PYTHONPATH=. python benchmarks/turn.py [--files 20000] [--seconds 40] [--turns 500] [--json]

A daemon finds so many files and works on them for so many seconds; the sandbox has no quota, so that what is converted
waits. Then the turn that its journal leads to is planned again and again in this process, with as many settled files as
a daemon takes up at once. Milliseconds of processor time, and of the clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from backlog import Bench

from uploader.config import load
from uploader.core.planner import plan
from uploader.core.planner_view import Settled
from uploader.journal import Journal

SETTLED = 64
"""Settled files that a turn sees."""


def turns(bench: Bench, number: int) -> dict[str, Any]:
    """Plan for what the daemon has left; the same turn each time, for nothing is done."""
    settings, journal = load(bench.config), Journal(bench.state)
    folders = {folder.path: folder for folder in settings.folders}
    settled = tuple(Settled(1 << 40 | n, str(bench.drop), 1 << 20) for n in range(SETTLED))
    spent, passed = [], []
    for _ in range(number):
        began, clock = time.process_time(), time.perf_counter()
        view = journal.live.view(folders, batch_files=settings.batch.max_files)
        turn = plan(replace(view, settled=settled, converters=3), time.time(), settings)
        spent.append(time.process_time() - began)
        passed.append(time.perf_counter() - clock)
    facts = {"queued": view.queued_total, "waiting": len(view.waiting), "actions": len(turn.actions)}
    journal.close()
    return {
        **facts,
        "processor_ms": 1000 * statistics.median(spent),
        "clock_ms": 1000 * statistics.median(passed),
    }


def main() -> None:
    """Parse, fill, run, measure."""
    parser = argparse.ArgumentParser(description="What a turn of the planner costs.")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    daemon = argparse.Namespace(
        files=asked.files,
        seconds=asked.seconds,
        settle=1.0,
        rescan=300.0,
        hold=True,
        arrive=None,
        beside=False,
        json=True,
    )
    with tempfile.TemporaryDirectory(prefix="turn-") as folder:
        bench = Bench(Path(folder), daemon)
        bench.fill()
        with bench.box:
            bench.configure()
            known = bench.run().known
        found = {"files": asked.files, "known": known is not None, **turns(bench, asked.turns)}
    print(json.dumps(found) if asked.json else "  ".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()

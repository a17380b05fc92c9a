"""What a turn of the planner costs: the view of the working set, and the plan for it.

    PYTHONPATH=. python benchmarks/turn.py [--files 20000] [--seconds 40] [--live 0] [--turns 500] [--json]

A daemon finds so many files and works on them for so many seconds; the sandbox has no quota, so that what is converted
waits. Then the turn that its journal leads to is planned again and again in this process, with as many settled files as
a daemon takes up at once, and after a commit about one converted file each time. `--live` enters so many more files as
claimed, every second of them as converted. Milliseconds of processor time, and of the clock.
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

import anyio
from backlog import Bench

from uploader.config import load
from uploader.core.model import Fingerprint, Sighting
from uploader.core.planner import plan
from uploader.core.planner_view import Settled
from uploader.journal import Converted, Journal, Reader
from uploader.journal.deltas import Touched, delta

TOGETHER = 1000
"""Files that are entered at once."""

SETTLED = 64
"""Settled files that a turn sees."""


def enter(bench: Bench, number: int) -> None:
    """Have so many live files in the journal, by its own transitions."""
    folder = str(bench.drop)

    async def one(journal: Journal, file_id: int, sighting: Sighting) -> None:
        passed = Converted(1 << 20, 1, "encode", categorical=False, file_name=f"live-{file_id}.tif")
        content = f"{file_id:064x}"
        await journal.files.claimed(
            file_id, sighting, content, sighting.size, passed=passed if file_id % 2 else None
        )

    async def work() -> None:
        journal = Journal(bench.state)
        for first in range(0, number, TOGETHER):
            seen = [
                Sighting(folder, b"live/%d.tif" % n, Fingerprint(1, n, 1 << 20, n, n))
                for n in range(first, min(first + TOGETHER, number))
            ]
            ids = await journal.files.discovered(seen)
            async with anyio.create_task_group() as group:
                for file_id, sighting in zip(ids, seen, strict=True):
                    group.start_soon(one, journal, file_id, sighting)
        journal.close()

    anyio.run(work)


def turns(bench: Bench, number: int) -> dict[str, Any]:
    """Plan for what the daemon has left; the same turn each time, for nothing is done, and no row is another one."""
    settings, journal = load(bench.config), Journal(bench.state)
    folders = {folder.path: folder for folder in settings.folders}
    settled = tuple(Settled(1 << 40 | n, str(bench.drop), 1 << 20) for n in range(SETTLED))
    with Reader(bench.state) as reader:
        some = reader.db.conn.execute("SELECT id FROM files WHERE state = 'converted' LIMIT 1").fetchall()
        commit = delta(reader.db, Touched(files={row[0] for row in some}))
    spent, passed = [], []
    for _ in range(number):
        journal.live.apply(commit)
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
    parser.add_argument("--live", type=int, default=0)
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
        paused=False,
        folders=1,
        json=True,
    )
    with tempfile.TemporaryDirectory(prefix="turn-") as folder:
        bench = Bench(Path(folder), daemon)
        bench.fill()
        with bench.box:
            bench.configure()
            known = bench.run().known
        enter(bench, asked.live)
        found = {"files": asked.files, "known": known is not None, **turns(bench, asked.turns)}
    print(json.dumps(found) if asked.json else "  ".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()

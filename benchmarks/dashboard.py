"""What the page costs the daemon: an update of it beside a journal of many files, and its memory while nobody looks.

    PYTHONPATH=. python benchmarks/dashboard.py [--files 1000000] [--pending 1000] [--rejected 500] [--updates 30]

The rows are made by SQL; whatever is measured is the program's own: a request over loopback, the queries on SQLite, the
templates. An update is what a browser asks for when something was committed; its cost is the processor time of this
process, without that of the browser, which is another one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sqlite3
import statistics
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.browser.driving import served
from tests.support.page import SIGHTING, Acted
from uploader.journal import FILE_NAME, HoldList, Reader, status_of
from uploader.report.dashboard.pages import STALE

DAYS = 10
"""Over which the history is spread."""

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :files) "
STATE = (
    "CASE WHEN i > :files - :pending THEN 'queued' WHEN i % (:files / :rejected) = 7 THEN 'rejected' "
    "ELSE 'completed' END"
)
AT = "(:now - (:files - i) * :span)"
SESSIONS = f"""
    INSERT INTO sessions (id, state, project_id, collection_id, item_id, asset_key, categorical, idempotency_key, body,
        file_count, total_bytes, upload_id, created_at, changed_at)
    {NUMBERS}
    SELECT i / 100 + 1, 'completed', 'p-1', '', '', '', 0, i, '{{}}', 100, 9, 'up_' || i, {AT}, {AT} FROM n
    WHERE i % 100 = 1"""
FILES = f"""
    INSERT INTO files (id, folder, path, current, state, sighting, size, content, object_size, method, file_name,
        session_id, item_id, disposal, discovered_at, changed_at, completed_at, last_error)
    {NUMBERS}
    SELECT i, '/srv/drop' || i % 4, CAST(printf('2026/%04d/ortho_%07d.tif', i / 1000, i) AS BLOB), 1, {STATE},
        :sighting, 3000000 + i, CAST(printf('%032d', i) AS BLOB), 2000000, 'encode', printf('ortho_%07d.tif', i),
        i / 100 + 1, 'it_' || i, 'kept', {AT}, {AT}, {AT}, 'It does not open, kind ' || i % 5 FROM n"""
UNENDED = "UPDATE files SET session_id = NULL, item_id = NULL, completed_at = NULL WHERE state != 'completed'"
EVENTS = """
    INSERT INTO events (time, file_id, event, state, note)
    SELECT f.changed_at, f.id, s.event, f.state, '' FROM files f, (
        SELECT 'claimed' AS event UNION ALL SELECT 'converted' UNION ALL SELECT 'stored' UNION ALL SELECT 'completed') s
    WHERE f.state = 'completed' OR s.event = 'claimed' ORDER BY f.id"""


class Kept(Acted):
    """Reads by one connection that stays open, as the daemon does."""

    reader: Reader

    async def status(self) -> dict[str, Any]:
        """As `LiveStatus.ask` tells it."""
        told = status_of(self.reader.facts({}), HoldList(self.holds, 7), time.time())
        return {**told, "running": self.running, "stalled_after": 300.0, "alarms": []}

    async def read(self, query: Any) -> Any:
        """As `Journal.read` does."""
        return query(self.reader.db)


def fill(state: Path, files: int, pending: int, rejected: int) -> None:
    """Make the rows."""
    facts = {
        "files": files,
        "pending": pending,
        "rejected": rejected,
        "now": time.time(),
        "span": DAYS * 86400 / files,
        "sighting": SIGHTING,
    }
    with closing(sqlite3.connect(state / FILE_NAME)) as db:
        db.execute("PRAGMA synchronous=OFF")
        for sql in (SESSIONS, FILES, UNENDED, EVENTS):
            db.execute(sql, facts)
        db.commit()


def get(address: str) -> bytes:
    """What an address answers."""
    with urllib.request.urlopen(address, timeout=120) as answer:
        return bytes(answer.read())


def asked(address: str, path: str, ready: Any, go: Any) -> None:
    """In a process of its own: ask whenever told to."""
    while go.recv():
        get(f"{address}{path}")
        ready.send(1)


def cost(acted: Kept, address: str, path: str, updates: int) -> list[float]:
    """Milliseconds of processor time that each of so many updates takes; before each one a file was completed."""
    spawn = multiprocessing.get_context("spawn")
    (hear, ready), (take, go) = spawn.Pipe(duplex=False), spawn.Pipe(duplex=False)
    browser = spawn.Process(target=asked, args=(address, path, ready, take))
    browser.start()
    found = []
    for number in range(updates + 3):
        acted.add(f"new/{path.strip('/').replace('/', '_')}_{number}.tif", ago=0)
        time.sleep(STALE + 0.1)
        before = time.process_time()
        go.send(1)
        hear.recv()
        found.append(1000 * (time.process_time() - before))
    go.send(0)
    browser.join()
    return found


def measure(files: int, pending: int, rejected: int, updates: int) -> dict[str, Any]:
    """Fill a journal, and measure."""
    with tempfile.TemporaryDirectory(prefix="dashboard-") as root:
        acted = Kept(Path(root, "state"))
        fill(acted.state, files, pending, rejected)
        acted.reader = Reader(acted.state)
        before = _memory()
        with served(acted) as address:
            loaded = _memory()
            told = {path: cost(acted, address, path, updates) for path in ("/", "/api/v1/status", "/metrics")}
            began = time.process_time()
            time.sleep(5)
            idle = (time.process_time() - began) / 5
        acted.reader.close()
    return {
        "files": files,
        "pending": pending,
        "rejected": rejected,
        "first_look_ms": round(told["/"][0]),
        "update_ms": {path: round(statistics.median(found[3:]), 1) for path, found in told.items()},
        "worst_ms": {path: round(max(found[3:]), 1) for path, found in told.items()},
        "idle_percent": round(100 * idle, 2),
        "memory_mib": {"without": round(before), "with_the_page": round(loaded), "after": round(_memory())},
    }


def _memory() -> float:
    """MiB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, given in (("files", 1_000_000), ("pending", 1000), ("rejected", 500), ("updates", 30)):
        parser.add_argument(f"--{name}", type=int, default=given)
    print(json.dumps(measure(**vars(parser.parse_args())), indent=2))

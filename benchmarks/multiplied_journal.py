"""A journal of very many completed files, made by SQL of one that a daemon has written, and the folder of sources."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from uploader.core.transitions import pruning_events

TEMPLATE = 200
"""Files of the journal that is multiplied."""

LINKED = 250
"""Copies of the template that are links to one file; ext4 allows 65,000 links."""


def multiply(template: tuple[Path, Path], place: tuple[Path, Path], history: int) -> None:
    """A journal with the rows of another, over and over: other ids, paths and hashes, the same sizes.

    Both are a state directory and a drop folder.
    """
    (template_state, template_drop), (state, drop) = template, place
    shutil.copytree(template_state, state)
    copies = history // TEMPLATE
    sightings = _link(template_drop, drop, copies)
    with closing(sqlite3.connect(state / "journal.sqlite", isolation_level=None)) as db:
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
                "folder": f"'{drop}'",
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
        db.execute("DELETE FROM files WHERE folder = ?", (str(template_drop),))
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

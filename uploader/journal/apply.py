"""Writes what a transition makes true. Nothing is decided here, and no rule stands in its SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from uploader.core.transitions.change import Change, Columns, LogLine
from uploader.core.transitions.clock_events import TIMES
from uploader.journal import content_hashes, recovered_items
from uploader.journal.hold_rows import learn, write_hold, write_pause
from uploader.journal.receipt_rows import keep_receipts
from uploader.journal.sqlite_library import Database

SESSION_KEY = ("project_id", "collection_id", "item_id", "asset_key", "categorical")
"""The columns that a session's key fills, in the order of `SessionKey`."""

TOGETHER = 50
"""Rows that one statement inserts."""

_JSON = frozenset({"warnings", "item_ids", "body", "declared", "facts", "details"})
"""Columns that hold JSON."""


def apply(db: Database, change: Change) -> None:
    """Within a transaction: write a change, rows first and the log after them."""
    _write(db, "sessions", change.new_sessions, change.sessions)
    _write(db, "scenes", change.new_scenes, change.scenes)
    _write(db, "files", change.new_files, change.files)
    for (scope, subject), hold in change.holds.items():
        write_hold(db, scope, subject, hold)
    for folder, pause in change.pauses.items():
        write_pause(db, folder, pause)
    for key, value in change.learned.items():
        learn(db, key, value)
    for item_id, file_id in change.taken.items():
        recovered_items.take(db, item_id, file_id)
    for folder, path in change.assured:
        recovered_items.assured(db, folder, path)
    for name, event in change.cursors.items():
        _move_cursor(db, name, event)
    if change.log:
        _log(db, change.now, change.log)
    _forget(db, change)
    if change.set_back:
        _set_back(db, change.now, change.set_back)


def _write(db: Database, table: str, new: Mapping[int, Columns], changed: Mapping[int, Columns]) -> None:
    if new:
        _insert(db, table, [{"id": row_id, **_encoded(columns)} for row_id, columns in new.items()])
    if changed:
        _update(db, table, {row_id: _encoded(columns) for row_id, columns in changed.items()})


def _insert(db: Database, table: str, new: Sequence[Columns]) -> None:
    """New files come by the thousand. Names of columns are ours, never input."""
    for names, alike in groupby(new, key=tuple):
        _insert_all(db, table, names, [tuple(values.values()) for values in alike])


def _insert_all(db: Database, table: str, names: Sequence[str], values: Sequence[tuple[Any, ...]]) -> None:
    """Rows of the same columns, `TOGETHER` in one statement as far as they go: one by one they take twice as long."""
    whole, one = len(values) - len(values) % TOGETHER, f"({', '.join('?' * len(names))})"
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES "  # noqa: S608
    for at in range(0, whole, TOGETHER):
        several = tuple(chain.from_iterable(values[at : at + TOGETHER]))
        db.conn.execute(sql + ", ".join([one] * TOGETHER), several)
    db.conn.executemany(sql + one, values[whole:])


def _update(db: Database, table: str, changed: Mapping[int, Columns]) -> None:
    """Rows of which the same columns change are one statement. Names of columns are ours, never input."""
    for names, alike in groupby(changed.items(), key=lambda row: tuple(row[1])):
        db.conn.executemany(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",  # noqa: S608
            [(*columns.values(), row_id) for row_id, columns in alike],
        )


def _log(db: Database, now: float, lines: Sequence[LogLine]) -> None:
    values = [
        (now, line.file_id, line.session_id, str(line.event), str(line.state), line.note) for line in lines
    ]
    _insert_all(db, "events", ("time", "file_id", "session_id", "event", "state", "note"), values)


def _move_cursor(db: Database, name: str, event: int | None) -> None:
    if event is None:
        db.conn.execute("DELETE FROM cursors WHERE name = ?", (name,))
        return
    db.conn.execute(
        "INSERT INTO cursors (name, event) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET event = excluded.event",
        (name, event),
    )


def _forget(db: Database, change: Change) -> None:
    """The newest event stays, so that no id is given twice. What became of a file is kept when its row goes."""
    if change.forgotten_files:
        keep_receipts(db, change.forgotten_files)
    newest = "id < (SELECT MAX(id) FROM events)"
    for going, table, about in (
        (change.forgotten_files, "files", f"file_id = ? AND {newest}"),
        (change.forgotten_sessions, "sessions", f"session_id = ? AND file_id IS NULL AND {newest}"),
        (change.forgotten_events, "", f"id = ? AND {newest}"),
    ):
        ids = [(row_id,) for row_id in going]
        if not ids:
            continue
        db.conn.executemany(f"DELETE FROM events WHERE {about}", ids)  # noqa: S608 - conditions of ours
        if table:
            db.conn.executemany(f"DELETE FROM {table} WHERE id = ?", ids)  # noqa: S608 - a table of ours


def _set_back(db: Database, now: float, seconds: float) -> None:
    """All rows at once, for it may be all that there are."""
    for table, columns in TIMES.items():
        for name, scheduled in columns.items():
            value = f"{name} - ?" if scheduled else "?"
            db.conn.execute(
                f"UPDATE {table} SET {name} = {value} WHERE {name} > ?",  # noqa: S608 - names of ours
                (seconds if scheduled else now, now),
            )


def _encoded(columns: Mapping[str, Any]) -> Columns:
    """The columns as SQLite has them."""
    found = dict(columns)
    for name in _JSON.intersection(columns):
        found[name] = json.dumps(columns[name])
    if "content" in found:
        found["content"] = content_hashes.stored(found["content"])
    key = found.pop("key", None)
    if key is not None:
        found |= {name: getattr(key, name) for name in SESSION_KEY}
    return found

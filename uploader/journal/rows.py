"""How values become columns, and rows become values."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.core.path_text import full_path, lossless, raw, shown
from uploader.journal.sqlite_library import Database

T = TypeVar("T")

clock = time.time
"""Unix seconds; a test may replace it."""


def encode_sighting(sighting: Sighting) -> str:
    """The fingerprints of a group as text: equal texts mean an untouched group. It is JSON; most have no sidecars."""
    if not sighting.sidecars:
        own = sighting.fingerprint
        return f"[[{own.device},{own.inode},{own.size},{own.mtime_ns},{own.ctime_ns}],[]]"
    return json.dumps(
        [
            _fingerprint(sighting.fingerprint),
            [[lossless(s.name), s.suffix, _fingerprint(s.fingerprint)] for s in sighting.sidecars],
        ],
        separators=(",", ":"),
    )


def decode_sighting(folder: str, path: bytes, text: str) -> Sighting:
    """The sighting that `encode_sighting` wrote."""
    own, sidecars = json.loads(text)
    return Sighting(
        folder,
        path,
        Fingerprint(*own),
        tuple(Sidecar(raw(name), suffix, Fingerprint(*fp)) for name, suffix, fp in sidecars),
    )


def shown_path(row: Mapping[str, Any]) -> str:
    """Where the file of a row lies, as text that can be printed."""
    return shown(full_path(row["folder"], bytes(row["path"])))


def _fingerprint(fp: Fingerprint) -> list[int]:
    return [fp.device, fp.inode, fp.size, fp.mtime_ns, fp.ctime_ns]


AT_ONCE = 500
"""Ids or paths in one query."""


def batched(values: Iterable[T]) -> Iterator[list[T]]:
    """So many values at once as one query takes."""
    rest = iter(values)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def in_list(words: Iterable[str]) -> str:
    """States or events as what stands between the brackets of `IN (...)`. They are words of ours."""
    return ", ".join(f"'{word}'" for word in sorted(words))


def one(db: Database, sql: str, *args: Any) -> dict[str, Any] | None:
    """The first row of a query as a mapping, or None."""
    cursor = db.conn.execute(sql, args)
    row = cursor.fetchone()
    return None if row is None else dict(zip((c[0] for c in cursor.description), row, strict=True))


def rows(db: Database, sql: str, *args: Any) -> list[dict[str, Any]]:
    """All rows of a query as mappings."""
    cursor = db.conn.execute(sql, args)
    names = [c[0] for c in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def log_event(
    db: Database,
    event: str,
    state: str,
    note: str = "",
    *,
    file_id: int | None = None,
    session_id: int | None = None,
) -> None:
    """Append a line to the event log."""
    db.conn.execute(
        "INSERT INTO events (time, file_id, session_id, event, state, note) VALUES (?, ?, ?, ?, ?, ?)",
        (clock(), file_id, session_id, str(event), str(state), note),
    )

"""The table of receipts: written with the change that they tell of, read in pages, never pruned."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from uploader.core import receipts
from uploader.core.errors import JournalError
from uploader.core.lifecycle import OBJECT_MADE, OBJECT_STORED
from uploader.journal.rows import one
from uploader.journal.sqlite_library import Database

PAGE = 1000
"""Receipts that one query reads: no reading transaction lasts as long as who prints them."""

_SELECT = (
    "SELECT f.id, f.folder, f.path, f.state, COALESCE(s.project_id, '') AS project_id, "
    "COALESCE(s.collection_id, '') AS collection_id, COALESCE(s.item_id, '') AS target_item_id, "
    "COALESCE(s.asset_key, '') AS asset_key, COALESCE(s.upload_id, '') AS upload_id, f.item_id, f.file_name, "
    "f.content, f.source_sha256, json_extract(f.sighting, '$[0][2]') AS source_size, f.size AS group_size, "
    "f.object_sha256, f.object_md5, f.object_crc32c, f.object_size, f.categorical, f.method, f.comparison, "
    "f.warnings, f.declared, f.facts, f.discovered_at AS seen_at, "
    "(SELECT MAX(time) FROM events WHERE file_id = f.id AND event = ?) AS converted_at, "
    "(SELECT MAX(time) FROM events WHERE file_id = f.id AND event = ?) AS stored_at, "
    "f.completed_at, f.readback, f.disposal, f.archived_as "
    "FROM files f LEFT JOIN sessions s ON s.id = f.session_id WHERE f.id = ?"
)


def write_receipt(db: Database, file_id: int, now: float) -> None:
    """Within a transaction: write a file's receipt, or what is new in it, as its row says."""
    row = one(db, _SELECT, OBJECT_MADE.value, OBJECT_STORED.value, file_id)
    assert row is not None
    columns = receipts.receipt(row, now)
    anew = ", ".join(f"{name} = excluded.{name}" for name in receipts.KEPT)
    db.conn.execute(
        f"INSERT INTO receipts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608
        f"ON CONFLICT (id) DO UPDATE SET {anew}",
        tuple(columns.values()),
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which receipts are wanted; empty text and None: all. `since` in unix seconds, by when the item was known."""

    since: float | None = None
    folder: str = ""
    project_id: str = ""
    state: str = ""

    @property
    def condition(self) -> str:
        """As SQL, with the values of `values`."""
        return (
            "completed_at >= :since AND :folder IN ('', folder) AND :project_id IN ('', project_id) "
            "AND :state IN ('', state)"
        )

    @property
    def values(self) -> dict[str, Any]:
        """The values by name."""
        return {
            "since": self.since or 0.0,
            "folder": self.folder,
            "project_id": self.project_id,
            "state": self.state,
        }


def by_time(db: Database, chosen: Selection) -> Iterator[dict[str, Any]]:
    """Receipts in the order in which the items came about, also while a daemon adds some."""
    return _pages(db, chosen, "(completed_at, id) > (:completed_at, :id)", "completed_at, id")


def by_item(db: Database, chosen: Selection) -> Iterator[dict[str, Any]]:
    """Receipts with those of one item together; those of which the item is not known come last."""
    yield from _pages(db, chosen, "(item_id, id) > (:item_id, :id)", "item_id, id")
    yield from _pages(db, chosen, "item_id IS NULL AND id > :id", "id")


def receipt_row(db: Database, file_id: int) -> dict[str, Any] | None:
    """One receipt; None where the file is no item."""
    found = one(db, "SELECT * FROM receipts WHERE id = ?", file_id)
    return found and receipts.whole(found)


def _pages(db: Database, chosen: Selection, further: str, order: str) -> Iterator[dict[str, Any]]:
    """All rows, page by page: those of the next one lie `further` than the last row of the one before."""
    last: dict[str, Any] = {"completed_at": chosen.since or 0.0, "item_id": "", "id": 0}
    sql = f"SELECT * FROM receipts WHERE {further} AND {chosen.condition} ORDER BY {order} LIMIT {PAGE}"  # noqa: S608
    while found := _rows(db, sql, {**chosen.values, **last}):
        yield from found
        last = {name: found[-1][name] for name in last}


def _rows(db: Database, sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """All rows of a query with named values. Raises JournalError where an earlier version wrote the journal."""
    try:
        cursor = db.conn.execute(sql, values)
    except sqlite3.OperationalError as error:
        if "no such table: receipts" not in str(error):
            raise
        raise JournalError(
            "The journal is of an earlier version, which kept no receipts.",
            "Start this version of the daemon once: it brings the journal up to date.",
        ) from error
    names = [column[0] for column in cursor.description]
    return [receipts.whole(dict(zip(names, row, strict=True))) for row in cursor]
